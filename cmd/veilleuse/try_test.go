package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// program is a script that stands for ours.
func program(t *testing.T, script string) string {
	t.Helper()
	return executable(t, filepath.Join(t.TempDir(), "program"), script)
}

// executable writes a script that can be run at once. What another test starts meanwhile would have the file open for writing
// until it has become its own program, and for so long the kernel says "text file busy".
func executable(t *testing.T, file, script string) string {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(file, []byte("#!/bin/sh\n"+script+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTheDatabaseIsTriedAfterAnAccidentOnly(t *testing.T) {
	state := t.TempDir()
	if afterAccident(state) != nil {
		t.Error("it is tried after an orderly end")
	}
	writeTo(t, filepath.Join(state, "control.sock"), "")
	if afterAccident(state) == nil {
		t.Error("it is not tried though the last daemon left its socket")
	}
}

func TestWhatATrialSays(t *testing.T) {
	for _, test := range []struct{ name, script, want string }{
		{"well", "exit 0", ""},
		{"broken", "echo page 3 is odd; exit 3", "bbolt says: page 3 is odd"},
		{"a panic", "exit 2", "crashes"},
		{"a bus error", "kill -BUS $$", "crashes"},
		{"hangs", "exec sleep 60", "hangs"},
	} {
		err := try(program(t, test.script), "x")
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
	if err := try("/no/such/program", "x"); err != nil {
		t.Errorf("a trial that cannot be run says %v", err)
	}
}

func TestTheVerbThatTries(t *testing.T) {
	state := t.TempDir()
	fill(t, state, "phone")
	file := filepath.Join(state, "veilleuse.db")
	if code, out, _ := said(t, tryVerb, file); code != exitWell {
		t.Errorf("a whole file gives %d, %s", code, out)
	}
	writeTo(t, file, string(bytes.Repeat([]byte{7}, 20000)))
	if code, out, _ := said(t, tryVerb, file); code != exitBroken || out == "" {
		t.Errorf("a broken one gives %d, %s", code, out)
	}
}
