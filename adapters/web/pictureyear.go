package web

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/chart"
	"github.com/veilleuse/veilleuse/gateway"
)

// yearDays is how many days the picture of the vendor's availability has, today included.
const yearDays = 365

// dayView is how the vendor did on one day in UTC: what GET /api/availability lists.
type dayView struct {
	Date     string   `json:"date"`
	WatchedS int      `json:"watched_s"`         // in which the vendor could be judged
	BrokenS  int      `json:"broken_s"`          // of them
	OursS    int      `json:"ours_s"`            // in which the fault lay on our side
	Share    *float64 `json:"share,omitempty"`   // of the time watched in which it served; absent: not watched
	Outages  []uint64 `json:"outages,omitempty"` // numbers of those that reached into the day
}

type availabilityView struct {
	Days30  *float64  `json:"days_30,omitempty"`
	Days365 *float64  `json:"days_365,omitempty"`
	Days    []dayView `json:"days"` // the last 365, oldest first
}

// availabilityOf is how the vendor did in the year before now.
func availabilityOf(s gateway.State, now time.Time) availabilityView {
	known := map[string]gateway.Day{}
	for _, d := range gateway.WithWatch(s.Days, s.Watch) {
		known[d.Date] = d
	}
	v := availabilityView{Days30: shareOf(s.Availability(30)), Days365: shareOf(s.Availability(yearDays))}
	today := now.UTC().Truncate(24 * time.Hour)
	for i := range yearDays {
		date := today.AddDate(0, 0, i+1-yearDays)
		d := known[date.Format(time.DateOnly)]
		one := dayView{Date: date.Format(time.DateOnly), WatchedS: d.Watched, BrokenS: d.Broken, OursS: d.Ours,
			Share: shareOf(gateway.Availability{Watched: time.Duration(d.Watched) * time.Second, Broken: time.Duration(d.Broken) * time.Second})}
		for i := range s.Outages {
			one.note(&s.Outages[i], date, now)
		}
		if s.Outage != nil {
			one.note(s.Outage, date, now)
		}
		v.Days = append(v.Days, one)
	}
	return v
}

// note adds an outage to the day if it reached into it. Drills are none of the vendor's.
func (d *dayView) note(o *gateway.Outage, date, now time.Time) {
	end := o.Ended
	if end.IsZero() {
		end = now
	}
	if !o.Drill && o.Lost.Before(date.AddDate(0, 0, 1)) && end.After(date) {
		d.Outages = append(d.Outages, o.Number)
	}
}

func shareOf(a gateway.Availability) *float64 {
	share, watched := a.Share()
	if !watched {
		return nil
	}
	return &share
}

// How long the vendor must have been gone on a day for its square to look worse.
const (
	badAfter   = 15 * 60 // s
	worstAfter = 2 * 60 * 60
	halfDay    = 12 * 60 * 60
)

// class is how a day looks.
func (d *dayView) class() string {
	switch {
	case d.WatchedS == 0 && d.OursS > 0:
		return "ours"
	case d.WatchedS == 0:
		return "unseen"
	case d.BrokenS == 0:
		return "good"
	case d.BrokenS < badAfter:
		return "slight"
	case d.BrokenS < worstAfter:
		return "bad"
	}
	return "worst"
}

// drawYear draws the vendor's availability as a year of days.
func (g *gallery) drawYear() picture {
	v := availabilityOf(g.state, g.now)
	first, _ := time.Parse(time.DateOnly, v.Days[0].Date) // our own
	grid := &chart.Days{First: first, Left: 30, Top: 16, Pitch: 12, Columns: 27, Gap: 22}
	c := &chart.Canvas{Width: roomWidth, Name: g.say("pic.year"), About: g.yearWords(&v)}
	for block := range 2 {
		for row := 0; row < 7; row += 2 {
			c.Text("soft end", grid.Left-4, grid.Block(block)+float64(row)*grid.Pitch+9.5, days[g.in][(row+1)%7])
		}
	}
	for i := range v.Days {
		d := &v.Days[i]
		date, _ := time.Parse(time.DateOnly, d.Date)
		x, y := grid.At(date)
		if date.Weekday() == time.Monday && date.Day() <= 7 {
			c.Text("soft", x, y-4, months[g.in][date.Month()-1])
		}
		size := grid.Pitch - 2
		if d.WatchedS > 0 && d.WatchedS < halfDay { // less was seen of it
			size, x, y = size-4, x+2, y+2
		}
		c.Rect("day "+d.class(), x, y, size, size, g.dayWords(d))
	}
	c.Height = c.Legend(grid.Block(2)-grid.Gap+8, g.entries("good", "pic.good", "slight", "pic.slight", "bad", "pic.bad", "worst", "pic.worst", "ours", "pic.ours", "unseen", "pic.unseen"))
	return picture{id: "availability", canvas: c, rows: v.Days, columns: [][2]string{{"date", "date (UTC)"}, {"watched_s", "watched (s)"}, {"broken_s", "broken (s)"},
		{"ours_s", "fault on our side (s)"}, {"share", "share served (0 to 1)"}, {"outages", "outages"}}}
}

func (g *gallery) yearWords(v *availabilityView) string {
	watched := 0
	for _, d := range v.Days {
		if d.WatchedS > 0 {
			watched++
		}
	}
	words := g.say("pic.watched", watched, yearDays)
	for i, share := range []*float64{v.Days30, v.Days365} {
		if share != nil {
			words += " " + g.say("pic.shares", g.percent(*share), []int{30, yearDays}[i])
		}
	}
	return words + " " + g.say("pic.utc")
}

// dayWords says how the vendor did on a day.
func (g *gallery) dayWords(d *dayView) string {
	date, _ := time.Parse(time.DateOnly, d.Date)
	words := ""
	switch d.class() {
	case "unseen":
		words = g.say("pic.unseen")
	case "ours":
		words = g.say("pic.ours") + ", " + g.inHours(time.Duration(d.OursS)*time.Second)
	default:
		words = g.say("pic.served", g.percent(*d.Share), g.inHours(time.Duration(d.WatchedS)*time.Second))
		if len(d.Outages) > 0 {
			words += " · " + g.say("pic.outage", strings.Trim(fmt.Sprint(d.Outages), "[]"))
		}
	}
	return g.of(g.date(date), words)
}

// date is a day with its year.
func (g *gallery) date(t time.Time) string {
	return fmt.Sprintf("%s %s %d", days[g.in][t.Weekday()], g.dayOf(t), t.Year())
}

// apiAvailability answers how the vendor did on each day of a year.
func (a *Adapter) apiAvailability(w http.ResponseWriter, r *http.Request) {
	g := a.gallery(r)
	answer(w, http.StatusOK, availabilityOf(g.state, g.now))
}
