package netatmo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Nobody who cannot prove to be the vendor gets a token, and each kind of impostor is told apart.
func TestTransportSecurity(t *testing.T) {
	day := 24 * time.Hour
	now := time.Now()
	for _, c := range []struct {
		name     string
		cert     string // the name in it
		from, to time.Time
		trusted  bool
		plain    bool
		trust    gateway.Trust
		want     gateway.Verdict
	}{
		{"right", "vendor.test", now.Add(-day), now.Add(day), true, false, gateway.TrustSynced, gateway.VerdictOK},
		{"unknown authority", "vendor.test", now.Add(-day), now.Add(day), false, false, gateway.TrustSynced, gateway.VerdictUnknown},
		{"another name", "portal.test", now.Add(-day), now.Add(day), true, false, gateway.TrustSynced, gateway.VerdictHijack},
		{"out of date", "vendor.test", now.Add(-3 * day), now.Add(-day), true, false, gateway.TrustSynced, gateway.VerdictDegraded},
		{"out of date by a clock that is a guess", "vendor.test", now.Add(-3 * day), now.Add(-day), true, false, gateway.TrustGuess, gateway.VerdictClockWrong},
		{"not yet valid", "vendor.test", now.Add(day), now.Add(3 * day), true, false, gateway.TrustSynced, gateway.VerdictClockWrong},
		{"HTTP where TLS ought to be", "", now, now, false, true, gateway.TrustSynced, gateway.VerdictCaptive},
	} {
		t.Run(c.name, func(t *testing.T) {
			var tokens atomic.Int32
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Authorization") != "" {
					tokens.Add(1)
				}
				_, _ = io.WriteString(w, `{"status":"ok","body":{"x":1}}`)
			}))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			roots := x509.NewCertPool()
			if c.plain {
				server.Start()
			} else {
				ca := gatewaytest.NewAuthority(t)
				if c.trusted {
					roots = ca.Roots()
				}
				cert := ca.Issue(c.cert, &x509.Certificate{DNSNames: []string{c.cert}, NotBefore: c.from, NotAfter: c.to})
				server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
				server.StartTLS()
			}
			defer server.Close()
			w, err := newWeb(Options{URL: "https://vendor.test", Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer w.close()
			w.client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: roots}
			r := w.do(t.Context(), call{name: "homesdata", plane: gateway.PlaneRead, path: "/api/homesdata"}, "ACCESS")
			_, f := judge(call{name: "homesdata", plane: gateway.PlaneRead}, r, c.trust)
			if f.verdict != c.want {
				t.Errorf("judged %s (%v), want %s", f.verdict, f.err, c.want)
			}
			if got := tokens.Load() > 0; got != (c.want == gateway.VerdictOK) {
				t.Errorf("the token was sent: %v", got)
			}
		})
	}
}

func TestJudgeFailure(t *testing.T) {
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://x/secret", Err: &net.OpError{Op: "dial", Err: err}}
	}
	for _, c := range []struct {
		name   string
		err    error
		joined bool
		want   gateway.Verdict
	}{
		{"no such host", dial(&net.DNSError{Err: "no such host", IsNotFound: true}), false, gateway.VerdictCloudDown},
		{"server failure of the name's servers", dial(&net.DNSError{Err: "server misbehaving", IsTemporary: true}), false, gateway.VerdictCloudDown},
		{"refused by the home's name server", dial(&net.DNSError{Err: "server misbehaving"}), false, gateway.VerdictResolver},
		{"name server silent", dial(&net.DNSError{Err: "i/o timeout", IsTimeout: true, IsTemporary: true}), false, gateway.VerdictResolver},
		{"refused", dial(syscall.ECONNREFUSED), false, gateway.VerdictCloudDown},
		{"reset", dial(syscall.ECONNRESET), false, gateway.VerdictCloudDown},
		{"no route", dial(syscall.ENETUNREACH), false, gateway.VerdictInternetDown},
		{"no host", dial(syscall.EHOSTUNREACH), false, gateway.VerdictInternetDown},
		{"no connection in time", dial(context.DeadlineExceeded), false, gateway.VerdictCloudDown},
		{"no answer in time", context.DeadlineExceeded, true, gateway.VerdictDegraded},
		{"end in the handshake", io.EOF, false, gateway.VerdictCloudDown},
		{"an alert of TLS", tls.AlertError(40), false, gateway.VerdictCloudDown},
		{"too long an answer", errTooLong, true, gateway.VerdictDegraded},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := reply{err: c.err, joined: c.joined}
			_, f := judge(call{name: "homestatus", plane: gateway.PlaneRead}, r, gateway.TrustSynced)
			if f.verdict != c.want {
				t.Errorf("judged %s, want %s", f.verdict, c.want)
			}
		})
	}
}

func TestJudgeRefusal(t *testing.T) {
	for _, c := range []struct {
		name    string
		err     error
		plane   gateway.Plane
		verdict gateway.Verdict
	}{
		{"token expired", refusal{403, codeTokenExpired, ""}, gateway.PlaneRead, gateway.VerdictOK},
		{"token invalid", refusal{403, codeTokenInvalid, ""}, gateway.PlaneAuth, gateway.VerdictDegraded},
		{"token missing", refusal{401, codeTokenMissing, ""}, gateway.PlaneAuth, gateway.VerdictDegraded},
		{"401 without a code", refusal{401, codeNone, ""}, gateway.PlaneAuth, gateway.VerdictDegraded},
		{"application deactivated", refusal{406, codeDeactivated, "Application is deactivated"}, gateway.PlaneAuth, gateway.VerdictDegraded},
		{"usage, the older way", refusal{403, codeUsage, ""}, gateway.PlaneRead, gateway.VerdictRateLimited},
		{"concurrency", refusal{429, codeBusy, ""}, gateway.PlaneRead, gateway.VerdictRateLimited},
		{"429 with HTML", badAnswer{429, "HTML"}, gateway.PlaneRead, gateway.VerdictRateLimited},
		{"internal", refusal{500, codeBusy, ""}, gateway.PlaneRead, gateway.VerdictCloudDown},
		{"temporarily unavailable", refusal{503, codeUnavailable, ""}, gateway.PlaneRead, gateway.VerdictCloudDown},
		{"temporarily unavailable with 200", refusal{200, codeUnavailable, ""}, gateway.PlaneRead, gateway.VerdictCloudDown},
		{"device offline", refusal{400, codeDeviceOffline, ""}, gateway.PlaneRead, gateway.VerdictOK},
		{"nothing to modify", refusal{400, codeNothingToDo, ""}, gateway.PlaneRead, gateway.VerdictOK},
		{"device not found", refusal{404, codeNotFound, ""}, gateway.PlaneRead, gateway.VerdictOK},
		{"an unknown code", refusal{400, 77, ""}, gateway.PlaneRead, gateway.VerdictDegraded},
		{"404 with HTML", badAnswer{404, "HTML"}, gateway.PlaneRead, gateway.VerdictDegraded},
	} {
		t.Run(c.name, func(t *testing.T) {
			if p, v := judgeRefusal(gateway.PlaneRead, c.err); p != c.plane || v != c.verdict {
				t.Errorf("judged %s %s, want %s %s", p, v, c.plane, c.verdict)
			}
		})
	}
}

func TestRefusesGrant(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   bool
	}{
		{"the vendor's word", 400, `{"error":"invalid_grant"}`, true},
		{"with a description", 400, `{"error":"invalid_grant","error_description":"x"}`, true},
		{"the vendor's code", 400, `{"error":{"code":30,"message":"Invalid refresh token"}}`, true},
		{"the same word of a server that is down", 503, `{"error":"invalid_grant"}`, false},
		{"the same word with 200", 200, `{"error":"invalid_grant"}`, false},
		{"429", 429, `{"error":"invalid_grant"}`, false},
		{"HTML", 400, `<html>invalid_grant</html>`, false},
		{"another word", 400, `{"error":"invalid_client"}`, false},
		{"nothing", 400, ``, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readTokenAnswer(reply{status: c.status, body: []byte(c.body)}, evening)
			if err == nil || refusesGrant(err) != c.want {
				t.Errorf("error %v counts as a revocation: %v, want %v", err, refusesGrant(err), c.want)
			}
		})
	}
}

func TestLongAnswersAreCut(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(`{"x":"` + strings.Repeat("y", 1<<20))
		for range maxBody>>20 + 4 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}))
	defer server.Close()
	w, err := newWeb(Options{URL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	r := w.do(t.Context(), call{name: "homesdata", path: "/"}, "")
	if r.err != errTooLong || len(r.body) > maxBody+1 {
		t.Errorf("error %v, %d bytes", r.err, len(r.body))
	}
}

func TestErrorsNameNoAddress(t *testing.T) {
	w, err := newWeb(Options{URL: "http://127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	to, _ := url.Parse("http://127.0.0.1:1/restricted/10.0.0.1/CAMERA-KEY/command/ping")
	r := w.do(t.Context(), call{whole: to}, "")
	if r.err == nil || strings.Contains(r.err.Error(), "CAMERA-KEY") {
		t.Errorf("error %v", r.err)
	}
}

// What published refusals say, and how they are judged.
func TestPublishedRefusals(t *testing.T) {
	for _, c := range []struct {
		file    string
		status  int
		want    string
		verdict gateway.Verdict
		final   bool
	}{
		{"pyatmo/home_status_error_invalid_schedule_id.json", 400, "400 code 21 schedule <blahblahblah> is not therm schedule", gateway.VerdictOK, true},
		{"pyatmo/home_status_error_mode_is_missing.json", 400, "400 code 10 mode is missing", gateway.VerdictOK, true},
		{"pyatmo-archive/home_status_error_invalid_id.json", 400, "400 code 21 Invalid id", gateway.VerdictOK, true},
		{"pyatmo-archive/home_status_error_missing_home_id.json", 400, "400 code 10 Missing home_id", gateway.VerdictOK, true},
		{"pyatmo-archive/home_status_error_missing_parameters.json", 400, "400 code 10 Missing parameters", gateway.VerdictOK, true},
		{"pyatmo-archive/home_status_error_mode_not_authorized.json", 400, "400 code 21 mode not authorized", gateway.VerdictOK, true},
		{"pyatmo-archive/camera_set_state_error.json", 400, "400 code 21 Invalid device_id, 12:34:56:00:f1:ff", gateway.VerdictOK, true},
		{"pyatmo-archive/camera_set_state_error_wrong_parameter.json", 400, "400 code 21 cannot set property floodlight for module 12:34:56:00:f1:62", gateway.VerdictOK, true},
		{"pyatmo-archive/error_scope.json", 403, "403 code 13 Application does not have the good scope rights", gateway.VerdictOK, true},
		{"pyatmo-archive/public_data_error_mongo.json", 500, "500 code 0 failed to connect to server [localhost:27020] on first connect [MongoError: connect ECONNREFUSED 127.0.0.1:27020]", gateway.VerdictCloudDown, false},
		{"pyatmo-archive/public_data_error_mongo.json", 200, "200 code 0 failed to connect to server [localhost:27020] on first connect [MongoError: connect ECONNREFUSED 127.0.0.1:27020]", gateway.VerdictCloudDown, false},
		{"pyatmo-archive/invalid_grant.json", 400, "400 invalid_grant", gateway.VerdictDegraded, false},
	} {
		t.Run(c.file, func(t *testing.T) {
			_, err := readAnswer(c.status, fixture(t, c.file))
			var no refusal
			if !errors.As(err, &no) || err.Error() != c.want {
				t.Fatalf("error %q, want %q", err, c.want)
			}
			if _, v := judgeRefusal(gateway.PlaneRead, err); v != c.verdict {
				t.Errorf("judged %s, want %s", v, c.verdict)
			}
			if isFinal(err) != c.final {
				t.Errorf("final: %v, want %v", isFinal(err), c.final)
			}
		})
	}
}

func TestPublishedAcknowledgements(t *testing.T) {
	for _, file := range []string{"pyatmo/status_ok.json", "pyatmo-archive/camera_set_state_ok.json"} {
		if a := fixtureAnswer(t, file); a.body != nil || a.at.IsZero() || deviceFault(call{}, a.errors) != nil {
			t.Errorf("%s: %+v", file, a)
		}
	}
	already := fixtureAnswer(t, "pyatmo-archive/camera_set_state_error_already_on.json")
	if len(already.errors) != 1 || already.errors[0].code != deviceAlready {
		t.Fatalf("errors %+v", already.errors)
	}
	if err := deviceFault(call{name: "setstate"}, already.errors); err != nil {
		t.Errorf("a camera that is on already: %v", err)
	}
	lost := fixtureAnswer(t, "pyatmo/home_status_error_disconnected.json")
	if err := deviceFault(call{name: "setstate"}, lost.errors); err == nil || isFinal(err) {
		t.Errorf("an unreachable relay: %v", err)
	}
}
