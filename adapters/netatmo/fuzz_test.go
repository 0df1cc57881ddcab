package netatmo

import (
	"math"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// seeds are the published payloads and a few oddities.
func seeds(f *testing.F) {
	for _, pattern := range []string{"pyatmo/*.json", "pyatmo-archive/*.json", "gladys/*.json", "webhooks/*.json"} {
		files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "fixtures", "netatmo-cloud", pattern))
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range files {
			if data, err := os.ReadFile(name); err == nil {
				f.Add(data)
			}
		}
	}
	for _, s := range []string{
		``, `{}`, `[]`, `null`, `<html>`, `{"error":"x"}`, `{"error":{"code":1e99}}`, `{"body":[]}`, `{"status":"ok","body":{"homes":{"a":{"id":1}}}}`,
		`{"status":"ok","body":{"home":{"id":"h","modules":[{"id":"a","type":"NSD","last_seen":1e18,"vpn_url":"http://[::1"}],"rooms":[[]]},"errors":[{"id":1,"code":"6"}]}}`,
		`{"id":"x","timetable":[{"m_offset":1e300,"zone_id":-1e300}],"zones":[{"id":9e99,"rooms":{"id":{}}}]}`,
	} {
		f.Add([]byte(s))
	}
}

// sane fails for a number that no reading may have.
func sane(t *testing.T, v gateway.Value) {
	if n, ok := v.Number(); ok && (math.IsNaN(n) || math.IsInf(n, 0)) {
		t.Fatalf("a value is %v", v)
	}
}

// FuzzAnswers throws one text at everything that reads the vendor's answers.
func FuzzAnswers(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		now := time.Unix(1_700_000_000, 0)
		a, err := readAnswer(200, data)
		if err != nil {
			if _, v := judgeRefusal(gateway.PlaneRead, err); v == "" || len(err.Error()) > 600 {
				t.Fatalf("verdict %q, error %q", v, err)
			}
			a.body = readObject(data)
		}
		for _, h := range readHomes(a.body) {
			plan := h.plan(gateway.TimeZone{})
			if plan.Home == "" || plan.DefaultDuration < 0 {
				t.Fatalf("plan %+v", plan)
			}
			checkSchedules(t, h.Schedules)
			for _, d := range h.Devices {
				if d.Device == "" {
					t.Fatal("a device without an id")
				}
			}
			heads(h.Devices)
		}
		s := readStatus(a, now)
		if s.fresh().After(s.at.Add(futureSlack)) {
			t.Fatalf("fresh %v, at %v", s.fresh(), s.at)
		}
		hintOf(s.rooms)
		_ = checkStatus(a, s, "h")
		devices := append(s.devices, readWeather(a, "h", now)...)
		for _, d := range devices {
			if d.Device == "" {
				t.Fatal("a device without an id")
			}
			for _, v := range d.readings {
				sane(t, v.value)
			}
		}
		for _, r := range s.rooms {
			sane(t, r.Target)
		}
		for _, r := range newestReadings(readEventList(a.body), now) {
			if r.Device == "" || !r.Value.Known() {
				t.Fatalf("reading %+v", r)
			}
		}
	})
}

func checkSchedules(t *testing.T, all []gateway.Schedule) {
	for _, s := range all {
		for _, slot := range s.Slots {
			if !isSmall(float64(slot.Minute)) || !isSmall(float64(slot.Zone)) {
				t.Fatalf("slot %+v", slot)
			}
		}
		for _, z := range s.Zones {
			for _, r := range z.Rooms {
				if r.Room == "" || (r.Target == 0) == (r.Order == "") {
					t.Fatalf("room %+v", r)
				}
			}
		}
	}
}

func FuzzReadSchedules(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := ReadSchedules(data)
		if (err == nil) == (len(all) == 0) {
			t.Fatalf("%d schedules, error %v", len(all), err)
		}
		checkSchedules(t, all)
	})
}

func FuzzReadWebhook(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := ReadWebhook(data, evening)
		if err != nil && len(facts) > 0 {
			t.Fatalf("facts %v beside error %v", facts, err)
		}
		for _, fact := range facts {
			if r, ok := fact.(gateway.Reading); ok && (r.Device == "" && r.Quantity != gateway.Target || !r.Value.Known()) {
				t.Fatalf("reading %+v", r)
			}
		}
	})
}

func FuzzTokenAnswer(f *testing.F) {
	f.Add(200, []byte(`{"access_token":"a","refresh_token":"r","expires_in":10800,"expire_in":10800,"scope":["read_thermostat"]}`))
	f.Add(400, []byte(`{"error":"invalid_grant"}`))
	f.Add(400, []byte(`{"error":{"code":30,"message":"x"}}`))
	f.Add(200, []byte(`{"access_token":"a","refresh_token":"r","expires_in":-1e300}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		now := time.Unix(1_700_000_000, 0)
		token, err := readTokenAnswer(reply{status: status, body: body}, now)
		if err == nil && (token.Access == "" || token.Refresh == "") {
			t.Fatal("a pair without one of its halves is taken")
		}
		if !token.Expires.IsZero() && (!token.Expires.After(now) || token.Renew.After(token.Expires)) {
			t.Fatalf("ends %v, is renewed %v", token.Expires, token.Renew)
		}
		if refusesGrant(err) && (status < 400 || status >= 500 || status == 429) {
			t.Fatalf("status %d is taken for a refusal of the grant", status)
		}
	})
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("120", "")
	f.Add("Wed, 29 Oct 2025 17:05:00 GMT", "Wed, 29 Oct 2025 17:00:00 GMT")
	f.Add("-1", "soon")
	f.Add("99999999999999999999", "")
	f.Fuzz(func(t *testing.T, text, date string) {
		header := http.Header{"Retry-After": {text}, "Date": {date}}
		asked, ok := retryAfter(header, time.Unix(1_700_000_000, 0))
		if ok && (asked < time.Second || asked > longRetry) || !ok && asked != 0 {
			t.Fatalf("%v, %v", asked, ok)
		}
	})
}
