package web

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// hadAnOutage is a house that had an outage with an alarm in it, and is in a drill.
func hadAnOutage() gateway.State {
	s := cottage()
	at := func(minute int) time.Time { return evening.Add(time.Duration(minute) * time.Minute) }
	o := gateway.Outage{Number: 4, Verdict: gateway.VerdictCloudDown, Why: "503 <HTML>", Evidence: []string{"3 of 3 & more"}, Later: []gateway.Cause{{Verdict: gateway.VerdictInternetDown, At: at(-80), Why: "nobody"}},
		Lost: at(-120), Began: at(-118), Back: at(-20), Ended: at(-10), Writes: 7, SlotsDue: 3, SlotsKept: 2, Spared: 1, Wishes: 2, Alarms: 2, Relapses: 1,
		HandedBack: []string{"Salon: 21 °C is carried back"}, LeftOut: 5,
		Decisions: []gateway.Decision{{Number: 1, At: at(-118), Kind: "authority", What: "the house is run from here", Why: "503"}, {Number: 9, At: at(-10), Kind: "authority", What: "handed back", Why: "it answers"}}}
	o.Rooms = o.Rooms.With("1", gateway.Comfort{Name: "Salon <i>", Below: 1.256, Measured: 90 * time.Minute, Unknown: 12 * time.Minute}).With("2", gateway.Comfort{Unknown: time.Hour})
	now := gateway.Outage{Number: 5, Drill: true, Verdict: gateway.VerdictCloudDown, Why: "a drill", Lost: at(-2), Began: at(-2)}
	s.Outages, s.Outage = []gateway.Outage{o}, &now
	s.PastAlarms = []gateway.Alarm{
		{Number: 1, Phase: gateway.Quiet, Kind: gateway.CO, Name: "Too early", Since: at(-200), Raised: at(-200), Ended: at(-190), Told: []gateway.Delivery{{Path: "MQTT", At: at(-200)}}},
		{Number: 2, Phase: gateway.Quiet, Kind: gateway.Smoke, Name: "Palier", Since: at(-60), Raised: at(-60), Answered: at(-58), By: "page", Ended: at(-50),
			Told: []gateway.Delivery{{Step: 1, Path: "MQTT", At: at(-60), Delivered: at(-60).Add(2 * time.Second), By: "by 1 page"}, {Step: 2, Path: "siren Hall", At: at(-59), Err: "no answer"}}},
		{Number: 3, Phase: gateway.Quiet, Kind: gateway.CO, Name: "A pre-alarm", Since: at(-40), Ended: at(-39)},
	}
	s.Days = []gateway.Day{{Date: "2025-10-28", Watched: 86400, Broken: 2}}
	return s
}

func TestAnOutageIsReportedOnAPage(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := hadAnOutage()
	d.newest.Store(&s)
	french := func(path string) string {
		return d.request("GET", path, "", with(key), language("fr")).Body.String()
	}
	for path, wants := range map[string][]string{
		"/outages/4": {"Outage 4", "From 29 Oct 2025 16:00 to 29 Oct 2025 17:50: 1 h 50 min.", "503 &lt;HTML&gt;", "3 of 3 &amp; more", "another cause: No internet", "2 of 3", ">7<", "Commands avoided", ">1<",
			"Salon &lt;i&gt;", "1.26 K·h", "1.5 h", "0.2 h", "Smoke: Palier", "confirmed 17:00:02 by 1 page", "siren Hall", "no answer", "answered 17:02:00, from page", "Of 1, the details",
			"21 °C is carried back", "5 more are not kept", "Returns broken off", "/api/outages/4"},
		"/outages/5":  {"Drill 5", "Since 29 Oct 2025 17:58: 2 min by now.", `data-renew="10"`, "the drill was begun", "Not handed back yet", "No heated room is known"},
		"/outages":    {"Netatmo served 99.99 % of the time", "Outage 4", "Drill 5", `href="/outages/5"`, "goes on"},
		"/outages/77": {"Outage 77 is not remembered", `href="/outages/4"`},
		"/":           {`<a href="/outages/5">The report of this outage so far`, `href="/care"`},
	} {
		w := d.request("GET", path, "", with(key))
		if code := map[bool]int{true: 404, false: 200}[path == "/outages/77"]; w.Code != code {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, want := range wants {
			if !strings.Contains(w.Body.String(), want) {
				t.Errorf("%s does not say %q", path, want)
			}
		}
		for _, never := range []string{"<i>", "%!", "<HTML>", "A pre-alarm", "Too early"} {
			if strings.Contains(w.Body.String(), never) {
				t.Errorf("%s has %q", path, never)
			}
		}
	}
	for _, want := range []string{"Panne 4", "Ce que Veilleuse a fait", "1,26 K·h", "Fumée\u00a0: Palier", "<strong>sirène Hall</strong> <span lang=\"en\">no answer", "confirmé à 17:00:02 par 1 page", "prise en charge à 17:02:00, depuis la page", `<span lang="en">503 &lt;HTML&gt;</span>`} {
		if !strings.Contains(french("/outages/4"), want) {
			t.Errorf("the French page does not say %q", want)
		}
	}
}

// The page and the verb tell the same facts, and JSON has them as they are.
func TestOutagesAsJSON(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := hadAnOutage()
	d.newest.Store(&s)
	var all []OutageReport
	if w := d.request("GET", "/api/outages", "", with(key)); json.Unmarshal(w.Body.Bytes(), &all) != nil || len(all) != 2 || all[0].Number != 4 || all[1].Number != 5 {
		t.Fatalf("%s", w.Body)
	}
	var one map[string]any
	w := d.request("GET", "/api/outages/4", "", with(key))
	if err := json.Unmarshal(w.Body.Bytes(), &one); err != nil || one["spared"] != 1.0 || one["length_s"] != 6600.0 || len(one["served"].([]any)) != 1 {
		t.Errorf("%v %s", err, w.Body)
	}
	for _, path := range []string{"/api/outages/7", "/api/outages/x", "/api/outages/-4", "/api/outages/99999999999999999999999"} {
		if w := d.request("GET", path, "", with(key)); w.Code != 404 || strings.Count(w.Body.String(), "\n") != 1 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// The house leads to the report while an outage goes on and for a week after.
func TestTheHouseLeadsToTheReport(t *testing.T) {
	s := hadAnOutage()
	if v := outageOn(s); v == nil || v.Number != 5 || !v.Drill || !v.GoesOn {
		t.Errorf("%+v", v)
	}
	s.Outage = nil
	if v := outageOn(s); v == nil || v.Number != 4 || v.GoesOn {
		t.Errorf("%+v", v)
	}
	if page := drawn(t, s, english); !strings.Contains(page, `<a href="/outages/4">The report of the last outage`) {
		t.Error("the house does not lead to the last outage")
	}
	s.Outages[0].Drill = true
	if page := drawn(t, s, english); !strings.Contains(page, "The report of the last drill") {
		t.Error("the house does not lead to the last drill")
	}
	s.At = s.At.Add(8 * 24 * time.Hour)
	if v := outageOn(s); v != nil {
		t.Errorf("after a week: %+v", v)
	}
}

// The plan of an alarm repeats itself, and State keeps the last round of each step: the report says so, in the order of the times.
// Where the cause changes, the reason does not run into its name.
func TestTheReportOfARepeatedAlarmIsInOrder(t *testing.T) {
	s := hadAnOutage()
	told := s.PastAlarms[1].Told
	told[0].At, told[0].Times = evening.Add(-52*time.Minute), 4
	o := OutageOf(s, s.Outages[0])
	p := sheetOf(New(Options{Vault: gatewaytest.NewVault(), Log: quiet}).view(s), french, evening)
	p.outage(o)
	page := p.out.String()
	siren, again := strings.Index(page, "sirène Hall"), strings.Index(page, "sollicité 4 fois")
	if siren < 0 || again < siren || strings.Count(page, "sollicité") != 1 {
		t.Errorf("the siren stands at %d, the last round of four at %d", siren, again)
	}
	if !strings.Contains(page, `Pas d’internet <span class="why">`) {
		t.Error("the reason of another cause runs into its name")
	}
}

// Minutes are rounded as the reasons round them: 8 h 40 min 59 s is not 8 h 40 min here and 8 h 41 min there.
func TestLengthsAreRoundedAsInReasons(t *testing.T) {
	p := &sheet{in: english}
	for seconds, want := range map[int]string{-1: "0 s", 59: "59 s", 119: "119 s", 120: "2 min", 149: "2 min", 150: "3 min", 3569: "59 min", 3570: "1 h 00 min", 31259: "8 h 41 min", 31229: "8 h 40 min", 172770: "2 days 0 h"} {
		if got := p.length(seconds); got != want {
			t.Errorf("%d s is %q, want %q", seconds, got, want)
		}
	}
}
