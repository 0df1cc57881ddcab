package web

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

var (
	helpLine   = regexp.MustCompile(`^# HELP (veilleuse_[a-z0-9_]+) (\S.*\.)$`)
	typeLine   = regexp.MustCompile(`^# TYPE (veilleuse_[a-z0-9_]+) (gauge|counter)$`)
	sampleLine = regexp.MustCompile(`^(veilleuse_[a-z0-9_]+)(\{[a-z]+="(?:[^"\\\n]|\\\\|\\"|\\n)*"(?:,[a-z]+="(?:[^"\\\n]|\\\\|\\"|\\n)*")*\})? (-?[0-9.]+(?:e[+-][0-9]+)?)$`)
)

// parse reads a page of figures strictly: each family has its help and type once, before its samples,
// which stand together; no sample comes twice; counters end in _total; the last line ends.
func parse(t *testing.T, page string) map[string]float64 {
	t.Helper()
	if page != "" && !strings.HasSuffix(page, "\n") {
		t.Error("the last line does not end")
	}
	values, known, family, kind := map[string]float64{}, map[string]bool{}, "", ""
	samples := 1
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if m := helpLine.FindStringSubmatch(line); m != nil {
			if known[m[1]] || samples == 0 {
				t.Errorf("%q: the family comes twice, or the one before has no sample", line)
			}
			family, kind, samples, known[m[1]] = m[1], "", 0, true
			continue
		}
		if m := typeLine.FindStringSubmatch(line); m != nil {
			if m[1] != family || kind != "" || (m[2] == "counter") != strings.HasSuffix(family, "_total") {
				t.Errorf("%q does not fit its family %s", line, family)
			}
			kind = m[2]
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil || m[1] != family || kind == "" {
			t.Errorf("%q is no sample of %s", line, family)
			continue
		}
		value, err := strconv.ParseFloat(m[3], 64)
		if _, twice := values[m[1]+m[2]]; err != nil || twice {
			t.Errorf("%q: %v, or it comes twice", line, err)
		}
		values[m[1]+m[2]] = value
		samples++
	}
	return values
}

// full is a State with something of everything.
func full(now time.Time) gateway.State {
	s := gateway.State{
		Authority: gateway.Authority{Phase: gateway.Local, Since: now.Add(-90 * time.Second), Drill: true},
		Cloud:     gateway.Cloud{Verdict: gateway.VerdictCloudDown, Since: now.Add(time.Hour)}, // the clock was put back
		Budget:    gateway.Budget{Spent: 16, Limit: 120, Total: 115},
		Clock:     gateway.Clock{Trust: gateway.TrustHoldover, Bound: 10 * time.Minute},
		Alarms:    []gateway.Alarm{{Phase: gateway.Sounding}, {Phase: gateway.Hushed}},
		Decided:   12345678, Commanded: 9,
	}
	s.Rooms = s.Rooms.With("1", gateway.Room{ID: "1", Target: gateway.Aim{Value: gateway.Number(19.5)}, Temperature: gateway.Measure{Value: gateway.Number(-3.25)}})
	s.Rooms = s.Rooms.With("2", gateway.Room{ID: "2"}) // nothing is known of it
	s.Devices = s.Devices.With("v1", gateway.Device{ID: "v1", Faces: []gateway.Face{{Adapter: "accessory", Reaches: true}},
		Readings: []gateway.Measure{{At: now.Add(-time.Hour)}, {At: now.Add(-2 * time.Minute)}}})
	s.Devices = s.Devices.With("v2", gateway.Device{ID: "v2", Readings: []gateway.Measure{{At: now.Add(-5 * time.Minute)}}})
	s.Devices = s.Devices.With("v3", gateway.Device{ID: "v3"})
	s.Health = s.Health.With("mqtt", gateway.Health{Adapter: "mqtt", Why: "refused"})
	s.Health = s.Health.With("store", gateway.Health{Adapter: "store", Up: true})
	return s
}

func TestFiguresOfAHouse(t *testing.T) {
	now := time.Date(2026, 1, 14, 18, 0, 0, 0, time.UTC)
	a := New(Options{Version: "1.2", Commit: "abc", Log: quiet})
	s := full(now)
	var e exposition
	a.program(&e)
	judgement(&e, s, now)
	heating(&e, s)
	hardware(&e, s, now)
	decisions(&e, s)
	got := parse(t, string(e.text))
	for name, want := range map[string]float64{
		`authority_phase{phase="local"}`: 1, `authority_phase{phase="watching"}`: 0, `authority_phase{phase="suspect"}`: 0, `authority_phase{phase="returning"}`: 0,
		"authority_phase_age_seconds": 90, "drill": 1,
		`verdict{verdict="cloud-down"}`: 1, `verdict{verdict="ok"}`: 0, "verdict_age_seconds": 0,
		"cloud_requests_last_hour": 16, "cloud_requests_limit_per_hour": 120, "cloud_requests_total": 115,
		`clock_trust{trust="holdover"}`: 1, `clock_trust{trust="guess"}`: 0, `clock_trust{trust="trusted"}`: 0, "clock_bound_seconds": 600,
		`room_temperature_celsius{room="1"}`: -3.25, `room_target_celsius{room="1"}`: 19.5,
		`device_reachable{device="v1"}`: 1, `device_reachable{device="v2"}`: 0, `device_reachable{device="v3"}`: 0, "reading_age_max_seconds": 300,
		`adapter_up{adapter="mqtt"}`: 0, `adapter_up{adapter="store"}`: 1,
		"alarms": 2, "alarms_sounding": 1, "decisions_total": 12345678, "commands_total": 9,
	} {
		if value, ok := got["veilleuse_"+name]; !ok || value != want {
			t.Errorf("%s is %v (there: %v), want %v", name, value, ok, want)
		}
	}
	for _, name := range []string{"process_start_time_seconds", "memory_heap_bytes", "memory_total_bytes", "goroutines"} {
		if got["veilleuse_"+name] <= 0 {
			t.Errorf("%s is %v", name, got["veilleuse_"+name])
		}
	}
	sum := 0.0
	for name := range maps.Keys(got) {
		if strings.HasPrefix(name, "veilleuse_verdict{") {
			sum += got[name]
		}
		if strings.Contains(name, `room="2"`) {
			t.Errorf("%s is given, and nobody knows it", name)
		}
	}
	if sum != 1 || len(verdicts) != 13 {
		t.Errorf("%v of %d verdicts hold, want 1 of 13", sum, len(verdicts))
	}
}

func TestLabelsAreEscaped(t *testing.T) {
	var e exposition
	e.gauge("x", "A \\ and\na line.")
	e.sample(1, "room", "a\"b\\c\nd}", "other", "\xff{},=")
	e.sample(2.5e-9, "room", "")
	got := parse(t, string(e.text))
	want := []string{`veilleuse_x{room=""}`, `veilleuse_x{room="a\"b\\c\nd}",other="` + "\uFFFD" + `{},="}`}
	if keys := slices.Sorted(maps.Keys(got)); !slices.Equal(keys, want) {
		t.Errorf("%q, want %q", keys, want)
	}
}

func TestFamilyWithoutSamplesLeavesNoTrace(t *testing.T) {
	var e exposition
	e.gauge("nothing", "Nothing.")
	e.gauge("something", "Something.")
	e.sample(1)
	if strings.Contains(string(e.text), "nothing") {
		t.Errorf("%s", e.text)
	}
}

// FuzzLabels holds that no name of a room or device breaks the page.
func FuzzLabels(f *testing.F) {
	for _, seed := range []string{"", "living room", `"`, `\`, "\n", "\r", "é", "\x00", "\xff\xfe", "}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, label string) {
		var e exposition
		e.gauge("x", "X.")
		e.sample(1, "room", label)
		if got := parse(t, string(e.text)); len(got) != 1 {
			t.Errorf("%q gives %q", label, e.text)
		}
	})
}
