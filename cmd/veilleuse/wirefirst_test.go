package main

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// startNewcomer runs the real daemon in the demonstration's world, with nothing set up.
func startNewcomer(t *testing.T, change func(*Config)) (*demoWorld, *house) {
	t.Helper()
	w := startDemoWorld(t, demoStart, 1, demoHome())
	c := defaults()
	c.State = filepath.Join(t.TempDir(), "state")
	c.Netatmo.URL = w.url()
	c.HomeKit.Listen, c.MQTT.Listen, c.Web.Listen = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(&c)
	}
	h, err := build(c, slog.New(slog.DiscardHandler), w.outside())
	if err != nil {
		t.Fatal(err)
	}
	runsToTheEnd(t, h.run)
	return w, h
}

// standsSo waits until the house stands as wanted.
func standsSo(t *testing.T, f *web.First, what string, so func(web.FirstStand) bool) web.FirstStand {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		s, err := f.Stand()
		if err == nil && so(s) {
			return s
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %+v, %v", what, s, err)
		}
	}
}

// The functions behind the page do what the verbs do, in a house that runs.
func TestTheFirstRunOfARealHouse(t *testing.T) {
	w, h := startNewcomer(t, nil)
	f := h.firstRun()
	if s := standsSo(t, f, "at first", func(s web.FirstStand) bool { return len(s.Bridges) == 1 }); s.Application != "" || s.SignedIn || s.Paired != 0 || !s.Broker.Inside || s.Broker.LAN || f.Learn != nil {
		t.Errorf("a new house: %+v", s)
	}
	for pasted, want := range map[string]string{"a b": "not one token", "{": "not a JSON object", `{"access_token":"x"}`: `no "refresh_token"`} {
		if err := f.Token(pasted); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", pasted, err)
		}
	}
	if err := f.Token("x|y"); err == nil || !strings.Contains(err.Error(), "which application of yours") {
		t.Errorf("a token without an application: %v", err)
	}
	if err := f.Application("client", "client-secret"); err != nil {
		t.Fatal(err)
	}
	s := standsSo(t, f, "a wrong token", func(s web.FirstStand) bool { return s.Fault != "" })
	if s.Application != "page" || !strings.Contains(s.Fault, "refused to renew the sign-in") {
		t.Errorf("a wrong token: %+v", s)
	}
	if err := f.Token(string(w.cloud.Token())); err != nil {
		t.Fatal(err)
	}
	standsSo(t, f, "a right token", func(s web.FirstStand) bool { return s.Asked && s.Fault == "" && len(s.Homes) == 1 && s.SignedIn })
	firstPairs(t, w, f)
	if r := f.Diagnose(t.Context(), gateway.State{}); r.Score == 0 && len(r.Missing) == 0 || r.Says == "" {
		t.Errorf("the report: %+v", r)
	}
}

func firstPairs(t *testing.T, w *demoWorld, f *web.First) {
	t.Helper()
	found, err := f.Discover(t.Context())
	if err != nil || len(found) != 3 {
		t.Fatalf("found %+v, %v", found, err)
	}
	siren := found[2]
	fake, err := w.house.Accessory(siren.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Pair(t.Context(), web.FirstPairing{ID: siren.ID, Code: "111-22-334"}); got.Kind != "code" {
		t.Errorf("a wrong code: %+v", got)
	}
	if got := f.Pair(t.Context(), web.FirstPairing{ID: "AA:BB:CC:DD:EE:FF", Code: "111-22-334"}); got.Kind != "absent" {
		t.Errorf("one that is not there: %+v", got)
	}
	if got := f.Pair(t.Context(), web.FirstPairing{ID: siren.ID, Code: fake.Code(), Room: "Salon"}); got.Kind != "" || !strings.Contains(got.Says, "is paired") {
		t.Errorf("the right code: %+v", got)
	}
	standsSo(t, f, "after pairing", func(s web.FirstStand) bool { return s.Paired == 1 })
	if got := f.Pair(t.Context(), web.FirstPairing{ID: siren.ID, Code: fake.Code()}); got.Kind != "failed" || !strings.Contains(got.Says, "with us already") {
		t.Errorf("a second time: %+v", got)
	}
	if f.CheckCode("123") == nil || f.CheckCode("X-HM://0023ISYWYVEIL") != nil {
		t.Error("the spelling of codes")
	}
}

// What a person chose on the page is what the daemon uses after a restart, and the configuration outranks it.
func TestTheConfigurationOutranksThePage(t *testing.T) {
	w, h := startNewcomer(t, func(c *Config) { c.Netatmo.ClientID, c.Home.ID = "client", netatmotest.HouseID })
	f := h.firstRun()
	if err := f.Application("other", "secret"); err != nil {
		t.Fatal(err)
	}
	page, err := f.Authorize("http://pi.local:7007/first/return", "state")
	if err != nil || !strings.Contains(page, "client_id=client&") {
		t.Errorf("%s, %v", page, err)
	}
	if s, _ := f.Stand(); s.Application != "file" || !s.HomeFixed {
		t.Errorf("%+v", s)
	}
	_ = w
}
