// Package powercut takes the power away from the store in three ways: reckoned from its system calls, on a file system
// that forgets what was not flushed, and in a virtual machine whose disk does; and it starts the program on what is left,
// and on databases that were damaged. scripts/crash prepares what these tests need and runs them; without it they are
// skipped.
//
// Each says of how many trials what was lost, in one line of the table that scripts/crash prints. With -powercut.lies=1
// the disks say to have flushed and have not, and each test has to fail: else it would show nothing.
package powercut

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

var (
	forgets = flag.Int("powercut.forgets", 10, "power cuts on the file system that forgets")
	cuts    = flag.Int("powercut.cuts", 2, "power cuts of the virtual machine")
	seed    = flag.Uint64("powercut.seed", 1, "another one gives other moments")
	lies    = flag.Float64("powercut.lies", 0, "share of the flushes that the disks only say to have made")
)

// upWithin is the time in which a house has to be up after an accident.
const upWithin = 10 * time.Second

// Roles of this program beside that of the tests.
const (
	roleVariable = "VEILLEUSE_POWERCUT"
	roleLife     = "life"
	roleRecord   = "record"
	roleTry      = "try"
)

func TestMain(m *testing.M) {
	if os.Getpid() == 1 && os.Getenv(acknowledgedVariable) != "" {
		beTheMachine() // the kernel of the virtual machine has started this program and no other
		return
	}
	switch os.Getenv(roleVariable) {
	case roleLife:
		live(os.Getenv(folderVariable), acknowledgedBefore(), os.Stdout)
	case roleRecord:
		liveOnTheRecord(os.Getenv(folderVariable))
	case roleTry:
		tryDatabase(os.Getenv(folderVariable))
	default:
		os.Exit(m.Run())
	}
}

// needTools skips the test where scripts/crash has not prepared it. It returns the program under test.
func needTools(t *testing.T) (program string) {
	t.Helper()
	if program = os.Getenv("VEILLEUSE_PROGRAM"); program == "" {
		t.Skip("the program is not here: scripts/crash builds it and runs this")
	}
	return program
}

// result is what came of many trials.
type result struct {
	harness      string
	trials       int
	acknowledged int // changes that were said to be durable
	lost         int // starts at which one of those was missing
	wrong        int // starts with a value that never was, or that is old without a word
	damaged      int // starts at which the store said that it was damaged
	hung         int // starts after which nothing was up within upWithin
	slowest      time.Duration
}

// print writes a line of the table.
func (r result) print() {
	fmt.Printf("| %s | %d | %d | %d | %d | %d | %d | %s |\n", r.harness, r.trials, r.acknowledged, r.lost, r.wrong, r.damaged, r.hung,
		fmt.Sprintf("%.2f s", r.slowest.Seconds()))
}

// judge prints the line and fails the test unless nothing at all went wrong, and enough happened to say so.
func (r result) judge(t *testing.T, changes int) {
	t.Helper()
	r.print()
	if r.lost+r.wrong+r.damaged+r.hung > 0 {
		t.Errorf("%d starts with something lost, %d with something wrong, %d with a damaged database, %d after which nothing was up", r.lost, r.wrong, r.damaged, r.hung)
	}
	if r.acknowledged < changes {
		t.Errorf("%d changes in %d trials are too few to show anything", r.acknowledged, r.trials)
	}
}
