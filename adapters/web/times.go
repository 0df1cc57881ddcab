package web

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"time"
)

// undated is from when on a day without its year could be taken for one of the year after.
const undated = 330 * 24 * time.Hour

// clock is a time as people in the house read it: the time of today, else with the day and, where that could be another year's,
// with the year.
func (p *sheet) clock(t time.Time) string {
	local, today := t.In(p.house.zone), p.now.In(p.house.zone)
	clock := local.Format("15:04")
	switch away := local.Sub(today).Abs(); {
	case local.YearDay() == today.YearDay() && local.Year() == today.Year():
		return clock
	case away < 6*24*time.Hour:
		return days[p.in][local.Weekday()] + " " + clock
	case away > undated:
		return p.moment(t)
	}
	return p.dayOf(local) + " " + clock
}

// when is since or until when something is. French sets an article before a date, and none before an hour or the day of a week.
func (p *sheet) when(key string, t time.Time) string {
	clock := p.clock(t)
	if strings.Count(clock, " ") > 1 {
		key += ".date"
	}
	return p.say(key, clock)
}

// age is how long ago something was, with its time for those who want it exactly.
func (p *sheet) age(t time.Time) markup {
	return markup(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, t.Format(time.RFC3339), html.EscapeString(p.clock(t)), html.EscapeString(p.ageText(p.now.Sub(t)))))
}

func (p *sheet) ageText(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return p.say("now")
	case d < 2*time.Hour:
		return p.say("ago", fmt.Sprintf("%d min", int(d.Minutes())))
	case d < 48*time.Hour:
		return p.say("ago", fmt.Sprintf("%d h", int(d.Hours())))
	}
	unit := [...]string{"days", "jours"}[p.in]
	return p.say("ago", fmt.Sprintf("%d %s", int(d.Hours()/24), unit))
}

// moment is a time with its day and year, as a paper needs it.
func (p *sheet) moment(t time.Time) string {
	local := t.In(p.house.zone)
	return p.dayOf(local) + local.Format(" 2006 15:04")
}

// dayOf is a day without its year, as the calendar of its own zone has it.
func (p *sheet) dayOf(local time.Time) string {
	first := ""
	if p.in == french && local.Day() == 1 {
		first = "er"
	}
	return strconv.Itoa(local.Day()) + first + " " + months[p.in][local.Month()-1]
}

// second is the time of a day.
func (p *sheet) second(t time.Time) string { return t.In(p.house.zone).Format("15:04:05") }

// stamp begins a line of a timeline.
func (p *sheet) stamp(t time.Time) markup {
	return markup("<time datetime=\"" + t.UTC().Format(time.RFC3339) + "\">" + p.dayOf(t.In(p.house.zone)) + " " + p.second(t) + "</time>")
}

// length is a length of time in words. Minutes are rounded, as in the reasons: one report says the same length everywhere.
func (p *sheet) length(seconds int) string {
	minutes := (seconds + 30) / 60
	switch {
	case seconds < 120:
		return p.say("length.s", max(seconds, 0))
	case minutes < 60:
		return p.say("length.min", minutes)
	case minutes < 48*60:
		return p.say("length.h", minutes/60, minutes%60)
	}
	return p.say("length.days", minutes/60/24, minutes/60%24)
}
