package web

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// firstBody is what a call of the first run may bring: a token's JSON has the names of all its rights in it.
const firstBody = 8 << 10

// fault is what is wrong with one field of a step: a text of the page, or the house's own words.
type fault struct{ field, key, why string }

// secretFields are kept by nobody, and never shown again.
var secretFields = []string{"secret", "token", "code", "state"}

// firstRoot leads to the step that is next.
func (a *Adapter) firstRoot(w http.ResponseWriter, r *http.Request) {
	if a.first.ask == nil {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	next := firstSteps[0]
	if left := a.firstView().left(); len(left) > 0 {
		next = left[0]
	}
	http.Redirect(w, r, "/first/"+next, http.StatusSeeOther)
}

// firstPage shows one step.
func (a *Adapter) firstPage(w http.ResponseWriter, r *http.Request) {
	if step, ok := a.stepOf(w, r); ok {
		a.showFirst(w, r, step, nil, nil)
	}
}

// stepOf is the step that a request is about; what is none is answered.
func (a *Adapter) stepOf(w http.ResponseWriter, r *http.Request) (string, bool) {
	step := r.PathValue("step")
	if a.first.ask == nil || !slices.Contains(firstSteps, step) {
		refuse(w, http.StatusNotFound, "there is no such step; the steps are "+strings.Join(firstSteps, ", "))
		return "", false
	}
	return step, true
}

// firstDo takes a form of a step, and leads on; what is wrong stands next to its field, with what was typed.
func (a *Adapter) firstDo(w http.ResponseWriter, r *http.Request) {
	step, ok := a.stepOf(w, r)
	if !ok {
		return
	}
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the form is not readable: "+err.Error())
		return
	}
	fields := map[string]string{}
	for name := range r.PostForm {
		fields[name] = strings.TrimSpace(r.PostForm.Get(name))
	}
	if wrong := a.actFirst(r, step, fields); wrong != nil {
		a.showFirst(w, r, step, wrong, fields)
		return
	}
	http.Redirect(w, r, a.after(step, fields), http.StatusSeeOther)
}

// after is where a form leads.
func (a *Adapter) after(step string, fields map[string]string) string {
	at, page := slices.Index(firstSteps, step), step
	switch fields["do"] {
	case "next":
		if at++; at == len(firstSteps) {
			return "/"
		}
		page = firstSteps[at]
	case "over":
		return "/"
	case "pair":
		if fields["id"] != "" {
			page += "#" + accessoryAnchor(fields["id"])
		}
	}
	return "/first/" + page
}

// firstAnswer is the answer to a call.
type firstAnswer struct {
	Accepted bool   `json:"accepted"`
	Field    string `json:"field,omitempty"` // what is wrong is this
	Why      string `json:"why,omitempty"`
	Open     string `json:"open,omitempty"` // a page to open in the browser that calls
}

// apiFirst tells how far the first run is.
func (a *Adapter) apiFirst(w http.ResponseWriter, _ *http.Request) {
	if a.first.ask == nil {
		refuse(w, http.StatusNotFound, "this house has no first run")
		return
	}
	answer(w, http.StatusOK, a.firstView().versioned())
}

// apiFirstDo takes the fields of a step as JSON.
func (a *Adapter) apiFirstDo(w http.ResponseWriter, r *http.Request) {
	step, ok := a.stepOf(w, r)
	if !ok {
		return
	}
	fields := map[string]string{}
	if err := json.NewDecoder(r.Body).Decode(&fields); err != nil {
		answer(w, http.StatusUnprocessableEntity, firstAnswer{Why: `the request is not readable; expected fields of text, as in {"do":"next"}`})
		return
	}
	wrong := a.actFirst(r, step, fields)
	if wrong == nil {
		reply := firstAnswer{Accepted: true}
		if fields["do"] == "sign-in" {
			reply.Open, _ = a.first.loginFor(hashOf(tokenOf(r)), redirectOf(r), a.now())
		}
		answer(w, http.StatusOK, reply)
		return
	}
	p := &sheet{in: languageOf(r)}
	answer(w, http.StatusUnprocessableEntity, firstAnswer{Field: wrong.field, Why: orElse(wrong.why, p.say(wrong.key))})
}

// actFirst does one thing of a step. The same function serves forms and calls.
func (a *Adapter) actFirst(r *http.Request, step string, fields map[string]string) *fault {
	defer a.first.again()
	switch do := fields["do"]; step + " " + do {
	case "netatmo application":
		return a.setApplication(fields)
	case "netatmo token":
		return a.setToken(fields)
	case "netatmo sign-in":
		_, err := a.first.loginFor(hashOf(tokenOf(r)), redirectOf(r), a.now())
		return wordsFault("sign-in", err)
	case "netatmo return":
		return a.returnedFrom(r, fields["code"], fields["state"])
	case "home choose":
		return a.chooseHome(fields["home"])
	case "accessories look":
		return a.lookAround()
	case "accessories pair":
		return a.pair(fields)
	case "ear learn":
		return a.learn(fields)
	case "check look":
		return a.diagnose()
	default:
		return a.noted(step, do, fields)
	}
}

// noted keeps what was typed, or that a step is done or put off, or that nobody is to be reminded.
func (a *Adapter) noted(step, do string, fields map[string]string) *fault {
	state, known := stepDone, true
	for _, s := range a.firstView().Steps {
		if s.Name == step && s.State == stepOpen && step != "mqtt" && step != "check" {
			state = stepLater
		}
	}
	err := a.first.keep(func(p *progress) {
		switch do {
		case "keep":
			p.typed(step, typedOf(fields))
		case "next":
			p.Marks[step] = state
		case "over":
			p.Over = true
		default:
			known = false
		}
	})
	if !known {
		return &fault{field: "do", why: "this step knows nothing of that kind to do; all know next, keep and over"}
	}
	return wordsFault("do", err)
}

// typedOf are the fields that may be kept.
func typedOf(fields map[string]string) map[string]string {
	typed := maps.Clone(fields)
	maps.DeleteFunc(typed, func(name, _ string) bool {
		base, _, _ := strings.Cut(name, " ")
		return name == "do" || slices.Contains(secretFields, base)
	})
	return typed
}

func wordsFault(field string, err error) *fault {
	if err == nil {
		return nil
	}
	return &fault{field: field, why: err.Error()}
}

// setApplication keeps the person's own application.
func (a *Adapter) setApplication(f map[string]string) *fault {
	stand, _ := a.first.stands()
	switch {
	case stand.Application == "file":
		return &fault{field: "client", key: "first.app.file"}
	case f["client"] == "":
		return &fault{field: "client", key: "first.app.noid"}
	case f["secret"] == "":
		return &fault{field: "secret", key: "first.app.nosecret"}
	}
	if err := a.first.ask.Application(f["client"], f["secret"]); err != nil {
		return wordsFault("client", err)
	}
	a.first.dropLogins()
	return wordsFault("client", a.first.keep(func(p *progress) { p.forget("netatmo.") }))
}

// setToken keeps a sign-in that the vendor's page generated.
func (a *Adapter) setToken(f map[string]string) *fault {
	stand, _ := a.first.stands()
	switch {
	case stand.Application == "":
		return &fault{field: "client", key: "first.app.first"}
	case f["token"] == "":
		return &fault{field: "token", key: "first.token.none"}
	}
	return wordsFault("token", a.first.ask.Token(f["token"]))
}

// chooseHome says which home is meant; one that the account no longer shows is none.
func (a *Adapter) chooseHome(id string) *fault {
	stand, _ := a.first.stands()
	switch {
	case a.firstView().Plan != "":
		return &fault{field: "home", key: "first.home.taken"}
	case !slices.ContainsFunc(stand.Homes, func(h FirstHome) bool { return h.ID == id }):
		return &fault{field: "home", key: "first.home.gone"}
	}
	return wordsFault("home", a.first.ask.Choose(id))
}

// lookAround looks for accessories.
func (a *Adapter) lookAround() *fault {
	now := a.now()
	a.first.begin("look", "", now, func(ctx context.Context) func(*firstResults) { // who asks twice has asked once
		found, err := a.first.ask.Discover(ctx)
		return func(done *firstResults) {
			if done.LookErr = wordsOf(err); err == nil {
				done.Found, done.Looked = found, now
			}
		}
	})
	return nil
}

// pair pairs an accessory: of the list by its id, or another one by its address.
func (a *Adapter) pair(f map[string]string) *fault {
	request := FirstPairing{ID: f["id"], Code: f["code"], Address: f["address"], Room: f["room"]}
	of := orElse(f["id"], f["address"])
	switch {
	case of == "":
		return &fault{field: "address", key: "first.pair.which"}
	case request.Code == "":
		return &fault{field: "code", key: "first.pair.nocode"}
	}
	if a.first.ask.CheckCode(request.Code) != nil {
		return &fault{field: "code", key: "first.pair.badcode"}
	}
	typed := map[string]string{"room " + f["id"]: f["room"]}
	if f["id"] == "" {
		typed["address"] = f["address"]
	}
	if err := a.first.keep(func(p *progress) { p.typed("accessories", typed) }); err != nil {
		return wordsFault("code", err)
	}
	begun := a.first.begin("pair", of, a.now(), func(ctx context.Context) func(*firstResults) {
		outcome := a.first.ask.Pair(ctx, request)
		return func(done *firstResults) { done.paired(of, outcome) }
	})
	if !begun {
		return &fault{field: "code", key: "first.busy"}
	}
	return nil
}

// paired notes what came of a pairing.
func (done *firstResults) paired(of string, outcome FirstPaired) {
	if done.Pairing == nil || len(done.Pairing) >= mostResults {
		done.Pairing = map[string]FirstPaired{}
	}
	done.Pairing[of] = outcome
	for i := range done.Found {
		if outcome.Kind == "" && strings.EqualFold(done.Found[i].ID, of) {
			done.Found = slices.Clone(done.Found)
			done.Found[i].Paired = "here"
		}
	}
}

// learn has the ear learn a detector.
func (a *Adapter) learn(f map[string]string) *fault {
	switch {
	case a.first.ask.Learn == nil:
		return &fault{field: "name", key: "first.ear.none"}
	case f["name"] == "":
		return &fault{field: "name", key: "first.ear.noname"}
	}
	if err := a.first.keep(func(p *progress) { p.typed("ear", typedOf(f)) }); err != nil {
		return wordsFault("name", err)
	}
	begun := a.first.begin("learn", f["name"], a.now(), func(ctx context.Context) func(*firstResults) {
		said, err := a.first.ask.Learn(ctx, f["name"], f["kind"], f["room"])
		if err == nil {
			err = a.first.keep(func(p *progress) { p.forget("ear.") })
		}
		return func(done *firstResults) { done.Learnt, done.LearnErr = said, wordsOf(err) }
	})
	if !begun {
		return &fault{field: "name", key: "first.busy"}
	}
	return nil
}

// diagnose asks whether the house would survive an outage.
func (a *Adapter) diagnose() *fault {
	s := a.newest.Load()
	if s == nil {
		return &fault{field: "do", why: justStarted}
	}
	a.first.begin("check", "", a.now(), func(ctx context.Context) func(*firstResults) {
		report := a.first.ask.Diagnose(ctx, *s)
		return func(done *firstResults) { done.Report = &report }
	})
	return nil
}
