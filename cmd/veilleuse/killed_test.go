package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
)

// TestAlarmsSurviveKill lets alarms come, be answered and end while the process that decides is killed at random
// instants, without a word. The rest of the world goes on: detectors that smell say so again when they are read, a
// siren does what it was told last. It holds that no alarm is lost (a siren sounds while a detector smells), none
// is silenced by anything but its detector, and nobody is told of one again whose answer was on disk.
//
// VEILLEUSE_ALARMS=10000 makes a long run of it, VEILLEUSE_SEED another one.
func TestAlarmsSurviveKill(t *testing.T) {
	if folder := os.Getenv("VEILLEUSE_KILLED"); folder != "" {
		liveUntilKilled(t, folder)
		return
	}
	t.Parallel() // what it kills are processes of its own
	alarms := 12
	if testing.Short() {
		alarms = 4
	}
	if n, err := strconv.Atoi(os.Getenv("VEILLEUSE_ALARMS")); err == nil {
		alarms = n
	}
	seed, _ := strconv.ParseUint(os.Getenv("VEILLEUSE_SEED"), 10, 64)
	w := &deadlyWorld{t: t, folder: t.TempDir(), random: rand.New(rand.NewPCG(uint64(alarms), seed))}
	w.start()
	defer w.kill()
	for range alarms {
		w.alarm()
	}
	t.Logf("%d alarms, %d kills, %d calls, %d answers, %d sirens left on: none lost, none silenced, none told again after its answer", alarms, w.kills, w.calls, w.answers, w.left)
	if w.kills == 0 {
		t.Error("nothing was ever killed: this shows nothing")
	}
}

// deadlyWorld is what surrounds the process: a detector, a siren, a person, and whoever kills.
type deadlyWorld struct {
	t       *testing.T
	folder  string
	random  *rand.Rand
	process *exec.Cmd
	stdin   io.WriteCloser
	lines   chan string

	smoke, siren   bool
	answered       bool // the answer to the present alarm is on disk
	called         bool // of the present alarm
	quiet          bool // the process knows that the last alarm is over
	kills          int
	calls, answers int
	left           int // sirens that a person had to turn off
}

func (w *deadlyWorld) start() {
	w.t.Helper()
	w.process = exec.Command(os.Args[0], "-test.run=^TestAlarmsSurviveKill$")
	w.process.Env = append(os.Environ(), "VEILLEUSE_KILLED="+w.folder, fmt.Sprintf("VEILLEUSE_WORLD=%v %v", w.smoke, w.siren))
	stdin, err := w.process.StdinPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	stdout, err := w.process.StdoutPipe()
	if err != nil {
		w.t.Fatal(err)
	}
	w.process.Stderr = os.Stderr
	if err := w.process.Start(); err != nil {
		w.t.Fatal(err)
	}
	w.quiet = false
	w.stdin, w.lines = stdin, make(chan string, 1000)
	go func(lines chan<- string) {
		for s := bufio.NewScanner(stdout); s.Scan(); {
			lines <- s.Text()
		}
		close(lines)
	}(w.lines)
}

// kill ends the process without a word, and takes what it had said before.
func (w *deadlyWorld) kill() {
	w.t.Helper()
	w.process.Process.Kill()
	for line := range w.lines {
		w.take(line)
	}
	w.process.Wait()
	w.stdin.Close()
}

// perhapsKill kills with some probability, after some milliseconds in which things go on.
func (w *deadlyWorld) perhapsKill() {
	if w.random.IntN(3) > 0 {
		return
	}
	w.listen(time.Duration(w.random.IntN(40)) * time.Millisecond)
	w.kill()
	w.kills++
	w.start()
}

// take is the world's answer to what the process does.
func (w *deadlyWorld) take(line string) {
	w.t.Helper()
	switch line {
	case "siren yes":
		w.siren = true
	case "siren no":
		w.siren = false
		if w.smoke {
			w.t.Fatalf("after %d kills: the siren is silenced while it burns", w.kills)
		}
	case "call":
		w.calls++
		w.called = true
		if w.answered {
			w.t.Fatalf("after %d kills: somebody is told of an alarm whose answer was on disk", w.kills)
		}
	case "answered":
		w.answered = true
	case "quiet":
		w.quiet = true
	}
}

// listen takes what is said within a time.
func (w *deadlyWorld) listen(length time.Duration) {
	end := time.After(length)
	for {
		select {
		case line, ok := <-w.lines:
			if !ok {
				return
			}
			w.take(line)
		case <-end:
			return
		}
	}
}

// until waits for something that must come true.
func (w *deadlyWorld) until(what string, holds func() bool, nudge string) {
	w.t.Helper()
	late := time.Now().Add(patience)
	for !holds() {
		if time.Now().After(late) {
			w.t.Fatalf("after %d kills: %s", w.kills, what)
		}
		if nudge != "" {
			fmt.Fprintln(w.stdin, nudge)
		}
		w.listen(20 * time.Millisecond)
	}
}

// alarm is one alarm from its first smoke to its end.
func (w *deadlyWorld) alarm() {
	w.t.Helper()
	w.smoke, w.answered, w.called = true, false, false
	fmt.Fprintln(w.stdin, "smoke yes")
	w.perhapsKill()
	w.until("an alarm is lost: the siren does not sound", func() bool { return w.siren }, "")
	w.until("an alarm is lost: nobody is told", func() bool { return w.called }, "")
	if w.random.IntN(2) == 0 {
		fmt.Fprintln(w.stdin, "answer")
		w.perhapsKill()
		w.until("no answer is ever kept", func() bool { return w.answered }, "answer")
		w.answers++
		w.perhapsKill()
		w.listen(2 * roundOfTheDying)
		if w.perhapsKill(); !w.siren {
			w.t.Fatal("an answer silences the siren")
		}
	}
	w.smoke, w.quiet = false, false
	fmt.Fprintln(w.stdin, "smoke no")
	w.perhapsKill()
	w.until("an alarm does not end", func() bool { return w.quiet }, "smoke no")
	if w.siren { // of an alarm that came and went before anything could be saved: a person turns it off
		w.siren, w.left = false, w.left+1
		fmt.Fprintln(w.stdin, "siren no")
	}
}

// roundOfTheDying is how soon people are told again, so that it would soon be seen.
const roundOfTheDying = 30 * time.Millisecond

// liveUntilKilled is the process: the real Loop, rules and store, and a world at its standard input.
func liveUntilKilled(t *testing.T, folder string) {
	log := slog.New(slog.DiscardHandler)
	disk, err := store.Open(folder, log)
	if err != nil {
		t.Fatal(err)
	}
	first := gateway.State{}
	if saved, found, err := disk.Load(); err != nil {
		t.Fatal(err)
	} else if found {
		first = saved.State()
	}
	first.Home.AlarmPlan = gateway.AlarmPlan{Repeat: roundOfTheDying, Steps: []gateway.AlarmStep{
		{Way: gateway.WaySound, Of: gateway.All}, {Way: gateway.WayTell, Of: gateway.AccessoryAdapter}}}
	loop := &gateway.Loop{Step: rules.Step, State: first, Every: 10 * time.Millisecond, Log: log}
	loop.Attach("store", disk)
	loop.Attach(gateway.AccessoryAdapter, &dyingWorld{disk: disk})
	loop.Run(context.Background())
}

// dyingWorld is the end of the world within the process.
type dyingWorld struct {
	disk *store.Store
}

func (d *dyingWorld) Run(ctx context.Context, port gateway.Port) error {
	smoke, siren, _ := strings.Cut(os.Getenv("VEILLEUSE_WORLD"), " ")
	port.Post(gateway.Found{Device: "siren", Name: "Siren", Controls: []gateway.Control{{Quantity: gateway.Siren}}})
	port.Post(gateway.Found{Device: "smoke", Name: "Smoke", Model: "NSD"})
	port.Post(gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(siren == "true")})
	port.Post(gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(smoke == "true")})
	told := make(chan string)
	go func() {
		for s := bufio.NewScanner(os.Stdin); s.Scan(); {
			told <- s.Text()
		}
		os.Exit(0) // the test is over
	}()
	look := time.NewTicker(5 * time.Millisecond)
	var newest gateway.State
	var answered uint64 // number of the last alarm whose answer is on disk
	var no time.Time    // when the detector said last that there is no smoke; zero: that is known inside
	for {
		select {
		case newest = <-port.Shown():
		case c := <-port.Commands():
			d.obey(port, c)
		case line := <-told:
			switch line {
			case "siren no":
				port.Post(gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: gateway.Flag(false)})
			case "answer":
				port.Post(gateway.Wish{By: "test", Ask: gateway.Acknowledge{}})
			default:
				if line == "smoke no" {
					no = port.Now()
				}
				port.Post(gateway.Reading{Device: "smoke", Quantity: gateway.Smoke, Value: gateway.Flag(line == "smoke yes")})
			}
		case <-look.C:
			saved, _, err := d.disk.Load()
			if err != nil {
				return err
			}
			if !no.IsZero() && isQuiet(newest, no) && len(saved.Alarms) == 0 && saved.Sounded == newest.Sounded {
				fmt.Println("quiet")
				no = time.Time{}
			}
			for _, alarm := range saved.Alarms {
				goesOn := slices.ContainsFunc(newest.Alarms, func(a gateway.Alarm) bool { return a.Number == alarm.Number })
				if alarm.Answered.IsZero() || alarm.Number == answered || !goesOn {
					continue
				}
				for len(port.Commands()) > 0 {
					d.obey(port, <-port.Commands()) // what was asked before
				}
				fmt.Println("answered")
				answered = alarm.Number
			}
		}
	}
}

// isQuiet reports whether the house knows that the detector said no, and has turned off the siren that it had turned on.
func isQuiet(s gateway.State, no time.Time) bool {
	detector, _ := s.Device("smoke")
	siren, _ := s.Device("siren")
	smoke, _ := detector.Reading(gateway.Smoke)
	sounds, _ := siren.Reading(gateway.Siren)
	return len(s.Alarms) == 0 && !smoke.Value.Yes() && !smoke.At.Before(no.Round(0)) && !(s.Sounded && sounds.Value.Yes())
}

// obey does what is asked, and says so outside.
func (d *dyingWorld) obey(port gateway.Port, c gateway.Command) {
	if c.Point.Quantity == gateway.Tell {
		fmt.Println("call")
		port.Post(gateway.Outcome{ID: c.ID, Point: c.Point})
		return
	}
	fmt.Println("siren", c.Value)
	port.Post(gateway.Outcome{ID: c.ID, Point: c.Point})
	port.Post(gateway.Reading{Device: "siren", Quantity: gateway.Siren, Value: c.Value})
}
