package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/gateway"
)

// firstSteps are the steps of the first run, in their order.
var firstSteps = []string{"netatmo", "home", "accessories", "ear", "homekit", "mqtt", "check"}

// How a step stands.
const (
	stepOpen  = "open"
	stepLater = "later" // put off by the person
	stepDone  = "done"
	stepWaits = "waits" // for another step
	stepNone  = "none"  // there is nothing to do: no microphone is configured
)

// Bounds of the first run.
const (
	standEvery  = time.Second
	workLimit   = 2 * time.Minute // pairing with a small device needs many seconds
	mostTyped   = 40
	longestText = 300 // bytes of what is kept of a field
	mostResults = 64  // accessories whose pairing was tried
	firstKey    = "first"
)

// progress is what lasts of the first run beside what the house itself knows: no secret.
type progress struct {
	Marks map[string]string `json:"marks,omitempty"` // by step: stepDone, stepLater
	Typed map[string]string `json:"typed,omitempty"` // by step and field: what was typed and is not done yet
	Over  bool              `json:"over,omitempty"`  // nobody is to be reminded any more
}

// firstRun is the first run of a house: how far it is, and what is being done for it right now.
type firstRun struct {
	vault   gateway.Vault
	ask     *First
	mu      sync.Mutex
	context context.Context // of the work; it ends with the adapter's
	working sync.WaitGroup
	running map[string]work // by what is done: look, pair, learn, sign-in, check
	kept    *progress       // nil: not read yet
	stand   FirstStand
	fault   string // why stand could not be had
	stoodAt time.Time
	done    firstResults
	logins  map[string]login // by state
}

// work is something that takes its time.
type work struct {
	Of    string    `json:"of,omitempty"` // an accessory
	Since time.Time `json:"since"`
}

// firstResults is what came of the work, until the next restart.
type firstResults struct {
	Found     []FirstAccessory       `json:"found"`
	Looked    time.Time              `json:"looked,omitzero"`
	LookErr   string                 `json:"look_error,omitempty"`
	Pairing   map[string]FirstPaired `json:"pairing,omitempty"` // by accessory
	Learnt    string                 `json:"learnt,omitempty"`
	LearnErr  string                 `json:"learn_error,omitempty"`
	SignInErr string                 `json:"sign_in_error,omitempty"`
	Report    *FirstReport           `json:"report,omitempty"`
}

func newFirstRun(v gateway.Vault, ask *First) *firstRun {
	return &firstRun{vault: v, ask: ask, context: context.Background(), running: map[string]work{}, logins: map[string]login{}}
}

// live has the work end with ctx; the function that it returns waits for that.
func (f *firstRun) live(ctx context.Context) (wait func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.context = ctx
	return f.working.Wait
}

// begin starts work unless some of that kind is being done. do returns how its outcome is noted.
func (f *firstRun) begin(kind, of string, now time.Time, do func(context.Context) func(*firstResults)) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, busy := f.running[kind]; busy || f.context.Err() != nil {
		return false
	}
	f.running[kind] = work{of, now}
	ctx, cancel := context.WithTimeout(f.context, workLimit)
	f.working.Go(func() {
		defer cancel()
		note := do(ctx)
		f.mu.Lock()
		defer f.mu.Unlock()
		note(&f.done)
		delete(f.running, kind)
		f.stoodAt = time.Time{}
	})
	return true
}

// results is a copy of what came of the work so far, and what is being done.
func (f *firstRun) results() (firstResults, map[string]work) {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.done
	r.Pairing = maps.Clone(r.Pairing)
	return r, maps.Clone(f.running)
}

// stands is how far the house is, a second old at most.
func (f *firstRun) stands() (FirstStand, string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if age := time.Since(f.stoodAt); age < 0 || age > standEvery {
		stand, err := f.ask.Stand()
		f.stand, f.fault, f.stoodAt = stand, "", time.Now()
		if err != nil {
			f.fault = err.Error()
		}
	}
	return f.stand, f.fault
}

// again has the next who asks see how far the house is now.
func (f *firstRun) again() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stoodAt = time.Time{}
}

// progress is what was kept. A record that cannot be read begins anew: it holds nothing that cannot be said again.
func (f *firstRun) progress() progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.load()
}

func (f *firstRun) load() progress {
	if f.kept == nil {
		var kept progress
		data, err := f.vault.Get(firstKey)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return kept // asked again next time
		}
		if err != nil || json.Unmarshal(data, &kept) != nil {
			kept = progress{}
		}
		f.kept = &kept
	}
	return progress{maps.Clone(f.kept.Marks), maps.Clone(f.kept.Typed), f.kept.Over}
}

// keep changes what lasts; it is durable when keep returns nil.
func (f *firstRun) keep(change func(*progress)) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.load()
	if p.Marks == nil {
		p.Marks = map[string]string{}
	}
	if p.Typed == nil {
		p.Typed = map[string]string{}
	}
	before, _ := json.Marshal(p)
	change(&p)
	after, err := json.Marshal(p)
	if err == nil && string(before) != string(after) {
		err = f.vault.Set(firstKey, after)
	}
	if err == nil {
		f.kept = &p
	}
	return err
}

// typed keeps what somebody has typed into fields of a step, so that no reload and no restart loses it.
func (p *progress) typed(step string, fields map[string]string) {
	for name, text := range fields {
		key := step + "." + name
		switch {
		case text == "":
			delete(p.Typed, key)
		case len(text) <= longestText && utf8.ValidString(text) && (p.Typed[key] != "" || len(p.Typed) < mostTyped):
			p.Typed[key] = text
		}
	}
}

// forget drops what was typed into the fields of a step that begin so.
func (p *progress) forget(prefix string) {
	maps.DeleteFunc(p.Typed, func(key, _ string) bool { return strings.HasPrefix(key, prefix) })
}

// firstView is the whole first run: what GET /api/first answers, and what its pages are made of.
type firstView struct {
	Version string            `json:"version"` // is another whenever anything else here is
	Steps   []firstStep       `json:"steps"`
	Cloud   string            `json:"cloud"` // the verdict
	Why     string            `json:"cloud_why,omitempty"`
	Plan    string            `json:"plan,omitempty"` // the home whose plan is copied
	Rooms   []string          `json:"rooms"`
	Typed   map[string]string `json:"typed,omitempty"`
	Working map[string]work   `json:"working"`
	Trouble string            `json:"trouble,omitempty"` // why it is not known how far the house is
	FirstStand
	firstResults
}

// firstStep is one step and how it stands.
type firstStep struct {
	Name  string `json:"name"`
	State string `json:"state"`
}

// firstView puts together how far the first run is.
func (a *Adapter) firstView() firstView {
	f := a.first
	v := firstView{Rooms: []string{}}
	kept := f.progress()
	v.FirstStand, v.Trouble = f.stands()
	v.firstResults, v.Working = f.results()
	v.Typed = kept.Typed
	s := a.shown()
	v.Cloud, v.Why = string(s.Cloud.Verdict), s.Cloud.Why
	if !s.Home.Copied.IsZero() {
		v.Plan = orElse(s.Home.Name, s.Home.ID)
	}
	for _, r := range s.Rooms.All() {
		v.Rooms = append(v.Rooms, orElse(r.Name, string(r.ID)))
	}
	for _, name := range firstSteps {
		v.Steps = append(v.Steps, firstStep{name, v.stateOf(name, kept.Marks[name])})
	}
	return v
}

// versioned is the view with its version.
func (v firstView) versioned() firstView {
	text, _ := json.Marshal(v)
	v.Version = hashOf(string(text))[:16]
	return v
}

// stateOf is how a step stands: by what the house knows, where it knows; else by what the person has said.
func (v firstView) stateOf(step, mark string) string {
	done, state := false, stepOpen
	switch step {
	case "netatmo":
		done = v.SignedIn && v.Application != ""
	case "home":
		if done = v.Plan != ""; !v.SignedIn {
			state = stepWaits
		}
	case "accessories":
		done = v.Paired > 0
	case "ear":
		if done = len(v.Ear.Learnt) > 0; v.Ear.Microphone == "" {
			state = stepNone
		}
	case "homekit":
		done = slices.ContainsFunc(v.Bridges, func(b FirstBridge) bool { return b.Controllers > 0 })
	default:
		done = mark == stepDone
	}
	switch {
	case done:
		return stepDone
	case mark == stepLater && state == stepOpen:
		return stepLater
	}
	return state
}

// left are the steps that are not done.
func (v firstView) left() []string {
	var all []string
	for _, s := range v.Steps {
		if s.State == stepOpen || s.State == stepLater {
			all = append(all, s.Name)
		}
	}
	return all
}

// newcomer reports whether nothing of the house is set up yet.
func (v firstView) newcomer() bool { return !v.SignedIn && v.Paired == 0 && v.Trouble == "" }

// reminder are the steps of which the house's own page reminds people: those that matter, until they say that it is enough.
func (a *Adapter) reminder() []string {
	if a.first.ask == nil {
		return nil
	}
	p := a.first.progress()
	if p.Over {
		return nil
	}
	left := a.firstView().left()
	if len(p.Marks) == 0 { // nobody has begun: a house that was set up by the verbs needs no broker looked at
		left = slices.DeleteFunc(left, func(step string) bool { return step == "mqtt" || step == "check" })
	}
	return left
}
