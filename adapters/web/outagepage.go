package web

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// outageOf finds the outage that a request names.
func (a *Adapter) outageOf(r *http.Request) (OutageReport, bool) {
	for _, o := range Outages(a.shown()) {
		if strconv.FormatUint(o.Number, 10) == r.PathValue("number") {
			return o, true
		}
	}
	return OutageReport{}, false
}

// apiOutages answers every outage that is remembered.
func (a *Adapter) apiOutages(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, Outages(a.shown()))
}

// apiOutage answers one.
func (a *Adapter) apiOutage(w http.ResponseWriter, r *http.Request) {
	o, known := a.outageOf(r)
	if !known {
		refuse(w, http.StatusNotFound, fmt.Sprintf("outage %.20s is not remembered; /api/outages lists those that are", r.PathValue("number")))
		return
	}
	answer(w, http.StatusOK, o)
}

// outages shows a list of them.
func (a *Adapter) outages(w http.ResponseWriter, r *http.Request) {
	a.aside(w, r, http.StatusOK, "outages", func(p *sheet) { p.outages(a.shown(), "") })
}

// outage shows the report of one.
func (a *Adapter) outage(w http.ResponseWriter, r *http.Request) {
	o, known := a.outageOf(r)
	if !known {
		a.aside(w, r, http.StatusNotFound, "outages", func(p *sheet) { p.outages(a.shown(), r.PathValue("number")) })
		return
	}
	a.aside(w, r, http.StatusOK, "outages", func(p *sheet) { p.outage(o) })
}

// outages writes the list; unknown is one that was asked for in vain.
func (p *sheet) outages(s gateway.State, unknown string) {
	p.put(`<h1>{outages}</h1>`)
	if unknown != "" {
		p.put(`<p class="refusal" role="alert">{outages.unknown}</p>`, fmt.Sprintf("%.20s", unknown))
	}
	month, known := s.Availability(30).Share()
	if year, ok := s.Availability(365).Share(); ok && known {
		p.put(`<p>{outages.served}</p>`, p.percent(month), p.percent(year))
	}
	all := Outages(s)
	if len(all) == 0 {
		p.put(`<p class="empty card">{outages.none}</p>`)
		return
	}
	p.put(`<ul class="card list">`)
	for i := range all {
		o := &all[len(all)-1-i] // the last one first
		p.put(`<li><a href="/outages/%d">%s</a> <span>%s</span> <span class="hint">%s · %s</span></li>`, o.Number, p.title(o.ShortOutage), p.sayOr("verdict.", string(o.Verdict)), p.moment(o.Lost), p.lasted(o.ShortOutage))
	}
	p.put(`</ul>`)
}

// outage writes the report of one: what happened, what Veilleuse did, what it was good for, what was handed back.
func (p *sheet) outage(o OutageReport) {
	goesOn := markup("")
	if o.Ended.IsZero() {
		goesOn = ` data-renew="10"`
	}
	p.put(`<article class="report"%s><h1>%s</h1><p>`, goesOn, p.title(o.ShortOutage))
	if o.Ended.IsZero() {
		p.put(`{outage.since}`, p.moment(o.Lost), p.length(o.LengthS))
	} else {
		p.put(`{outage.from}`, p.moment(o.Lost), p.moment(o.Ended), p.length(o.LengthS))
	}
	p.put(`</p><p class="hint made">{outage.made}</p>`, orElse(p.house.Home.Name, p.say("app")), p.moment(p.now))
	p.causes(o)
	p.course(o)
	p.deeds(o)
	p.comfort(o)
	p.served(o)
	p.handed(o)
	p.decisions(o)
	p.put(`<p class="hint print">{outage.print}</p></article>`, o.Number)
}

func (p *sheet) title(o ShortOutage) string {
	if o.Drill {
		return p.say("outages.drill", o.Number)
	}
	return p.say("outages.number", o.Number)
}

func (p *sheet) lasted(o ShortOutage) string {
	if o.Ended.IsZero() {
		return p.length(o.LengthS) + ", " + p.say("outage.goeson")
	}
	return p.length(o.LengthS)
}

// section begins a part of a report.
func (p *sheet) section(key string) { p.put(`<section><h2>%s</h2>`, p.say(key)) }

func (p *sheet) causes(o OutageReport) {
	p.section("outage.why")
	what := p.sayOr("verdict.", string(o.Verdict))
	if o.Drill { // nothing was out of reach
		what = p.say("drill")
	}
	p.put(`<div class="card"><p><strong>%s</strong> %s</p>`, what, p.reason(o.Why))
	if len(o.Evidence) > 0 {
		p.put(`<h3>{outage.evidence}</h3><ul class="points">`)
		for _, e := range o.Evidence {
			p.put(`<li>%s</li>`, p.reason(e))
		}
		p.put(`</ul>`)
	}
	p.put(`</div></section>`)
}

// course is the timeline.
func (p *sheet) course(o OutageReport) {
	lost, back := "outage.lost", "outage.back"
	if o.Drill {
		lost, back = "outage.lost.drill", "outage.back.drill"
	}
	p.section("outage.course")
	p.put(`<ol class="card times">`)
	p.courseStep(o.Lost, p.say(lost), "")
	p.courseStep(o.Began, p.say("outage.began"), "")
	for _, l := range o.Later {
		p.courseStep(l.At, p.say("outage.later", p.sayOr("verdict.", string(l.Verdict))), l.Why)
	}
	p.courseStep(o.Back, p.say(back), "")
	p.courseStep(o.Ended, p.say("outage.ended"), "")
	p.put(`</ol></section>`)
}

func (p *sheet) courseStep(at time.Time, what, why string) {
	if !at.IsZero() {
		p.put(`<li>%s<p>%s <span class="why">%s</span></p></li>`, p.stamp(at), what, p.reason(why))
	}
}

// deeds are what Veilleuse did, as figures.
func (p *sheet) deeds(o OutageReport) {
	p.section("outage.deeds")
	p.put(`<dl class="card figures">`)
	if o.SlotsDue > 0 {
		p.put(`<div><dt>{outage.slots}</dt><dd>{outage.of}</dd></div>`, p.length(int(gateway.SlotGrace.Seconds())), o.SlotsKept, o.SlotsDue)
	}
	p.put(`<div><dt>{outage.writes}</dt><dd>%d</dd></div><div><dt>{outage.spared}</dt><dd>%d</dd></div><div><dt>{outage.wishes}</dt><dd>%d</dd></div>`+
		`<div><dt>{outage.alarms}</dt><dd>%d</dd></div><div><dt>{outage.relapses}</dt><dd>%d</dd></div></dl></section>`, o.Writes, o.Spared, o.Wishes, o.Alarms, o.Relapses)
}

// comfort is how warm each room was kept.
func (p *sheet) comfort(o OutageReport) {
	p.section("outage.comfort")
	if len(o.Rooms) == 0 {
		p.put(`<p class="empty card">{outage.comfort.none}</p></section>`)
		return
	}
	p.put(`<div class="card"><table><thead><tr><th scope="col">{outage.room}</th><th scope="col">{outage.comfort.below}</th><th scope="col">{outage.comfort.over}</th><th scope="col">{outage.comfort.not}</th></tr></thead><tbody>`)
	for _, room := range o.Rooms {
		below := "–"
		if room.BelowKH != nil {
			below = p.say("outage.comfort.unit", p.number(*room.BelowKH, 2))
		}
		p.put(`<tr><th scope="row">%s</th><td>%s</td><td>%s h</td><td>%s h</td></tr>`, orElse(room.Name, string(room.ID)), below, p.number(room.MeasuredH, 1), p.number(room.UnknownH, 1))
	}
	p.put(`</tbody></table><p class="hint">{outage.comfort.hint}</p></div></section>`)
}

// served are the alarms, with who was told and when.
func (p *sheet) served(o OutageReport) {
	if o.Alarms == 0 && len(o.Served) == 0 {
		return
	}
	p.section("outage.served")
	p.put(`<div class="card">`)
	for _, al := range o.Served {
		v := alarmOf(al)
		p.put(`<h3>{of}</h3><ol class="times"><li>%s<p>%s</p></li>`, p.sayOr("alarm.", v.Kind), orElse(v.Name, v.Device), p.stamp(v.Since), p.reason(v.Why))
		slices.SortStableFunc(v.Told, func(x, y toldView) int { return x.At.Compare(y.At) })
		for _, t := range v.Told {
			p.put(`<li>%s<p><strong>%s</strong> %s`, p.stamp(t.At), p.word("path", t.Path), p.proof(t, p.second))
			if t.Times > 1 { // the plan repeats itself, and of its rounds only the last one is kept
				p.put(` <span class="why">· {outage.rounds}</span>`, t.Times)
			}
			p.put(`</p></li>`)
		}
		if !v.Answered.IsZero() {
			p.put(`<li>%s<p>{alarm.answered}</p></li>`, p.stamp(v.Answered), p.second(v.Answered), p.word("who", v.By))
		}
		if !v.Ended.IsZero() {
			p.put(`<li>%s<p>{alarm.cleared}</p></li>`, p.stamp(v.Ended))
		}
		p.put(`</ol>`)
	}
	if gone := o.Alarms - len(o.Served); gone > 0 {
		p.put(`<p class="hint">{outage.served.lost}</p>`, gone)
	}
	p.put(`</div></section>`)
}

// handed is what was settled with the cloud at the end.
func (p *sheet) handed(o OutageReport) {
	p.section("outage.handed")
	switch {
	case len(o.HandedBack) > 0:
		p.put(`<ul class="card points">`)
		for _, line := range o.HandedBack {
			p.put(`<li>%s</li>`, p.reason(line))
		}
		p.put(`</ul></section>`)
	case o.Ended.IsZero():
		p.put(`<p class="empty card">{outage.handed.not}</p></section>`)
	default:
		p.put(`<p class="empty card">{outage.handed.none}</p></section>`)
	}
}

// decisions are what was decided, and why, in the words of that time.
func (p *sheet) decisions(o OutageReport) {
	if len(o.Decisions) == 0 {
		return
	}
	p.section("outage.decisions")
	p.put(`<ol class="card times">`)
	hole := o.Hole()
	for i, d := range o.Decisions {
		if o.LeftOut > 0 && i == hole {
			p.put(`<li class="hint">{outage.leftout}</li>`, o.LeftOut)
		}
		p.put(`<li>%s<p><strong>%s</strong> <span class="why">%s</span></p></li>`, p.stamp(d.At), p.reason(d.What), p.reason(d.Why))
	}
	p.put(`</ol></section>`)
}

// lateOutage is how long an outage that is over is pointed to.
const lateOutage = 7 * 24 * time.Hour

// outageView is the outage that the house points to.
type outageView struct {
	Number uint64 `json:"number"`
	Drill  bool   `json:"drill"`
	GoesOn bool   `json:"goes_on"`
}

// outageOn is the outage that goes on or was lately; nil: there is none.
func outageOn(s gateway.State) *outageView {
	o, known := s.LastOutage()
	if !known || !o.Open() && s.At.Sub(o.Ended) > lateOutage {
		return nil
	}
	return &outageView{o.Number, o.Drill, o.Open()}
}

// lastOutage leads to the report of the outage that goes on or was lately.
func (p *sheet) lastOutage() {
	o := p.house.Outage
	if o == nil {
		return
	}
	key := "outage.see.last"
	switch {
	case o.GoesOn:
		key = "outage.see.now"
	case o.Drill:
		key = "outage.see.drill"
	}
	p.put(`<p class="see"><a href="/outages/%d">%s</a></p>`, o.Number, p.say(key))
}
