// Package story reads a house and an evening from a text file and plays them through the rules.
//
// A story begins with the house, one thing a line:
//
//	zone Europe/Paris
//	start 2025-10-29 16:30
//	home h1 Maison default=3h frost=7 maximum=28
//	room bath Bath
//	week 06:30=day 22:30=night                  every day of the week; "week mon 06:30=day" for one
//	target day bath=21 bedroom=19               what a zone asks of its rooms
//	device v1 NRV room=bath face=accessory target=7..30/0.5 obeys
//	relay boiler rooms=bath,bed heats=boiler obeys      by MQTT; lease=15m on=4m off=3m bypass=ID sensor=ID
//
// and goes on with what happens, each line led by the wall clock of the home; a time that lies
// before the last one is on the next day. Between the lines time passes in ticks of 10 s.
//
//	16:41 probe cloud-down "Netatmo answers 503" every=15s lasting=2m
//	17:00 reading v1 target 21
//	17:10 wish "Home app" bath 22.5 for=2h
//	18:00 ahead -10h                            the clock of the house is wrong by that from now on
//
// Lines that begin with ">" are what must follow: each command and each decision, in order. Play
// writes them; a test compares.
package story

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Story is a house and what happens in it.
type Story struct {
	lines []line
	state gateway.State
	start time.Time
	obeys map[gateway.DeviceID]bool
	plan  gateway.Schedule
	zones map[string]int
}

// line is one line of the file: kept as it was read, and as an event if it is one.
type line struct {
	text   string
	number int
	at     time.Time // zero: not an event
	words  []string
	expect bool
}

// Read reads a story. A fault names its line and what was expected there.
func Read(r io.Reader) (*Story, error) {
	s := &Story{obeys: map[gateway.DeviceID]bool{}, zones: map[string]int{}}
	s.state.Home.Zone, _ = gateway.LoadTimeZone("UTC")
	s.state.Clock = gateway.Clock{Trust: gateway.TrustSynced, Why: "told so"}
	scanner := bufio.NewScanner(r)
	for number := 1; scanner.Scan(); number++ {
		if err := s.readLine(number, scanner.Text()); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read the story: %w", err)
	}
	if s.start.IsZero() {
		return nil, fmt.Errorf("a story needs a line as in: start 2025-10-29 16:30")
	}
	if len(s.plan.Zones) > 0 {
		s.state.Home.Schedules = []gateway.Schedule{s.plan}
	}
	return s, nil
}

func (s *Story) readLine(number int, text string) error {
	l := line{text: text, number: number, expect: strings.HasPrefix(text, ">")}
	words, err := split(text)
	if err != nil {
		return err
	}
	l.words = words
	switch {
	case l.expect || len(words) == 0 || strings.HasPrefix(text, "#"):
	case words[0] != "" && words[0][0] >= '0' && words[0][0] <= '9':
		if l.at, err = s.timeOf(words[0]); err != nil {
			return err
		}
		if len(words) < 2 {
			return fmt.Errorf("what happens at %s is missing", words[0])
		}
	default:
		if err := s.house(words); err != nil {
			return err
		}
	}
	s.lines = append(s.lines, l)
	return nil
}

// timeOf reads a wall clock time and places it after the last one.
func (s *Story) timeOf(word string) (time.Time, error) {
	if s.start.IsZero() {
		return time.Time{}, fmt.Errorf("the line start must come before the first event")
	}
	layout := "15:04"
	if strings.Count(word, ":") == 2 {
		layout = "15:04:05"
	}
	clock, err := time.Parse(layout, word)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is not a time as in 16:41 or 16:41:30", word)
	}
	last := s.start
	for _, l := range s.lines {
		if !l.at.IsZero() {
			last = l.at
		}
	}
	local := last.In(s.location())
	at := time.Date(local.Year(), local.Month(), local.Day(), clock.Hour(), clock.Minute(), clock.Second(), 0, s.location())
	if at.Before(last) {
		at = time.Date(local.Year(), local.Month(), local.Day()+1, clock.Hour(), clock.Minute(), clock.Second(), 0, s.location())
	}
	return at, nil
}

func (s *Story) location() *time.Location { return s.state.Home.Zone.Location() }

// split cuts a line into words; a quoted part is one word, and # begins a comment.
func split(text string) ([]string, error) {
	var words []string
	for rest := strings.TrimSpace(text); rest != "" && rest[0] != '#'; rest = strings.TrimSpace(rest) {
		if rest[0] == '"' {
			end := strings.IndexByte(rest[1:], '"')
			if end < 0 {
				return nil, fmt.Errorf("a quotation mark is not closed")
			}
			words, rest = append(words, rest[1:end+1]), rest[end+2:]
			continue
		}
		end := strings.IndexAny(rest, " \t")
		if end < 0 {
			end = len(rest)
		}
		words, rest = append(words, rest[:end]), rest[end:]
	}
	return words, nil
}

// option finds name=value among the words, or returns "".
func option(words []string, name string) string {
	for _, w := range words {
		if key, value, ok := strings.Cut(w, "="); ok && key == name {
			return value
		}
	}
	return ""
}
