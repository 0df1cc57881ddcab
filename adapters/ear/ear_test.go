package ear

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// sounding is a siren in a quiet room for so many seconds, with that much quiet before and after.
func sounding(s eartest.Siren, before, length, after float64) []int16 {
	r := eartest.Random(1)
	all := make(eartest.Sound, int((before+length+after)*eartest.Rate))
	all.Add(s.Sound(r, length).Scaled(0.1), before)
	return all.PCM(r, -60)
}

func quiet(length float64) []int16 { return sounding(eartest.Siren{}, length, 0, 0) }

// file writes a recording and returns its name.
func file(t testing.TB, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "sound")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// pipe plays those samples to whoever listens, again and again, and ends after each time. A pipe has no rate of its own, so
// that a slow machine, which takes seconds for them, is not one whose microphone is too fast.
func pipe(t testing.TB, samples []int16) string {
	t.Helper()
	name, sound := fifo(t), eartest.PCM(samples)
	var over atomic.Bool
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for !over.Load() {
			f, err := os.OpenFile(name, os.O_WRONLY, 0) // waits for a listener
			if err != nil {
				return
			}
			_, _ = f.Write(sound) // a listener who leaves misses the rest
			f.Close()
			for listened(name) { // else it would not hear that the sound has ended
				time.Sleep(time.Millisecond)
			}
		}
	}()
	t.Cleanup(func() {
		over.Store(true)
		for { // until it does not wait for a listener any more
			if f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0); err == nil {
				f.Close()
			}
			select {
			case <-ended:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	return name
}

// listened reports whether somebody has a pipe open to read it.
func listened(pipe string) bool {
	f, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	if err == nil {
		f.Close()
	}
	return !errors.Is(err, syscall.ENXIO)
}

// fifo makes a pipe that has a name.
func fifo(t testing.TB) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func reading(device gateway.DeviceID, yes bool) func(gateway.Reading) bool {
	return func(r gateway.Reading) bool { return r.Device == device && r.Value == gateway.Flag(yes) }
}

func answers(device gateway.DeviceID, ok bool) func(gateway.Reach) bool {
	return func(r gateway.Reach) bool { return r.Device == device && r.OK == ok }
}

func TestContract(t *testing.T) {
	program := eartest.Recorder(t, "trap '' TERM; cat '"+file(t, eartest.PCM(sounding(eartest.Temporal3(3100), 1, 20, 1)))+"'; sleep 60 & wait; sleep 60")
	gatewaytest.Contract(t, "ear", func(testing.TB) gateway.Adapter {
		return New(Options{Microphone: "default", Program: program, Vault: gatewaytest.NewVault()})
	})
	gatewaytest.Contract(t, "ear", func(testing.TB) gateway.Adapter {
		return New(Options{Microphone: "default", Program: "/no/such/arecord", Vault: gatewaytest.NewVault()})
	})
	silent := fifo(t)
	gatewaytest.Contract(t, "ear", func(testing.TB) gateway.Adapter {
		return New(Options{Microphone: silent, Vault: gatewaytest.NewVault()})
	})
}

func TestASirenIsAnAlarmUntilAMinuteOfSilence(t *testing.T) {
	samples := append(quiet(70), sounding(eartest.Temporal3(3100), 2, 30, 75)...)
	h := gatewaytest.Start(t, "ear", New(Options{Microphone: pipe(t, samples), Room: "Hall", Vault: gatewaytest.NewVault()}))
	found := gatewaytest.Wait(h, func(f gateway.Found) bool { return f.Device == "ear/smoke" })
	if found.RoomName != "Hall" || found.Model != "ear" || found.Name == "" {
		t.Errorf("%+v", found)
	}
	gatewaytest.Wait(h, answers(MicrophoneDevice, true))
	gatewaytest.Wait(h, reading("ear/smoke", false))
	r := gatewaytest.Wait(h, reading("ear/smoke", true))
	if r.Quantity != gateway.Smoke {
		t.Errorf("%+v", r)
	}
	gatewaytest.Wait(h, reading("ear/smoke", true)) // it is said again while it lasts
	gatewaytest.Wait(h, func(r gateway.Reading) bool {
		if r.Device == "ear/co" && r.Value.Yes() {
			t.Error("a smoke alarm is heard as carbon monoxide")
		}
		return reading("ear/smoke", false)(r)
	})
}

func TestARestartEndsNoAlarm(t *testing.T) {
	samples := append(sounding(eartest.Temporal4(3200), 1, 15, 0), quiet(40)...)
	h := gatewaytest.Start(t, "ear", New(Options{Microphone: pipe(t, samples), Vault: gatewaytest.NewVault()}))
	gatewaytest.Wait(h, reading("ear/co", true))
	fault := gatewaytest.Wait(h, answers(MicrophoneDevice, false))
	if !strings.Contains(fault.Why, "has stopped") {
		t.Errorf("%q", fault.Why)
	}
	// The sound begins again and again, and never is there a minute of silence in one piece.
	for range 2 {
		gatewaytest.Wait(h, func(r gateway.Reading) bool {
			if r.Device == "ear/co" && !r.Value.Yes() {
				t.Fatal("the alarm has ended with the microphone")
			}
			return r.Device == "ear/co"
		})
	}
}

func TestFaultsOfTheMicrophone(t *testing.T) {
	dead := make([]int16, 15*Rate)
	stuck := slices.Repeat([]int16{4711}, 15*Rate)
	tests := []struct {
		name       string
		microphone string
		program    string
		want       string
	}{
		{"no arecord", "default", "/no/such/arecord", "install Debian's alsa-utils"},
		{"no such device", "hw:9,0", eartest.Recorder(t, "echo 'ALSA lib: noise' >&2; echo 'arecord: main:850: audio open error: No such file or directory' >&2; exit 1"), "audio open error: No such file or directory"},
		{"muted", pipe(t, dead), "", "digital silence"},
		{"stuck", pipe(t, stuck), "", "the same value"},
		{"unplugged", "default", eartest.Recorder(t, "cat '"+file(t, eartest.PCM(quiet(3)))+"'"), "has stopped: the stream has ended"},
		{"silent", "default", eartest.Recorder(t, "exec sleep 60"), "no sound at all for 3s"},
		{"no such file", "/no/such/file", "", "no such file"},
		{"folder", os.TempDir(), "", "folder"},
		{"wrong rate", file(t, eartest.WAV(nil, 96000, 1)), "", "96000 samples a second, expected 8000 to 48000"},
		{"ended", file(t, eartest.WAV(quiet(1.5), Rate, 1)), "", "the recording has ended"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			h := gatewaytest.Start(t, "ear", New(Options{Microphone: test.microphone, Program: test.program, Vault: gatewaytest.NewVault()}))
			r := gatewaytest.Wait(h, answers(MicrophoneDevice, false))
			if !strings.Contains(r.Why, test.want) || strings.Contains(r.Why, "\n") {
				t.Errorf("%q, want %q", r.Why, test.want)
			}
			gatewaytest.Wait(h, reading(MicrophoneDevice, true))
			gatewaytest.Wait(h, answers("ear/smoke", false))
		})
	}
}

func TestAMicrophoneThatComesBack(t *testing.T) {
	name := file(t, eartest.PCM(quiet(3)))
	flag := filepath.Join(t.TempDir(), "plugged")
	program := eartest.Recorder(t, fmt.Sprintf("test -e '%s' || { touch '%s'; echo gone >&2; exit 1; }; cat '%s'; exec sleep 60", flag, flag, name))
	h := gatewaytest.Start(t, "ear", New(Options{Microphone: "default", Program: program, Vault: gatewaytest.NewVault()}))
	if r := gatewaytest.Wait(h, answers(MicrophoneDevice, false)); !strings.Contains(r.Why, "gone") {
		t.Errorf("%q", r.Why)
	}
	gatewaytest.Wait(h, answers(MicrophoneDevice, true))
	gatewaytest.Wait(h, reading(MicrophoneDevice, false))
}

func TestOurOwnSirenIsNoNewAlarm(t *testing.T) {
	h := &house{adapter: New(Options{Vault: gatewaytest.NewVault()}), detector: NewDetector(nil), sounded: true, said: true,
		voices: map[gateway.DeviceID]*voice{"ear/smoke": {signature: General()[0]}}}
	h.hear([]Heard{{Signature: General()[0], Frequency: 3000}})
	if h.voices["ear/smoke"].alarm {
		t.Error("a general siren is an alarm although the house's own sirens sound")
	}
}

func TestLearnWithAndWithoutRun(t *testing.T) {
	t.Parallel() // it waits most of the time
	test := sounding(eartest.Temporal3(3300), 1, 14, 1)
	vault := gatewaytest.NewVault()
	alone := New(Options{Microphone: file(t, eartest.WAV(test, Rate, 1)), Vault: vault})
	s, said, err := alone.Learn(t.Context(), Wanted{Name: "Kitchen smoke", Room: "Kitchen"})
	if err != nil || len(said) > 0 || s.Kind != gateway.Smoke || math.Abs(s.Frequency-3300) > 100 || !s.Cadence.like(temporal3()) {
		t.Fatalf("%+v %v %v", s, said, err)
	}
	// A second one that sounds the same is learnt, with a warning; of the two kinds both are heard.
	if _, said, err = alone.Learn(t.Context(), Wanted{Name: "Boiler CO", Kind: gateway.CO}); err != nil || len(said) != 1 || !strings.Contains(said[0], "Kitchen smoke") {
		t.Fatalf("%v %v", said, err)
	}
	place := fifo(t)
	writer, err := os.OpenFile(place, os.O_RDWR, 0) // before anybody listens: a pipe without a writer is given up
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	a := New(Options{Microphone: place, Vault: vault})
	h := gatewaytest.Start(t, "ear", a)
	gatewaytest.Wait(h, func(f gateway.Found) bool { return f.Device == "ear/kitchen-smoke" && f.RoomName == "Kitchen" })
	go writer.Write(eartest.PCM(append(quiet(65), test...)))
	heard := map[gateway.DeviceID]bool{}
	for len(heard) < 2 {
		r := gatewaytest.Wait(h, func(r gateway.Reading) bool { return r.Value.Yes() && r.Device != MicrophoneDevice })
		heard[r.Device] = true
	}
	if !heard["ear/kitchen-smoke"] || !heard["ear/boiler-co"] {
		t.Errorf("heard were %v", heard)
	}
	if err := a.Forget("Kitchen smoke"); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Wait(h, func(g gateway.Gone) bool { return g.Device == "ear/kitchen-smoke" })
	if err := a.Forget("Kitchen smoke"); err == nil || !strings.Contains(err.Error(), "known are: Boiler CO") {
		t.Errorf("%v", err)
	}
}

func TestHearARecording(t *testing.T) {
	h, err := HearStream(bytes.NewReader(eartest.WAV(sounding(eartest.Temporal4(3000), 1, 14, 1), Rate, 2)), nil)
	if err != nil || len(h.Heard) != 1 || h.Heard[0].Kind != gateway.CO || math.Abs(h.Tone-3000) > 120 {
		t.Errorf("%+v %v", h, err)
	}
	for content, want := range map[string]string{"": "it is empty", "RIFF": "cut off", "RIFF\x00\x00\x00\x00WAVX": "no WAV"} {
		if _, err := HearStream(strings.NewReader(content), nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v", content, err)
		}
	}
	if _, err := New(Options{Vault: gatewaytest.NewVault()}).Hear(t.Context(), time.Second); err == nil || !strings.Contains(err.Error(), "ear.microphone") {
		t.Errorf("without a microphone: %v", err)
	}
}
