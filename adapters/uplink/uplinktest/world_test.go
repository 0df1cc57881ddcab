package uplinktest

import (
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestWorldAsAClientSeesIt(t *testing.T) {
	before := runtime.NumGoroutine()
	w, err := New(Settings{TLS: true})
	if err != nil {
		t.Fatal(err)
	}
	const long = 30 * time.Second // for those who answer, and for a busy machine
	ask := func(patience time.Duration) (int, string, error) {
		client := w.Client() // a new one: the old one's look-ups go on after it has given up
		client.Timeout = patience
		response, err := client.Get(w.URL() + "/api/homesdata")
		if err != nil {
			return 0, "", err
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		return response.StatusCode, string(body), err
	}
	well := func() {
		t.Helper()
		if status, body, err := ask(long); err != nil || status != 403 || !strings.Contains(body, "Access token is missing") {
			t.Errorf("all well: %d %q %v", status, body, err)
		}
	}
	well()
	for _, c := range []struct {
		fault Fault
		want  string // in the error, "" for an answer
	}{
		{NXDomain, "no such host"}, {EmptyAnswer, "no such host"}, {ServFail, "server misbehaving"}, {NameRefused, "server misbehaving"},
		{ResolverDead, "refused"}, {NamesFail, "server misbehaving"}, {Refused, "connection refused"}, {BlackHole, "deadline"},
		{Reset, "reset"}, {Hangup, "EOF"}, {TLSSilent, "deadline"}, {WrongName, "not api.netatmo.test"},
		{UnknownCA, "unknown authority"}, {Expired, "is after"}, {NotYetValid, "is before"}, {TLSAlert, "remote error: tls"},
		{PlainHTTP, "server gave HTTP response"}, {Truncated, "unexpected EOF"}, {SlowHeaders, "deadline"}, {InternetDown, "deadline"},
		{Status503, ""}, {HTML200, ""}, {QuotaUsed, ""},
	} {
		if err := w.Break(c.fault); err != nil {
			t.Fatalf("%s: %v", c.fault, err)
		}
		patience := long
		if c.want == "deadline" {
			patience = 2 * time.Second
		}
		_, _, err := ask(patience)
		var timedOut net.Error
		slow := errors.As(err, &timedOut) && timedOut.Timeout() && c.want == "deadline"
		if (err == nil) != (c.want == "") || err != nil && !slow && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.fault, err, c.want)
		}
		if err := w.Break(); err != nil {
			t.Fatalf("mend %s: %v", c.fault, err)
		}
	}
	well()
	w.Close()
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after", before, runtime.NumGoroutine())
		}
	}
}

func TestBreakRefusesWhatItDoesNotKnow(t *testing.T) {
	w, err := New(Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Break("moon fell down"); err == nil {
		t.Error("an unknown fault is taken")
	}
}

func TestOwnAPIStandsBehindTheEdge(t *testing.T) {
	w, err := New(Settings{Host: "cloud.test", API: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "asked for "+r.URL.Path)
	})})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	response, err := w.Client().Get(w.URL() + "/api/homestatus")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, _ := io.ReadAll(response.Body); string(body) != "asked for /api/homestatus" {
		t.Errorf("got %q", body)
	}
	if seen := string(w.Edge.Seen()); !strings.Contains(seen, "Host: cloud.test") {
		t.Errorf("the edge kept %q", seen)
	}
}
