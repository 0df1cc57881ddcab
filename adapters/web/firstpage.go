package web

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"rsc.io/qr"

	"github.com/veilleuse/veilleuse/gateway"
)

// firstPageText is every page of the first run, with gaps for a stencil: the tree is what GET /api/first answers, and what
// firstTree adds.
var firstPageText = sync.OnceValue(func() string { return unpacked("first.html")["first.html"] })

// firstSheet is a page of the first run as its stencil reads it: what GET /api/first answers, and what only the page needs.
type firstSheet struct {
	firstView
	Step    string            `json:"step"` // or card, or return
	Build   string            `json:"build"`
	Before  string            `json:"before"`
	Onward  string            `json:"onward"`
	Back    string            `json:"back"`  // where the vendor sends the browser
	Login   string            `json:"login"` // at the vendor
	Host    string            `json:"host"`
	Port    string            `json:"port"`
	Users   string            `json:"users"`
	Waits   bool              `json:"waits"`
	Value   map[string]string `json:"value"` // of fields
	Wrong   *wrongField       `json:"wrong"`
	List    []shownAccessory  `json:"list"`
	Squares []shownCode       `json:"squares"`
	Left    string            `json:"left"` // steps, in words
	Count   int               `json:"count"`
	Code    string            `json:"code"` // of the vendor
	State   string            `json:"state"`
}

// wrongField is what was refused.
type wrongField struct {
	Field string `json:"field"`
	Of    string `json:"of"`  // anchor of the accessory
	App   bool   `json:"app"` // it is of the application
}

// shownAccessory is an accessory that was found, or with an empty id the one that a person names by its address.
type shownAccessory struct {
	FirstAccessory
	Anchor  string   `json:"anchor"`
	State   string   `json:"state"`
	Tone    string   `json:"tone"`
	Says    string   `json:"says"`
	Does    []string `json:"does"`
	Room    string   `json:"room"`
	Address string   `json:"address"`
	Open    bool     `json:"open"`
}

// shownCode is a bridge with its QR code as a path in SVG.
type shownCode struct {
	FirstBridge
	Side int    `json:"side"`
	Path string `json:"path"`
}

// draw fills the stencil.
func (f firstSheet) draw(p *sheet, wrong *fault) {
	f.Build = served().build
	text, _ := json.Marshal(f)
	var tree any
	_ = json.Unmarshal(text, &tree) // it was written a line above
	p.stencil(f.firstView, wrong).fill(firstPageText(), []any{tree}, false)
}

// showFirst shows a step: what was refused stands next to its field, and what was typed stands in it.
func (a *Adapter) showFirst(w http.ResponseWriter, r *http.Request, step string, wrong *fault, said map[string]string) {
	p := sheetOf(a.view(a.shown()), languageOf(r), a.now()) // with its alarms
	f := firstSheet{firstView: a.firstView().versioned(), Step: step, Back: redirectOf(r), Host: r.Host, Value: map[string]string{}}
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		f.Host = host
	}
	if step == "netatmo" && f.Application != "" {
		f.Login, _ = a.first.loginFor(hashOf(tokenOf(r)), f.Back, p.now) // without it, the token is left
	}
	status := http.StatusOK
	if wrong != nil {
		status = http.StatusUnprocessableEntity
		f.Wrong = &wrongField{wrong.field, accessoryAnchor(said["id"]), wrong.field == "client" || wrong.field == "secret"}
	}
	f.complete(said)
	p.head(p.say("first."+step) + " · " + p.say("app"))
	f.draw(p, wrong)
	p.send(w, status)
}

// stencil fills the pages of the first run.
func (p *sheet) stencil(v firstView, wrong *fault) *stencil {
	return &stencil{p, map[string]func(string) markup{
		"sign": func(string) markup { return flame },
		"age": func(at string) markup {
			t, _ := time.Parse(time.RFC3339, at) // of our own making
			return p.age(t)
		},
		"top":      p.drawn(func() { p.top("run", p.say("app"), "main", p.say("aside.skip"), "first.css", "first.js") }),
		"above":    p.drawn(p.above),
		"again":    p.drawn(p.again),
		"bad":      func(string) markup { return `aria-invalid="true" aria-describedby="fault" autofocus` },
		"check":    func(name string) markup { return asText(p.sayOr("check.", name)) },
		"standing": func(string) markup { return p.signStanding(v) },
		"fault": func(string) markup {
			text := p.reason(wrong.why)
			if wrong.key != "" {
				text = asText(p.say(wrong.key))
			}
			return `<p class="refusal" role="alert" id="fault">` + text + `</p>`
		},
	}}
}

// drawn has a stencil draw what writes itself.
func (p *sheet) drawn(draw func()) func(string) markup {
	return func(string) markup {
		draw()
		return ""
	}
}

// complete adds what the page of a step needs.
func (f *firstSheet) complete(said map[string]string) {
	at := slices.Index(firstSteps, f.Step)
	f.Waits, f.Onward = f.waits(f.Step), "next"
	if at > 0 {
		f.Before = firstSteps[at-1]
	}
	switch state := f.Steps[at].State; {
	case at == len(firstSteps)-1:
		f.Onward = "house"
	case state != stepDone && state != stepNone && f.Step != "mqtt":
		f.Onward = "later"
	}
	for key, text := range f.Typed {
		if name, mine := strings.CutPrefix(key, f.Step+"."); mine {
			f.Value[name] = text
		}
	}
	maps.Copy(f.Value, said)
	if said != nil {
		f.Value["room "+said["id"]] = said["room"]
	}
	switch f.Step {
	case "accessories":
		for _, a := range append(slices.Clone(f.Found), FirstAccessory{}) {
			f.List = append(f.List, f.accessory(a, said))
		}
	case "homekit":
		for _, b := range f.Bridges {
			side, path := drawQR(b.URI)
			f.Squares = append(f.Squares, shownCode{b, side, path})
		}
	}
	_, f.Port, _ = net.SplitHostPort(f.Broker.Listen)
	if f.Users = f.Broker.Users; !f.Broker.LAN { // as it would be
		f.Port, f.Users = "1883", orElse(f.Users, "/etc/veilleuse/users")
	}
}

// waits reports whether the page of a step is to look again by itself.
func (v firstView) waits(step string) bool {
	kinds := "look pair" // what is done at the step
	switch step {
	case "netatmo", "home":
		if kinds = "sign-in"; v.asks() {
			return true
		}
	case "homekit":
		return v.stateOf("homekit", "") != stepDone
	case "ear":
		kinds = "learn"
	case "check":
		kinds = "check"
	}
	for kind := range v.Working {
		if strings.Contains(kinds, kind) {
			return true
		}
	}
	return false
}

// asks reports whether the vendor has not answered yet since somebody signed in.
func (v firstView) asks() bool {
	return v.SignedIn && v.Application != "" && v.Plan == "" && !v.HomeOpen && v.Fault == ""
}

// accessory is one that was found, or the one that is named by its address, as the page shows it.
func (f *firstSheet) accessory(a FirstAccessory, said map[string]string) shownAccessory {
	of := orElse(a.ID, f.Typed["accessories.address"])
	outcome, tried := f.Pairing[of]
	w, works := f.Working["pair"]
	s := shownAccessory{FirstAccessory: a, Anchor: accessoryAnchor(a.ID), Tone: "bad", Says: outcome.Says, Does: outcome.Steps, Room: f.Value["room "+a.ID],
		Address: f.Value["address"], Open: of != "" || said != nil && said["id"] == ""}
	s.Name = orElse(a.Name, a.ID)
	switch {
	case works && w.Of == of:
		s.State, s.Tone = "busy", "busy"
	case a.Paired == "here" || tried && outcome.Kind == "":
		s.State, s.Tone = "here", "good"
	case tried:
		s.State = outcome.Kind
	case a.Paired == "elsewhere":
		s.State, s.Tone = "elsewhere", "doubt"
	}
	return s
}

// accessoryAnchor is the id of an accessory in a page, and of what is said about it: letters, digits and hyphens.
func accessoryAnchor(id string) string {
	return "acc-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(id))
}

// signStanding is how the sign-in stands, and whether the vendor is there at all.
func (p *sheet) signStanding(v firstView) markup {
	kind, key, why, gap := "", "", "", []any(nil)
	_, signs := v.Working["sign-in"]
	switch {
	case signs:
		kind, key = "busy", "first.sign.busy"
	case v.SignInErr != "" && !v.SignedIn:
		kind, key, why = "bad", "first.sign.failed", v.SignInErr
	case !v.SignedIn || v.Application == "":
	case v.Plan != "":
		kind, key, gap = "good", "first.plan", []any{v.Plan}
	case v.HomeOpen:
		kind, key, gap = "good", "first.sign.homes", []any{fmt.Sprint(len(v.Homes))}
	case v.Fault != "":
		kind, key, why = "bad", "first.sign.bad", v.Fault
	default:
		kind, key = "busy", "first.sign.asks"
	}
	var text markup
	if key != "" {
		text = markup(`<p class="news `+kind+`" role="status">`) + asText(p.say(key, gap...)) + " " + p.reason(why) + "</p>"
	}
	switch gateway.Verdict(v.Cloud) {
	case "", gateway.VerdictUnknown, gateway.VerdictOK, gateway.VerdictAuthRevoked:
		return text
	}
	return text + `<p class="news doubt" role="status">` + asText(p.say("first.down", p.sayOr("verdict.", v.Cloud))) + " " + p.reason(v.Why) + "</p>"
}

// drawQR draws a text as a QR code: the path of its dark squares in SVG, and the side of the whole with the margin that scanners
// want.
func drawQR(text string) (side int, path string) {
	const margin = 4
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return 0, "" // the code stands beside it in digits
	}
	var b strings.Builder
	for y := range code.Size {
		for x := range code.Size {
			if code.Black(x, y) {
				fmt.Fprintf(&b, "M%d %dh1v1h-1z", x+margin, y+margin)
			}
		}
	}
	return code.Size + 2*margin, b.String()
}

// firstCard reminds people on the house's page of what is left of the first run.
func (p *sheet) firstCard() {
	f := firstSheet{Step: "card", Count: len(p.house.First)}
	var words []string
	for _, step := range p.house.First {
		words = append(words, p.say("first."+step))
	}
	if f.Left = strings.Join(words, " · "); f.Count > 0 {
		f.draw(p, nil)
	}
}
