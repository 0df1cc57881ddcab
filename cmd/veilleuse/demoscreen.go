package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// demoScreen writes the timeline: time, who, what happened and why; on a terminal in colour and with
// a progress line below.
type demoScreen struct {
	out      io.Writer
	silent   bool // only the report is wanted, as JSON
	terminal bool
	clock    *demoClock
	zone     *time.Location
	mutex    sync.Mutex
}

func newDemoScreen(out io.Writer, silent bool) *demoScreen {
	return &demoScreen{out: out, silent: silent, terminal: isTerminal(out)}
}

// isTerminal reports whether a person looks at the output and has not asked for plain text.
func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// Colours of a terminal.
const (
	plain  = "\x1b[0m"
	dim    = "\x1b[2m"
	yellow = "\x1b[33m"
	cyan   = "\x1b[36m"
	red    = "\x1b[1;31m"
)

func (s *demoScreen) paint(colour, text string) string {
	if !s.terminal {
		return text
	}
	return colour + text + plain
}

func (s *demoScreen) title(text string) { s.say(s.paint(cyan, text) + "\n") }

// line shows what happens now.
func (s *demoScreen) line(who, what, why string) { s.lineAt(s.clock.Now(), who, what, why) }

// lineAt shows what happened at an instant of the house.
func (s *demoScreen) lineAt(at time.Time, who, what, why string) {
	colour := yellow
	if who == "Veilleuse" {
		colour = cyan
	}
	if strings.Contains(what, "ALARM") {
		colour = red
	}
	text := fmt.Sprintf("%s  %s  %s", at.In(s.zone).Format("15:04:05"), s.paint(colour, fmt.Sprintf("%-9s", who)), what)
	if why != "" {
		text += "\n" + strings.Repeat(" ", 21) + s.paint(dim, "because: "+why)
	}
	s.say(text)
}

// say writes a line above the progress line.
func (s *demoScreen) say(text string) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.silent {
		return
	}
	if s.terminal {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	fmt.Fprintln(s.out, text)
}

// report shows how the evening went: in words, or where only that is wanted, as JSON.
func (s *demoScreen) report(r demoReport) error {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.silent {
		return writeJSON(s.out, r)
	}
	if s.terminal {
		fmt.Fprint(s.out, "\r\x1b[K")
	}
	r.print(s.out)
	return nil
}

// progress shows how far the evening is, on a terminal only.
func (s *demoScreen) progress(now time.Time, phase gateway.Phase, writes int) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.silent || !s.terminal {
		return
	}
	const width = 30
	share := min(max(now.Sub(demoStart).Seconds()/demoLength.Seconds(), 0), 1)
	done := int(share * width)
	fmt.Fprintf(s.out, "\r\x1b[K%s [%s%s] %s, %d writes", now.In(s.zone).Format("15:04"), strings.Repeat("=", done), strings.Repeat(" ", width-done), phase, writes)
}

// demoLength is how long the evening is in the house.
const demoLength = 9*time.Hour + 15*time.Minute
