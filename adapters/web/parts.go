package web

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// part is a piece of the page that is pushed alone when it has changed.
type part struct {
	ID   string `json:"id"`
	HTML string `json:"html"`
}

// parts draws all pieces, in the order of the page.
func (p *sheet) parts() []part {
	var all []part
	add := func(id string, draw func()) {
		p.out.Reset()
		draw()
		all = append(all, part{id, p.out.String()})
	}
	add("alarm", p.alarms)
	add("first", p.firstCard)
	add("charge", p.charge)
	for _, r := range p.house.Rooms {
		add(anchor(r.Wish), func() { p.room(r) })
	}
	if len(p.house.Rooms) == 0 {
		add("room-none", func() { p.put(`<p class="empty card">%s</p>`, p.say("rooms.none")) })
	}
	add("home", p.home)
	add("devices", p.devices)
	add("lately", p.lately)
	return all
}

// charge says who is in charge and why, and what an outage now would find.
func (p *sheet) charge() {
	a, c := p.house.Authority, p.house.Cloud
	sign, known := phaseSigns[a.Phase]
	if !known {
		sign = startSign
	}
	p.put(`<section class="card charge phase-%s" aria-labelledby="charge-title"><div class="sign">%s</div><div class="words"><h1 id="charge-title">%s`,
		orElse(a.Phase, "none"), sign, p.sayOr("phase.", a.Phase))
	if a.Drill {
		p.put(` <span class="tag">%s</span>`, p.say("drill"))
	}
	p.put(`</h1>`)
	verdict := p.sayOr("verdict.", c.Verdict)
	if same, _ := textOf("verdict." + c.Verdict); a.Why == same[english] { // the same in the page's language
		p.put(`<p class="why">%s</p><p class="facts">`, verdict)
	} else {
		p.put(`<p class="why">%s</p><p class="facts"><span>%s</span>`, p.reason(a.Why), verdict)
	}
	if !a.Since.IsZero() {
		p.put(`<span>%s</span>`, p.when("since", a.Since))
	}
	if p.house.Clock.Trust != "" && p.house.Clock.Trust != string(gateway.TrustSynced) {
		p.put(`<span>%s</span>`, p.say("clock.doubt"))
	}
	p.put(`</p>`)
	if len(c.Evidence) > 0 && c.Verdict != string(gateway.VerdictOK) {
		p.put(`<details id="evidence"><summary>%s</summary><p>%s</p><ul>`, p.say("evidence"), p.reason(c.Why))
		for _, e := range c.Evidence {
			p.put(`<li>%s</li>`, p.reason(e))
		}
		p.put(`</ul></details>`)
	}
	p.lastOutage()
	p.put(`</div></section>`)
	p.outlook()
	p.troubles()
	p.rolledBack()
}

func (p *sheet) outlook() {
	o := p.house.Outlook
	if o == nil {
		return
	}
	sign, word, kind := yesSign, "outlook.yes", "good"
	if !o.Survives {
		sign, word, kind = noSign, "outlook.no", "short"
	}
	p.put(`<section class="card outlook %s"><div class="sign">%s</div><div class="words"><h2>%s</h2><p><strong>%s</strong> %s</p>`,
		markup(kind), sign, p.say("outlook"), p.say(word), p.say("outlook.served", o.RoomsServed, o.Rooms, o.AlarmsServed, o.Alarms))
	if len(o.Gaps) > 0 {
		p.put(`<details id="gaps"><summary>%s (%d)</summary><ul>`, p.say("outlook.gaps"), len(o.Gaps))
		for _, g := range o.Gaps {
			p.put(`<li><strong>%s</strong> %s`, g.Name, p.reason(g.What))
			if g.Do != "" {
				p.put(` <span class="do">→ %s</span>`, p.reason(g.Do))
			}
			p.put(`</li>`)
		}
		p.put(`</ul></details>`)
	}
	p.put(`</div></section>`)
}

func (p *sheet) troubles() {
	if len(p.house.Troubles) == 0 {
		return
	}
	p.put(`<section class="card outlook short"><div class="sign">%s</div><div class="words"><h2>%s</h2><ul>`, missingSign, p.say("troubles"))
	for _, t := range p.house.Troubles {
		p.put(`<li><strong>%s</strong> %s</li>`, p.word("adapter", t.Name), p.reason(t.Why))
	}
	p.put(`</ul></div></section>`)
}

// alarms stand above everything: the gravest that waits for an answer fills the page, the others are a line each.
func (p *sheet) alarms() {
	var waiting, others []alarmView
	for _, a := range p.house.Alarms {
		if a.waits() {
			waiting = append(waiting, a)
		} else {
			others = append(others, a)
		}
	}
	if len(waiting) > 0 {
		p.alarm(waiting)
	}
	for i, a := range others {
		p.notice(a, i == 0 && len(waiting) == 0)
	}
	if len(p.house.Alarms) == 0 {
		p.refusal("alarm")
	}
}

// alarm fills the page with the gravest alarm that waits for an answer, and names the others that do; one answer is for all.
func (p *sheet) alarm(waiting []alarmView) {
	a := waiting[0]
	var numbers []string
	for _, one := range waiting {
		numbers = append(numbers, strconv.FormatUint(one.Number, 10))
	}
	p.put(`<section class="siren" role="alertdialog" aria-modal="true" aria-labelledby="alarm-title" aria-describedby="alarm-why" data-alarms="%s"><div class="sign">%s</div>`+
		`<h1 id="alarm-title"><span class="kind">%s · %s</span> <span class="place">%s</span></h1><p id="alarm-why">%s · %s</p>`,
		strings.Join(numbers, " "), alarmSign, p.say("alarm"), p.sayOr("alarm.", a.Kind), orElse(a.Name, a.Device), p.when("since", a.Since), p.reason(a.Why))
	for _, other := range waiting[1:] {
		p.put(`<p class="also">%s · %s</p>`, p.sayOr("alarm.", other.Kind), orElse(other.Name, other.Device))
	}
	p.put(`<div class="answers"><form method="post" action="/do"><input type="hidden" name="to" value="alarm"><button class="main" name="acknowledge" value="true" id="acknowledge">%s</button></form>`,
		p.say("alarm.acknowledge"))
	if slices.ContainsFunc(waiting, func(a alarmView) bool { return a.Phase == string(gateway.Sounding) }) {
		p.put(`<form method="post" action="/do"><input type="hidden" name="to" value="alarm"><button name="hush" value="true">%s</button></form>`, p.say("alarm.hush"))
	}
	p.put(`</div><p class="hint">%s</p>`, p.say("alarm.ackhint"))
	p.refusal("alarm")
	for _, one := range waiting {
		p.told(one)
	}
	p.put(`</section>`)
}

// notice is an alarm that needs no answer, or has one. The first thing about alarms says why a wish was refused.
func (p *sheet) notice(a alarmView, first bool) {
	p.put(`<section class="card notice notice-%s"><div class="sign">%s</div><div class="words"><h2>%s <span class="tag">%s</span></h2><p>%s · %s`,
		a.Phase, alarmSign, p.of(p.sayOr("alarm.", a.Kind), orElse(a.Name, a.Device)), p.sayOr("alarm.", a.Phase), p.when("since", a.Since), p.reason(a.Why))
	if !a.Answered.IsZero() {
		p.put(` · %s`, markup(p.say("alarm.answered", p.clock(a.Answered), p.word("who", a.By))))
	}
	p.put(`</p>`)
	if a.Phase == string(gateway.Sounding) {
		p.put(`<form method="post" action="/do"><input type="hidden" name="to" value="alarm"><button name="hush" value="true">%s</button></form>`, p.say("alarm.hush"))
	}
	if first {
		p.refusal("alarm")
	}
	p.told(a)
	p.put(`</div></section>`)
}

// told is who was told of an alarm, with the proof.
func (p *sheet) told(a alarmView) {
	if len(a.Told) == 0 {
		return
	}
	p.put(`<details id="told-%d"><summary>%s</summary><ul>`, a.Number, p.say("alarm.told"))
	for _, t := range a.Told {
		p.put(`<li><strong>%s</strong> %s</li>`, p.word("path", t.Path), p.proof(t, p.clock))
	}
	p.put(`</ul></details>`)
}

// proof is whether somebody was told, and who confirms that.
func (p *sheet) proof(t toldView, clock func(time.Time) string) markup {
	switch {
	case !t.Delivered.IsZero():
		return markup(p.say("alarm.delivered", clock(t.Delivered))) + " " + p.word("proof", t.By)
	case t.Err != "":
		return p.reason(t.Err)
	}
	return markup(p.say("alarm.waiting"))
}

// home is what is set for the whole house.
func (p *sheet) home() {
	h := p.house.Home
	p.put(`<section aria-labelledby="home-title"><h2 id="home-title">%s</h2><div class="pair"><div class="card"><form method="post" action="/do" class="modes"><input type="hidden" name="to" value="home"><fieldset><legend>%s</legend><div class="segments">`,
		p.say("home"), p.say("mode"))
	for _, mode := range []gateway.HomeMode{gateway.HomeSchedule, gateway.HomeAway, gateway.HomeFrost} {
		p.segment("mode", string(mode), p.say("mode."+string(mode)), h.Mode == string(mode))
	}
	p.put(`</div></fieldset>`)
	p.choice("mode-for", "for", "mode.for", []string{"", "8h", "1d", "3d", "7d", "14d"}, "for.none")
	p.put(`</form>`)
	if !h.Until.IsZero() {
		p.put(`<p class="hint">%s %s</p>`, p.sayOr("mode.", h.Mode), p.when("until", h.Until))
	}
	p.schedules()
	p.refusal("home")
	p.extras()
	p.put(`</div>`)
	p.guard()
	p.put(`</div></section>`)
}

// segment is one button of a row of which one holds.
func (p *sheet) segment(name, value, text string, holds bool) {
	pressed := "false"
	if holds {
		pressed = "true"
	}
	p.put(`<button name="%s" value="%s" aria-pressed="%s">%s</button>`, name, value, pressed, text)
}

// choice is a list of lengths of time; the empty one has a word of its own.
func (p *sheet) choice(id, name, label string, values []string, none string) {
	p.put(`<label for="%s">%s</label><select id="%s" name="%s">`, id, p.say(label), id, name)
	for _, v := range values {
		text := p.say(none)
		if v != "" {
			text = p.say("for." + v)
		}
		p.put(`<option value="%s">%s</option>`, v, text)
	}
	p.put(`</select>`)
}

func (p *sheet) schedules() {
	h := p.house.Home
	if len(h.Schedules) < 2 {
		return
	}
	p.put(`<form method="post" action="/do" class="line"><input type="hidden" name="to" value="home"><label for="schedule">%s</label><select id="schedule" name="schedule">`, p.say("schedule"))
	for _, s := range h.Schedules {
		chosen := markup("")
		if s.ID == h.Schedule {
			chosen = " selected"
		}
		p.put(`<option value="%s"%s>%s</option>`, s.ID, chosen, s.Name)
	}
	p.put(`</select><button>%s</button></form>`, p.say("schedule.set"))
}

// extras are what one seldom needs.
func (p *sheet) extras() {
	p.put(`<details id="extras"><summary>%s</summary><p>%s</p><form method="post" action="/do"><input type="hidden" name="to" value="home">`, p.say("more"), p.say("drill.lead"))
	if p.house.Authority.Drill {
		p.put(`<button name="drill" value="false">%s</button>`, p.say("drill.stop"))
	} else {
		p.put(`<button name="drill" value="10m">%s</button>`, p.say("drill.start"))
	}
	p.put(`</form><p>%s</p><form method="post" action="/do"><input type="hidden" name="to" value="alarm"><button name="test" value="5m">%s</button></form></details>`, p.say("test.lead"), p.say("test.start"))
}

func (p *sheet) guard() {
	g := p.house.Guard
	if g == nil {
		return
	}
	p.put(`<div class="card"><form method="post" action="/do" class="modes"><input type="hidden" name="to" value="home"><fieldset><legend>%s</legend><div class="segments">`, p.say("guard"))
	for _, mode := range []string{"off", "stay", "night", "away"} {
		p.segment("guard", mode, p.say("guard."+mode), g.Mode == mode)
	}
	p.put(`</div></fieldset><label class="check"><input type="checkbox" name="bypass" value="true"> %s</label></form>`, p.say("guard.bypass"))
	switch g.Phase {
	case "":
	case "arming", "entering":
		p.put(`<p class="hint">%s</p>`, p.say("guard."+g.Phase, g.LeftS))
	default:
		p.put(`<p class="hint">%s</p>`, p.sayOr("guard.", g.Phase))
	}
	for _, l := range []struct {
		key   string
		names []string
	}{{"guard.out", g.LeftOut}, {"guard.open", g.Open}, {"guard.deaf", g.NotHeard}} {
		if len(l.names) > 0 {
			p.put(`<p class="hint">%s</p>`, p.say(l.key, strings.Join(l.names, ", ")))
		}
	}
	p.put(`</div>`)
}

// devices is each device with its path and the age of its word.
func (p *sheet) devices() {
	p.put(`<section aria-labelledby="devices-title"><h2 id="devices-title">%s</h2><div class="card"><ul class="devices">`, p.say("devices"))
	for _, d := range p.house.Devices {
		p.device(d)
	}
	p.put(`</ul>`)
	if len(p.house.Devices) == 0 {
		p.put(`<p class="empty">%s</p>`, p.say("devices.none"))
	}
	p.put(`</div></section>`)
}

// onlyIfSo are flags that say something only when they are set.
var onlyIfSo = map[gateway.Quantity]bool{gateway.LowBattery: true, gateway.OpenWindow: true}

func (p *sheet) device(d deviceView) {
	kind, sign, path := "there", deviceSign, p.sayOr("via.", d.Via)
	switch {
	case !d.Reachable:
		kind, sign, path = "gone", missingSign, p.say("device.away")
	case d.Silent:
		kind, sign, path = "gone", missingSign, p.say("device.silent")
	}
	var about []string
	for _, text := range []string{d.Room, d.Model} {
		if text != "" {
			about = append(about, text)
		}
	}
	p.put(`<li class="%s"><span class="dot">%s</span><div><p class="name">%s <span class="about">%s</span></p>`, markup(kind), sign, d.Name, strings.Join(about, " · "))
	var values []string
	for _, m := range d.Readings {
		if name, known := textOf("q." + m.Quantity); known && (m.Value.Yes() || !onlyIfSo[gateway.Quantity(m.Quantity)]) {
			said := name[p.in] + " " + p.reading(m)
			if m.Value == gateway.Flag(m.Value.Yes()) {
				said = p.of(name[p.in], p.reading(m))
			}
			values = append(values, said)
		}
	}
	if len(values) > 0 {
		p.put(`<p class="values">%s</p>`, strings.Join(values, " · "))
	}
	if kind == "gone" && d.Why != "" {
		p.put(`<p class="values">%s</p>`, p.reason(d.Why))
	}
	p.put(`</div><p class="path">%s<br>`, path)
	if d.Heard.IsZero() {
		p.put(`<span class="hint">%s</span>`, p.say("device.neverhad"))
	} else {
		p.put(`%s`, p.age(d.Heard))
	}
	p.put(`</p></li>`)
}

// lately is what was decided, and why.
func (p *sheet) lately() {
	p.put(`<section aria-labelledby="lately-title"><h2 id="lately-title">%s</h2><div class="card"><ol class="lately">`, p.say("lately"))
	for _, d := range p.house.Lately {
		p.decision(d.Kind, d.At, d.What, d.Why)
	}
	p.put(`</ol>`)
	if len(p.house.Lately) == 0 {
		p.put(`<p class="empty">%s</p>`, p.say("lately.none"))
	}
	p.put(`</div></section>`)
}

// decision is one line of what was decided, and why.
func (p *sheet) decision(kind string, at time.Time, what, why string) {
	p.put(`<li class="kind-%s"><time datetime="%s">%s</time><p><strong>%s</strong> <span>%s</span></p></li>`,
		kind, at.UTC().Format(time.RFC3339), p.clock(at), p.reason(what), p.reason(why))
}
