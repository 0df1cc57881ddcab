package web

import (
	"net/http"
	"strings"
)

// aside writes a page beside the house: alarms stand above everything there, too, and are live.
func (a *Adapter) aside(w http.ResponseWriter, r *http.Request, status int, title string, draw func(*sheet)) {
	s := a.shown()
	p := sheetOf(a.view(s), languageOf(r), a.now())
	p.alarms()
	alarm := markup(p.out.String())
	p.out.Reset()
	name := orElse(p.house.Home.Name, p.say("app"))
	p.head(p.say(title) + " · " + name)
	p.put(`<script src="/care.js?v=%s" defer></script>`, served().build)
	p.top("beside", name, "main", p.say("aside.skip"))
	p.put(`<main id="main" tabindex="-1"><div class="part" id="alarm">%s</div><p class="way"><a href="/">← {aside.back}</a></p>`, alarm)
	draw(p)
	p.put(`</main><footer>`)
	p.ways()
	p.foot()
	p.send(w, status)
}

// top ends the head of a page and begins its body: what the script says, the way past the bar, the bar.
func (p *sheet) top(class, name, content, skip string) {
	build := served().build
	p.put(`<link rel="stylesheet" href="/care.css?v=%s"><script src="/acting.js?v=%s" defer></script><script src="/page.js?v=%s" defer></script></head><body class="%s"`, build, build, build, class)
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
	p.put(`</body></html>`)
}

// ways lead to the pages beside the house.
func (p *sheet) ways() {
	p.put(`<nav class="ways"><a href="/care">{care}</a> <a href="/outages">{outages}</a> <a href="/pictures">{pictures}</a></nav>`)
}
