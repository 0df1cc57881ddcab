package web

import (
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// gallery48 is a house that was seen for two days until the evening, but for two hours in which Veilleuse did not run: the salon was
// at 18 °C, at 20 °C in the last ten hours, always meant to have 21, and heated by half while it was at 18; an outage took eight
// hours over midnight.
func gallery48(t *testing.T) *doorOf {
	t.Helper()
	now := time.Now().UTC()
	h := &history.History{}
	s := gateway.State{}
	for at := now.Add(-history.Length); !at.After(now); at = at.Add(history.Every) {
		ago := now.Sub(at).Round(time.Second)
		if ago > 4*time.Hour && ago < 6*time.Hour {
			continue
		}
		if ago == 4*time.Hour {
			var err error
			if h, err = history.Decode(h.Encode()); err != nil {
				t.Fatal(err)
			}
		}
		warm, heating := 18.0, gateway.Number(50)
		if ago <= 10*time.Hour {
			warm, heating = 20, gateway.Flag(false)
		}
		s.Authority.Phase = gateway.Watching
		if ago <= 28*time.Hour && ago > 20*time.Hour {
			s.Authority.Phase = gateway.Local
		}
		s.Rooms = s.Rooms.With("1", gateway.Room{ID: "1", Name: `Salon <b>"1"</b>`, Temperature: gateway.Measure{Value: gateway.Number(warm), At: at}, Target: gateway.Aim{Value: gateway.Number(21)}, Heating: heating})
		s.Rooms = s.Rooms.With("2", gateway.Room{ID: "2", Name: "Cave"})
		h.Observe(s, at)
	}
	s.Decisions = []gateway.Decision{{Number: 1, At: now, Kind: "wish", What: "=Salon: 21 °C", Why: `asked for, in "page"`}}
	d := newDoor(t, Options{})
	d.remembered.Store(h)
	d.newest.Store(&s)
	return d
}

// signed asks as somebody who has signed in.
func (d *doorOf) signed() func(path string) (string, http.Header) {
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	return func(path string) (string, http.Header) {
		d.t.Helper()
		w := d.request("GET", path, "", with(key))
		if w.Code != 200 {
			d.t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
		return w.Body.String(), w.Header()
	}
}

// pathOf is the data of the first path of a class.
func drawnPath(t *testing.T, drawing, class string) string {
	t.Helper()
	m := regexp.MustCompile(`<path class="` + class + `" d="([^"]*)"`).FindStringSubmatch(drawing)
	if m == nil {
		t.Fatalf("there is no %s in %s", class, drawing)
	}
	return m[1]
}

// attribute is one of an element of a class, as a number, of all those elements.
func attribute(t *testing.T, drawing, class, name string) []float64 {
	t.Helper()
	var all []float64
	for _, m := range regexp.MustCompile(`class="`+class+`"[^>]*? `+name+`="([^"]*)"`).FindAllStringSubmatch(drawing, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// What is drawn stands where its values are: 48 h are 324 units wide, so that an hour has 6.75.
func TestARoomsPictureShowsItsValues(t *testing.T) {
	drawing, header := gallery48(t).signed()("/pictures/room-1.svg")
	if header.Get("Content-Type") != "image/svg+xml" || !strings.HasPrefix(header.Get("Content-Disposition"), `attachment; filename="veilleuse-room-1-`) {
		t.Errorf("%v", header)
	}
	x := func(ago float64) float64 { return 354 - ago*6.75 }
	near := func(what string, got, want float64) {
		t.Helper()
		if math.Abs(got-want) > 0.6 { // a tick of two minutes, and rounding
			t.Errorf("%s stands at %v, want %v", what, got, want)
		}
	}
	// From 17 to 22 °C, on 128 down to 26.
	var from, step, until, again, end, cold, warm, back float64
	if _, err := fmt.Sscanf(drawnPath(t, drawing, "line-warm"), "M%g %gH%gV%gH%gM%g %gH%g", &from, &cold, &step, &warm, &until, &again, &back, &end); err != nil {
		t.Fatalf("%v: %s", err, drawnPath(t, drawing, "line-warm"))
	}
	near("18 °C", cold, 128-102.0/5)
	near("20 °C", warm, 128-3*102.0/5)
	near("20 °C after the gap", back, warm)
	for what, c := range map[string][2]float64{"the beginning": {from, x(48)}, "the step": {step, x(10)}, "the end of the run": {until, x(6)}, "the next run": {again, x(4)}, "now": {end, x(0)}} {
		near(what, c[0], c[1])
	}
	var goal float64
	if _, err := fmt.Sscanf(drawnPath(t, drawing, "line-goal"), "M%g %gH%gM%g", &from, &goal, &until, &again); err != nil {
		t.Fatal(err)
	}
	near("21 °C", goal, 128-4*102.0/5)
	var left, half, right float64
	if _, err := fmt.Sscanf(drawnPath(t, drawing, "heat"), "M%g 158V%gH%gV158Z", &left, &half, &right); err != nil {
		t.Fatal(err)
	}
	near("half the heat", half, 147)
	near("the end of the heat", right, x(10))
	if at, wide := attribute(t, drawing, "local", "x"), attribute(t, drawing, "local", "width"); len(at) != 2 { // one is the legend's
		t.Errorf("outages at %v", at)
	} else {
		near("the outage", at[0], x(28))
		near("its length", wide[0], 8*6.75)
	}
	if at, high := attribute(t, drawing, "none", "x"), attribute(t, drawing, "none", "height"); len(at) != 3 || high[0] != 14 || high[1] != 102 {
		t.Errorf("gaps at %v, %v high", at, high)
	} else {
		near("nobody in charge", at[0], x(6))
		near("the gap", at[1], x(6))
	}
	if strings.Contains(drawing, "<b>") || !strings.Contains(drawing, "From 18.0 to 20.0 °C; heated for 38 h 0") {
		t.Errorf("a name got out of its place, or the words are wrong: %.600s", drawing)
	}
	wellFormed(t, drawing)
}

func wellFormed(t *testing.T, text string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("%v in %.3000s", err, text)
		}
	}
}

func TestUnknownIsNeverDrawnAsAValue(t *testing.T) {
	get := gallery48(t).signed()
	cave, _ := get("/pictures/room-2.svg")
	if strings.Contains(cave, `class="line-warm" d="M30`) || strings.Contains(cave, `class="line-goal" d="M30`) || !strings.Contains(cave, "not measured") {
		t.Error("a room that nobody measures has a line")
	}
	text, _ := get("/api/history?room=room-1")
	var past pastView
	if err := json.Unmarshal([]byte(text), &past); err != nil || len(past.Rooms) != 1 {
		t.Fatalf("%v %s", err, text)
	}
	gap := slices.IndexFunc(past.Rooms[0].Points, func(p history.Point) bool { return p.Phase == "" })
	if gap < 1 || past.Rooms[0].Points[gap].Temperature.Known() || strings.Contains(text, "null") {
		t.Errorf("the gap is %d of %+v", gap, past.Rooms[0].Points)
	}
}

// yearNow is a Monday, the day after the clocks of Europe went back.
var yearNow = time.Date(2025, 10, 27, 9, 30, 0, 0, time.UTC)

func watchedYear() gateway.State {
	s := gateway.State{At: yearNow}
	s.Days = []gateway.Day{{Date: "2024-10-27", Watched: 86400}, {Date: "2024-10-28", Watched: 86400, Broken: 600}, {Date: "2025-03-30", Watched: 86400, Broken: 3600}, {Date: "2025-05-01", Ours: 86400},
		{Date: "2025-10-25", Watched: 86400, Broken: 3 * 3600}, {Date: "2025-10-26", Watched: 40000, Broken: 8640}}
	s.Watch = gateway.Watch{Date: "2025-10-27", Watched: 9 * time.Hour}
	lost := time.Date(2025, 10, 25, 21, 0, 0, 0, time.UTC)
	s.Outages = []gateway.Outage{{Number: 7, Lost: lost, Began: lost.Add(3 * time.Minute), Back: lost.Add(5 * time.Hour), Ended: lost.Add(5*time.Hour + 10*time.Minute)},
		{Number: 8, Drill: true, Lost: yearNow.Add(-time.Hour), Began: yearNow.Add(-time.Hour), Ended: yearNow}}
	return s
}

func TestTheYearHasEachDayOnce(t *testing.T) {
	v := availabilityOf(watchedYear(), yearNow)
	if len(v.Days) != 365 || v.Days[0].Date != "2024-10-28" || v.Days[364].Date != "2025-10-27" {
		t.Fatalf("%d days from %s to %s", len(v.Days), v.Days[0].Date, v.Days[len(v.Days)-1].Date)
	}
	classes := map[string]string{}
	for i, d := range v.Days {
		if i > 0 && d.Date <= v.Days[i-1].Date {
			t.Errorf("%s follows %s", d.Date, v.Days[i-1].Date)
		}
		classes[d.Date] = d.class()
		if (d.Share == nil) != (d.WatchedS == 0) {
			t.Errorf("%+v", d)
		}
	}
	for date, want := range map[string]string{"2024-10-28": "slight", "2025-03-30": "bad", "2025-03-31": "unseen", "2025-05-01": "ours", "2025-10-25": "worst", "2025-10-26": "worst", "2025-10-27": "good"} {
		if classes[date] != want {
			t.Errorf("%s looks %s, want %s", date, classes[date], want)
		}
	}
}

// An outage over midnight is one of both days; a drill is the vendor's fault on none.
func TestAnOutageAcrossMidnight(t *testing.T) {
	days := availabilityOf(watchedYear(), yearNow).Days
	for i, want := range map[int]string{361: "[]", 362: "[7]", 363: "[7]", 364: "[]"} {
		if got := fmt.Sprint(days[i].Outages); got != want {
			t.Errorf("%s: outages %s, want %s", days[i].Date, got, want)
		}
	}
	d := newDoor(t, Options{})
	s := watchedYear()
	s.Home.Copied = yearNow // the home's own clock is UTC
	d.newest.Store(&s)
	get := d.signed()
	drawing, _ := get("/pictures/outages.svg")
	// 5 h 10 min are 348 units wide.
	wide := attribute(t, drawing, "local", "width")
	if len(wide) != 3 || math.Abs(wide[1]-348*(5*60.0-3)/310) > .2 {
		t.Errorf("run from here: %v", wide)
	}
	if handed := attribute(t, drawing, "returning", "width"); math.Abs(handed[0]-348*10.0/310) > .2 {
		t.Errorf("handed back: %v", handed)
	}
	g := &gallery{sheet: sheetOf(d.view(s), english, yearNow)}
	if title := g.outageTitle(&s.Outages[0]); title != "7 · Sat 21:00 – Sun 02:10 · 5 h 10" {
		t.Error(title)
	}
	if !strings.Contains(drawing, ">7 · ") || !strings.Contains(drawing, " · 5 h 10<") {
		t.Error(drawing)
	}
	text, _ := get("/api/outages")
	var told []struct{ Number int }
	if err := json.Unmarshal([]byte(text), &told); err != nil || len(told) != 2 || told[0].Number != 7 {
		t.Errorf("%v %s", err, text)
	}
}

func TestASquareTellsItsDay(t *testing.T) {
	d := newDoor(t, Options{})
	d.newest.Store(&gateway.State{})
	g := &gallery{sheet: sheetOf(house{zone: time.UTC}, french, yearNow), state: watchedYear(), past: &history.History{}, to: yearNow, from: yearNow.Add(-history.Length)}
	p := g.drawYear()
	drawing := p.canvas.Inline()
	wellFormed(t, drawing)
	if n := strings.Count(drawing, `class="day `); n != 365 {
		t.Errorf("%d squares", n)
	}
	for _, want := range []string{"<title>sam. 25 oct. 2025\u00a0: a répondu 87,50 % de 24 h 00 observées · panne 7</title>", "<title>dim. 26 oct. 2025\u00a0: a répondu 78,40 % de 11 h 07 observées · panne 7</title>",
		"<title>jeu. 1er mai 2025\u00a0: défaut de notre côté, 24 h 00</title>", "<title>lun. 31 mars 2025\u00a0: non observé</title>"} {
		if !strings.Contains(drawing, want) {
			t.Errorf("%s is not there", want)
		}
	}
	// Less than half of the day was seen: the square is smaller.
	if sizes := attribute(t, drawing, "day worst", "width"); !slices.Equal(sizes, []float64{10, 6}) {
		t.Errorf("%v", sizes)
	}
	if g.percent(0.9999999) != "99,99 %" || g.percent(1) != "100,00 %" {
		t.Error("a share is rounded up to all")
	}
}

func TestWritesOfADay(t *testing.T) {
	h := &history.History{}
	h.Count(20_000_000, 100, yearNow.AddDate(0, 0, -2))
	h.Count(25_000_000, 600, yearNow)
	g := &gallery{sheet: sheetOf(house{zone: time.UTC}, english, yearNow), past: h}
	drawing := g.drawWrites().canvas.Inline()
	wellFormed(t, drawing)
	bars := attribute(t, drawing, "heat day", "height") // 22 MB are 68 units high
	if len(bars) != 2 || math.Abs(bars[0]-20*68.0/22) > .2 || math.Abs(bars[1]-5*68.0/22) > .2 {
		t.Errorf("%v", bars)
	}
	if n := strings.Count(drawing, `class="unseen day"`); n != 28 {
		t.Errorf("%d days without a count", n)
	}
	if !strings.Contains(drawing, "Mon 27 Oct 2025: 5.00 MB, 500 flushes") {
		t.Error(drawing)
	}
}

func TestPicturesOfAnEmptyHouse(t *testing.T) {
	d := newDoor(t, Options{})
	d.newest.Store(&gateway.State{})
	get := d.signed()
	page, _ := get("/pictures")
	for _, want := range []string{"No room is known yet", "No outage is remembered", "Days watched: 0 of the last 365.", "Days counted: 0", "Nothing has happened yet"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	for _, never := range []string{"NaN", "Inf", "%!", "<nil>", "null"} {
		if strings.Contains(page, never) {
			t.Errorf("the page has %q", never)
		}
	}
	for path, want := range map[string]string{"/api/history": `"rooms":[]`, "/api/writes": "[]\n", "/api/outages": "[]\n", "/api/availability": `"watched_s":0`, "/pictures/outages.csv": "number,drill"} {
		if text, _ := get(path); !strings.Contains(text, want) {
			t.Errorf("%s: %.200s", path, text)
		}
	}
	key := keyOf(d.request("POST", "/sign-in", "password="+rightful))
	for _, path := range []string{"/pictures/none.svg", "/pictures/decisions.svg", "/pictures/outages", "/pictures/outages.png", "/pictures/", "/pictures/room-1.svg"} {
		if w := d.request("GET", path, "", with(key)); w.Code != 404 {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// A page of twenty rooms in which something changes all the time stays small, and one of a thousand rooms links to the others.
func TestPicturesAreSmall(t *testing.T) {
	for _, rooms := range []int{20, 300} {
		d := gallery48(t)
		h := &history.History{}
		var s gateway.State
		now := time.Now().UTC()
		for at := now.Add(-history.Length); at.Before(now); at = at.Add(5 * time.Minute) {
			for i := range rooms {
				id := gateway.RoomID(fmt.Sprint(100 + i))
				wave := math.Sin(at.Sub(now).Hours()/3 + float64(i))
				s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Name: "Room " + string(id), Temperature: gateway.Measure{Value: gateway.Number(20 + 2*wave), At: at}, Target: gateway.Aim{Value: gateway.Number(20)}, Heating: gateway.Number(50 + 40*wave)})
			}
			h.Observe(s, at)
		}
		s.Days = watchedYear().Days
		d.remembered.Store(h)
		d.newest.Store(&s)
		key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
		w := d.request("GET", "/pictures?room=room-110", "", with(key), accepting("gzip"))
		size := w.Body.Len()
		r, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(r)
		t.Logf("%d rooms: %d kB, %d kB compressed", rooms, len(page)/1000, size/1000)
		if size > 130_000 {
			t.Errorf("%d bytes", size)
		}
		if first := regexp.MustCompile(`<figure class="card picture" id="([^"]*)"`).FindSubmatch(page); string(first[1]) != "room-110" {
			t.Errorf("the first picture is %s", first[1])
		}
		if drawn := strings.Count(string(page), `data-room=`); drawn != min(rooms, mostPictures) {
			t.Errorf("%d rooms are drawn", drawn)
		}
	}
}

func BenchmarkPictures(b *testing.B) {
	h := &history.History{}
	var s gateway.State
	now := time.Now().UTC()
	for at := now.Add(-history.Length); at.Before(now); at = at.Add(5 * time.Minute) {
		for i := range 20 {
			id := gateway.RoomID(fmt.Sprint(100 + i))
			s.Rooms = s.Rooms.With(id, gateway.Room{ID: id, Temperature: gateway.Measure{Value: gateway.Number(20 + 2*math.Sin(at.Sub(now).Hours()/3+float64(i))), At: at}})
		}
		h.Observe(s, at)
	}
	a := New(Options{Vault: gatewaytest.NewVault(), Log: quiet})
	a.remembered.Store(h)
	a.newest.Store(&s)
	for b.Loop() {
		a.pictures(httptest.NewRecorder(), httptest.NewRequest("GET", "/pictures", nil))
	}
}
