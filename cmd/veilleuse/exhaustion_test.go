package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
	"github.com/veilleuse/veilleuse/rules/schedule"
)

// How much the house may suffer while a resource is used up, on the busiest of machines.
const (
	alarmSuffers = 5 * time.Second // until all have heard an alarm
	tickSuffers  = time.Second
	slotEvery    = 6 * time.Minute  // of the house: 6 s at the speed of these tests
	slotSuffers  = 10 * time.Second // until the valves have what a slot asks for
	servedWithin = 10 * time.Second // who come now: page, Home app, MQTT and a verb, one after the other
)

// TestExhaustion runs the daemon in a process of its own, in an outage of the vendor's cloud, and takes away one thing after the
// other that a process lives on. An alarm must reach siren, MQTT and Home app, the heating must follow the schedule, and
// people must be told what is amiss.
func TestExhaustion(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	t.Parallel()
	for _, e := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"disk full", diskFull},
		{"disk read-only while it runs", diskTurnsReadOnly},
		{"disk read-only from the start", diskIsReadOnly},
		{"no descriptors left", noDescriptors},
		{"500 slow connections at every port", slowLoris},
		{"no memory", noMemory},
	} {
		t.Run(e.name, func(t *testing.T) { t.Parallel(); e.run(t) })
	}
}

// restlessHome is a home whose schedule changes all the time.
func restlessHome() netatmotest.Home {
	home := demoHome()
	plan := &home.Schedules[0]
	plan.Slots = nil
	for minute := 0; minute < 7*24*60; minute += int(slotEvery.Minutes()) {
		plan.Slots = append(plan.Slots, gateway.Slot{Minute: minute, Zone: minute / int(slotEvery.Minutes()) % 2})
	}
	return home
}

// strain is a house in an outage that is about to lack something.
type strain struct {
	*soakWorld
	strangers []net.Conn
}

func strained(t *testing.T, folder, state string, prepare func(*exec.Cmd)) *strain {
	t.Helper()
	w := newSoakWorldIn(t, folder, state, unhurried, soakStart, 60, restlessHome(), prepare)
	w.look()
	s := &strain{soakWorld: w}
	s.signIn()
	s.lose()
	return s
}

// lose takes the cloud away and waits until the house is in charge.
func (s *strain) lose() {
	s.t.Helper()
	s.setLost(true)
	if err := s.internet.Break("503 with HTML"); err != nil {
		s.t.Fatal(err)
	}
	s.eventually("the house is in charge", func() bool {
		s.people.mu.Lock()
		defer s.people.mu.Unlock()
		return s.people.phase == string(gateway.Local)
	})
}

// signIn opens the page while that can still be remembered on the disk.
func (s *strain) signIn() {
	s.t.Helper()
	if _, err := s.pageState(context.Background()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *strain) eventually(what string, holds func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	if until(ctx, holds) != nil {
		s.t.Fatalf("never: %s", what)
	}
}

// endures holds that alarms and heating go on.
func (s *strain) endures() {
	s.t.Helper()
	machine := gatewaytest.WatchStandstill(s.t)
	if _, err := s.process.ask("sample"); err != nil { // forgets how late ticks were before
		s.t.Fatal(err)
	}
	for _, kind := range []string{"smoke", "co"} {
		still := machine.SoFar()
		took, err := s.raise(kind)
		still = machine.SoFar() - still
		if err != nil {
			s.t.Error(err)
			continue
		}
		s.t.Logf("%s was heard by siren, MQTT and Home app after %.0f ms", kind, milliseconds(took))
		if took-still > alarmSuffers {
			s.t.Errorf("%s was heard after %v only, in %v of which the machine stood still", kind, took, still)
		}
		if err := s.smell(kind, false); err != nil {
			s.t.Error(err)
		}
		s.eventually("the siren is silent again", func() bool {
			sounds, err := s.house.Sounding(demoSiren)
			return err == nil && !sounds
		})
	}
	s.heats()
	sample, err := s.process.ask("sample")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("the worst tick was late by %.0f ms", milliseconds(sample.Late))
	if still := machine.SoFar(); sample.Late-still >= tickSuffers {
		s.t.Errorf("a tick was late by %v; the machine stood still for %v", sample.Late, still)
	}
}

// heats holds that the next slot of the schedule reaches the valves, which do not keep a schedule by themselves.
func (s *strain) heats() {
	s.t.Helper()
	due := s.clock.Now().Truncate(slotEvery).Add(slotEvery)
	<-s.clock.After(due.Sub(s.clock.Now()))
	late := time.Now().Add(slotSuffers)
	for _, r := range demoRooms[1:] {
		wanted, _ := schedule.Target(s.plan, gateway.RoomID(r.id), due.Add(time.Minute), s.zone.Location())
		shown, err := s.house.Target(r.device)
		for ; err == nil && shown != wanted.Target && !s.follows(r, due) && time.Now().Before(late); shown, err = s.house.Target(r.device) {
			time.Sleep(20 * time.Millisecond)
		}
		if err != nil || shown != wanted.Target && !s.follows(r, due) {
			s.t.Errorf("%s is set to %g, the slot of %s asks for %g (%v)", r.device, shown, due.Format(time.TimeOnly), wanted.Target, err)
		}
	}
}

// follows reports whether a valve was set since then to what its schedule asked for at that moment: on a slow machine the next slot
// may have begun before anybody looks.
func (s *strain) follows(r demoRoom, since time.Time) bool {
	return slices.ContainsFunc(s.writes(since, s.clock.Now()), func(w demoWrite) bool {
		wanted, _ := schedule.Target(s.plan, gateway.RoomID(r.id), w.at, s.zone.Location())
		return w.device == r.device && w.target == wanted.Target
	})
}

// says holds that a sentence with these words was said in the log and over MQTT.
func (s *strain) says(words ...string) {
	s.t.Helper()
	has := func(text string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	missing := ""
	err := until(ctx, func() bool {
		missing = ""
		if !slices.ContainsFunc(strings.Split(s.process.said(), "\n"), has) {
			missing = "the log"
		}
		s.people.mu.Lock()
		defer s.people.mu.Unlock()
		if !slices.ContainsFunc(s.people.events, has) {
			missing += " MQTT"
		}
		return missing == ""
	})
	if err != nil {
		s.t.Errorf("nothing with %q is said in %s", words, missing)
	}
}

// wishHolds holds that a wish is followed though it cannot be kept on the disk: it is kept in memory.
func (s *strain) wishHolds() {
	s.t.Helper()
	token := s.people.client.Publish("veilleuse/room/"+netatmotest.Bathroom+"/set", 1, false, `{"target":23,"for":"1h"}`)
	if !token.WaitTimeout(figurePatience) || token.Error() != nil {
		s.t.Fatal(token.Error())
	}
	s.eventually("a wish is followed", func() bool {
		shown, err := s.house.Target("Vanne bain")
		return err == nil && shown == 23
	})
	token = s.people.client.Publish("veilleuse/room/"+netatmotest.Bathroom+"/set", 1, false, `{"mode":"schedule"}`)
	if !token.WaitTimeout(figurePatience) || token.Error() != nil {
		s.t.Fatal(token.Error())
	}
}

// diskFull fills the disk under the running house, and makes room again.
func diskFull(t *testing.T) {
	disk, _ := ownDisk(t)
	s := strained(t, t.TempDir(), filepath.Join(disk, "state"), nil)
	filler := filepath.Join(disk, "filler")
	if err := fillDisk(filler); err != nil {
		t.Fatal(err)
	}
	s.endures()
	s.wishHolds()
	s.says("no space left on device", "store")
	s.shown("no space left on device")
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.await("the store works again", func(r statusReport) bool { return len(r.Adapters) > 0 && allUp(r) })
}

// shown holds that status, doctor and page tell of a trouble.
func (s *strain) shown(words string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	r, err := s.status(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	if !slices.ContainsFunc(r.Adapters, func(a adapterReport) bool { return !a.Up && strings.Contains(a.Why, words) }) {
		s.t.Errorf("status does not say %q: %+v", words, r.Adapters)
	}
	var d doctorReport
	if err := s.ask(ctx, "GET", "/doctor", nil, &d); err != nil {
		s.t.Fatal(err)
	}
	if !strings.Contains(fmt.Sprintf("%+v", d), words) {
		s.t.Errorf("doctor does not say %q: %+v", words, d)
	}
	s.onPage(words)
}

// onPage holds that the page, to which somebody signed in before, tells of a trouble.
func (s *strain) onPage(words string) {
	s.t.Helper()
	page, err := s.pageState(context.Background())
	if err != nil {
		s.t.Fatal(err)
	}
	if _, troubles, _ := strings.Cut(page, `"troubles"`); !strings.Contains(troubles, words) {
		s.t.Errorf("the page does not say %q: %s", words, page)
	}
}

func allUp(r statusReport) bool {
	return !slices.ContainsFunc(r.Adapters, func(a adapterReport) bool { return !a.Up })
}

// diskTurnsReadOnly has the kernel find a fault in the file system under the running house, after which it writes no more.
func diskTurnsReadOnly(t *testing.T) {
	disk, device := ownDisk(t)
	s := strained(t, t.TempDir(), filepath.Join(disk, "state"), nil)
	if err := os.WriteFile("/sys/fs/ext4/"+device+"/trigger_fs_error", []byte("a fault for a test"), 0); err != nil {
		t.Skipf("SKIPPED: this kernel breaks no file system on purpose: %v", err)
	}
	s.process.cannotSave = true
	s.endures()
	s.wishHolds()
	s.says("read-only file system", "store")
	s.shown("read-only file system")
}

// diskIsReadOnly starts the house on a disk that can be read only.
func diskIsReadOnly(t *testing.T) {
	disk, _ := ownDisk(t)
	folder, state := t.TempDir(), filepath.Join(disk, "state")
	w := newSoakWorldIn(t, folder, state, unhurried, soakStart, 60, restlessHome(), nil)
	w.look()
	(&strain{soakWorld: w}).signIn()
	w.people.leave()
	w.process.stop()
	if said, err := exec.Command("mount", "-o", "remount,ro", disk).CombinedOutput(); err != nil {
		t.Fatalf("remount: %s", said)
	}
	memory := t.TempDir()
	w.process = startProcess(t, w.order(), state, func(c *exec.Cmd) { c.Env = append(c.Env, "RUNTIME_DIRECTORY="+memory) })
	w.process.cannotSave = true
	w.comeBack()
	s := &strain{soakWorld: w}
	s.lose()
	s.endures()
	s.wishHolds()
	s.says("read-only file system", "store")
	s.asksAt(memory)
	s.shown("read-only file system")
}

// asksAt lets the daemon be asked by the only socket in a folder.
func (s *strain) asksAt(folder string) {
	s.t.Helper()
	all, err := filepath.Glob(filepath.Join(folder, "*.sock"))
	if err != nil || len(all) != 1 {
		s.t.Fatalf("%d sockets, %v", len(all), err)
	}
	s.state = s.t.TempDir()
	if err := os.Symlink(all[0], filepath.Join(s.state, "control.sock")); err != nil {
		s.t.Fatal(err)
	}
}

// noDescriptors leaves the daemon without any while strangers connect at every port.
func noDescriptors(t *testing.T) {
	folder := t.TempDir()
	s := strained(t, folder, filepath.Join(folder, "state"), nil)
	open, err := s.process.descriptors()
	if err != nil {
		t.Fatal(err)
	}
	s.allow(uint64(open) + 4)
	s.crowd(60)
	s.endures()
	s.says("too many open files", "no new connection gets through")
	s.disperse()
	s.allow(1 << 12)
	s.served()
}

// slowLoris has strangers take every place at every port and speak one byte a second.
func slowLoris(t *testing.T) {
	folder := t.TempDir()
	s := strained(t, folder, filepath.Join(folder, "state"), nil)
	s.crowd(500)
	s.endures()
	s.served()
	s.disperse()
}

// noMemory gives the daemon what its unit gives it, and floods it at every face.
func noMemory(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector needs many times the memory")
	}
	folder := t.TempDir()
	s := strained(t, folder, filepath.Join(folder, "state"), func(c *exec.Cmd) { c.Env = append(c.Env, "GOMEMLIMIT=160MiB") })
	confined := confine(t, s.process.command.Process.Pid, memoryMax)
	before := s.process.resident()
	s.crowd(100)
	stop := s.flood()
	s.endures()
	stop()
	s.disperse()
	s.served()
	peak := s.process.peak()
	t.Logf("memory: %.0f MB before, %.0f MB at most; held by a cgroup of %d MB: %v", float64(before)/1e6, float64(peak)/1e6, memoryMax>>20, confined)
	if peak > memoryHigh {
		t.Errorf("%.0f MB were taken, the unit's MemoryHigh is %d MiB", float64(peak)/1e6, memoryHigh>>20)
	}
}

// What scripts/veilleuse.service allows.
const (
	memoryHigh = 192 << 20
	memoryMax  = 256 << 20
)
