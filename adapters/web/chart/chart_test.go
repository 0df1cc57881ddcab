package chart

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

var (
	noon = time.Date(2025, 10, 29, 12, 0, 0, 0, time.UTC)
	axis = &Axis{From: noon, To: noon.Add(10 * time.Hour), Left: 0, Right: 100}
	warm = &Scale{Low: 15, High: 25, Bottom: 100, Top: 0}
)

func span(from, to float64, value float64) Span {
	at := func(hours float64) time.Time { return noon.Add(time.Duration(hours * float64(time.Hour))) }
	return Span{at(from), at(to), value}
}

func TestLinesGoThroughTheirValues(t *testing.T) {
	for name, c := range map[string]struct {
		spans []Span
		want  string
	}{
		"nothing":                     {nil, ""},
		"one value":                   {[]Span{span(1, 3, 20)}, "M10 50H30"},
		"a step up and one down":      {[]Span{span(0, 2, 20), span(2, 4, 25), span(4, 5, 17.5)}, "M0 50H20V0H40V75H50"},
		"a gap is no line":            {[]Span{span(0, 2, 20), span(3, 4, 20)}, "M0 50H20M30 50H40"},
		"before and after":            {[]Span{span(-5, 1, 20), span(9, 20, 20)}, "M0 50H10M90 50H100"},
		"above and below the scale":   {[]Span{span(0, 1, 99), span(1, 2, -99)}, "M0 0H10V100H20"},
		"a tenth of a unit is enough": {[]Span{span(0, 1, 19.994)}, "M0 50.1H10"},
	} {
		if got := Steps(axis, warm, c.spans); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	heat := &Scale{Low: 0, High: 100, Bottom: 10, Top: 0}
	if got := Area(axis, heat, []Span{span(0, 1, 50), span(1, 2, 0), span(2, 3, 100)}); got != "M0 10V5H10V10ZM20 10V0H30V10Z" {
		t.Error(got)
	}
}

func TestMarksAreRound(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      []float64
	}{
		{15, 19, []float64{15, 16, 17, 18, 19}}, {17, 22, []float64{17, 18, 19, 20, 21, 22}}, {14, 27, []float64{15, 20, 25}}, {0, 11, []float64{0, 5, 10}},
		{0, 550, []float64{0, 200, 400}}, {0, 8.4, []float64{0, 2, 4, 6, 8}}, {0, 1, []float64{0, .2, .4, .6000000000000001, .8, 1}},
	} {
		if got := (&Scale{Low: c.low, High: c.high}).Marks(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v to %v: %v", c.low, c.high, got)
		}
	}
}

// Days on which the clocks change have 23 or 25 hours, and noon and midnight all the same.
func TestHoursAreThoseOfTheWallClock(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Skip("time zones are not here:", err)
	}
	for day, want := range map[time.Time]string{
		time.Date(2025, 10, 25, 18, 0, 0, 0, paris): "26 00:00 +0200, 26 12:00 +0100, 27 00:00 +0100, 27 12:00 +0100",
		time.Date(2025, 3, 29, 18, 0, 0, 0, paris):  "30 00:00 +0100, 30 12:00 +0200, 31 00:00 +0200, 31 12:00 +0200",
	} {
		var got []string
		for _, at := range (&Axis{From: day, To: day.Add(48 * time.Hour)}).Hours(paris, 12) {
			got = append(got, at.Format("02 15:04 -0700"))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// Each day of a year has a square of its own, below its weekday, years with 29 February and changes of the clock included.
func TestEveryDayHasItsSquare(t *testing.T) {
	for _, first := range []time.Time{time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 11, 24, 0, 0, 0, 0, time.UTC), time.Date(2025, 3, 2, 0, 0, 0, 0, time.UTC)} {
		d := &Days{First: first, Left: 30, Top: 16, Pitch: 12, Columns: 27, Gap: 22}
		seen := map[string]string{}
		for i := range 365 {
			date := first.AddDate(0, 0, i)
			x, y := d.At(date)
			place := fmt.Sprint(x, " ", y)
			if seen[place] != "" {
				t.Fatalf("%s stands where %s does", date.Format(time.DateOnly), seen[place])
			}
			seen[place] = date.Format(time.DateOnly)
			row := int(y-d.Block(0)) % int(7*d.Pitch+d.Gap) / int(d.Pitch)
			if want := (int(date.Weekday()) + 6) % 7; row != want || x < 30 || x > 30+26*12 || y > d.Block(1)+6*12 {
				t.Fatalf("%s stands in row %d at %v, %v", date.Format(time.DateOnly), row, x, y)
			}
		}
	}
}

// whole reads a picture to its end and counts its elements.
func whole(t *testing.T, text string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return seen
		}
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if e, ok := token.(xml.StartElement); ok {
			seen[e.Name.Local]++
		}
	}
}

func TestAFileIsWholeInItself(t *testing.T) {
	c := &Canvas{Width: 100, Height: 50, Name: `<b>"Salon"</b>`, About: "a & b"}
	c.Tell("room", `"><script>`)
	c.Rect("local", 1, 2, 30, 4, "said <1>")
	c.Rect("none", 1, 2, 0, 4, "empty")
	c.Rule("grid", 0, 0, 9.99, 9.94)
	c.Text("end", 1, 1, "<script>")
	end := c.Legend(10, []Entry{{"line-warm", "temperature"}, {"heat", "a word that takes all there is"}})
	if end != 42 {
		t.Errorf("a legend of two lines ends at %v", end)
	}
	file := c.File(".a{fill:url(#p-own)}</style><script>")
	seen := whole(t, file)
	want := map[string]int{"svg": 1, "title": 2, "desc": 1, "style": 1, "defs": 1, "pattern": 6}
	for name, n := range want {
		if seen[name] != n {
			t.Errorf("%d %s, want %d", seen[name], name, n)
		}
	}
	if seen["script"] > 0 || strings.Contains(file, "<b>") || !strings.Contains(file, "M0 0L10 9.9") {
		t.Error(file)
	}
	inline := c.Inline()
	if seen := whole(t, inline); seen["style"]+seen["pattern"] > 0 || !strings.Contains(inline, `data-room="&#34;&gt;&lt;script&gt;"`) || !strings.Contains(inline, `role="img"`) {
		t.Error(inline)
	}
}
