package netatmo

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// newcomer is a house whose configuration names no application and in whose vault nothing is.
func newcomer(t *testing.T, cloud netatmotest.Options) (*rig, *Adapter) {
	t.Helper()
	r := &rig{t: t, cloud: netatmotest.New(cloud), vault: newMemory()}
	dial := serveOnWires(t, r.cloud)
	a := New(Options{URL: "http://127.0.0.1", Vault: r.vault, Dial: dial, Purse: NewPurse(0), Log: slog.New(slog.DiscardHandler)})
	r.house = gatewaytest.Start(t, gateway.CloudAdapter, a, gatewaytest.From(gateway.State{}))
	t.Cleanup(r.house.Stop)
	return r, a
}

// sayAll says what the page asks of a newcomer: application, sign-in, and that the home is to be asked for.
func sayAll(t *testing.T, r *rig, a *Adapter) {
	t.Helper()
	if err := SaveApplication(r.vault, "client", "client-secret"); err != nil {
		t.Fatal(err)
	}
	if err := AskForHome(r.vault); err != nil {
		t.Fatal(err)
	}
	signInto(t, r.cloud, r.vault)
	a.Hasten()
}

var cabin = json.RawMessage(`{"id":"60c000000000000000000009","name":"Chalet","timezone":"Europe/Paris","rooms":[{"id":"9","name":"Séjour","type":"livingroom"}]}`)

// What a person says on the page takes effect at once: application, tokens, and which of several homes is meant.
func TestANewcomerSignsInWhileItRuns(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, a := newcomer(t, netatmotest.Options{Others: []json.RawMessage{cabin}})
		r.pass(time.Minute)
		if a.options.HasApplication() || SignedIn(r.vault) || len(r.cloud.Requests()) > 0 {
			t.Fatalf("before anything was said: %d requests", len(r.cloud.Requests()))
		}
		sayAll(t, r, a)
		if news := r.pass(10 * time.Second); len(only[gateway.Plan](news)) > 0 || len(bad(news)) > 0 {
			t.Errorf("a home was taken before one was chosen, or the vendor blamed: %v", news)
		}
		s, asked := a.Standing()
		if !asked || !s.Open || s.Fault != "" || len(s.Homes) != 2 || s.Homes[1] != (HomeName{"60c000000000000000000009", "Chalet", 1, 0}) {
			t.Fatalf("standing %+v, %v", s, asked)
		}
		if err := ChooseHome(r.vault, netatmotest.HouseID); err != nil {
			t.Fatal(err)
		}
		a.Hasten()
		if plans := only[gateway.Plan](r.pass(10 * time.Second)); len(plans) != 1 || plans[0].Home != netatmotest.HouseID {
			t.Errorf("plans %+v", plans)
		}
		if s, _ := a.Standing(); s.Open || s.Fault != "" || len(s.Homes) != 2 {
			t.Errorf("after the choice: %+v", s)
		}
	})
}

// One home is no question, whoever asks.
func TestTheOnlyHomeNeedsNoChoice(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r, a := newcomer(t, netatmotest.Options{})
		sayAll(t, r, a)
		// The cloud may be read a second time, for the hurry and for the sign-in.
		if plans := only[gateway.Plan](r.pass(10 * time.Second)); len(plans) == 0 || len(plans) > 2 || plans[0].Home == "" {
			t.Errorf("plans %+v", plans)
		}
	})
}

// What is wrong with a sign-in is said in words within seconds, and a better one is taken at once.
func TestAWrongSignInIsToldAndMended(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*rig)
		says  string
	}{
		"a token of another":  {func(r *rig) { r.cloud.Revoke() }, "refused to renew the sign-in"},
		"a secret of another": {func(r *rig) { _ = SaveApplication(r.vault, "client", "not-the-secret"); r.cloud.Revoke() }, "does not know this application"},
		"the vendor is gone":  {func(r *rig) { r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Refused}) }, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r, a := newcomer(t, netatmotest.Options{})
				_ = SaveApplication(r.vault, "client", "client-secret")
				signInto(t, r.cloud, r.vault)
				c.spoil(r)
				a.Hasten()
				r.pass(10 * time.Second)
				s, asked := a.Standing()
				if !asked || !strings.Contains(s.Fault, c.says) || strings.Contains(s.Fault, "not-the-secret") {
					t.Fatalf("standing %+v, %v", s, asked)
				}
				r.cloud.Mend(netatmotest.Refused)
				_ = SaveApplication(r.vault, "client", "client-secret")
				signInto(t, r.cloud, r.vault)
				a.Hasten()
				if _, asked := a.Standing(); asked {
					t.Error("the old word still stands")
				}
				synctest.Wait()
				r.pass(10 * time.Second)
				if s, _ := a.Standing(); s.Fault != "" || len(s.Homes) != 1 {
					t.Errorf("after it was mended: %+v", s)
				}
			})
		})
	}
}

func TestAnApplicationIsTwoWords(t *testing.T) {
	v := newMemory()
	for _, c := range [][2]string{{"", "x"}, {"x", ""}, {"a b", "x"}, {"x", "a\nb"}, {"x", strings.Repeat("y", 201)}, {"\x00", "y"}} {
		if err := SaveApplication(v, c[0], c[1]); err == nil || (Options{Vault: v}).HasApplication() {
			t.Errorf("%.20q is taken: %v", c, err)
		}
	}
	if err := SaveApplication(v, "5f0c0d0e0f", "sEcReT"); err != nil || !(Options{Vault: v}).HasApplication() {
		t.Errorf("a good one is not: %v", err)
	}
	if o := (Options{Vault: v, ClientID: "of the file"}).withApplication(); o.ClientID != "of the file" {
		t.Errorf("the configuration does not outrank it: %s", o.ClientID)
	}
}

// Somebody who gives a sign-in in an outage, or as it begins or ends, has an answer within seconds: neither the few requests that an
// outage is allowed nor the plan of another phase keeps them waiting.
func TestWhoSignsInIsAnsweredInAnyPhase(t *testing.T) {
	for _, phase := range []gateway.Phase{gateway.Watching, gateway.Suspect, gateway.Local, gateway.Returning} {
		t.Run(string(phase), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r, a := newcomer(t, netatmotest.Options{})
				_ = SaveApplication(r.vault, "client", "client-secret")
				r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Refused})
				signInto(t, r.cloud, r.vault)
				a.Hasten()
				r.pass(time.Minute)
				r.phase(gateway.Local, gateway.VerdictCloudDown)
				r.pass(2 * time.Hour)
				for a.options.Purse.Probe(time.Now()) <= spacing { // all that an outage is allowed in an hour
					r.pass(spacing)
				}
				r.cloud.Mend()
				signInto(t, r.cloud, r.vault)
				a.Hasten()
				r.phase(phase, gateway.VerdictOK)
				r.pass(10 * time.Second)
				if s, asked := a.Standing(); !asked || s.Fault != "" || len(s.Homes) != 1 {
					t.Errorf("standing %+v, %v", s, asked)
				}
			})
		})
	}
}
