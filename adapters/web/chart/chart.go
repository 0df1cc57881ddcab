// Package chart draws pictures of time and of days as SVG, with nothing but the standard library.
//
// Looks are classes of a style sheet, so that a picture stands in a page under a content security policy, by day and by night, and
// as a file of its own together with that sheet. Nothing is told by colour alone: areas have patterns, lines differ by dashes,
// and all that is drawn has words.
package chart

import (
	"html"
	"math"
	"strconv"
	"strings"
	"time"
)

// Canvas is a picture being drawn, in units of its own; the page scales it.
type Canvas struct {
	Width, Height float64
	Name, About   string // what it is, and what it shows, for those who do not see it
	data          []string
	out           strings.Builder
}

// Tell adds a fact for scripts: an attribute data-name of the whole.
func (c *Canvas) Tell(name, value string) { c.data = append(c.data, name, value) }

// put writes an element with its attributes, name and value by turns; one without a value is left out. says is shown on hovering.
func (c *Canvas) put(element, says string, attributes ...string) {
	c.out.WriteString("<" + element)
	for i := 0; i < len(attributes); i += 2 {
		if attributes[i+1] != "" {
			c.out.WriteString(" " + attributes[i] + `="` + attributes[i+1] + `"`)
		}
	}
	if says == "" {
		c.out.WriteString("/>")
		return
	}
	c.out.WriteString("><title>" + html.EscapeString(says) + "</title></" + element + ">")
}

// Rect draws a rectangle. Empty ones are left out.
func (c *Canvas) Rect(class string, x, y, width, height float64, says string) {
	if width > 0 && height > 0 {
		c.put("rect", says, "class", class, "x", num(x), "y", num(y), "width", num(width), "height", num(height))
	}
}

// Rule draws a straight line.
func (c *Canvas) Rule(class string, x1, y1, x2, y2 float64) {
	c.put("path", "", "class", class, "d", "M"+num(x1)+" "+num(y1)+"L"+num(x2)+" "+num(y2))
}

// Path draws a line along data in the language of SVG.
func (c *Canvas) Path(class, data string) {
	if data != "" {
		c.put("path", "", "class", class, "d", data)
	}
}

// Text writes a text whose place is its start, or by the class its middle or end.
func (c *Canvas) Text(class string, x, y float64, text string) {
	c.out.WriteString(`<text class="` + class + `" x="` + num(x) + `" y="` + num(y) + `">` + html.EscapeString(text) + `</text>`)
}

// Entry is a line of a legend: a class with its words.
type Entry struct{ Class, Words string }

// Legend explains classes below y, in as many lines as are needed, and returns where it ends.
func (c *Canvas) Legend(y float64, entries []Entry) float64 {
	const x, swatch, letter, line = 4, 16, 7.2, 16
	at := float64(x)
	for _, e := range entries {
		width := swatch + 5 + letter*float64(len([]rune(e.Words))) + 8
		if at > x && at+width > c.Width {
			at, y = x, y+line
		}
		if strings.Contains(e.Class, "line") {
			c.Rule(e.Class, at, y+5, at+swatch, y+5)
		} else {
			c.Rect(e.Class, at, y, swatch, 10, "")
		}
		c.Text("", at+swatch+5, y+9, e.Words)
		at += width
	}
	return y + line
}

// open is the beginning of the element, with what else it says of itself.
func (c *Canvas) open(more string) string {
	return `<svg class="chart" viewBox="0 0 ` + num(c.Width) + " " + num(c.Height) + `" role="img" aria-label="` + html.EscapeString(c.Name+". "+c.About) + `"` + more + ">"
}

// Inline is the picture for a page that has Patterns and the style sheet.
func (c *Canvas) Inline() string {
	more := ""
	for i := 0; i < len(c.data); i += 2 {
		more += " data-" + c.data[i] + `="` + html.EscapeString(c.data[i+1]) + `"`
	}
	return c.open(more) + c.out.String() + "</svg>"
}

// File is the picture as a file of its own, with the style sheet in it.
func (c *Canvas) File(style string) string {
	size := ` width="` + num(2*c.Width) + `" height="` + num(2*c.Height) + `"`
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + c.open(` xmlns="http://www.w3.org/2000/svg"`+size) + "<title>" + html.EscapeString(c.Name) + "</title><desc>" +
		html.EscapeString(c.About) + "</desc><style>" + strings.ReplaceAll(style, "<", "") + "</style>" + Patterns +
		`<rect class="ground" width="100%" height="100%"/>` + c.out.String() + "</svg>\n"
}

// Patterns are what areas are filled with: a colour of the style sheet, and a texture that tells them apart without it.
const Patterns = `<defs>` +
	`<pattern id="p-doubt" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="c-doubt" width="4" height="4"/><circle class="spot" cx="2" cy="2" r=".9"/></pattern>` +
	`<pattern id="p-own" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="c-own" width="5" height="5"/><path class="ink" d="M-1 6 6 -1M-1 1 1 -1M4 6 6 4"/></pattern>` +
	`<pattern id="p-back" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="c-back" width="4" height="4"/><path class="ink" d="M2 0V4"/></pattern>` +
	`<pattern id="p-bad" width="4" height="4" patternUnits="userSpaceOnUse"><rect class="c-bad" width="4" height="4"/><path class="ink" d="M0 0 4 4M4 0 0 4"/></pattern>` +
	`<pattern id="p-heat" width="5" height="5" patternUnits="userSpaceOnUse"><rect class="c-heat" width="5" height="5"/><path class="ink" d="M-1 -1 6 6M-1 4 1 6M4 -1 6 1"/></pattern>` +
	`<pattern id="p-none" width="6" height="6" patternUnits="userSpaceOnUse"><path class="faint" d="M0 0 6 6M6 0 0 6"/></pattern>` +
	`</defs>`

// Axis is where times stand.
type Axis struct {
	From, To    time.Time
	Left, Right float64
}

// At is the place of a time; what lies outside stands at the edge.
func (a *Axis) At(t time.Time) float64 {
	share := t.Sub(a.From).Seconds() / a.To.Sub(a.From).Seconds()
	return a.Left + min(max(share, 0), 1)*(a.Right-a.Left)
}

// Hours are the times on the axis at which a wall clock shows an hour that can be divided by every, oldest first. Days on which
// the clocks change have them, too.
func (a *Axis) Hours(zone *time.Location, every int) []time.Time {
	var all []time.Time
	first := a.From.In(zone)
	for n := 0; len(all) < 1000; n++ {
		t := time.Date(first.Year(), first.Month(), first.Day(), n*every, 0, 0, 0, zone)
		if t.After(a.To) {
			break
		}
		if !t.Before(a.From) {
			all = append(all, t)
		}
	}
	return all
}

// Scale is where numbers stand.
type Scale struct {
	Low, High   float64
	Bottom, Top float64
}

// At is the place of a number.
func (s *Scale) At(v float64) float64 {
	return s.Bottom - (min(max(v, s.Low), s.High)-s.Low)/(s.High-s.Low)*(s.Bottom-s.Top)
}

// Marks are round numbers of the scale, lowest first, at most six.
func (s *Scale) Marks() []float64 {
	step := math.Pow10(int(math.Floor(math.Log10((s.High - s.Low) / 5))))
	for _, by := range []float64{1, 2, 5, 10} {
		if (s.High-s.Low)/(step*by) <= 5 {
			step *= by
			break
		}
	}
	var all []float64
	for n := math.Ceil(s.Low / step); n*step <= s.High; n++ {
		all = append(all, n*step)
	}
	return all
}

// Span is a number that held for a time. What no span covers is not known, and is not drawn.
type Span struct {
	From, To time.Time
	Value    float64
}

// Steps is a line through spans: level while one holds, upright between two that follow each other, and broken at gaps.
func Steps(a *Axis, s *Scale, spans []Span) string {
	var b strings.Builder
	var end time.Time
	for i, one := range spans {
		x, y := num(a.At(one.From)), num(s.At(one.Value))
		if i == 0 || !one.From.Equal(end) {
			b.WriteString("M" + x + " " + y)
		} else {
			b.WriteString("H" + x + "V" + y)
		}
		if end = one.To; i+1 == len(spans) || !spans[i+1].From.Equal(end) {
			b.WriteString("H" + num(a.At(end)))
		}
	}
	return b.String()
}

// Area is what lies between the line through spans and the bottom of the scale. Spans of nothing are left out.
func Area(a *Axis, s *Scale, spans []Span) string {
	var b strings.Builder
	for _, one := range spans {
		if one.Value > s.Low {
			b.WriteString("M" + num(a.At(one.From)) + " " + num(s.Bottom) + "V" + num(s.At(one.Value)) + "H" + num(a.At(one.To)) + "V" + num(s.Bottom) + "Z")
		}
	}
	return b.String()
}

// num is a number with a digit or none after its point.
func num(n float64) string {
	return strconv.FormatFloat(math.Round(n*10)/10, 'f', -1, 64)
}
