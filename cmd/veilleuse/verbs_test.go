package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// patience is how long a test waits for what ought to happen soon. It is long because only a test that fails waits it out: on a
// machine that is busy with other things a single slow answer costs five minutes of a house, which are 15 s at 20 times speed.
const patience = 2 * time.Minute

// said runs a verb and returns its exit code and what it wrote.
func said(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	return saidTo(t, "", args...)
}

func saidTo(t *testing.T, in string, args ...string) (code int, out, err string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = command(t.Context(), args, console{strings.NewReader(in), &stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

func TestCheckWarnsOfWeakWitnesses(t *testing.T) {
	for text, want := range map[string]string{
		"uplink:\n  witnesses: [\"1.1.1.1:443\", \"1.0.0.1:443\"]\n": "warning: uplink.witnesses: all of them are run by one operator (cloudflare.com)",
		"uplink:\n  witnesses: []\n":                                 "warning: uplink.witnesses: none is named",
		"home:\n  maximum: 27\n":                                     "",
	} {
		file := filepath.Join(t.TempDir(), "veilleuse.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, _ := said(t, "check", "-c", file)
		if code != 0 || !strings.Contains(out, want) || want == "" && strings.Contains(out, "warning") {
			t.Errorf("%q: exit %d, %q, want %q", text, code, out, want)
		}
	}
}

func TestUsage(t *testing.T) {
	tests := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"unknown verb", []string{"dance"}, exitUsage, `"dance" is no verb`},
		{"too few arguments", []string{"pair", "AA:BB:CC:DD:EE:FF"}, exitUsage, "expected 2 arguments"},
		{"unknown option", []string{"status", "--loud"}, exitUsage, "flag provided but not defined"},
		{"missing file", []string{"check", "-c", "/no/such/file"}, exitNo, "the configuration cannot be read"},
		{"bad day", []string{"timetable", "x", "--from", "soon", "--to", "2021-01-01"}, exitUsage, "--from and --to are days"},
		{"bad zone", []string{"timetable", "x", "--zone", "Mars", "--from", "2021-01-01", "--to", "2021-01-02"}, exitUsage, `time zone "Mars"`},
		{"missing story", []string{"replay", "/no/such/story"}, exitNo, "the story cannot be read"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			code, out, err := said(t, test.args...)
			if code != test.code || !strings.Contains(err, test.want) || out != "" {
				t.Errorf("exit %d, %q, %q; want %d and %q", code, out, err, test.code, test.want)
			}
		})
	}
	if code, out, _ := said(t, "help"); code != exitWell || !strings.Contains(out, "timetable") {
		t.Errorf("help gives %d, %q", code, out)
	}
}

func TestCheckSaysEveryFault(t *testing.T) {
	file := filepath.Join(t.TempDir(), "v.yaml")
	if err := os.WriteFile(file, []byte("home:\n  frost_gard: 7\n  maximum: 99\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, err := said(t, "check", "-c", file)
	if code != exitNo || !strings.Contains(err, ":2:3: home.frost_gard") || !strings.Contains(err, ":3:12: home.maximum") {
		t.Errorf("exit %d: %s", code, err)
	}
}

func TestTimetableListsTheChanges(t *testing.T) {
	file := filepath.Join(t.TempDir(), "schedule.json")
	schedule := `{"timetable":[{"zone_id":1,"m_offset":0},{"zone_id":0,"m_offset":390},{"zone_id":1,"m_offset":1350}],"zones":[{"id":0,"name":"Day"},{"id":1,"name":"Night"}]}`
	if err := os.WriteFile(file, []byte(schedule), 0o600); err != nil {
		t.Fatal(err)
	}
	// Monday 29 March 2021 follows the night on which Paris went to summer time.
	code, out, _ := said(t, "timetable", "--zone", "Europe/Paris", "--from", "2021-03-28", "--to", "2021-03-30", file)
	want := fmt.Sprintf("%d 1\n%d 0\n%d 1\n", time.Date(2021, 3, 28, 0, 0, 0, 0, time.UTC).Unix(),
		time.Date(2021, 3, 29, 4, 30, 0, 0, time.UTC).Unix(), time.Date(2021, 3, 29, 20, 30, 0, 0, time.UTC).Unix())
	if code != exitWell || out != want {
		t.Errorf("exit %d:\n%s, want\n%s", code, out, want)
	}
}

// lived is a daemon in the simulated house, with a configuration by which the verbs find it.
type lived struct {
	world  *demoWorld
	house  *house
	config string
	ended  chan error
	stop   context.CancelFunc
	log    slog.Handler // nil: nobody reads it
}

// startDemoWorld starts the demonstration's world, until the test ends.
func startDemoWorld(t *testing.T, start time.Time, rate float64, home netatmotest.Home, more ...accessorytest.Server) *demoWorld {
	t.Helper()
	clock := newDemoClock(start, rate)
	t.Cleanup(func() { clock.timer.Stop() })
	world, err := newDemoWorld(clock, home, more...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(world.close)
	return world
}

// live runs the daemon until the test ends.
func live(t *testing.T, paired bool) *lived {
	t.Helper()
	world := startDemoWorld(t, demoStart, 20, demoHome())
	folder := t.TempDir()
	secret := filepath.Join(folder, "secret")
	if err := os.WriteFile(secret, []byte("client-secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &lived{world: world, config: filepath.Join(folder, "v.yaml")}
	text := fmt.Sprintf("state: %s\nnetatmo: {url: %q, client_id: client, client_secret_file: %s}\nhomekit: {listen: \"127.0.0.1:0\"}\nmqtt: {listen: \"127.0.0.1:0\"}\nweb: {listen: \"127.0.0.1:0\"}\n",
		filepath.Join(folder, "state"), world.url(), secret)
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	l.start(t, func(h *house) {
		for _, a := range world.house.Announced() {
			fake, err := world.house.Accessory(a.Name)
			if err != nil || !paired {
				continue
			}
			if _, err := h.accessory.Pair(t.Context(), a.Address, fake.Code(), ""); err != nil {
				t.Fatal(err)
			}
		}
	})
	return l
}

// unhurried is how long the vendor may take to answer a house of a test, in real time. The demonstration gives it half a second;
// a machine that has other things to do may take that for an outage.
const unhurried = 5 * time.Second

// start runs the daemon on its configuration until the test ends; before lets something be done to the house first.
func (l *lived) start(t *testing.T, before func(*house)) {
	t.Helper()
	config, _, err := loadConfig(l.config)
	if err != nil {
		t.Fatal(err)
	}
	if l.log == nil {
		l.log = slog.DiscardHandler
	}
	world := l.world.outside()
	world.deadline, world.uplink.Timeout = unhurried, unhurried
	h, err := build(config, slog.New(l.log), world)
	if err != nil {
		t.Fatal(err)
	}
	before(h)
	l.house = h
	ended := make(chan error, 1)
	ctx, stop := context.WithCancel(context.Background())
	l.stop, l.ended = stop, ended
	go func() { ended <- h.run(ctx) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the daemon ends with %v", err)
			}
		case <-time.After(patience):
			t.Error("the daemon does not end")
		}
	})
}

// end stops the daemon before the test ends.
func (l *lived) end(t *testing.T) {
	t.Helper()
	l.stop()
	if err := <-l.ended; err != nil {
		t.Fatal(err)
	}
	l.ended <- nil // for the end of the test
}

// status waits until the status satisfies accept.
func (l *lived) status(t *testing.T, what string, accept func(statusReport) bool) statusReport {
	t.Helper()
	deadline := time.Now().Add(patience)
	var out, complaint string
	for time.Now().Before(deadline) {
		var code int
		code, out, complaint = said(t, "status", "-c", l.config, "--json")
		var r statusReport
		if code == exitWell && json.Unmarshal([]byte(out), &r) == nil && accept(r) {
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the status never showed %s:\n%s%s", what, out, complaint)
	return statusReport{}
}

func device(r statusReport, id string) (deviceReport, bool) {
	for _, d := range r.Devices {
		if string(d.ID) == id {
			return d, true
		}
	}
	return deviceReport{}, false
}

func TestLoginCopiesThePlan(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	if code, _, err := said(t, "login", "-c", l.config, "--token", "/no/such/file"); code != exitNo || !strings.Contains(err, "--token") {
		t.Errorf("a missing token file gives %d, %s", code, err)
	}
	if code, _, err := saidTo(t, "{}", "login", "-c", l.config, "--token", "-"); code != exitNo || !strings.Contains(err, "token") {
		t.Errorf("an empty token gives %d, %s", code, err)
	}
	if code, out, err := saidTo(t, string(l.world.cloud.Token()), "login", "-c", l.config, "--token", "-"); code != exitWell {
		t.Fatalf("login gives %d: %s%s", code, out, err)
	}
	r := l.status(t, "the plan, and the devices that follow it", func(r statusReport) bool {
		_, ok := device(r, netatmotest.SmokeAlarm)
		return ok && r.Home.Schedules == 2 && len(r.Rooms) == 4 && r.Authority.Phase == gateway.Watching
	})
	if r.Home.Name != "Maison" {
		t.Errorf("home %q", r.Home.Name)
	}
	if smoke, _ := device(r, netatmotest.SmokeAlarm); smoke.Kind == "" || smoke.Outage == "" || smoke.Model != "NSD" {
		t.Errorf("the smoke alarm is shown as %+v", smoke)
	}
	comesAbout(t, "the status for people names the rooms and who watches", func() bool { // a probe that was slow is a doubt for a moment
		code, out, _ := said(t, "status", "-c", l.config)
		return code == exitWell && strings.Contains(out, "Salon") && strings.Contains(out, "watching since")
	})
}

func TestPairAndUnpairWhileTheDaemonRuns(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	announced := l.world.house.Announced()
	code, out, err := said(t, "discover", "-c", l.config, "--json")
	var found []foundAccessory
	if code != exitWell || json.Unmarshal([]byte(out), &found) != nil || len(found) != len(announced) {
		t.Fatalf("discover gives %d: %s%s", code, out, err)
	}
	fake, wrong := l.world.house.Accessory(demoSiren)
	if wrong != nil {
		t.Fatal(wrong)
	}
	if code, _, err := said(t, "pair", "-c", l.config, "--address", fake.Address(), fake.ID(), "111-22-333"); code != exitNo || !strings.Contains(err, "wrong") {
		t.Errorf("a wrong setup code gives %d, %s", code, err)
	}
	if code, out, err := said(t, "pair", "-c", l.config, fake.ID(), fake.Code()); code != exitWell {
		t.Fatalf("pair gives %d: %s%s", code, out, err)
	}
	r := l.status(t, "the siren", func(r statusReport) bool {
		for _, d := range r.Devices {
			if d.Name == demoSiren && d.Reachable && d.Via == gateway.AccessoryAdapter && len(d.Readings) > 0 {
				return true
			}
		}
		return false
	})
	if len(r.Adapters) < 9 {
		t.Errorf("%d adapters are shown", len(r.Adapters))
	}
	if code, out, err := said(t, "unpair", "-c", l.config, fake.ID()); code != exitWell {
		t.Fatalf("unpair gives %d: %s%s", code, out, err)
	}
	l.status(t, "no siren", func(r statusReport) bool {
		for _, d := range r.Devices {
			if d.Name == demoSiren {
				return false
			}
		}
		return true
	})
}

func TestCodeIsThatOfTheInstallation(t *testing.T) {
	l := live(t, false)
	read := func() codeReport {
		var r codeReport
		code, out, err := said(t, "code", "-c", l.config, "--json")
		if code != exitWell || json.Unmarshal([]byte(out), &r) != nil {
			t.Fatalf("code gives %d: %s%s", code, out, err)
		}
		return r
	}
	awaitListen(t, l)
	running := read()
	if !strings.HasPrefix(running.URI, "X-HM://") || len(running.URI) != len("X-HM://")+13 || strings.HasSuffix(running.Listen, ":0") {
		t.Errorf("code is %+v", running)
	}
	if code, out, _ := said(t, "code", "-c", l.config); code != exitWell || !strings.Contains(out, running.Code) || strings.Count(out, "\n") < 12 {
		t.Errorf("the drawing is %d:\n%s", code, out)
	}
	l.end(t)
	if stopped := read(); stopped.Code != running.Code || stopped.URI != running.URI {
		t.Errorf("code is %+v while it runs and %+v after", running, stopped)
	}
	if code, _, err := said(t, "status", "-c", l.config); code != exitNo || !strings.Contains(err, "no veilleuse runs") {
		t.Errorf("status without a daemon gives %d, %s", code, err)
	}
}

func TestSecondDaemonIsToldWhoHasTheHouse(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	config, _, err := loadConfig(l.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := build(config, slog.New(slog.DiscardHandler), outside{quiet: true}); err == nil || strings.Contains(err.Error(), "\n") {
		t.Errorf("a second daemon on the same state gives %v", err)
	}
}

func TestLocalHouseSurvivesARestartInAnOutage(t *testing.T) {
	l := live(t, true)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	if code, out, err := saidTo(t, string(l.world.cloud.Token()), "login", "-c", l.config, "--token", "-"); code != exitWell {
		t.Fatalf("login gives %d: %s%s", code, out, err)
	}
	r := l.status(t, "both faces of the thermostat", func(r statusReport) bool {
		d, ok := device(r, netatmotest.Thermostat)
		return ok && d.Reachable && d.Via == gateway.AccessoryAdapter && len(d.Paths) == 2
	})
	if len(r.Rooms) != 4 {
		t.Errorf("%d rooms", len(r.Rooms))
	}
	if err := breaks("connection refused")(&demo{world: l.world}); err != nil {
		t.Fatal(err)
	}
	l.world.clock.SetRate(200)
	before := l.status(t, "authority local", func(r statusReport) bool { return r.Authority.Phase == gateway.Local }).Outage
	if err := l.world.house.SetCO(demoCO, 200, true); err != nil {
		t.Fatal(err)
	}
	select {
	case <-l.world.siren:
	case <-time.After(patience):
		t.Fatal("the siren does not sound")
	}
	l.status(t, "the alarm", func(r statusReport) bool { return r.Alarm.Phase == gateway.Sounding })

	l.stop()
	if err := <-l.ended; err != nil {
		t.Fatal(err)
	}
	config, _, _ := loadConfig(l.config)
	h, err := build(config, slog.New(slog.DiscardHandler), l.world.outside())
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l.stop = stop
	t.Cleanup(stop)
	go func() { l.ended <- h.run(ctx) }()
	r = l.status(t, "the same house", func(r statusReport) bool { return len(r.Rooms) == 4 })
	if r.Authority.Phase != gateway.Local || r.Alarm.Phase != gateway.Sounding || r.Home.Schedules != 2 {
		t.Errorf("after a restart: authority %s, alarm %s, %d schedules", r.Authority.Phase, r.Alarm.Phase, r.Home.Schedules)
	}
	if o := r.Outage; o == nil || before == nil || o.Number != before.Number || !o.Began.Equal(before.Began) || o.Alarms != 1 || r.LastOutage != nil {
		t.Errorf("before the restart there was outage %+v, after it %+v, and %+v is over", before, o, r.LastOutage)
	}
	if code, out, err := said(t, "report", "-c", l.config); code != exitWell || !strings.Contains(out, "Outage 1: Netatmo was gone (cloud-down), since") || !strings.Contains(out, "1 alarm passed on") {
		t.Errorf("the report is %d:\n%s%s", code, out, err)
	}
}
