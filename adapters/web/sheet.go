package web

import (
	"fmt"
	"html"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// sheet is a page being written, in one language, for one house at one time.
type sheet struct {
	out     strings.Builder
	in      lang
	now     time.Time
	house   house
	refused *refusal // a wish that was not granted; nil: none
}

func sheetOf(h house, in lang, now time.Time) *sheet { return &sheet{in: in, now: now, house: h} }

// markup is text that is HTML already, of our own making.
type markup string

// put writes HTML: every text that goes into it is escaped, unless it is markup. The name of a text in braces stands for that
// text in the page's language, whose gaps are filled in turn.
func (p *sheet) put(format string, args ...any) {
	safe := make([]any, len(args))
	for i, arg := range args {
		switch v := arg.(type) {
		case markup:
			safe[i] = string(v)
		case string:
			safe[i] = html.EscapeString(v)
		default:
			safe[i] = v
		}
	}
	fmt.Fprintf(&p.out, p.withTexts(format), safe...)
}

// withTexts puts texts in place of their names.
func (p *sheet) withTexts(format string) string {
	var out strings.Builder
	for {
		before, rest, named := strings.Cut(format, "{")
		out.WriteString(before)
		if !named {
			return out.String()
		}
		var name string
		name, format, _ = strings.Cut(rest, "}")
		out.WriteString(html.EscapeString(p.say(name)))
	}
}

// say is a text of the page's language.
func (p *sheet) say(key string, args ...any) string {
	both, _ := textOf(key)
	said := both[p.in]
	if p.in == french {
		said = unbroken(said)
	}
	if len(args) > 0 {
		return fmt.Sprintf(said, args...)
	}
	return said
}

// of joins two texts with a colon, as the language sets it.
func (p *sheet) of(what, says string) string { return p.say("of", what, says) }

// sayOr is a text of the page's language, or the house's own word for what has none.
func (p *sheet) sayOr(key, word string) string {
	if t, ok := textOf(key + word); ok {
		return t[p.in]
	}
	return word
}

// number writes a number as the language does.
func (p *sheet) number(n float64, digits int) string {
	text := strconv.FormatFloat(n, 'f', digits, 64)
	if p.in == french {
		text = strings.ReplaceAll(text, ".", ",")
	}
	return text
}

// percent is a share. One that is not whole is never rounded up to it.
func (p *sheet) percent(share float64) string {
	if share < 1 {
		share = min(share, .9999)
	}
	return p.number(100*share, 2) + " %"
}

// degrees writes a temperature with one digit, without it where it is even.
func (p *sheet) degrees(n float64) string {
	if n == float64(int(n)) {
		return p.number(n, 0)
	}
	return p.number(n, 1)
}

// refusal writes why a wish for that thing was not granted, next to it.
func (p *sheet) refusal(to string) {
	why := ""
	if p.refused != nil && p.refused.to == to {
		why = p.refused.why
	}
	p.put(`<p class="refusal" role="alert" data-refusal="%s">%s</p>`, to, p.reason(why))
}

// units are what stands behind a reading.
var units = map[gateway.Quantity]string{gateway.Temperature: " °C", gateway.Target: " °C", gateway.Humidity: " %", gateway.CO2: " ppm", gateway.Noise: " dB",
	gateway.Pressure: " hPa", gateway.Rain: " mm", gateway.RainToday: " mm", gateway.Wind: " km/h", gateway.Gust: " km/h", gateway.Battery: " %",
	gateway.COLevel: " ppm", gateway.Position: " %", gateway.Power: " W", gateway.HeatingRequest: " %", gateway.Brightness: " %"}

// reading is a value with its unit.
func (p *sheet) reading(m readingView) string {
	switch n, isNumber := m.Value.Number(); {
	case m.Value == gateway.Flag(m.Value.Yes()) && m.Value.Yes():
		return p.say("yes")
	case m.Value == gateway.Flag(false):
		return p.say("no")
	case isNumber:
		digits := 0
		if n != float64(int(n)) {
			digits = 1
		}
		return p.number(n, digits) + units[gateway.Quantity(m.Quantity)]
	}
	return m.Value.String()
}

// page shows the house.
func (a *Adapter) page(w http.ResponseWriter, r *http.Request) { a.show(w, r, http.StatusOK, nil) }

func (a *Adapter) show(w http.ResponseWriter, r *http.Request, status int, refused *refusal) {
	p := sheetOf(a.view(a.shown()), languageOf(r), a.now())
	p.refused = refused
	parts := p.parts()
	p.out.Reset()
	p.whole(parts)
	p.send(w, status)
}

func (p *sheet) send(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Language", p.in.code())
	w.WriteHeader(status)
	fmt.Fprint(w, p.out.String())
}

// head begins a page.
func (p *sheet) head(title string) {
	build := served().build
	p.put(`<!doctype html><html lang="%s" data-build="%s"><head><meta charset="utf-8"><title>%s</title>`+
		`<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover"><meta name="color-scheme" content="light dark">`+
		`<meta name="theme-color" content="#f6f1e8" media="(prefers-color-scheme: light)"><meta name="theme-color" content="#15120e" media="(prefers-color-scheme: dark)">`+
		`<link rel="icon" href="/icon.svg?v=%s" type="image/svg+xml"><link rel="stylesheet" href="/page.css?v=%s">`, p.in.code(), build, title, build, build)
}

// whole writes the house.
func (p *sheet) whole(parts []part) {
	name := orElse(p.house.Home.Name, p.say("app"))
	p.head(name)
	p.put(`<noscript><meta http-equiv="refresh" content="60;url=/"></noscript>`)
	p.top("house", name, "rooms", p.say("skip"))
	p.put(`<main>`)
	p.lostRefusal(parts)
	inGrid := false
	for _, one := range parts {
		if grid := strings.HasPrefix(one.ID, "room-"); grid != inGrid {
			inGrid = grid
			if grid {
				p.put(`<section class="rooms" id="rooms" aria-labelledby="rooms-title" tabindex="-1"><h2 id="rooms-title">{rooms}</h2><div class="grid">`)
			} else {
				p.put(`</div></section>`)
			}
		}
		p.put(`<div class="part" id="%s">%s</div>`, one.ID, markup(one.HTML))
	}
	p.put(`</main><footer>`)
	p.ways()
	p.put(`<noscript><p>{refresh}</p></noscript>`)
	p.foot()
}

// doorPage is the way in: the first password, or the password.
func (a *Adapter) doorPage(w http.ResponseWriter, r *http.Request, status int, first bool, fault string) {
	p := &sheet{in: languageOf(r), now: a.now()}
	kind, path, complete := "signin", "/sign-in", "current-password"
	if first {
		kind, path, complete = "welcome", "/welcome", "new-password"
	}
	p.head(p.say(kind+".title") + " · " + p.say("app"))
	p.put(`</head><body class="door"><main><form class="card" method="post" action="%s"><div class="lamp">%s</div><h1>%s</h1><p>%s</p>`, path, flame, p.say(kind+".title"), p.say(kind+".lead"))
	p.kept(r)
	if next := a.nextOf(r); next != "/" {
		p.put(`<input type="hidden" name="next" value="%s">`, next)
	}
	p.put(`<label for="password">{password}</label><input id="password" name="password" type="password" required minlength="8" maxlength="256" autocomplete="%s" autofocus`, complete)
	if first {
		p.put(` aria-describedby="hint"><p class="hint" id="hint">{password.hint}</p><label for="again">{password.again}</label><input id="again" name="again" type="password" required minlength="8" maxlength="256" autocomplete="new-password">`)
	} else {
		p.put(`>`)
	}
	p.put(`<p class="refusal" role="alert">%s</p><button class="main">%s</button>`, p.say(fault), p.say(kind+".go"))
	if !first {
		p.put(`<p class="hint">{signin.lost}</p>`)
	}
	p.put(`</form></main></body></html>`)
	p.send(w, status)
}
