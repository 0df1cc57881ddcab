package web

import (
	"net/http"
	"strings"
)

// aside writes a page beside the house: alarms stand above everything there, too, and are live.
func (a *Adapter) aside(w http.ResponseWriter, r *http.Request, status int, title string, draw func(*sheet)) {
	p := sheetOf(a.view(a.shown()), languageOf(r), a.now())
	name := orElse(p.house.Home.Name, p.say("app"))
	p.head(p.say(title) + " · " + name)
	p.top("beside", name, "main", p.say("aside.skip"), "care.js")
	p.put(`<main id="main" tabindex="-1">`)
	p.above()
	p.put(`<p class="way"><a href="/">← {aside.back}</a></p>`)
	draw(p)
	p.put(`</main><footer>`)
	p.ways()
	p.foot()
	p.send(w, status)
}

// above is the place of alarms, above all else of every page.
func (p *sheet) above() {
	p.put(`<div class="part" id="alarm">`)
	p.alarms()
	p.put(`</div>`)
}

// top ends the head of a page and begins its body: its style and scripts, what these say, the way past the bar, the bar. Every page
// has the script that shows alarms.
func (p *sheet) top(class, name, content, skip string, more ...string) {
	for _, file := range append([]string{"care.css", "acting.js", "page.js"}, more...) {
		if strings.HasSuffix(file, ".css") {
			p.put(`<link rel="stylesheet" href="/%s?v=%s">`, file, served().build)
		} else {
			p.put(`<script src="/%s?v=%s" defer></script>`, file, served().build)
		}
	}
	p.put(`</head><body class="%s"`, class)
	for _, key := range []string{"js.lost", "js.full", "js.failed", "js.gone", "js.sound", "js.silent", "js.sounds", "alarm"} {
		p.put(` data-%s="%s"`, strings.TrimPrefix(key, "js."), p.say(key))
	}
	p.put(`><a class="skip" href="#%s">%s</a><header class="bar"><a class="brand" href="/">%s<span>%s</span></a>`+
		`<a class="onward" href="/pictures">%s</a><button class="sound" id="sound" type="button" hidden></button></header>`+
		`<p class="lost" id="lost" role="status" hidden></p>`, content, skip, flame, name, p.say("pictures"))
}

// foot ends a page, with the way out.
func (p *sheet) foot() {
	p.put(`<form method="post" action="/sign-out"><button class="quiet">{signout}</button></form></footer>`)
	p.again()
}

// ways lead to the pages beside the house.
func (p *sheet) ways() {
	p.put(`<nav class="ways"><a href="/care">{care}</a> <a href="/outages">{outages}</a> <a href="/pictures">{pictures}</a></nav>`)
}
