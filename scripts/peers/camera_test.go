package peers

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"image/jpeg"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// What the camera of TestCamera shows.
const (
	filmSeconds  = 16
	filmRate     = 25 // pictures a second
	watchSeconds = 10
	cameraName   = "Entrée"
)

// Short forms of the types of a camera in HomeKit's database.
const (
	streamService   = "110"
	supportedVideo  = "114"
	supportedAudio  = "115"
	supportedRTP    = "116"
	selectedStream  = "117"
	setupEndpoints  = "118"
	streamingStatus = "120"
)

// What they answer and are told.
const (
	endpointsDone = 0
	endpointsBusy = 1
	endStream     = 0
	startStream   = 1
)

// Limits, which hold with the race detector, too.
const (
	cameraCPU        = 10 // percent of a core
	snapshotPatience = time.Second
)

// TestCamera lets hap-controller watch a camera in a house without cloud. The camera serves HLS made by ffmpeg; the
// pictures that come out of our SRTP are decrypted and decoded by ffmpeg, and compared with those that went in.
func TestCamera(t *testing.T) {
	with := needTools(t)
	s := cinema{t: t, folder: t.TempDir()}
	need(t, "ffmpeg makes an HLS stream of H.264, 1280x720", s.makeFilm)
	camera, err := cameratest.Start(cameratest.Setup{Device: netatmotest.Welcome, Film: s.film, Picture: cameratest.Draw(1280, 720)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(camera.Close)
	cloud, url, witness := startCloud(t, filmedHome(camera))
	s.house = newHouse(t, with, settings{cloud: url, witness: witness})
	if err := s.house.signIn(cloud); err != nil {
		t.Fatal(err)
	}
	s.house.start()
	s.home = startHomeApp(t, with)
	need(t, "the camera, of which the cloud has told, answers on the LAN", s.pairAndFind)
	cloud.Close()
	promise(t, "hap-controller reads what the camera offers", s.reads)
	promise(t, "without cloud, hap-controller gets a picture of the camera", s.snapshot)
	promise(t, fmt.Sprintf("ffmpeg decrypts and decodes %d s of the live picture, and it is the camera's", watchSeconds), s.watch)
	promise(t, "a second viewer watches, and a third is refused", s.crowd)
	promise(t, "the camera's key is in no log", func() (string, error) {
		text, err := os.ReadFile(s.house.log)
		if err == nil && strings.Contains(string(text), camera.Key()) {
			err = errors.New("it is in the daemon's")
		}
		return "", err
	})
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", s.house.endsSoon)
}

// filmedHome is the vendor's home in which one camera is on this machine, and no other on any.
func filmedHome(camera *cameratest.Camera) netatmotest.Home {
	home := netatmotest.House()
	for i := range home.Modules {
		m := &home.Modules[i]
		m.Key, m.Local = "", ""
		if m.ID == camera.Device() {
			m.Key, m.Local = camera.Key(), "http://"+camera.Address().String()
		}
	}
	return home
}

// cinema is what TestCamera works with.
type cinema struct {
	t      *testing.T
	folder string
	film   cameratest.Film
	hashes []string // of the film's pictures
	house  *house
	home   *stranger
	places []place
	aid    uint64
}

// place is the service of one viewer: ids by the short type.
type place map[string]string

// pairAndFind pairs hap-controller and waits for the camera's services.
func (s *cinema) pairAndFind() (string, error) {
	code, address, err := s.house.code()
	if err != nil {
		return "", err
	}
	if err := s.home.ask("pair", map[string]any{"address": address, "device": "", "code": code}, nil); err != nil {
		return "", err
	}
	took, err := until(2*patience, func() error {
		var d database
		if err := s.home.ask("accessories", nil, &d); err != nil {
			return err
		}
		if s.find(d); len(s.places) != 2 {
			return fmt.Errorf("%w: %d places for viewers", errNotYet, len(s.places))
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	_, err = until(3*patience, func() error { // its address is asked for apart, and not at once
		now, err := s.house.status()
		if err != nil {
			return err
		}
		d, err := now.device(cameraName)
		if err == nil && d.Via != "camera" || !d.Reachable {
			err = fmt.Errorf("%w: it is reached by %q (%s)", errNotYet, d.Via, d.Why)
		}
		return err
	})
	return seconds(took), err
}

// find notes where viewers negotiate.
func (s *cinema) find(d database) {
	s.places = nil
	for _, a := range d.Accessories {
		for _, service := range a.Services {
			if a.name() != cameraName || shortType(service.Type) != streamService {
				continue
			}
			p := place{}
			for _, c := range service.Characteristics {
				p[shortType(c.Type)] = fmt.Sprintf("%d.%d", a.AID, c.IID)
			}
			s.places, s.aid = append(s.places, p), a.AID
		}
	}
}

func (s *cinema) reads() (string, error) {
	offered, err := s.offered(s.places[0])
	if err != nil {
		return "", err
	}
	if offered.Codec != 0 || offered.Suite != 0 || offered.InUse != 0 {
		return "", fmt.Errorf("it offers %+v", offered)
	}
	for _, want := range [][3]int{{1920, 1080, 30}, {1280, 720, 30}} {
		if !slices.Contains(offered.Sizes, want) {
			return "", fmt.Errorf("it offers the sizes %v", offered.Sizes)
		}
	}
	return fmt.Sprintf("H.264 in %d sizes", len(offered.Sizes)), nil
}

// offer is what a place says of itself.
type offer struct {
	Codec, Sound, Suite, InUse int
	Sizes                      [][3]int // width, height, pictures a second
}

func (s *cinema) offered(p place) (o offer, err error) {
	err = s.home.ask("offered", map[string]any{"video": p[supportedVideo], "audio": p[supportedAudio], "rtp": p[supportedRTP], "status": p[streamingStatus]}, &o)
	return o, err
}

// snapshot asks for a picture by /resource, twice: the second comes from memory.
func (s *cinema) snapshot() (string, error) {
	var figures []string
	for range 2 {
		began := time.Now()
		var text string
		if err := s.home.ask("image", map[string]any{"aid": s.aid, "width": 640, "height": 360}, &text); err != nil {
			return "", err
		}
		took := time.Since(began)
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return "", err
		}
		picture, err := jpeg.DecodeConfig(bytes.NewReader(data))
		if err != nil || picture.Width != 1280 {
			return "", fmt.Errorf("%d bytes, width %d: %w", len(data), picture.Width, err)
		}
		if took > snapshotPatience {
			return "", fmt.Errorf("it took %s", seconds(took))
		}
		figures = append(figures, seconds(took))
	}
	return strings.Join(figures, ", then "), nil
}

// viewer is one stream that was negotiated.
type viewer struct {
	place   place
	session string
	key     string // and salt, in hexadecimal digits
	port    int    // where it wants the pictures
}

func newViewer(t *testing.T, p place) viewer {
	t.Helper()
	var drawn [16 + 30]byte
	if _, err := rand.Read(drawn[:]); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return viewer{p, hex.EncodeToString(drawn[:16]), hex.EncodeToString(drawn[16:]), number}
}

// negotiate writes and reads the endpoints, and returns their status.
func (s *cinema) negotiate(v viewer) (status int, err error) {
	var answer struct {
		Session, Address, Key string
		Status, Port          int
	}
	err = s.home.ask("endpoints", map[string]any{"at": v.place[setupEndpoints], "session": v.session, "key": v.key, "port": v.port}, &answer)
	switch {
	case err != nil:
	case answer.Session != v.session:
		err = fmt.Errorf("the answer is of session %s", answer.Session)
	case answer.Status == endpointsDone && (answer.Address != "127.0.0.1" || answer.Port == 0 || answer.Key != v.key):
		err = fmt.Errorf("the answer is %+v", answer)
	}
	return answer.Status, err
}

func (s *cinema) order(v viewer, order int) error {
	return s.home.ask("order", map[string]any{"at": v.place[selectedStream], "session": v.session, "order": order}, nil)
}

// watch has ffmpeg receive the stream, and then decode it: who decodes at the same time on a busy machine comes too late to the
// packets, and the kernel drops them.
func (s *cinema) watch() (string, error) {
	v := newViewer(s.t, s.places[0])
	if status, err := s.negotiate(v); err != nil || status != endpointsDone {
		return "", fmt.Errorf("the endpoints have status %d: %w", status, err)
	}
	copied := filepath.Join(s.folder, "received.mkv")
	received := make(chan error, 1)
	go func() {
		_, err := command(watchSeconds*time.Second+2*patience, "ffmpeg", "-v", "error", "-protocol_whitelist", "file,udp,rtp,srtp", "-i", s.describe(v),
			"-map", "0:v", "-frames:v", strconv.Itoa(watchSeconds*filmRate), "-c", "copy", copied)
		received <- err
	}()
	if _, err := until(patience, func() error { return taken(v.port) }); err != nil {
		return "", err
	}
	began, before := time.Now(), s.cost()
	if err := s.order(v, startStream); err != nil {
		return "", err
	}
	if offered, err := s.offered(v.place); err != nil || offered.InUse != 1 {
		return "", fmt.Errorf("while it watches its place shows %+v: %w", offered, err)
	}
	failure := <-received
	took, after := time.Since(began), s.cost()
	if err := s.order(v, endStream); err != nil {
		return "", err
	}
	if failure != nil {
		return "", failure
	}
	decoded, err := command(3*patience, "ffmpeg", "-v", "error", "-i", copied, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	if err == nil {
		err = s.compare(hashesIn(decoded))
	}
	if err != nil {
		return "", err
	}
	counted, err := countFrames(copied)
	if err != nil || counted != watchSeconds*filmRate {
		return "", fmt.Errorf("ffprobe counts %d frames: %w", counted, err)
	}
	cpu := 100 * (after.cpu - before.cpu).Seconds() / took.Seconds()
	if cpu > cameraCPU {
		return "", fmt.Errorf("it took %.0f %% of a core", cpu)
	}
	return fmt.Sprintf("ffprobe counts %d frames, all as they went in; %s; %.1f %% of a core and %.1f MB more, with the race detector",
		counted, seconds(took), cpu, float64(after.memory-before.memory)/1e6), nil
}

// crowd has two watch, and a third try.
func (s *cinema) crowd() (string, error) {
	var two []viewer
	for _, p := range s.places {
		v := newViewer(s.t, p)
		_, err := until(patience, func() error { // the one before may just be leaving
			status, err := s.negotiate(v)
			if err == nil && status != endpointsDone {
				err = fmt.Errorf("%w: status %d", errNotYet, status)
			}
			return err
		})
		if err == nil {
			err = s.order(v, startStream)
		}
		if err != nil {
			return "", err
		}
		two = append(two, v)
	}
	for _, p := range s.places {
		third := newViewer(s.t, p)
		if status, err := s.negotiate(third); err != nil || status != endpointsBusy {
			return "", fmt.Errorf("a third is answered with status %d: %w", status, err)
		}
		if err := s.order(third, startStream); err == nil {
			return "", errors.New("a third may start all the same")
		}
	}
	for _, v := range two {
		if offered, err := s.offered(v.place); err != nil || offered.InUse != 1 {
			return "", fmt.Errorf("a place that is taken shows %+v: %w", offered, err)
		}
		if err := s.order(v, endStream); err != nil {
			return "", err
		}
	}
	_, err := until(patience, func() error {
		for _, p := range s.places {
			if offered, err := s.offered(p); err != nil || offered.InUse != 0 {
				return fmt.Errorf("a place that was left shows %+v: %w", offered, errors.Join(err, errNotYet))
			}
		}
		return nil
	})
	return "", err
}
