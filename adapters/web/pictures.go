package web

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/web/chart"
	"github.com/veilleuse/veilleuse/adapters/web/history"
	"github.com/veilleuse/veilleuse/gateway"
)

// mostPictures is how many rooms one page draws; it links to the others.
const mostPictures = 24

// gallery is the page of pictures being drawn, or one of them.
type gallery struct {
	*sheet
	state    gateway.State
	past     *history.History
	from, to time.Time // of the 48 h
}

func (a *Adapter) gallery(r *http.Request) *gallery {
	s, now := a.shown(), a.now()
	return &gallery{sheet: sheetOf(a.view(s), languageOf(r), now), state: s, past: a.past(), to: now, from: now.Add(-history.Length)}
}

// picture is one thing that is drawn, with the values it is drawn from, for a table.
type picture struct {
	id      string
	canvas  *chart.Canvas // nil: it is a table only
	rows    any           // a list
	columns [][2]string   // see csvOf
}

// pictures shows the page.
func (a *Adapter) pictures(w http.ResponseWriter, r *http.Request) {
	g := a.gallery(r)
	name := orElse(g.house.Home.Name, g.say("app"))
	g.head(g.say("pictures") + " · " + name)
	g.put(`<noscript><meta http-equiv="refresh" content="300"></noscript>`)
	g.top("gallery", name, "rooms", g.say("skip"), "chart.css", "pictures.css", "pictures.js")
	g.put(`<main class="pictures"`)
	for _, key := range []string{"pic.none", "pic.temperature", "pic.target", "pic.heating", "phase.watching", "phase.suspect", "phase.local", "phase.returning", "drill"} {
		g.put(` data-%s="%s"`, key[strings.Index(key, ".")+1:], g.say(key))
	}
	g.put(` data-zone="%s">`, g.house.zone.String())
	g.above()
	g.put(`<p class="way"><a href="/">← {aside.back}</a></p><svg class="chart defs" width="0" height="0" aria-hidden="true">%s</svg><h1>{pictures}</h1>`, markup(chart.Patterns))
	g.rooms(r.URL.Query().Get("room"))
	for _, draw := range []func() picture{g.drawOutages, g.drawYear, g.drawWrites} {
		g.figure(draw(), "h2")
	}
	g.evidence()
	g.decisionList()
	g.put(`</main><footer><p>{pic.renews}</p>`)
	g.foot()
	pack(w, r, "text/html; charset=utf-8", g.out.String())
}

// rooms draws each room, the one that was asked for first.
func (g *gallery) rooms(asked string) {
	g.put(`<section id="rooms" aria-labelledby="rooms-title" tabindex="-1"><h2 id="rooms-title">%s</h2><p class="hint">%s</p>`, g.say("pic.rooms"), g.say("pic.held"))
	legend := &chart.Canvas{Width: roomWidth, Name: g.say("pic.legend")}
	legend.Height = legend.Legend(4, g.roomLegend())
	g.put(`<div class="legend">%s</div><div class="figures">`, markup(legend.Inline()))
	if len(g.house.Rooms) == 0 {
		g.put(`<p class="card empty">%s</p>`, g.say("rooms.none"))
	}
	all := g.house.Rooms
	for i := range all {
		if anchor(all[i].Wish) == asked {
			all[0], all[i] = all[i], all[0]
		}
	}
	for i := range all[:min(len(all), mostPictures)] {
		g.figure(g.drawRoom(&all[i], false), "h3")
	}
	g.put(`</div><p class="others">`)
	for i := mostPictures; i < len(all); i++ {
		g.put(`<a href="/pictures?room=%s">%s</a> `, anchor(all[i].Wish), all[i].Name)
	}
	g.put(`</p></section>`)
}

// figure shows a picture with its words and its files.
func (g *gallery) figure(p picture, heading markup) {
	g.put(`<figure class="card picture" id="%s"><%s>%s</%s><div class="drawing">%s</div><p class="reading" data-reading hidden></p><figcaption>%s</figcaption>`,
		p.id, heading, p.canvas.Name, heading, markup(p.canvas.Inline()), p.canvas.About)
	g.files(p.id, p.canvas.Name, "svg", "csv")
	g.put(`</figure>`)
}

func (g *gallery) files(id, name string, kinds ...string) {
	g.put(`<p class="files">`)
	for _, kind := range kinds {
		g.put(`<a href="/pictures/%s.%s" aria-label="%s, %s">%s</a> `, id, kind, name, kind, strings.ToUpper(kind))
	}
	g.put(`</p>`)
}

// decisionList is what was decided last, and why.
func (g *gallery) decisionList() {
	g.put(`<section class="card" id="decisions"><h2>%s</h2><ol class="lately">`, g.say("pic.decisions"))
	all := g.state.Decisions
	for i := range all {
		d := all[len(all)-1-i]
		g.decision(d.Kind, d.At, d.What, d.Why)
	}
	g.put(`</ol>`)
	if len(all) == 0 {
		g.put(`<p class="empty">%s</p>`, g.say("lately.none"))
	}
	g.files("decisions", g.say("pic.decisions"), "csv")
	g.put(`</section>`)
}

// named draws the picture of that name; false: there is none.
func (g *gallery) named(id string) (picture, bool) {
	switch id {
	case "outages":
		return g.drawOutages(), true
	case "availability":
		return g.drawYear(), true
	case "writes":
		return g.drawWrites(), true
	case "decisions":
		return picture{id: id, rows: g.state.Decisions, columns: [][2]string{{"at", "time (ISO 8601)"}, {"number", "number"}, {"kind", "kind"}, {"room", "room"}, {"device", "device"}, {"what", "what"}, {"why", "why"}}}, true
	}
	for i := range g.house.Rooms {
		if r := &g.house.Rooms[i]; anchor(r.Wish) == id {
			return g.drawRoom(r, true), true
		}
	}
	return picture{}, false
}

// pictureFile gives a picture as a file: name.svg or name.csv.
func (a *Adapter) pictureFile(w http.ResponseWriter, r *http.Request) {
	g := a.gallery(r)
	id, kind, _ := strings.Cut(r.PathValue("to"), ".")
	p, found := g.named(id)
	if !found || kind != "csv" && (kind != "svg" || p.canvas == nil) {
		refuse(w, http.StatusNotFound, "there is no such picture; the page of pictures names them all")
		return
	}
	is, content := "text/csv; charset=utf-8", ""
	if kind == "csv" {
		content = csvOf(p.rows, p.columns)
	} else {
		is, content = kinds[".svg"], p.canvas.File(string(served().files["/chart.css"].plain))
	}
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="veilleuse-%s-%s.%s"`, id, g.to.In(g.house.zone).Format(time.DateOnly), kind))
	pack(w, r, is, content)
}

// pack sends a text, compressed for whoever takes that.
func pack(w http.ResponseWriter, r *http.Request, kind, content string) {
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Vary", "Accept-Encoding")
	if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		io.WriteString(w, content)
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	packed := gzip.NewWriter(w)
	io.WriteString(packed, content)
	packed.Close()
}
