package web

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/chart"
	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// Places in the picture of a room; pictures.js knows the sides and the bottom, too.
const (
	roomWidth  = 360.0
	plotLeft   = 30.0
	plotRight  = 354.0
	plotTop    = 26.0
	plotBottom = 128.0
	heatBottom = 158.0
)

// drawRoom draws 48 h of a room: who was in charge as a band, temperature and target as lines, heating as an area.
func (g *gallery) drawRoom(r *roomView, legend bool) picture {
	points, until := g.past.Points(gateway.RoomID(r.ID), g.from), g.past.Until()
	warm := spans(points, until, func(p history.Point) gateway.Value { return p.Temperature })
	goal := spans(points, until, func(p history.Point) gateway.Value { return p.Target })
	heating := spans(points, until, func(p history.Point) gateway.Value { return p.Heating })
	c := &chart.Canvas{Width: roomWidth, Height: 176, Name: g.say("pic.room", r.Name), About: g.roomWords(warm, heating)}
	c.Tell("room", anchor(r.Wish))
	c.Tell("from", fmt.Sprint(g.from.Unix()))
	c.Tell("to", fmt.Sprint(g.to.Unix()))
	axis := &chart.Axis{From: g.from, To: g.to, Left: plotLeft, Right: plotRight}
	scale := scaleOf(append(slices.Clip(warm), goal...))
	heat := &chart.Scale{Low: 0, High: 100, Bottom: heatBottom, Top: 136}
	g.band(c, axis, points, until)
	from := g.from
	for _, one := range append(slices.Clip(warm), chart.Span{From: g.to.Add(-2 * history.Every), To: g.to}) { // the newest look is always a little ago
		if one.From.After(from) {
			c.Rect("none", axis.At(from), plotTop, axis.At(one.From)-axis.At(from), plotBottom-plotTop, g.of(g.say("pic.none"), g.stretch(from, one.From)))
		}
		from = one.To
	}
	for _, n := range scale.Marks() {
		c.Rule("grid", plotLeft, scale.At(n), plotRight, scale.At(n))
		c.Text("soft end", plotLeft-4, scale.At(n)+4, g.degrees(n)+"°")
	}
	g.hours(c, axis)
	c.Path("heat", chart.Area(axis, heat, heating))
	c.Path("line-goal", chart.Steps(axis, scale, goal))
	c.Path("line-warm", chart.Steps(axis, scale, warm))
	if legend {
		c.Height = c.Legend(180, g.roomLegend())
	}
	if n := len(points); n > 0 { // the last row says until when the one before holds
		points = append(points, points[n-1])
		points[n].At = until
	}
	return picture{id: anchor(r.Wish), canvas: c, rows: points, columns: [][2]string{{"at", "time (ISO 8601)"}, {"temperature", "temperature (°C)"}, {"target", "target (°C)"},
		{"heating", "heating (%)"}, {"phase", "in charge"}, {"drill", "drill"}}}
}

// spans are for how long each value held. What nobody knew is left out.
func spans(points []history.Point, until time.Time, pick func(history.Point) gateway.Value) []chart.Span {
	var all []chart.Span
	for i, p := range points {
		v, known := pick(p).Number()
		end := endOf(points, i, until)
		last := len(all) - 1
		switch {
		case !known || !end.After(p.At):
		case last >= 0 && all[last].Value == v && all[last].To.Equal(p.At):
			all[last].To = end
		default:
			all = append(all, chart.Span{From: p.At, To: end, Value: v})
		}
	}
	return all
}

// endOf is until when a point holds.
func endOf(points []history.Point, i int, until time.Time) time.Time {
	if i+1 < len(points) {
		return points[i+1].At
	}
	return until
}

// scaleOf is the scale of temperatures that holds them all, of whole degrees.
func scaleOf(all []chart.Span) *chart.Scale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, one := range all {
		low, high = min(low, one.Value), max(high, one.Value)
	}
	if len(all) == 0 {
		low, high = 17, 21
	}
	low, high = math.Floor(low-.3), math.Ceil(high+.3)
	return &chart.Scale{Low: low - max(0, 2-math.Floor((high-low)/2)), High: max(high, low+3), Bottom: plotBottom, Top: plotTop}
}

// band draws who was in charge, with words where they fit.
func (g *gallery) band(c *chart.Canvas, axis *chart.Axis, points []history.Point, until time.Time) {
	for i := 0; i < len(points); {
		first := points[i]
		for i++; i < len(points) && points[i].Phase == first.Phase && points[i].Drill == first.Drill; i++ {
		}
		end := endOf(points, i-1, until)
		class, words := "none", g.say("pic.none")
		if first.Phase != "" {
			class, words = string(first.Phase), g.sayOr("phase.", string(first.Phase))
		}
		if first.Drill {
			words += " (" + g.say("drill") + ")"
		}
		x, width := axis.At(first.At), axis.At(end)-axis.At(first.At)
		c.Rect(class, x, 4, width, 14, g.of(words, g.stretch(first.At, end)))
		if short, ok := textOf("pic." + class); ok && width > 5.4*float64(len(short[g.in])) {
			c.Text("label small mid", x+width/2, 14.5, short[g.in])
		}
	}
}

// hours draws the lines of noon and midnight, with their words below.
func (g *gallery) hours(c *chart.Canvas, axis *chart.Axis) {
	c.Rule("grid", plotLeft, heatBottom, plotRight, heatBottom)
	for _, t := range axis.Hours(g.house.zone, 12) {
		x := axis.At(t)
		c.Rule("grid", x, plotTop, x, heatBottom)
		local := t.In(g.house.zone)
		words := local.Format("15:04")
		if local.Hour() == 0 {
			words = fmt.Sprintf("%s %d", days[g.in][local.Weekday()], local.Day())
		}
		c.Text("soft mid", min(max(x, plotLeft+14), plotRight-16), heatBottom+13, words)
	}
}

// entries is a legend: a class and the key of its words, by turns.
func (g *gallery) entries(all ...string) []chart.Entry {
	var entries []chart.Entry
	for i := 0; i < len(all); i += 2 {
		entries = append(entries, chart.Entry{Class: all[i], Words: g.say(all[i+1])})
	}
	return entries
}

func (g *gallery) roomLegend() []chart.Entry {
	return g.entries("line-warm", "pic.temperature", "line-goal", "pic.target", "heat", "pic.heating", "watching", "phase.watching", "suspect", "phase.suspect",
		"local", "phase.local", "returning", "phase.returning", "none", "pic.none")
}

// roomWords says what the picture shows.
func (g *gallery) roomWords(warm, heating []chart.Span) string {
	var known, heated time.Duration
	low, high := math.Inf(1), math.Inf(-1)
	for _, one := range warm {
		low, high, known = min(low, one.Value), max(high, one.Value), known+one.To.Sub(one.From)
	}
	for _, one := range heating {
		if one.Value > 0 {
			heated += one.To.Sub(one.From)
		}
	}
	if known == 0 {
		return g.say("room.unmeasured")
	}
	return g.say("pic.range", g.number(low, 1), g.number(high, 1), g.inHours(heated), g.inHours(history.Length-known))
}

// stretch is a time from then to then.
func (g *gallery) stretch(from, to time.Time) string { return g.clock(from) + " – " + g.clock(to) }

// inHours is a length of time, in hours and minutes however long it is.
func (g *gallery) inHours(d time.Duration) string {
	minutes := int(d.Round(time.Minute).Minutes())
	return fmt.Sprintf("%d h %02d", minutes/60, minutes%60)
}
