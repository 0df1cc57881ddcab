package main

import (
	"os"
	"strings"
	"testing"

	programs "github.com/veilleuse/veilleuse/adapters/command"
)

// leaveSurroundings takes away what somebody who runs the tests has set for programs of their own: a service manager, to which a
// daemon writes its log in another form, and secrets, which a bundle must not hold. A folder for temporary files that has a long
// name is left for the usual one: the path of a socket has at most 108 bytes. A process that a test starts is told what to have.
func leaveSurroundings() {
	if os.Getenv(surroundingsLeft) != "" {
		return
	}
	os.Setenv(surroundingsLeft, "1")
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); ofOtherPrograms[name] || programs.IsSecret(name) {
			os.Unsetenv(name)
		}
	}
	if len(os.TempDir()) > longestTemp {
		os.Unsetenv("TMPDIR")
	}
}

// surroundingsLeft marks a process that a test has started.
const surroundingsLeft = "VEILLEUSE_TEST_SURROUNDINGS_LEFT"

// longestTemp leaves room for the names of a test, of its folder and of what lies there.
const longestTemp = 25

var ofOtherPrograms = map[string]bool{"JOURNAL_STREAM": true, "NOTIFY_SOCKET": true, "WATCHDOG_USEC": true, "WATCHDOG_PID": true,
	"STATE_DIRECTORY": true, "RUNTIME_DIRECTORY": true, "CREDENTIALS_DIRECTORY": true, "NO_COLOR": true, "XDG_STATE_HOME": true}

func TestSurroundingsAreLeft(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "8:1")
	t.Setenv("DEPLOY_TOKEN", "of somebody")
	t.Setenv("TMPDIR", "/"+strings.Repeat("long/", longestTemp))
	t.Setenv("VEILLEUSE_OF_A_TEST", "stays")
	t.Setenv(surroundingsLeft, "")
	leaveSurroundings()
	if os.Getenv("JOURNAL_STREAM")+os.Getenv("DEPLOY_TOKEN")+os.Getenv("TMPDIR") != "" || os.Getenv("VEILLEUSE_OF_A_TEST") == "" {
		t.Errorf("left are %q", os.Environ())
	}
	t.Setenv("JOURNAL_STREAM", "8:1")
	if leaveSurroundings(); os.Getenv("JOURNAL_STREAM") == "" {
		t.Error("a process of a test is not left what it was given")
	}
}
