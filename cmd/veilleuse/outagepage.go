package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// page writes sections of plain text that fit a terminal.
type page struct{ out io.Writer }

// section begins a part of the page.
func (p page) section(title string) { fmt.Fprintf(p.out, "\n%s\n", title) }

// item writes a text behind a head, in lines that fit; what follows the first is set in as deep.
func (p page) item(head, text string) {
	hang(p.out, head, strings.Repeat(" ", utf8.RuneCountInString(head)), strings.Join(strings.Fields(text), " "))
}

// printOutages writes how reliable the vendor was: the outage that goes on, the last one, the share of time.
func printOutages(out io.Writer, r statusReport) {
	drill := map[bool]string{true: " (a drill)"}
	if o := r.Outage; o != nil {
		fmt.Fprintf(out, "outage %d%s since %s: %s so far, %d of %d slots kept, %d commands, %d wishes, %d alarms; veilleuse report tells more\n",
			o.Number, drill[o.Drill], clockOf(o.Lost), lengthOf(o.LengthS), o.SlotsKept, o.SlotsDue, o.Writes, o.Wishes, o.Alarms)
	}
	if o := r.LastOutage; o != nil {
		fmt.Fprintf(out, "last outage: %d%s, %s until %s: %s\n", o.Number, drill[o.Drill], lengthOf(o.LengthS), clockOf(o.Ended), o.Why)
	}
	a := r.Availability
	if a.Days30 != nil && a.Days365 != nil {
		fmt.Fprintf(out, "Netatmo served %s of the time watched in 30 days, %s in 365 (%.1f days watched)\n", percent(*a.Days30), percent(*a.Days365), a.WatchedDays)
	}
}

func percent(share float64) string { return fmt.Sprintf("%.2f %%", 100*share) }

// printOutage writes the journal of an outage for people.
func printOutage(out io.Writer, r web.OutageReport) {
	p := page{out}
	p.item("", headline(r))
	p.section("Why")
	p.item("  ", r.Why)
	for _, e := range r.Evidence {
		p.item("  - ", e)
	}
	for _, l := range r.Later {
		p.item("  then ", fmt.Sprintf("%s at %s: %s", l.Verdict, clockOf(l.At), l.Why))
	}
	printCourse(p, r)
	printDeeds(p, r)
	printComfort(p, r)
	printStory(p, r)
}

// headline says which outage it is, and whether it goes on.
func headline(r web.OutageReport) string {
	what := fmt.Sprintf("Outage %d: %s", r.Number, verdictWords(r.Verdict))
	if r.Drill {
		what = fmt.Sprintf("Outage %d, a drill", r.Number)
	}
	if r.Ended.IsZero() {
		return fmt.Sprintf("%s, since %s. It goes on, %s by now.", what, clockOf(r.Lost), lengthOf(r.LengthS))
	}
	return fmt.Sprintf("%s, %s from %s on.", what, lengthOf(r.LengthS), clockOf(r.Lost))
}

// verdictWords says in plain words what was gone.
func verdictWords(v gateway.Verdict) string {
	switch v {
	case gateway.VerdictCloudDown:
		return "Netatmo was gone (cloud-down)"
	case gateway.VerdictDegraded:
		return "Netatmo answered, but not usefully (degraded)"
	case gateway.VerdictAuthRevoked:
		return "Netatmo did not accept our sign-in (auth-revoked)"
	}
	return fmt.Sprintf("Netatmo was out of reach (%s)", v)
}

func printCourse(p page, r web.OutageReport) {
	p.section("When")
	lost, back := "the first failure", "Netatmo answered again"
	if r.Drill {
		lost, back = "the drill was begun", "the drill was over"
	}
	for _, step := range []struct {
		at   time.Time
		what string
	}{
		{r.Lost, lost},
		{r.Began, "the house was taken over"},
		{r.Back, back},
		{r.Ended, "the house was handed back"},
	} {
		if !step.at.IsZero() {
			p.item(fmt.Sprintf("  %-16s ", clockOf(step.at)), step.what)
		}
	}
}

func printDeeds(p page, r web.OutageReport) {
	p.section("What Veilleuse did")
	if r.SlotsDue > 0 {
		p.item("  - ", fmt.Sprintf("%d of %s of the schedule kept, within %v", r.SlotsKept, counted(r.SlotsDue, "change"), lengthOf(int(gateway.SlotGrace.Seconds()))))
	}
	p.item("  - ", counted(r.Writes, "command")+" sent to devices in the house, repeated ones included")
	if r.Spared > 0 {
		p.item("  - ", counted(r.Spared, "command")+" avoided: the devices followed the schedule by themselves")
	}
	if r.Wishes > 0 {
		p.item("  - ", counted(r.Wishes, "wish")+" of people granted")
	}
	if r.Alarms > 0 {
		p.item("  - ", counted(r.Alarms, "alarm")+" passed on:")
		for _, d := range r.Decisions {
			if d.RaisesAlarm() {
				p.item("      "+clockOf(d.At)+" ", d.What)
			}
		}
		printServed(p, r)
	}
	if r.Relapses > 0 {
		p.item("  - ", counted(r.Relapses, "return")+" broken off, because Netatmo failed again")
	}
	if r.Ended.IsZero() {
		return
	}
	if len(r.HandedBack) == 0 {
		p.item("  - ", "nothing had to be handed back")
		return
	}
	p.item("  - ", "handed back:")
	for _, line := range r.HandedBack {
		p.item("      ", line)
	}
}

// printServed writes who was told of the alarms.
func printServed(p page, r web.OutageReport) {
	for _, a := range r.Served {
		for _, d := range a.Told {
			p.item("        ", a.Name+": "+toldWords(d))
		}
	}
}

func printComfort(p page, r web.OutageReport) {
	p.section("Comfort kept (1 K·h: one degree too cold for an hour)")
	if len(r.Rooms) == 0 {
		p.item("  ", "no heated room is known")
	}
	width := 0
	for _, room := range r.Rooms {
		width = max(width, min(utf8.RuneCountInString(room.Name), longestName))
	}
	for _, room := range r.Rooms {
		name := []rune(room.Name)
		if len(name) > longestName {
			name = append(name[:longestName-1], '…')
		}
		head := "  " + string(name) + strings.Repeat(" ", width-len(name)+2)
		text := "not known"
		if room.BelowKH != nil {
			text = fmt.Sprintf("%.2f K·h below target in %.1f h", *room.BelowKH, room.MeasuredH)
			if room.UnknownH >= 0.1 {
				text += fmt.Sprintf(", and %.1f h not known", room.UnknownH)
			}
		}
		p.item(head, text)
	}
}

// longestName is how much of a room's name the page shows, in letters.
const longestName = 24

// printStory writes what was decided, in the words of that time.
func printStory(p page, r web.OutageReport) {
	if len(r.Decisions) == 0 {
		return
	}
	p.section("What was decided")
	hole := r.Hole()
	for i, d := range r.Decisions {
		if r.LeftOut > 0 && i == hole {
			p.item("  ", fmt.Sprintf("(%d more are not kept)", r.LeftOut))
		}
		p.item(fmt.Sprintf("  %-16s ", clockOf(d.At)), fmt.Sprintf("%s (%s)", d.What, d.Why))
	}
}

// counted counts things: 1 change, 2 changes.
func counted(n int, thing string) string {
	if n == 1 {
		return fmt.Sprintf("%d %s", n, thing)
	}
	if strings.HasSuffix(thing, "sh") {
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// lengthOf is a length of time in words: 45 s, 12 min, 8 h 14 min, 3 days 2 h. Minutes are rounded, as in the reasons.
func lengthOf(seconds int) string {
	d := time.Duration(max(seconds, 0)) * time.Second
	var parts []string
	if d >= 2*time.Minute {
		d = d.Round(time.Minute)
	}
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		parts = []string{fmt.Sprintf("%d h", int(d.Hours())), fmt.Sprintf("%d min", int(d.Minutes())%60)}
	default:
		parts = []string{fmt.Sprintf("%d days", int(d.Hours())/24), fmt.Sprintf("%d h", int(d.Hours())%24)}
	}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return strings.HasPrefix(p, "0 ") }), " ")
}
