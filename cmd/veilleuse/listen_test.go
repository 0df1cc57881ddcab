package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/gateway"
)

// siren writes a recording of a smoke alarm's test and returns its name.
func siren(t *testing.T, s eartest.Siren) string {
	t.Helper()
	r := eartest.Random(3)
	sound := make(eartest.Sound, 16*eartest.Rate)
	sound.Add(s.Sound(r, 14).Scaled(0.1), 1)
	name := filepath.Join(t.TempDir(), "siren.wav")
	if err := os.WriteFile(name, eartest.WAV(sound.PCM(r, -60), eartest.Rate, 1), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// earConfig writes a configuration with that microphone and returns its name.
func earConfig(t *testing.T, microphone string) string {
	t.Helper()
	folder := t.TempDir()
	name := filepath.Join(folder, "v.yaml")
	text := fmt.Sprintf("state: %s\nhomekit: {listen: \"127.0.0.1:0\"}\nmqtt: {listen: \"127.0.0.1:0\"}\near:\n  microphone: %q\n  room: Hall\n", filepath.Join(folder, "state"), microphone)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestListenToARecording(t *testing.T) {
	config := earConfig(t, "")
	code, out, err := said(t, "listen", "-c", config, "--json", "--file", siren(t, eartest.Temporal4(3100)))
	var h ear.Hearing
	if code != exitWell || json.Unmarshal([]byte(out), &h) != nil || len(h.Heard) != 1 || h.Heard[0].Kind != gateway.CO {
		t.Fatalf("exit %d: %s%s", code, out, err)
	}
	code, out, _ = said(t, "listen", "-c", config, "--file", siren(t, eartest.Temporal3(3100)))
	if code != exitWell || !strings.Contains(out, "Smoke alarm is heard (smoke): temporal-3") {
		t.Errorf("exit %d: %s", code, out)
	}
	if code, _, err := said(t, "listen", "-c", config, "--file", config); code != exitWell && !strings.Contains(err, "--file") {
		t.Errorf("a text file gives %d: %s", code, err)
	}
}

func TestListenLearnsAndForgets(t *testing.T) {
	t.Parallel() // it waits most of the time
	config := earConfig(t, siren(t, eartest.Temporal3(3350)))
	code, out, err := said(t, "listen", "-c", config, "--learn", "Kitchen smoke", "--room", "Kitchen")
	if code != exitWell || !strings.Contains(out, "Kitchen smoke is learnt as a smoke alarm: temporal-3") || !strings.Contains(out, "ear/kitchen-smoke") {
		t.Fatalf("exit %d: %s%s", code, out, err)
	}
	code, out, err = said(t, "listen", "-c", config, "--file", siren(t, eartest.Temporal3(3350)))
	if code != exitWell || !strings.Contains(out, "Kitchen smoke is heard") || strings.Contains(out, "Smoke alarm") {
		t.Errorf("exit %d: %s%s", code, out, err)
	}
	if code, out, err = said(t, "listen", "-c", config, "--forget", "kitchen SMOKE"); code != exitWell {
		t.Errorf("exit %d: %s%s", code, out, err)
	}
	if code, _, err = said(t, "listen", "-c", config, "--forget", "Kitchen smoke"); code != exitNo || !strings.Contains(err, "known are: none") {
		t.Errorf("exit %d: %s", code, err)
	}
}

func TestListenUsage(t *testing.T) {
	config := earConfig(t, "")
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no microphone", nil, exitNo, "name one as ear.microphone"},
		{"two things at once", []string{"--learn", "a", "--forget", "b"}, exitUsage, "do not go together"},
		{"kind alone", []string{"--kind", "co"}, exitUsage, "belong to --learn"},
		{"wrong kind", []string{"--learn", "a", "--kind", "fire"}, exitUsage, "smoke or co"},
		{"too long", []string{"--seconds", "1000"}, exitUsage, "1 to 100"},
		{"missing file", []string{"--file", "/no/such/file"}, exitNo, "no such file"},
		{"a name without letters", []string{"--learn", "..."}, exitNo, "is no name for a detector"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, _, err := said(t, append([]string{"listen", "-c", config}, test.args...)...)
			if code != test.code || !strings.Contains(err, test.want) {
				t.Errorf("exit %d, %q; want %d and %q", code, err, test.code, test.want)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "v.yaml")
	if err := os.WriteFile(file, []byte("ear:\n  microphone: -D\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, err := said(t, "check", "-c", file); code != exitNo || !strings.Contains(err, "is no microphone") {
		t.Errorf("exit %d: %s", code, err)
	}
}
