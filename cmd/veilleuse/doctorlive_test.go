package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/homekit"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/store"
)

// doctor asks the running daemon.
func (l *lived) doctor(t *testing.T) (int, doctorReport) {
	t.Helper()
	code, out, complaint := said(t, "doctor", "-c", l.config, "--json")
	var r doctorReport
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatalf("doctor gives %d: %s%s", code, out, complaint)
	}
	return code, r
}

// ready waits until the house is signed in, its plan copied and every accessory up, and until people find it.
func (l *lived) ready(t *testing.T) {
	t.Helper()
	l.status(t, "the daemon", func(statusReport) bool { return true })
	if code, out, err := saidTo(t, string(l.world.cloud.Token()), "login", "-c", l.config, "--token", "-"); code != exitWell {
		t.Fatalf("login gives %d: %s%s", code, out, err)
	}
	l.status(t, "four rooms and every accessory", func(r statusReport) bool {
		targets, alarm := 0, false
		for _, d := range r.Devices {
			for _, m := range d.Readings {
				if m.From == "accessory" && m.Quantity == "target" && d.Room != "" {
					targets++
				}
				alarm = alarm || m.From == "accessory" && m.Quantity == "co"
			}
		}
		return targets == len(demoRooms) && alarm && r.Home.Schedules == 2 && r.Cloud.Verdict == "ok" && r.Authority.Phase == "watching" && l.listens()
	})
}

// listens reports whether the Home app, MQTT clients and browsers would be answered.
func (l *lived) listens() bool {
	code, err := l.house.code()
	return err == nil && code.Listen != "127.0.0.1:0" && l.house.broker.Address() != "" && l.house.page.Address() != ""
}

func TestDoctorOfTheSimulatedHouse(t *testing.T) {
	l := live(t, true)
	l.ready(t)
	code, r := l.doctor(t)
	if code != exitNo || r.Survives || r.Score != mostWithGaps || len(r.Rooms) != len(demoRooms) {
		t.Errorf("exit %d, score %d, %s", code, r.Score, r.Verdict)
	}
	for _, room := range r.Rooms {
		if !room.Served || room.Path != overLAN {
			t.Errorf("%s: %+v", room.Name, room)
		}
	}
	for _, d := range r.Devices {
		switch {
		case d.Name == demoCO && (!d.Served || !d.Alarm):
			t.Errorf("the CO alarm on the LAN: %+v", d)
		case string(d.ID) == netatmotest.SmokeAlarm && (d.Served || d.Result != gap || !d.Alarm):
			t.Errorf("the smoke alarm that only the cloud hears: %+v", d)
		}
	}
	for _, name := range []string{"homekit", "broker", "store", "disk", "pairings", "plan", "sign-in", "clock", "adapters"} {
		if f, _ := r.found(name); f.Result != well {
			t.Errorf("%s: %+v", name, f)
		}
	}
	code, out, _ := said(t, "doctor", "-c", l.config)
	if code != exitNo || !strings.Contains(out, "No: 4 of 4 heated rooms and 1 of 2 alarms would be served.") || strings.Index(out, "To mend:") > strings.Index(out, "Rooms in an outage:") {
		t.Errorf("for people it says, with exit %d:\n%s", code, out)
	}
}

func TestDoctorOfAHouseThatWouldSurvive(t *testing.T) {
	l := readyHouse(t, 20)
	code, r := l.doctor(t)
	if code != exitWell || !r.Survives || r.Score < 95 || r.Verdict != "Yes: 4 of 4 heated rooms and 1 of 1 alarms would be served." {
		t.Errorf("exit %d, score %d, %s", code, r.Score, r.Verdict)
	}
	if code, out, _ := said(t, "doctor", "-c", l.config); code != exitWell || strings.Contains(out, "To mend:") {
		t.Errorf("for people it says, with exit %d:\n%s", code, out)
	}
}

func TestDoctorOfAHouseWithNothingPaired(t *testing.T) {
	l := live(t, false)
	l.status(t, "the daemon", func(statusReport) bool { return true })
	code, r := l.doctor(t)
	if code != exitNo || r.Score > 25 || !strings.HasPrefix(r.Verdict, "No: nothing is paired") {
		t.Errorf("exit %d, score %d, %q", code, r.Score, r.Verdict)
	}
	if f, _ := r.found("pairings"); !strings.Contains(f.Do, "veilleuse pair") {
		t.Errorf("about pairings it says %+v", f)
	}
	l.stop()
	if err := <-l.ended; err != nil {
		t.Fatal(err)
	}
	l.ended <- nil
	if code, out, err := said(t, "doctor", "-c", l.config); code != exitNo || out != "" || !strings.Contains(err, "no veilleuse runs on this state folder") {
		t.Errorf("without a daemon it gives %d, %q, %q", code, out, err)
	}
	if code, _, _ := said(t, "doctor", "me"); code != exitUsage {
		t.Errorf("a patient that cannot be examined gives %d", code)
	}
}

func TestKnock(t *testing.T) {
	listener, err := net.Listen("tcp", freeAddress(t))
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, address := range []string{"127.0.0.1:" + port, ":" + port, "0.0.0.0:" + port} {
		if why := knock(t.Context(), address); why != "" {
			t.Errorf("%s: %s", address, why)
		}
	}
	listener.Close() // and nobody else is given that port
	for _, address := range []string{"127.0.0.1:" + port, "nonsense"} {
		if knock(t.Context(), address) == "" {
			t.Errorf("%s answers", address)
		}
	}
}

func TestDiskOfAFolderThatIsNotThere(t *testing.T) {
	f := doctorFacts{Folder: "/no/such/folder"}
	lookAtDisk(&f)
	if f.DiskErr == "" || f.Snapshot {
		t.Errorf("%+v", f)
	}
	f = doctorFacts{Folder: t.TempDir()}
	if lookAtDisk(&f); f.DiskErr != "" || f.DiskFree == 0 {
		t.Errorf("%+v", f)
	}
}

func TestLookAtLAN(t *testing.T) {
	disk, err := store.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	bridge := homekit.New(homekit.Options{Vault: disk.Vault("homekit")})
	all, err := bridge.Bridges()
	if err != nil {
		t.Fatal(err)
	}
	own := all[0].ID
	relay := accessory.Announced{ID: "11:22:33:44:55:66", Name: "Relay", Address: "192.0.2.7:5001"}
	ours := accessory.Announced{ID: strings.ToLower(own), Name: "Veilleuse", Address: "192.0.2.2:51826"}
	for name, test := range map[string]struct {
		silent  bool
		sweeps  [][]accessory.Announced // nil: one that fails
		visible bool
		found   int
		err     bool
		listens int
	}{
		"found at once":            {false, [][]accessory.Announced{{relay, ours}}, true, 1, false, 1},
		"a lost packet":            {false, [][]accessory.Announced{{relay}, {relay, ours}}, true, 1, false, 2},
		"not to be found":          {false, [][]accessory.Announced{{relay}, {relay}}, false, 1, false, 2},
		"nobody can look":          {false, [][]accessory.Announced{nil}, false, 0, true, 1},
		"it does not want to be":   {true, [][]accessory.Announced{{relay}}, false, 1, false, 1},
		"nothing is on the LAN":    {false, [][]accessory.Announced{{}, {}}, false, 0, false, 2},
		"only our own is on there": {false, [][]accessory.Announced{{ours}}, true, 0, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			listened := 0
			h := house{bridge: bridge, everybody: accessory.New(accessory.Options{Browse: func(context.Context) ([]accessory.Announced, error) {
				listened++
				if found := test.sweeps[listened-1]; found != nil {
					return found, nil
				}
				return nil, errors.New("no network")
			}})}
			f := doctorFacts{Silent: test.silent}
			h.lookAtLAN(t.Context(), &f)
			if f.Visible != test.visible || len(f.Found) != test.found || (f.SweepErr != "") != test.err || listened != test.listens {
				t.Errorf("after %d sweeps: %+v", listened, f)
			}
		})
	}
}
