package web

import (
	"encoding/json"
	"errors"
	"html"
	"net/http"
	"strconv"
	"strings"
)

// careShown is what came of a deed, as the page shows it next to the thing.
type careShown struct {
	place  string // which part of the page it belongs to
	id     string // of the accessory or the upload
	result any
	err    error
}

// care shows how the house is kept.
func (a *Adapter) care(w http.ResponseWriter, r *http.Request) { a.careAnswer(w, r, careShown{}) }

func (a *Adapter) careAnswer(w http.ResponseWriter, r *http.Request, shown careShown) {
	status := http.StatusOK
	if shown.err != nil {
		status = http.StatusUnprocessableEntity
	}
	a.aside(w, r, status, "care", func(p *sheet) {
		p.put(`<h1>{care}</h1>`)
		p.careBackup(a, shown)
		p.careRestore(shown)
		p.carePairings(a, shown)
		p.careBundle(shown)
		p.carePassword(shown)
	})
}

// outcome says next to the thing what came of it.
func (p *sheet) outcome(shown careShown, place string) {
	if shown.place != place {
		return
	}
	switch done := shown.result.(type) {
	case said:
		p.put(`<p class="done" role="status">%s</p>`, p.inWords(done))
	case afterwards:
		p.put(`<p class="done" role="status">%s</p>`, p.inWords(done.said))
	}
	if shown.err != nil {
		p.put(`<p class="refusal" role="alert">%s</p>`, p.fault(shown.err))
	}
}

func (p *sheet) inWords(s said) markup {
	if s.key == "" {
		return p.reason(s.Said)
	}
	return markup(html.EscapeString(p.say(s.key, s.args...)))
}

// fault is what went wrong, in the page's language where it has words for it.
func (p *sheet) fault(err error) markup {
	var known Fault
	if errors.As(err, &known) {
		return markup(html.EscapeString(p.say(string(known))))
	}
	return p.reason(err.Error())
}

// carePart begins a part of the page.
func (p *sheet) carePart(place string, shown careShown) {
	p.put(`<section id="%s" aria-labelledby="%s-title"><h2 id="%s-title">%s</h2><div class="card keep">`, place, place, place, p.say("care."+place))
	p.outcome(shown, place)
}

// field is a labelled field of a form.
func (p *sheet) field(place, name, label, kind, more string) {
	p.put(`<div><label for="%s-%s">%s</label><input id="%s-%s" name="%s" type="%s" %s></div>`, place, name, p.say(label), place, name, name, kind, markup(more))
}

func (p *sheet) careBackup(a *Adapter, shown careShown) {
	p.carePart("backup", shown)
	if a.options.Backup != nil {
		if newest := a.options.Backup().State; newest.IsZero() {
			p.put(`<p>{care.nobackup}</p>`)
		} else {
			p.put(`<p>{care.newest}</p>`, p.moment(newest))
		}
	}
	p.put(`<form method="post" action="/care/keep" class="line"><button>{care.keep}</button></form>`)
	p.put(`<form method="post" action="/care/backup" class="fields">`)
	if a.options.Care != nil && a.options.Care.Sealed() {
		p.put(`<p class="hint">{care.sealed}</p>`)
	} else {
		p.put(`<p class="hint">{care.clear}</p>`)
		p.field("backup", "passphrase", "care.passphrase", "password", `minlength="12" maxlength="256" autocomplete="new-password"`)
		p.field("backup", "again", "care.again", "password", `maxlength="256" autocomplete="new-password"`)
	}
	p.put(`<button class="main">{care.download}</button></form></div></section>`)
}

func (p *sheet) careRestore(shown careShown) {
	p.carePart("restore", shown)
	found, whole := shown.result.(Restorable)
	switch {
	case shown.place == "restore" && whole && shown.err == nil:
		p.restorable(found)
	case shown.place == "restore" && shown.id != "" && (errors.Is(shown.err, ErrNeedsKey) || errors.Is(shown.err, ErrWrongKey)):
		p.put(`<form method="post" action="/care/look#restore" class="fields"><input type="hidden" name="id" value="%s">`, shown.id)
		p.field("restore", "passphrase", "care.passphrase", "password", `required maxlength="256" autocomplete="off" autofocus`)
		p.put(`<button class="main">{care.open}</button></form>`)
	default:
		p.put(`<p class="hint">{care.restore.lead}</p><form method="post" action="/care/look#restore" enctype="multipart/form-data" class="fields">`)
		p.field("restore", "file", "care.file", "file", "required")
		p.field("restore", "passphrase", "care.passphrase.if", "password", `maxlength="256" autocomplete="off"`)
		p.put(`<button class="main">{care.look}</button></form>`)
	}
	p.put(`</div></section>`)
}

// restorable shows what is in a backup beside what is here, and asks whether that is meant.
func (p *sheet) restorable(found Restorable) {
	how := "care.inclear"
	if found.Sealed {
		how = "care.encrypted"
	}
	made := p.moment(found.Made)
	if !found.Dated {
		made += " (" + p.say("care.undated") + ")"
	}
	p.put(`<p><strong>{care.whole}</strong> {care.made}</p>`, found.Records, made, found.Program, p.say(how))
	p.put(`<table><thead><tr><th scope="col"><span class="aside">{care.what}</span></th><th scope="col">{care.here}</th><th scope="col">{care.there}</th></tr></thead><tbody>`)
	row := func(key, here, there string) {
		class := ""
		if here != there {
			class = "changes"
		}
		p.put(`<tr class="%s"><th scope="row">%s</th><td>%s</td><td>%s</td></tr>`, class, p.say(key), orElse(here, "–"), orElse(there, "–"))
	}
	count := func(key string, here, there int) { row(key, strconv.Itoa(here), strconv.Itoa(there)) }
	signed := [2]string{p.say("no"), p.say("yes")}
	here, there := found.Here, found.There
	row("care.home", here.Home, there.Home)
	row("care.bridge", here.Bridge, there.Bridge)
	count("care.controllers", here.Controllers, there.Controllers)
	count("care.accessories", here.Accessories, there.Accessories)
	row("care.signedin", signed[int(oneIf(here.SignedIn))], signed[int(oneIf(there.SignedIn))])
	count("rooms", here.Rooms, there.Rooms)
	count("devices", here.Devices, there.Devices)
	count("outages", here.Outages, there.Outages)
	count("care.decisions", here.Decisions, there.Decisions)
	count("care.state", here.State, there.State)
	p.put(`</tbody></table>`)
	if len(found.Files) > 0 {
		p.put(`<ul class="points">`)
		for _, f := range found.Files {
			p.put(`<li><code>%s</code> %s</li>`, f.Path, p.say("care.file."+f.Fate))
		}
		p.put(`</ul>`)
	}
	p.put(`<p>{care.restore.what}</p>`)
	p.put(`<form method="post" action="/care/restore#restore" class="fields"><input type="hidden" name="id" value="%s">`, found.ID)
	p.sure("restore", p.say("care.restore.sure"))
	p.put(`<button class="main">{care.restore.go}</button></form><p><a href="/care#restore">{care.cancel}</a></p>`)
}

// sure is what has to be ticked before something that cannot be taken back.
func (p *sheet) sure(id, question string) {
	p.put(`<label class="check" for="%s-sure"><input id="%s-sure" type="checkbox" name="sure" value="true" required> %s</label>`, id, id, question)
}

func (p *sheet) carePairings(a *Adapter, shown careShown) {
	p.carePart("pairings", shown)
	defer p.put(`</div></section>`)
	if a.options.Care == nil {
		p.put(`<p class="empty">{care.nothere}</p>`)
		return
	}
	all, err := a.options.Care.Pairings()
	if err != nil {
		p.put(`<p class="refusal" role="alert">%s</p>`, p.fault(err))
	}
	p.put(`<h3>{care.accessories}</h3>`)
	if len(all.Accessories) == 0 {
		p.put(`<p class="empty">{care.noaccessory}</p>`)
	}
	p.put(`<ul class="list">`)
	for _, one := range all.Accessories {
		p.pairedAccessory(one, shown)
	}
	p.put(`</ul><h3>{care.bridges}</h3><ul class="list">`)
	for _, b := range all.Bridges {
		p.put(`<li><strong>%s</strong> <span class="hint">%s</span>`, b.Name, b.ID)
		p.controllers("", b.Controllers)
		p.put(`</li>`)
	}
	p.put(`</ul><p class="hint">{care.bridges.hint}</p>`)
}

func (p *sheet) pairedAccessory(one PairedAccessory, shown careShown) {
	anchored := accessoryAnchor(one.ID)
	p.put(`<li id="%s"><strong>%s</strong> <span class="hint">%s · %s · %s · {since.date}</span>`, anchored, orElse(one.Name, one.ID), one.ID, one.Model, one.Address, p.moment(one.Since))
	if shown.id == one.ID {
		p.asked(one, shown)
	}
	p.put(`<p><a href="/care/pairings/%s#%s">{care.who}</a></p><details><summary>{care.unpair}<span class="aside"> %s</span></summary>`+
		`<form method="post" action="/care/unpair#pairings" class="fields"><input type="hidden" name="id" value="%s"><p class="hint">{care.unpair.what}</p>`, one.ID, anchored, one.Name, one.ID)
	p.sure(anchored, p.say("care.unpair.sure", orElse(one.Name, one.ID)))
	p.put(`<button>{care.unpair}</button></form></details></li>`)
}

// asked is what an accessory said of its controllers, and how to add another.
func (p *sheet) asked(one PairedAccessory, shown careShown) {
	p.outcome(shown, "share")
	if s, is := shown.result.(Shared); is && shown.err == nil {
		needs, _ := json.MarshalIndent(s, "", " ") // texts and a number
		p.put(`<p class="done" role="status">{care.shared}</p><pre>%s</pre>`, s.Name, string(needs))
	}
	all, is := shown.result.([]Controller)
	if is && shown.err == nil {
		p.controllers(one.ID, all)
	}
	if !is && shown.place != "share" {
		return
	}
	p.put(`<details open><summary>{care.share}</summary><form method="post" action="/care/share#%s" class="fields"><input type="hidden" name="id" value="%s"><p class="hint">{care.share.what}</p>`, accessoryAnchor(one.ID), one.ID)
	p.field(accessoryAnchor(one.ID), "controller", "care.controller", "text", `required maxlength="72" autocomplete="off"`)
	p.field(accessoryAnchor(one.ID), "key", "care.key", "text", `required maxlength="64" autocomplete="off"`)
	p.put(`<label class="check"><input type="checkbox" name="admin" value="true" checked> {care.admin.may}</label><button>{care.share}</button></form></details>`)
}

// controllers lists who may control something; those of an accessory but ourselves can be taken away.
func (p *sheet) controllers(id string, all []Controller) {
	if len(all) == 0 {
		p.put(`<p class="empty">{care.nobody}</p>`)
		return
	}
	p.put(`<ul class="points">`)
	for _, c := range all {
		may := p.say("care.user")
		if c.Admin {
			may = p.say("care.admin")
		}
		if c.Own {
			may += ", " + p.say("care.own")
		}
		p.put(`<li><code>%s</code> %s`, printable(c.ID), may)
		if id != "" && !c.Own {
			p.put(`<details><summary>{care.remove}<span class="aside"> %s</span></summary><form method="post" action="/care/remove#pairings" class="line"><input type="hidden" name="id" value="%s"><input type="hidden" name="controller" value="%s">`, printable(c.ID), id, c.ID)
			p.sure(accessoryAnchor(id+"-"+c.ID), p.say("care.remove.sure"))
			p.put(`<button>{care.remove}</button></form></details>`)
		}
		p.put(`</li>`)
	}
	p.put(`</ul>`)
}

func (p *sheet) careBundle(shown careShown) {
	p.carePart("bundle", shown)
	p.put(`<p class="hint">{care.bundle.what}</p><form method="post" action="/care/bundle"><button>{care.bundle.go}</button></form></div></section>`)
}

func (p *sheet) carePassword(shown careShown) {
	p.carePart("password", shown)
	p.put(`<form method="post" action="/care/password#password" class="fields">`)
	p.field("password", "password", "care.password.old", "password", `required maxlength="256" autocomplete="current-password"`)
	p.field("password", "new", "care.password.new", "password", `required minlength="8" maxlength="256" autocomplete="new-password"`)
	p.field("password", "again", "password.again", "password", `required minlength="8" maxlength="256" autocomplete="new-password"`)
	p.put(`<button class="main">{care.password.set}</button></form></div></section>`)
	p.carePart("sessions", shown)
	p.put(`<p class="hint">{care.sessions.what}</p><form method="post" action="/care/sign-out#sessions"><button>{care.sessions.go}</button></form></div></section>`)
}

// printable is a controller's id as it may be shown: it can be any bytes.
func printable(id string) string {
	return strings.Map(func(r rune) rune {
		if !strconv.IsPrint(r) {
			return '·'
		}
		return r
	}, id)
}
