package main

import (
	"bytes"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/uplink"
	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// fault is one row of the catalogue: what breaks, and what the house ought to say of it.
type fault struct {
	number string // in the catalogue of the outage study
	name   string
	world  []uplinktest.Fault           // on the way to the vendor
	vendor []netatmotest.Fault          // behind its door
	from   bool                         // broken from the start: this house has never seen it whole
	plain  bool                         // the vendor is spoken to without TLS
	trust  gateway.Trust                // "": trusted
	change func(*uplink.Options)        // nil, or another house
	play   func(*catalogueWorld)        // nil, or what happens besides
	rate   float64                      // seconds of the house a second; 0: 120
	life   time.Duration                // of an access token; 0: 3 h
	want   gateway.Verdict              //
	scope  []gateway.Plane              // nil: everything
	either bool                         // or the plane of the call that met it first
	why    string                       // part of the sentence
	told   func(gateway.Event) bool     // nil, or a fact that must have been posted
	check  func(*catalogueWorld) string // nil, or what else must hold at the end, and is not so
}

// catalogueWorld is one house in one small internet on loopback, all of real sockets.
type catalogueWorld struct {
	clock    *demoClock
	cloud    *netatmotest.Cloud
	internet *uplinktest.World
	house    *watchedHouse
	vault    *gatewaytest.Vault
	marked   int // bytes that the vendor's edge had seen when the fault began
	broke    int // events that were posted before
}

// catalogueDeadline of a call to the vendor, so that a test need not wait for the usual 20 s.
const catalogueDeadline = 2800 * time.Millisecond

func newCatalogueWorld(f fault) (*catalogueWorld, error) {
	rate := f.rate
	if rate == 0 {
		rate = 120
	}
	w := &catalogueWorld{clock: newDemoClock(time.Now(), rate)}
	home := netatmotest.House()
	for i := range home.Modules {
		home.Modules[i].Key, home.Modules[i].Local = "", "" // no camera's address leads off this machine
	}
	w.cloud = netatmotest.New(netatmotest.Options{Now: w.clock.Now, Home: home, PerTenSeconds: 1 << 20, PerHour: 1 << 20, TokenLife: f.life})
	var err error
	w.internet, err = uplinktest.New(uplinktest.Settings{API: w.cloud, TLS: !f.plain})
	return w, err
}

// start lets the house live in this world.
func (w *catalogueWorld) start(t testing.TB, f fault) {
	w.vault = signedIn(t, w.cloud)
	prober := uplink.Options{URL: w.internet.URL(), Resolvers: w.internet.Resolvers(), SecondOpinion: w.internet.SecondOpinion(),
		Witnesses: w.internet.Witnesses(), Roots: w.internet.Roots(), AllowLoopback: true}
	if f.change != nil {
		f.change(&prober)
	}
	cloud := netatmo.Options{URL: w.internet.URL(), Roots: prober.Roots, AllowLoopback: true, Vault: w.vault, Deadline: catalogueDeadline}
	if f.plain { // which it speaks to a loopback address only
		cloud.URL = "http://" + w.internet.Edge.Address().String()
	}
	cloud.Resolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, w.internet.Home.Address())
	}}
	w.house = startHouse(prober, cloud, func(l *gateway.Loop) { l.Now, l.After = w.clock.Now, w.clock.After })
	trust := f.trust
	if trust == "" {
		trust = gateway.TrustSynced
	}
	w.house.tell(gateway.Clock{Trust: trust})
}

func (w *catalogueWorld) close() {
	if w.house != nil {
		w.house.stop()
	}
	w.cloud.Close()
	w.internet.Close()
}

// breakNow begins the fault.
func (w *catalogueWorld) breakNow(f fault) error {
	if w.house != nil {
		w.house.mu.Lock()
		w.broke = len(w.house.events)
		w.house.mu.Unlock()
	}
	for _, v := range f.vendor {
		w.cloud.Break(v)
	}
	err := w.internet.Break(f.world...)
	w.marked = len(w.internet.Edge.Seen()) // now: what was on its way to the proven vendor has arrived
	return err
}

// healthy waits until both adapters have found the vendor well.
func (w *catalogueWorld) healthy(limit time.Duration) bool {
	return eventually(limit, func() bool {
		s := w.house.now()
		return s.Cloud.Verdict == gateway.VerdictOK && s.Cloud.Probe.Verdict == gateway.VerdictOK && s.Cloud.Read.Verdict == gateway.VerdictOK && s.Home.ID != ""
	})
}

// eventually waits until something is so.
func eventually(limit time.Duration, so func() bool) bool {
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		if so() {
			return true
		}
	}
	return so()
}

// since are the events since the fault began, with the State after each.
func (w *catalogueWorld) since() ([]gateway.Event, []gateway.State) {
	w.house.mu.Lock()
	defer w.house.mu.Unlock()
	return slices.Clone(w.house.events[w.broke:]), slices.Clone(w.house.after[w.broke:])
}

// verdict returns the first event since the fault that brought what the row wants.
func (w *catalogueWorld) verdict(f fault) (gateway.Event, gateway.State, bool) {
	events, after := w.since()
	for i, s := range after {
		if !f.fits(events[i], s) {
			continue
		}
		return events[i], s, true
	}
	return gateway.Event{}, w.house.now(), false
}

// fits reports whether an event gives the row's verdict, or is the fact that it asks for.
func (f fault) fits(e gateway.Event, s gateway.State) bool {
	if f.told != nil {
		return f.told(e)
	}
	switch fact := e.Fact.(type) {
	case gateway.Probe:
		if fact.Void && f.want != gateway.VerdictSelf {
			return false
		}
	case gateway.Call:
	default:
		return false
	}
	scope := f.scope
	if scope == nil && f.want != gateway.VerdictOK && f.want != gateway.VerdictSelf {
		scope = []gateway.Plane{gateway.PlaneRead, gateway.PlaneWrite, gateway.PlaneAuth, gateway.PlanePush}
	}
	scoped := slices.Equal(s.Cloud.Scope, scope) || f.either && (len(s.Cloud.Scope) == 0 || slices.Equal(s.Cloud.Scope, []gateway.Plane{gateway.PlaneRead}))
	return s.Cloud.Verdict == f.want && scoped && contains(s.Cloud.Why, f.why)
}

// contains reports whether a sentence has all parts of another: the rules may put a time between them.
func contains(sentence, parts string) bool {
	for part := range strings.SplitSeq(parts, "; ") {
		if !strings.Contains(sentence, part) {
			return false
		}
	}
	return true
}

// length is how long the look took that an event tells of.
func length(e gateway.Event) time.Duration {
	switch f := e.Fact.(type) {
	case gateway.Probe:
		return f.Took
	case gateway.Call:
		return f.Took
	}
	return 0
}

// leaked returns what of a credential the vendor's edge was shown since the fault began.
func (w *catalogueWorld) leaked() string {
	seen := w.internet.Edge.Seen()[w.marked:]
	for _, secret := range []string{"Bearer", "refresh_token", "client_secret", netatmotest.HouseID + "|"} {
		if bytes.Contains(seen, []byte(secret)) {
			return secret
		}
	}
	return ""
}

// proven reports whether the peer proves that it is the vendor in spite of the fault.
func (f fault) proven() bool {
	for _, w := range f.world {
		switch w {
		case uplinktest.ZeroAddress, uplinktest.PrivateName, uplinktest.WrongName, uplinktest.UnknownCA, uplinktest.Expired,
			uplinktest.NotYetValid, uplinktest.PlainHTTP, uplinktest.Portal, uplinktest.PortalDNS, uplinktest.TLSSilent, uplinktest.Hangup:
			return false
		}
	}
	return !f.plain
}
