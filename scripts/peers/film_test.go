package peers

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/camera/cameratest"
)

// command runs a program and returns what it prints.
func command(limit time.Duration, name string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var failure strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &failure
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s: %w: %.500s", name, err, failure.String())
	} else if failure.Len() > 0 { // with -v error: something is wrong with the pictures
		err = fmt.Errorf("%s says: %.500s", name, failure.String())
	}
	return string(out), err
}

// makeFilm has ffmpeg code a test picture and cut it into segments.
func (s *cinema) makeFilm() (string, error) {
	const each = 2 // seconds
	list := filepath.Join(s.folder, "index.m3u8")
	_, err := command(4*patience, "ffmpeg", "-v", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc=size=1280x720:rate=%d,noise=alls=12:allf=t", filmRate),
		"-f", "lavfi", "-i", "sine=frequency=440", "-t", strconv.Itoa(filmSeconds), "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main",
		"-pix_fmt", "yuv420p", "-bf", "0", "-g", strconv.Itoa(filmRate), "-sc_threshold", "0", "-b:v", "2M", "-maxrate", "3M", "-bufsize", "3M", "-c:a", "aac",
		"-f", "hls", "-hls_time", strconv.Itoa(each), "-hls_list_size", "0", "-hls_segment_filename", filepath.Join(s.folder, "%03d.ts"), list)
	if err != nil {
		return "", err
	}
	names, err := filepath.Glob(filepath.Join(s.folder, "*.ts"))
	if err != nil {
		return "", err
	}
	size := 0
	s.film = cameratest.Film{Each: each * time.Second}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		size += len(data)
		s.film.Segments = append(s.film.Segments, data)
	}
	text, err := command(3*patience, "ffmpeg", "-v", "error", "-i", list, "-map", "0:v", "-f", "framemd5", "-")
	if s.hashes = hashesIn(text); err == nil && len(s.hashes) != filmSeconds*filmRate {
		err = fmt.Errorf("it has %d pictures", len(s.hashes))
	}
	return fmt.Sprintf("%d segments, %.1f Mbit/s", len(names), float64(size)*8/filmSeconds/1e6), err
}

// hashesIn reads what ffmpeg's framemd5 writes: one line a picture, the hash last.
func hashesIn(text string) (all []string) {
	for line := range strings.Lines(text) {
		if fields := strings.Fields(line); len(fields) > 0 && !strings.HasPrefix(line, "#") {
			all = append(all, fields[len(fields)-1])
		}
	}
	return all
}

// describe writes what ffmpeg needs to know of the stream.
func (s *cinema) describe(v viewer) string {
	key, _ := hex.DecodeString(v.key) // made by EncodeToString
	path := filepath.Join(s.folder, v.session+".sdp")
	text := fmt.Sprintf("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=camera\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=video %d RTP/SAVP 99\r\n"+
		"a=rtpmap:99 H264/90000\r\na=fmtp:99 packetization-mode=1\r\na=rtcp-mux\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n",
		v.port, base64.StdEncoding.EncodeToString(key))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		s.t.Error(err)
	}
	return path
}

// taken reports whether somebody listens on a port, without disturbing it.
func taken(port int) error {
	table, err := os.ReadFile("/proc/thread-self/net/udp")
	if err == nil && !strings.Contains(string(table), fmt.Sprintf(":%04X ", port)) {
		err = fmt.Errorf("%w: nobody listens on port %d", errNotYet, port)
	}
	return err
}

// compare looks for what was received in the film, which begins anew when it is over.
func (s *cinema) compare(received []string) error {
	if len(received) != watchSeconds*filmRate {
		return fmt.Errorf("%d pictures were decoded", len(received))
	}
	first := slices.Index(s.hashes, received[0])
	if first < 0 {
		return errors.New("the first picture is not the camera's")
	}
	for i, hash := range received {
		if want := s.hashes[(first+i)%len(s.hashes)]; hash != want {
			return fmt.Errorf("picture %d is not the one that follows", i)
		}
	}
	return nil
}

// countFrames has ffprobe decode and count.
func countFrames(file string) (int, error) {
	text, err := command(3*patience, "ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames,codec_name,width,height", "-of", "json", file)
	if err != nil {
		return 0, err
	}
	var out struct {
		Streams []struct {
			Codec         string `json:"codec_name"`
			Width, Height int
			Frames        string `json:"nb_read_frames"`
		}
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil || len(out.Streams) != 1 {
		return 0, fmt.Errorf("ffprobe says %s: %w", text, err)
	}
	if v := out.Streams[0]; v.Codec != "h264" || v.Width != 1280 || v.Height != 720 {
		return 0, fmt.Errorf("it is %+v", v)
	}
	return strconv.Atoi(out.Streams[0].Frames)
}

// cost is what the daemon has used until now.
type cost struct {
	cpu    time.Duration
	memory int // bytes
}

func (s *cinema) cost() cost {
	s.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.house.cmd.Process.Pid))
	if err != nil {
		s.t.Error(err)
		return cost{}
	}
	const ticks, user, system, resident, before = 100, 14, 15, 24, 3 // a second; fields of proc(5); the first after the name
	_, after, _ := strings.Cut(string(text), ") ")                   // the name may have spaces
	fields := strings.Fields(after)
	number := func(field int) int { n, _ := strconv.Atoi(fields[field-before]); return n }
	return cost{time.Duration(number(user)+number(system)) * time.Second / ticks, number(resident) * os.Getpagesize()}
}
