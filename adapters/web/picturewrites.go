package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/chart"
	"github.com/veilleuse/veilleuse/adapters/web/history"
)

// What a day may write at most while nothing is wrong: an SD card wears out by it.
const (
	mostMegabytes = 10.0
	mostFlushes   = 500.0
	writeDays     = 30
)

// drawWrites draws what was written to disk in each of the last 30 days.
func (g *gallery) drawWrites() picture {
	known := map[string]history.Day{}
	bytes, flushes, most := 0.0, 0.0, mostFlushes
	size := mostMegabytes
	all := g.past.Days()
	for _, d := range all {
		known[d.Date] = d
		bytes, flushes = bytes+float64(d.Bytes)/1e6, flushes+float64(d.Flushes)
		size, most = max(size, float64(d.Bytes)/1e6), max(most, float64(d.Flushes))
	}
	n := float64(max(1, len(all)))
	c := &chart.Canvas{Width: roomWidth, Name: g.say("pic.writes"), About: g.say("pic.writewords", len(all), g.number(bytes/n, 2), g.number(flushes/n, 0)) + " " + g.say("pic.utc")}
	c.Text("", 4, 11, g.say("pic.megabytes"))
	c.Text("", 4, 105, g.say("pic.flushes"))
	for i, s := range []*chart.Scale{{High: size * 1.1, Bottom: 86, Top: 18}, {High: most * 1.1, Bottom: 180, Top: 112}} {
		for _, mark := range s.Marks() {
			c.Rule("grid", plotLeft, s.At(mark), plotRight, s.At(mark))
			c.Text("soft end", plotLeft-3, s.At(mark)+4, g.number(mark, 0))
		}
		g.bars(c, s, known, i == 0)
		limit := s.At([]float64{mostMegabytes, mostFlushes}[i])
		c.Rule("limit", plotLeft, limit, plotRight, limit)
	}
	c.Height = c.Legend(202, g.entries("heat", "pic.written", "limit line", "pic.limit", "unseen", "pic.uncounted"))
	return picture{id: "writes", canvas: c, rows: all, columns: [][2]string{{"date", "date (UTC)"}, {"bytes", "written (bytes)"}, {"flushes", "flushes"}, {"counted_s", "counted (s)"}}}
}

// bars draws each day. One on which nothing was counted is hollow. The upper ones, of bytes, have the words for both.
func (g *gallery) bars(c *chart.Canvas, s *chart.Scale, known map[string]history.Day, upper bool) {
	const pitch, width = (plotRight - plotLeft) / writeDays, 8
	for i := range writeDays {
		date := g.now.UTC().AddDate(0, 0, i+1-writeDays)
		x := plotLeft + float64(i)*pitch
		d, counted := known[date.Format(time.DateOnly)]
		class, top, words := "unseen", s.Bottom-6, g.say("pic.uncounted")
		value := float64(d.Flushes)
		if upper {
			value = float64(d.Bytes) / 1e6
		}
		if counted {
			class, top = "heat", min(s.At(value), s.Bottom-1)
			words = g.say("pic.daywritten", g.number(float64(d.Bytes)/1e6, 2), d.Flushes, g.inHours(time.Duration(d.Seconds)*time.Second))
		}
		if upper {
			class += " day"
		} else if i%7 == 3 {
			c.Text("soft mid", x+width/2, 194, fmt.Sprintf("%d %s", date.Day(), months[g.in][date.Month()-1]))
		}
		c.Rect(class, x, top, width, s.Bottom-top, g.of(g.date(date), words))
	}
}

// apiWrites answers what was written on each day.
func (a *Adapter) apiWrites(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.past().Days())
}
