package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What takes its time shows that it goes on, is not begun twice, and ends with the house.
func TestWorkGoesOnBesideThePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := arrive(t)
		v.takes = 30 * time.Second
		ctx, cancel := context.WithCancel(t.Context())
		wait := v.Adapter.first.live(ctx)
		v.send("accessories", "do=pair", "id=x", "code=123-45-679")
		synctest.Wait()
		if page := v.get("/first/accessories").Body.String(); !strings.Contains(page, `http-equiv="refresh"`) {
			t.Error("without a script the page does not look again")
		}
		if w := v.send("accessories", "do=pair", "address=1.2.3.4:5", "code=123-45-679"); w.Code != 422 || !strings.Contains(w.Body.String(), "still being done") {
			t.Errorf("two pairings at once: %d", w.Code)
		}
		cancel()
		wait()
		if _, works := v.firstView().Working["pair"]; works {
			t.Error("it goes on after the end of the house")
		}
		v.send("accessories", "do=look")
		if view := v.firstView(); len(view.Working) > 0 {
			t.Errorf("work begins after the end: %+v", view.Working)
		}
	})
}

func TestTheEarLearns(t *testing.T) {
	v := arrive(t)
	if page := v.get("/first/ear").Body.String(); !strings.Contains(page, "microphone: default") || v.firstView().Steps[3].State != stepNone {
		t.Error("without a microphone the page does not say how to have one")
	}
	v.set(func(n *newHouse) { n.stand.Ear.Microphone = "default" })
	v.Adapter.first.again()
	refusedBeside(t, v.send("ear", "do=learn", "name=", "room=Cave"), "name", "The name is missing")
	if page := v.send("ear", "do=learn", "name=", "room=Cave", "kind=co").Body.String(); !strings.Contains(page, `value="Cave"`) || !strings.Contains(page, `value="co" selected`) {
		t.Error("what was typed is lost")
	}
	v.set(func(n *newHouse) { n.err = errors.New("no siren was heard") })
	v.send("ear", "do=learn", "name=Cave", "kind=co", "room=Cave")
	v.settle()
	if page := v.get("/first/ear").Body.String(); !strings.Contains(page, "no siren was heard") || !strings.Contains(page, `value="Cave"`) {
		t.Error("a failure is not told, or what was typed is lost")
	}
	v.said(t, "learn CavecoCave")
}

// A reload, a restart and another tab find everything where it was, but secrets.
func TestProgressLasts(t *testing.T) {
	v := arrive(t)
	v.send("netatmo", "do=next")
	if w := v.request("POST", "/api/first/netatmo", `{"do":"keep","client":"5f0c","secret":"s3cret","token":"t0ken"}`, with(v.key)); w.Code != 200 {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	v.send("mqtt", "do=next")
	v.again(t)
	view := v.firstView()
	if view.Steps[0].State != stepLater || view.Steps[5].State != stepDone || len(view.Typed) != 1 {
		t.Errorf("after a restart: %+v, %v", view.Steps, view.Typed)
	}
	if page := v.get("/first/netatmo").Body.String(); !strings.Contains(page, `value="5f0c"`) {
		t.Error("what was typed is lost")
	}
	v.vault.Put(firstKey, "{damaged")
	v.again(t)
	if view := v.firstView(); view.Steps[0].State != stepOpen {
		t.Errorf("a damaged record: %+v", view.Steps)
	}
	long := strings.Repeat("x", longestText+1)
	v.send("netatmo", "do=keep", "client="+long)
	for i := range 2 * mostTyped {
		v.send("accessories", "do=keep", "room "+strings.Repeat("y", i)+"=z")
	}
	if typed := v.firstView().Typed; len(typed) > mostTyped || typed["netatmo.client"] != "" {
		t.Errorf("%d fields are kept", len(typed))
	}
	v.vault.Seal(errFull)
	if w := v.send("accessories", "do=next"); w.Code != 422 || !strings.Contains(w.Body.String(), "no space left") {
		t.Errorf("a full disk is not told: %d", w.Code)
	}
}

// Each step is a call in JSON, too, with the same refusals.
func TestTheFirstRunAsCalls(t *testing.T) {
	v := arrive(t)
	ask := func(step, body string) firstAnswer {
		t.Helper()
		var a firstAnswer
		w := v.request("POST", "/api/first/"+step, body, with(v.key))
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil || a.Accepted != (w.Code == 200) {
			t.Fatalf("%s %s: %d %s", step, body, w.Code, w.Body)
		}
		return a
	}
	if a := ask("netatmo", `{"do":"application","client":"5f0c"}`); a.Field != "secret" || a.Why != "The client secret is missing." {
		t.Errorf("%+v", a)
	}
	ask("netatmo", `{"do":"application","client":"5f0c","secret":"s"}`)
	if a := ask("netatmo", `{"do":"sign-in"}`); !strings.HasPrefix(a.Open, "https://vendor.test/") {
		t.Errorf("%+v", a)
	}
	for _, bad := range []string{`[]`, `{"do":7}`, `{"do":"dance"}`, `{}`, `{`} {
		if a := ask("check", bad); a.Accepted || a.Why == "" {
			t.Errorf("%s: %+v", bad, a)
		}
	}
	if a := ask("check", `{"do":"look"}`); !a.Accepted {
		t.Errorf("%+v", a)
	}
	v.settle()
	before := v.get("/api/first").Body.String()
	var view firstView
	if err := json.Unmarshal([]byte(before), &view); err != nil || len(view.Steps) != 7 || view.Report.Score != 42 || view.Version == "" {
		t.Fatalf("%s", before)
	}
	if again := v.get("/api/first").Body.String(); again != before {
		t.Error("nothing has changed, and the version has")
	}
	ask("check", `{"do":"next"}`)
	if again := v.get("/api/first").Body.String(); strings.Contains(again, view.Version) {
		t.Error("another tab does not learn of it")
	}
	if w := v.get("/first/dance"); w.Code != 404 {
		t.Errorf("a step that is none: %d", w.Code)
	}
}

// Whatever a form or a call brings, it is answered, and what is written as text stays text.
func FuzzFirst(f *testing.F) {
	f.Add("netatmo", "do=application&client=%3Cb%3E&secret=x", false)
	f.Add("accessories", `{"do":"keep","room <b>":"<b>"}`, true)
	f.Add("home", "do=choose&home=%00", false)
	d := newDoor(nil, Options{First: (&newHouse{}).first()})
	d.lock.first(rightful)
	key, err := d.sessions.begin(time.Now())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, step, body string, call bool) {
		path, kind := "/first/", "application/x-www-form-urlencoded"
		if call {
			path, kind = "/api/first/", "application/json"
		}
		r := httptest.NewRequest("POST", path+url.PathEscape(step), strings.NewReader(body))
		r.Host, r.RemoteAddr = "pi.local", home
		r.Header.Set("Content-Type", kind)
		with(key)(r)
		w := httptest.NewRecorder()
		d.handler.ServeHTTP(w, r)
		if page := w.Body.String(); w.Code >= 500 || strings.Contains(page, "<b>") {
			t.Errorf("%s %q: %d", step, body, w.Code)
		}
	})
}
