package web

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// errFull is a disk that takes no more.
var errFull = errors.New("no space left on device")

func TestAFirstPasswordLeadsToTheFirstRun(t *testing.T) {
	v := &newcomer{newHouse: &newHouse{}, vault: gatewaytest.NewVault()}
	v.again(t)
	w := v.request("POST", "/welcome", "password="+rightful+"&again="+rightful)
	if w.Header().Get("Location") != "/first" {
		t.Errorf("a new house leads to %q", w.Header().Get("Location"))
	}
	v.key = keyOf(w)
	if to := v.get("/first").Header().Get("Location"); to != "/first/netatmo" {
		t.Errorf("the first run begins at %q", to)
	}
	if page := v.get("/").Body.String(); !strings.Contains(page, `id="first-card"`) || !strings.Contains(page, "Steps left: 3") {
		t.Error("the house does not remind of it")
	}
	if w := v.send("check", "do=over"); w.Header().Get("Location") != "/" || strings.Contains(v.get("/").Body.String(), `id="first-card"`) {
		t.Error("it still reminds")
	}
	old := &newcomer{newHouse: &newHouse{stand: FirstStand{SignedIn: true, Application: "file", Paired: 2}}, vault: gatewaytest.NewVault()}
	old.again(t)
	if w := old.request("POST", "/welcome", "password="+rightful+"&again="+rightful); w.Header().Get("Location") != "/" {
		t.Errorf("a house that is set up leads to %q", w.Header().Get("Location"))
	}
}

// Every page of every step, in both languages and in every state, is whole and has nothing of what came from outside as markup.
func TestEveryStepIsDrawn(t *testing.T) {
	v := arrive(t)
	v.newest.Store(new(cottage()))
	evil := `<script>alert("x")</script>`
	states := map[string]func(*newHouse){
		"new": func(*newHouse) {},
		"set up": func(n *newHouse) {
			n.stand = FirstStand{Application: "file", SignedIn: true, Asked: true, Fault: evil, Paired: 1, HomeFixed: true, Ear: FirstEar{Microphone: "default", Learnt: []string{evil}},
				Bridges: []FirstBridge{{Name: evil, Code: "031-45-154", URI: "X-HM://0023ISYWYVEIL"}, {Name: "Two", Controllers: 2}}, Broker: FirstBroker{Inside: true, Listen: "0.0.0.0:1884", LAN: true, TLS: true, Users: "/etc/users"}}
			n.found = []FirstAccessory{{ID: "AA:BB:CC:00:00:01", Name: evil, Model: evil, Via: "lan", Paired: "no"}, {ID: "AA:BB:CC:00:00:02", Via: "bluetooth", Paired: "elsewhere"}, {ID: "AA:BB:CC:00:00:03", Via: "lan", Paired: "here"}}
		},
		"several homes": func(n *newHouse) {
			n.stand.Application, n.stand.HomeFixed, n.stand.HomeOpen, n.stand.Homes = "page", false, true, []FirstHome{{"1", evil, 2, 3}, {"2", "Chalet", 0, 0}}
			n.stand.Broker = FirstBroker{Listen: "mqtt://" + evil, Base: "veilleuse"}
		},
	}
	for _, name := range []string{"new", "set up", "several homes"} {
		v.set(states[name])
		v.Adapter.first.again()
		v.send("accessories", "do=look")
		v.send("check", "do=look")
		v.send("accessories", "do=keep", "room AA:BB:CC:00:00:01="+evil)
		v.settle()
		for _, step := range firstSteps {
			for _, language := range []string{"en", "fr"} {
				page := v.get("/first/"+step, func(r *http.Request) { r.Header.Set("Accept-Language", language) })
				body := page.Body.String()
				if page.Code != 200 || !strings.Contains(body, `<html lang="`+language+`"`) || !strings.HasSuffix(strings.TrimSpace(body), "</html>") || !strings.Contains(body, `name="do" value="next"`) {
					t.Errorf("%s, %s: %d, %.200q", name, step, page.Code, body)
				}
				for _, never := range []string{"<script>", "%!", "<nil>", "{", "}", "map[", "undefined"} {
					if strings.Contains(body, never) {
						t.Errorf("%s, %s, %s: the page has %q", name, step, language, never)
					}
				}
			}
		}
	}
}

func TestTheApplicationIsKeptAndItsSecretNeverShown(t *testing.T) {
	v := arrive(t)
	refusedBeside(t, v.send("netatmo", "do=application", "client=", "secret=s3cret"), "client", "The client ID is missing")
	w := v.send("netatmo", "do=application", "client=5f0c", "secret=")
	refusedBeside(t, w, "secret", "The client secret is missing")
	if !strings.Contains(w.Body.String(), `value="5f0c"`) {
		t.Error("what was typed is lost")
	}
	refusedBeside(t, v.send("netatmo", "do=token", "token=x"), "client", "First give the application")
	v.set(func(n *newHouse) { n.err = errFull })
	if w := v.send("netatmo", "do=application", "client=5f0c", "secret=s3cret"); w.Code != 422 || strings.Contains(w.Body.String(), "s3cret") || !strings.Contains(w.Body.String(), "no space left") {
		t.Errorf("a full disk: %d", w.Code)
	}
	v.set(func(n *newHouse) { n.err = nil })
	if w := v.send("netatmo", "do=application", "client=5f0c", "secret=s3cret"); w.Code != 303 {
		t.Fatalf("%d", w.Code)
	}
	v.said(t, "application 5f0c s3cret")
	for _, path := range []string{"/first/netatmo", "/api/first", "/"} {
		if strings.Contains(v.get(path).Body.String(), "s3cret") {
			t.Errorf("%s shows the secret", path)
		}
	}
	keys, _ := v.vault.List("")
	for _, key := range keys {
		if kept, _ := v.vault.Get(key); strings.Contains(string(kept), "s3cret") {
			t.Errorf("the page keeps the secret under %s", key)
		}
	}
	v.set(func(n *newHouse) { n.stand.Application = "file" })
	if w := v.send("netatmo", "do=application", "client=x", "secret=y"); w.Code != 422 {
		t.Errorf("the configuration's application is replaced: %d", w.Code)
	}
}

// The vendor sends the browser back without its cookie: the page hands code and state on, and only what this browser began, once
// and in time, is traded for a sign-in.
func TestTheReturnFromTheVendor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := arrive(t)
		v.set(func(n *newHouse) { n.stand.Application = "page" })
		state := v.stateOf(t)
		if again := v.stateOf(t); again != state {
			t.Error("a reload begins another sign-in")
		}
		w := v.request("GET", "/first/return?code=c0de&state="+state, "")
		if body := w.Body.String(); w.Code != 200 || !strings.Contains(body, `value="c0de"`) || !strings.Contains(body, `value="`+state+`"`) || len(v.heard) > 0 {
			t.Fatalf("the return changes something, or hands nothing on: %d", w.Code)
		}
		if w := v.request("GET", "/first/return?error=access_denied", ""); w.Code != 422 || !strings.Contains(w.Body.String(), "gave no access") {
			t.Errorf("no access: %d", w.Code)
		}
		stranger := keyOf(v.request("POST", "/sign-in", "password="+rightful))
		for name, w := range map[string]*httptest.ResponseRecorder{
			"another state":   v.send("netatmo", "do=return", "code=c0de", "state=guessed"),
			"no code":         v.send("netatmo", "do=return", "code=", "state="),
			"another browser": v.request("POST", "/first/netatmo", "do=return&code=c0de&state="+state, with(stranger)),
		} {
			if w.Code != 422 || !strings.Contains(w.Body.String(), "belongs to no sign-in") || len(v.heard) > 0 {
				t.Errorf("%s: %d, heard %q", name, w.Code, v.heard)
			}
		}
		if w := v.send("netatmo", "do=return", "code=c0de", "state="+state); w.Code != 303 || w.Header().Get("Location") != "/first/netatmo" {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		v.settle()
		v.said(t, "exchange c0de http://pi.local:7007/first/return")
		if w := v.send("netatmo", "do=return", "code=c0de", "state="+state); w.Code != 422 {
			t.Errorf("the same return twice: %d", w.Code)
		}
		late := v.stateOf(t)
		time.Sleep(loginLife)
		if w := v.send("netatmo", "do=return", "code=c0de", "state="+late); w.Code != 422 || !strings.Contains(w.Body.String(), "ten minutes") {
			t.Errorf("a return after ten minutes: %d", w.Code)
		}
		v.set(func(n *newHouse) { n.err = errors.New("sign in at the vendor: 400 invalid_grant") })
		v.send("netatmo", "do=return", "code=c0de", "state="+v.stateOf(t))
		v.settle()
		if page := v.get("/first/netatmo").Body.String(); !strings.Contains(page, "Not signed in:") || !strings.Contains(page, "invalid_grant") {
			t.Error("a refused code is not told")
		}
	})
}

func TestATokenIsTaken(t *testing.T) {
	v := arrive(t)
	v.set(func(n *newHouse) { n.stand.Application = "page" })
	refusedBeside(t, v.send("netatmo", "do=token", "token= "), "token", "Paste the refresh token")
	v.set(func(n *newHouse) { n.err = errors.New("the token is not a JSON object") })
	w := v.send("netatmo", "do=token", "token={secret")
	refusedBeside(t, w, "token", "not a JSON object")
	if strings.Contains(w.Body.String(), "{secret") {
		t.Error("the token is shown again")
	}
	v.set(func(n *newHouse) { n.err = nil })
	if w := v.send("netatmo", "do=token", "token= abc|def "); w.Code != 303 {
		t.Errorf("%d", w.Code)
	}
	v.said(t, "token abc|def")
	v.set(func(n *newHouse) {
		n.stand.SignedIn, n.stand.Asked, n.stand.Fault = true, true, "the vendor refused to renew the sign-in"
	})
	v.Adapter.first.again()
	if page := v.get("/first/netatmo").Body.String(); !strings.Contains(page, "no home could be read:") || !strings.Contains(page, "refused to renew") {
		t.Error("a wrong token is not told")
	}
}

// When the cloud is down the verdict says so, and the step can be put off.
func TestTheCloudIsDown(t *testing.T) {
	v := arrive(t)
	s := cottage()
	s.Home.Copied = time.Time{}
	v.newest.Store(&s)
	page := v.get("/first/netatmo").Body.String()
	if !strings.Contains(page, "Netatmo does not answer: put this step off") || !strings.Contains(page, ">Later</button>") {
		t.Error("it is not said")
	}
	if w := v.send("netatmo", "do=next"); w.Header().Get("Location") != "/first/home" {
		t.Errorf("later leads to %q", w.Header().Get("Location"))
	}
	if view := v.firstView(); view.Steps[0].State != stepLater || view.Steps[1].State != stepWaits {
		t.Errorf("%+v", view.Steps)
	}
}

func TestTheHomeIsChosen(t *testing.T) {
	v := arrive(t)
	v.set(func(n *newHouse) {
		n.stand = FirstStand{Application: "page", SignedIn: true, Asked: true, HomeOpen: true, Homes: []FirstHome{{"1", "Maison", 4, 9}, {"2", "Chalet", 1, 0}}}
	})
	v.Adapter.first.again()
	if page := v.get("/first/home").Body.String(); !strings.Contains(page, "Chalet") || !strings.Contains(page, "rooms: 4, devices: 9") {
		t.Error("the homes are not shown")
	}
	if w := v.send("home", "do=choose", "home=3"); w.Code != 422 || !strings.Contains(w.Body.String(), "does not show that home any more") || len(v.heard) > 0 {
		t.Errorf("a home that vanished: %d", w.Code)
	}
	if w := v.send("home", "do=choose", "home=2"); w.Code != 303 {
		t.Errorf("%d", w.Code)
	}
	v.said(t, "home 2")
	v.newest.Store(new(cottage())) // its plan is copied
	if w := v.send("home", "do=choose", "home=1"); w.Code != 422 || !strings.Contains(w.Body.String(), "keeps a home already") {
		t.Errorf("another home later: %d", w.Code)
	}
}

func TestAccessoriesAreFoundAndPaired(t *testing.T) {
	const id, other = "AA:BB:CC:00:00:01", "AA:BB:CC:00:00:02"
	v := arrive(t)
	v.found = []FirstAccessory{{ID: id, Name: "Relais", Via: "lan", Paired: "no"}, {ID: other, Name: "CO", Via: "bluetooth", Paired: "elsewhere"}}
	v.send("accessories", "do=look")
	v.settle()
	page := v.get("/first/accessories").Body.String()
	for _, want := range []string{"Relais", "Bluetooth", "belongs to another controller", "Found: 2"} {
		if !strings.Contains(page, want) {
			t.Errorf("the list does not say %q", want)
		}
	}
	refusedBeside(t, v.send("accessories", "do=pair", "id="+id, "code=", "room=Salon"), "code", "The setup code is missing")
	w := v.send("accessories", "do=pair", "id="+other, "code=12", "room=Cave")
	if body := w.Body.String(); w.Code != 422 || strings.Count(body, `aria-invalid="true"`) != 1 || strings.Index(body, `aria-invalid`) < strings.Index(body, `acc-aa-bb-cc-00-00-02-code`) || !strings.Contains(body, `value="Cave"`) || strings.Contains(body, `value="12"`) {
		t.Errorf("a code of another shape: %d; it stands at the wrong accessory, or the room is lost", w.Code)
	}
	refusedBeside(t, v.send("accessories", "do=pair", "code=123-45-679"), "address", "The address is missing")
	for _, c := range []struct {
		outcome FirstPaired
		says    string
	}{
		{FirstPaired{Kind: "code", Says: "authentication failed"}, "That is not its setup code"},
		{FirstPaired{Kind: "absent", Says: "gone"}, "It is not there any more"},
		{FirstPaired{Kind: "failed", Says: "it wants to be left alone for 30 s"}, "left alone for 30 s"},
		{FirstPaired{Kind: "taken", Steps: []string{"Remove it where it is.", "Or reset it."}}, "Or reset it."},
		{FirstPaired{Says: "Relais is paired"}, "Paired with this house"},
	} {
		v.outcome = c.outcome
		if w := v.send("accessories", "do=pair", "id="+id, "code=X-HM://0023ISYWYVEIL", "room=Salon"); w.Header().Get("Location") != "/first/accessories#acc-aa-bb-cc-00-00-01" {
			t.Fatalf("%d %s", w.Code, w.Header())
		}
		v.settle()
		if page := v.get("/first/accessories").Body.String(); !strings.Contains(page, c.says) {
			t.Errorf("%s: the page does not say %q", c.outcome.Kind, c.says)
		}
	}
	v.said(t, "pair "+id+" X-HM://0023ISYWYVEIL Salon")
	v.send("accessories", "do=pair", "address=192.168.1.20:5001", "code=123-45-679")
	v.settle()
	v.said(t, "pair 192.168.1.20:5001 123-45-679 ")
}

// An alarm stands on whatever page somebody has open, with the script that fills the screen with it and sounds.
func TestAnAlarmStandsOnEveryPage(t *testing.T) {
	v := arrive(t)
	v.options.Care = (&keeper{}).care()
	s := hadAnOutage()
	s.Alarms = []gateway.Alarm{{Number: 4, Phase: gateway.Sounding, Kind: gateway.Smoke, Name: "Palier", Since: evening}}
	v.newest.Store(&s)
	seen := 0
	for _, r := range routes {
		if r.method != "GET" || r.access != pageFor {
			continue
		}
		page := v.get(pathOf(r)).Body.String()
		if !strings.HasPrefix(page, "<!doctype html>") {
			continue
		}
		seen++
		for _, want := range []string{`id="alarm"><section class="siren" role="alertdialog"`, `data-alarms="4"`, `src="/page.js`, `src="/acting.js`, `id="lost"`, `id="sound"`, `<dialog id="again"`} {
			if strings.Count(page, want) != 1 {
				t.Errorf("%s has %q %d times", r.path, want, strings.Count(page, want))
			}
		}
	}
	if seen < 7 {
		t.Errorf("only %d pages were looked at", seen)
	}
}

// A page that is open is not told of a step that has been done since, though no State has changed.
func TestAnOpenPageKnowsTheStepsThatAreLeft(t *testing.T) {
	v := arrive(t)
	left := func() string {
		text := ""
		for _, one := range v.Adapter.draw(v.Adapter.shown(), english).parts {
			text += one.HTML
		}
		return text
	}
	v.send("mqtt", "do=next")
	if before := left(); !strings.Contains(before, "Ready?") {
		t.Fatalf("nothing is left: %.200s", before)
	}
	v.send("check", "do=next")
	if strings.Contains(left(), "Ready?") {
		t.Error("the step that is done is still left")
	}
}
