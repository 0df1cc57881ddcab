package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/command"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// script writes a program of a user.
func script(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "call")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func tell(program string, round float64) gateway.Command {
	return gateway.Command{Point: gateway.Point{Adapter: gateway.CommandAdapter, Of: "alarm-3/" + program, Quantity: gateway.Tell},
		Value: gateway.Number(round), Why: `smoke alarm: "Hall"; $(rm -rf /) says smoke`}
}

func start(t *testing.T, patience time.Duration, programs ...string) *gatewaytest.House {
	return gatewaytest.Start(t, gateway.CommandAdapter, command.New(command.Options{Programs: programs, Patience: patience}))
}

func TestContract(t *testing.T) {
	gatewaytest.Contract(t, gateway.CommandAdapter, func(testing.TB) gateway.Adapter { return command.New(command.Options{}) })
}

func TestProgramGetsTheSentenceAndNothingElse(t *testing.T) {
	heard := filepath.Join(t.TempDir(), "heard")
	program := script(t, "echo \"$#\" > "+heard+"; cat >> "+heard+"\n")
	h := start(t, 0, program)
	c := tell(program, 1)
	id := h.Send(c)
	o := gatewaytest.Wait[gateway.Outcome](h, nil)
	if o.ID != id || o.Err != "" || o.By == "" || o.Point != c.Point {
		t.Errorf("the answer is %+v", o)
	}
	if text, err := os.ReadFile(heard); err != nil || string(text) != "0\n"+c.Why+"\n" {
		t.Errorf("the program got %q, %v", text, err)
	}
}

func TestOnlyProgramsOfTheConfigurationRun(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	program := script(t, "touch "+trace+"\n")
	h := start(t, 0, "/bin/true")
	for _, c := range []gateway.Command{tell(program, 1), tell("/bin/true ", 1), {Point: gateway.Point{Of: "true"}}, {Point: gateway.Point{Of: "x//bin/true", Quantity: gateway.On}}} {
		c.Point.Adapter = gateway.CommandAdapter
		h.Send(c)
		if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.Err == "" || !o.Final {
			t.Errorf("%q is answered with %+v", c.Point.Of, o)
		}
	}
	if _, err := os.Stat(trace); err == nil {
		t.Error("a program was run that the configuration does not name")
	}
}

func TestFailureIsSaidAndTriedAgain(t *testing.T) {
	folder := t.TempDir()
	program := script(t, "if [ -e "+folder+"/second ]; then exit 0; fi; touch "+folder+"/second; echo 'no line' >&2; exit 3\n")
	h := start(t, 0, program)
	h.Send(tell(program, 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); !strings.Contains(o.Err, "exit status 3: no line") || o.Final {
		t.Errorf("the failure is %+v", o)
	}
	h.Send(tell(program, 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.Err != "" {
		t.Errorf("the second time: %+v", o)
	}
}

func TestSameRoundRunsOnce(t *testing.T) {
	folder := t.TempDir()
	count, told := filepath.Join(folder, "count"), filepath.Join(folder, "told")
	program := script(t, "until [ -e "+told+" ]; do sleep 0.01; done; echo x >> "+count+"\n")
	h := start(t, 0, program)
	h.Send(tell(program, 1))
	last := h.Send(tell(program, 1)) // asked again while it runs
	h.Send(tell("/bin/nobody", 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); !o.Final { // so all before was taken
		t.Errorf("the answer is %+v, but the program waits", o)
	}
	if err := os.WriteFile(told, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.ID != last || o.Err != "" {
		t.Errorf("the answer is %+v, want one to command %d", o, last)
	}
	h.Send(tell(program, 1)) // and after a lost answer
	gatewaytest.Wait[gateway.Outcome](h, nil)
	if text, _ := os.ReadFile(count); string(text) != "x\n" {
		t.Errorf("it ran %d times", strings.Count(string(text), "x"))
	}
	h.Send(tell(program, 2))
	gatewaytest.Wait[gateway.Outcome](h, nil)
	if text, _ := os.ReadFile(count); string(text) != "x\nx\n" {
		t.Errorf("in the second round it ran %d times", strings.Count(string(text), "x"))
	}
}

func TestProgramThatEndsWellMayLeaveSomethingRunning(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	program := script(t, "sleep 600 & echo $! > "+pid+"; exit 0\n")
	t.Cleanup(func() {
		if text, err := os.ReadFile(pid); err == nil {
			exec.Command("kill", strings.TrimSpace(string(text))).Run()
		}
	})
	h := start(t, 0, program)
	h.Send(tell(program, 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); o.Err != "" || o.By == "" {
		t.Errorf("the answer is %+v, want that it went well", o)
	}
}

func TestProgramThatHangsIsKilledWithItsChildren(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	program := script(t, "sleep 600 & echo $! > "+pid+"; wait\n")
	h := start(t, 4*time.Second, program) // in which a busy machine has started it
	h.Send(tell(program, 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); !strings.Contains(o.Err, "was killed") {
		t.Fatalf("the answer is %+v", o)
	}
	child, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	state := func() string {
		text, _ := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		return string(text)
	}
	for late := time.Now().Add(gatewaytest.Patience); ; time.Sleep(time.Millisecond) {
		if s := state(); s == "" || strings.Contains(s, ") Z ") {
			return
		}
		if time.Now().After(late) {
			t.Fatal("what the program has started lives on")
		}
	}
}

// A script that says what it does (sh -x) says the password with which it does it.
func TestSecretsOfTheEnvironmentAreNotPassedOn(t *testing.T) {
	t.Setenv("ALARM_TOKEN", "canary-of-the-pager")
	t.Setenv("ALARM_NUMBER", "0123456789")
	t.Setenv("ALARM_KEY_FILE", "/etc/pager")
	program := script(t, "echo \"$ALARM_KEY_FILE: calling $ALARM_NUMBER with $ALARM_TOKEN\" >&2; exit 3\n")
	h := start(t, 0, program)
	h.Send(tell(program, 1))
	if o := gatewaytest.Wait[gateway.Outcome](h, nil); !strings.HasSuffix(o.Err, ": /etc/pager: calling 0123456789 with [ALARM_TOKEN]") {
		t.Errorf("the answer is %+v", o)
	}
}
