package web

import (
	"math"
	"strconv"
)

// targetStep is what one touch of warmer or cooler changes, in °C.
const targetStep = 0.5

// room is one room: how warm it is, how warm it ought to be, until when and why, and how to change it.
func (p *sheet) room(r roomView) {
	id := anchor(r.Wish)
	demand, isNumber := r.Heating.Number()
	heats := isNumber && demand > 0
	p.put(`<article class="card room" aria-labelledby="%s-name"><header><h3 id="%s-name">%s</h3>`, id, id, r.Name)
	if heats {
		p.put(`<span class="tag heat">%s {room.heating}</span>`, flame)
	}
	if !r.OpenSince.IsZero() {
		p.put(`<span class="tag">{room.window}</span>`)
	}
	p.put(`</header><div class="climate"><p class="now"><span class="label">{room.temperature}</span>`)
	if r.Temperature == nil {
		p.put(`<span class="big unknown">–</span><span class="hint">{room.unmeasured}</span></p>`)
	} else {
		t, _ := r.Temperature.Value.Number()
		look, but := markup("big"), ""
		if !p.now.Before(r.Fades) {
			look, but = "big unknown", p.say("room.old")+" "
		}
		p.put(`<span class="%s">%s<span class="unit">°</span></span><span class="hint">%s%s</span></p>`, look, p.number(t, 1), but, p.age(r.Temperature.At))
	}
	p.target(r)
	p.put(`</div>`)
	p.standing(r)
	p.refusal(r.Wish)
	p.put(`<p class="past"><a href="/pictures?room=%s#%s">%s</a></p>`, id, id, p.say("pic.of", r.Name))
	p.change(r, id)
	p.put(`</article>`)
}

// target is what the room ought to have, between the buttons for cooler and warmer.
func (p *sheet) target(r roomView) {
	want, known := r.Target.Number()
	if !known {
		p.put(`<div class="aim"><p><span class="label">{room.target}</span><span class="goal none">{room.notarget}</span></p></div>`)
		return
	}
	p.put(`<form method="post" action="/do" class="aim" data-step="%s" data-low="%s" data-high="%s"><input type="hidden" name="to" value="%s">`, fixed(targetStep), fixed(p.house.Home.FrostGuard), fixed(p.house.Home.Maximum), r.Wish)
	p.step("−", "room.cooler", math.Max(want-targetStep, p.house.Home.FrostGuard), r)
	p.put(`<p><span class="label">{room.target}</span><output class="goal" data-target="%s">%s<span class="unit">°</span></output>`, fixed(want), p.degrees(want))
	p.put(`</p>`)
	p.step("+", "room.warmer", math.Min(want+targetStep, p.house.Home.Maximum), r)
	p.put(`</form>`)
}

// standing is by what the target holds, until when and why, and whether the devices show it.
func (p *sheet) standing(r roomView) {
	mode := r.Mode
	if mode == "off" {
		mode = "off.mode"
	}
	p.put(`<div class="standing"><p>`)
	if mode != "" {
		p.put(`<strong>%s`, p.sayOr("room.", mode))
		if !r.Until.IsZero() {
			p.put(` %s`, p.when("until", r.Until))
		}
		p.put(`</strong>`)
	}
	if shown, differs := r.Shown.Number(); differs {
		p.put(` <span class="pending">{room.shows}</span>`, p.degrees(shown))
	} else if r.NotTaken != "" {
		p.put(` <span class="pending">{room.nottaken}</span>`)
	} else if r.Confirmed.Yes() {
		p.put(` <span class="taken">{room.confirmed}</span>`)
	}
	p.put(`</p><p class="why">%s</p>`, p.reason(r.Why))
	if r.NotTaken != "" {
		p.put(`<p class="refusal" role="status">{room.nottaken} %s</p>`, p.reason(r.NotTaken))
	}
	p.put(`</div>`)
}

func (p *sheet) step(sign, label string, to float64, r roomView) {
	p.put(`<button class="step" name="target" value="%s" aria-label="%s">%s</button>`, fixed(to), p.say(label, p.degrees(to), r.Name), sign)
}

// change is how to set the room to anything, for any time.
func (p *sheet) change(r roomView, id string) {
	want, _ := r.Target.Number()
	if want == 0 {
		want = 19
	}
	// Browsers count the steps of a field from its least value: a floor of 7.3 °C would let nobody ask for 19.
	p.put(`<details id="%s-change"><summary>{room.change}<span class="aside"> %s</span></summary><form method="post" action="/do" class="exact"><input type="hidden" name="to" value="%s">`+
		`<div><label for="%s-target">{room.target}</label><input id="%s-target" name="target" type="number" inputmode="decimal" min="%s" max="%s" step="0.5" value="%s" aria-label="{room.target.of}" required></div><div>`, id, r.Name, r.Wish, id, id, fixed(math.Ceil(p.house.Home.FrostGuard/targetStep)*targetStep), fixed(p.house.Home.Maximum), fixed(want), r.Name)
	p.choice(id+"-for", "for", "mode.for", []string{"", "1h", "2h", "4h", "8h", "1d", "7d"}, "for.usual")
	p.put(`</div><button class="main">{room.set}</button></form><form method="post" action="/do" class="line"><input type="hidden" name="to" value="%s">`+
		`<button name="mode" value="schedule">{room.home}</button><button name="mode" value="frost">{mode.frost}</button><button name="mode" value="off">{room.off}</button></form></details>`, r.Wish)
}

// fixed is a number as forms carry it.
func fixed(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
