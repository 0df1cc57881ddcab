package camera

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestSnapshot(t *testing.T) {
	s := knownScene(t, "NACamera")
	data, at, err := s.adapter.Snapshot(context.Background(), indoor)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || config.Width != 640 {
		t.Errorf("not the camera's picture: %v", err)
	}
	read := gatewaytest.Wait(s.house, func(r gateway.Reading) bool { return r.Quantity == gateway.Snapshot })
	if read.Value.Word() != at.UTC().Format(time.RFC3339) || read.Device != indoor || !read.Measured.Equal(at) {
		t.Errorf("%+v, taken at %v", read, at)
	}
}

// Four phones with the Home app open ask at once: the camera takes one picture.
func TestOnePictureForManyAskers(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.adapter.fresh = time.Hour
	s.camera.Delay(300 * time.Millisecond)
	s.camera.Requests()
	var askers sync.WaitGroup
	for range 20 {
		askers.Go(func() {
			if data, _, err := s.adapter.Snapshot(context.Background(), indoor); err != nil || len(data) == 0 {
				t.Error(err)
			}
		})
	}
	askers.Wait()
	taken := 0
	for _, route := range s.camera.Requests() {
		if route == pictureRoute {
			taken++
		}
	}
	if taken != 1 || s.camera.MostPictures() != 1 {
		t.Errorf("%d pictures were taken, %d at once", taken, s.camera.MostPictures())
	}
}

func TestAnOldPictureIsNotHandedOutAgain(t *testing.T) {
	s := newScene(t, "NACamera")
	s.adapter.fresh = time.Nanosecond
	s.adapter.Learn(s.access())
	s.start()
	s.waitReach(true)
	s.camera.Requests()
	for range 3 {
		if _, _, err := s.adapter.Snapshot(context.Background(), indoor); err != nil {
			t.Fatal(err)
		}
	}
	if taken := strings.Count(strings.Join(s.camera.Requests(), " "), pictureRoute); taken != 3 {
		t.Errorf("%d pictures for three askers one after the other", taken)
	}
}

// The first asker gives up; the second, who waits for the same picture, gets it.
func TestAnAskerWhoLeavesTakesNothingAway(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.camera.Delay(400 * time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	left := make(chan error, 1)
	go func() {
		_, _, err := s.adapter.Snapshot(ctx, indoor)
		left <- err
	}()
	for s.camera.MostPictures() == 0 { // until it is being taken
		time.Sleep(time.Millisecond)
	}
	second := make(chan error, 1)
	go func() {
		_, _, err := s.adapter.Snapshot(context.Background(), indoor)
		second <- err
	}()
	cancel()
	if err := <-left; !errors.Is(err, context.Canceled) {
		t.Errorf("the one who left got %v", err)
	}
	if err := <-second; err != nil {
		t.Error(err)
	}
}

func TestSnapshotThatCannotBe(t *testing.T) {
	s := knownScene(t, "NACamera")
	s.adapter.fresh = 0
	failing := func(want string) {
		t.Helper()
		_, _, err := s.adapter.Snapshot(context.Background(), indoor)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, wanted %q", err, want)
		}
	}
	s.camera.SetMonitoring(false)
	failing("monitoring may be off")
	s.camera.SetMonitoring(true)
	s.camera.Set(cameratest.Truncated)
	failing("breaks off")
	s.camera.Set(cameratest.Endless)
	failing("more than")
	s.camera.Close()
	s.waitReach(false)
	failing("does not answer")
	if _, _, err := s.adapter.Snapshot(context.Background(), "ff:ff"); err == nil {
		t.Error("a picture of an unknown camera")
	}
	s.house.Stop()
	if _, _, err := s.adapter.Snapshot(context.Background(), indoor); err == nil {
		t.Error("a picture after the end")
	}
}

func TestReadPicture(t *testing.T) {
	whole := cameratest.Draw(64, 48)
	for name, c := range map[string]struct {
		answer answer
		ok     bool
	}{
		"whole":            {answer{200, whole}, true},
		"padded":           {answer{200, append(bytes.Clone(whole), 0, 0, 0)}, true},
		"half":             {answer{200, whole[:len(whole)/2]}, false},
		"without an end":   {answer{200, whole[:len(whole)-2]}, false},
		"empty":            {answer{200, nil}, false},
		"text":             {answer{200, []byte(`{"error":{"code":1}}`)}, false},
		"with status 204":  {answer{204, whole}, false},
		"start mark alone": {answer{200, []byte(startOfJPEG + endOfJPEG)}, false},
	} {
		if _, err := readPicture(c.answer); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// fixture reads a real payload, or skips the test aloud.
func fixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "fixtures", "netatmo-cloud", name))
	if err != nil {
		t.Skipf("the real payload %s is not beside this checkout: %v", name, err)
	}
	return data
}

func TestRealPayloads(t *testing.T) {
	for _, name := range []string{"pyatmo/ping.json", "pyatmo-archive/camera_ping.json"} {
		id, err := readIdentity(answer{200, fixture(t, name)})
		if err != nil {
			t.Fatal(err)
		}
		w, err := parseLocalURL(id.LocalURL)
		if err != nil || w.Address.String() != "192.168.0.123:80" || w.Key != "678460a0d47e5618699fb31169e2b47d" {
			t.Errorf("%s: %v, %v", name, w.Address, err)
		}
		if mayDial(w.Address, false) != nil || isOther("NACamera", id.Product) || !isOther("NOC", id.Product) {
			t.Errorf("%s: product %q", name, id.Product)
		}
	}
	data, err := readPicture(answer{200, fixture(t, "pyatmo-archive/camera_image_sample.jpg")})
	if err != nil || len(data) != 671 {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	refused := readAnswer(answer{400, fixture(t, "pyatmo-archive/camera_set_state_error_wrong_parameter.json")}, nil)
	if want := (refusal{}); !errors.As(refused, &want) || want.code != 21 {
		t.Errorf("%v", refused)
	}
	if err := readAnswer(answer{200, fixture(t, "pyatmo-archive/camera_set_state_ok.json")}, nil); err != nil {
		t.Error(err)
	}
}
