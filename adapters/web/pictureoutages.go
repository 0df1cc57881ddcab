package web

import (
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/chart"
	"github.com/veilleuse/veilleuse/gateway"
)

// drawnOutages is how many of the last outages are drawn; the file has all that are remembered.
const drawnOutages = 10

// allOutages are those that are remembered, the newest first.
func (g *gallery) allOutages() []*gateway.Outage {
	var all []*gateway.Outage
	if g.state.Outage != nil {
		all = append(all, g.state.Outage)
	}
	for i := range g.state.Outages {
		all = append(all, &g.state.Outages[len(g.state.Outages)-1-i])
	}
	return all
}

// drawOutages draws the last outages below each other, from the first failure on: how long it took to notice, how long the house was
// run from here, and how long to hand it back.
func (g *gallery) drawOutages() picture {
	all := g.allOutages()
	c := &chart.Canvas{Width: roomWidth, Name: g.say("pic.outages"), About: g.say("pic.nooutage")}
	if len(all) > 0 {
		c.About = g.say("pic.outagecount", len(all))
	}
	drawn := all[:min(len(all), drawnOutages)]
	longest := time.Hour
	for _, o := range drawn {
		longest = max(longest, o.Length(g.now))
	}
	const row, left, right = 32.0, 6.0, 354.0
	bottom := 6 + row*float64(len(drawn))
	hours := &chart.Scale{Low: 0, High: longest.Hours(), Bottom: left, Top: right}
	for _, n := range hours.Marks() {
		c.Rule("grid", hours.At(n), 4, hours.At(n), bottom)
		c.Text("soft mid", min(max(hours.At(n), left+10), right-12), bottom+13, g.degrees(n)+" h")
	}
	for i, o := range drawn {
		y := 6 + row*float64(i)
		c.Text("label", left, y+9, g.outageTitle(o))
		from := o.Lost
		for part, to := range g.outageEnds(o) {
			x := hours.At(from.Sub(o.Lost).Hours())
			c.Rect(outageClasses[part], x, y+13, hours.At(to.Sub(o.Lost).Hours())-x, 12, g.of(g.say(outageWords[part]), g.stretch(from, to)))
			from = to
		}
	}
	c.Height = c.Legend(bottom+20, g.entries(outageClasses[0], outageWords[0], outageClasses[1], outageWords[1], outageClasses[2], outageWords[2]))
	return picture{id: "outages", canvas: c, columns: outageColumns, rows: Outages(g.state)}
}

// The parts of an outage, in their order.
var (
	outageClasses = [...]string{"suspect", "local", "returning"}
	outageWords   = [...]string{"pic.noticing", "phase.local", "phase.returning"}
)

var outageColumns = [][2]string{{"number", "number"}, {"drill", "drill"}, {"verdict", "verdict"}, {"lost", "lost (ISO 8601)"}, {"began", "taken over (ISO 8601)"}, {"back", "back (ISO 8601)"},
	{"ended", "handed back (ISO 8601)"}, {"length_s", "length (s)"}, {"writes", "commands"}, {"slots_due", "slots due"}, {"slots_kept", "slots kept"}, {"wishes", "wishes"},
	{"alarms", "alarms"}, {"why", "why"}, {"evidence", "evidence"}}

// outageEnds are the ends of the parts of an outage. One that goes on ends now.
func (g *gallery) outageEnds(o *gateway.Outage) [3]time.Time {
	end, back := g.now, o.Back
	if !o.Open() {
		end = o.Ended
	}
	if back.IsZero() {
		back = end
	}
	return [3]time.Time{o.Began, back, end}
}

// outageTitle says when an outage was and how long it took. The picture has room for two days or for one with its year: then the
// length alone says when it was over.
func (g *gallery) outageTitle(o *gateway.Outage) string {
	words := fmt.Sprintf("%d · %s", o.Number, g.clock(o.Lost))
	switch {
	case o.Open():
		words += " – …"
	case g.now.Sub(o.Lost) > undated:
	case sameDay(o.Lost, o.Ended, g.house.zone):
		words += " – " + o.Ended.In(g.house.zone).Format("15:04")
	default:
		words += " – " + g.clock(o.Ended)
	}
	words += " · " + g.inHours(o.Length(g.now))
	if o.Drill {
		words += " · " + g.say("drill")
	}
	return words
}

func sameDay(a, b time.Time, zone *time.Location) bool {
	return a.In(zone).Format(time.DateOnly) == b.In(zone).Format(time.DateOnly)
}

// evidence tells of each outage what was seen, and what was done.
func (g *gallery) evidence() {
	all := g.allOutages()
	if len(all) == 0 {
		return
	}
	g.put(`<section class="card" id="evidence-list"><h2>%s</h2>`, g.say("pic.evidence"))
	for _, o := range all {
		cause := g.sayOr("verdict.", string(o.Verdict))
		if o.Drill {
			cause = g.say("drill")
		}
		g.put(`<details id="outage-%d"><summary>%s</summary><p>{of}</p><ul>`, o.Number, g.outageTitle(o), cause, g.reason(o.Why))
		for _, e := range o.Evidence {
			g.put(`<li>%s</li>`, g.reason(e))
		}
		for _, l := range o.Later {
			g.put(`<li>%s · {of}</li>`, g.clock(l.At), g.sayOr("verdict.", string(l.Verdict)), g.reason(l.Why))
		}
		g.put(`</ul><p>%s</p></details>`, g.say("pic.deeds", o.SlotsKept, o.SlotsDue, o.Writes, o.Wishes, o.Alarms))
	}
	g.put(`</section>`)
}
