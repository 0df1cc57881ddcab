package netatmo

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// stored is the pair in a vault.
func stored(t testing.TB, m *memory) keptToken {
	t.Helper()
	k, err := loadToken(m)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestRefreshAtFourFifthsOfTheLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(3*time.Hour + 5*time.Minute) // the first pair's age is not known: the vendor has to say
		if n := r.cloud.Count(tokenPath); n != 1 {
			t.Fatalf("%d refreshes in 3 h, want 1", n)
		}
		if b := bad(r.facts); len(b) > 0 {
			t.Errorf("an expired token is judged %v", b)
		}
		for range 6 {
			r.pass(2*time.Hour + 24*time.Minute)
		}
		r.pass(20 * time.Minute)
		requests := r.cloud.Requests()
		if n := r.cloud.Count(tokenPath); n != 7 {
			t.Errorf("%d refreshes, want one each 2 h 24 min", n)
		}
		refused := 0
		for _, q := range requests {
			if q.Status == 403 {
				refused++
			}
		}
		if refused != 1 {
			t.Errorf("the vendor refused %d requests, only the first pair may run out", refused)
		}
		if k := stored(t, r.vault); !r.cloud.Valid(k.Refresh) || k.Before != nil {
			t.Errorf("the vault holds no valid pair, or still the one before: %v", k.Before)
		}
	})
}

func TestNoRefreshIntoAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Hour)
		r.phase(gateway.Local, gateway.VerdictCloudDown)
		r.pass(8 * time.Hour) // the access token ends meanwhile; the API answers so
		if n := r.cloud.Count(tokenPath); n != 0 {
			t.Fatalf("%d refreshes in an outage", n)
		}
		calls := only[gateway.Call](r.facts)
		if c := calls[len(calls)-1]; c.Verdict != gateway.VerdictOK || c.Plane != gateway.PlaneRead {
			t.Errorf("an API that says that the token has ended is alive, but judged %+v", c)
		}
		r.phase(gateway.Returning, gateway.VerdictOK)
		news := r.pass(time.Minute)
		if n := r.cloud.Count(tokenPath); n != 1 {
			t.Errorf("%d refreshes on return, want 1", n)
		}
		if len(only[gateway.CloudView](news)) == 0 {
			t.Error("the cloud was not read on return")
		}
	})
}

// Whatever the token URL does short of the vendor's own refusal is a fault that passes: the tokens are
// kept, refreshes stay 5 min apart, and the sign-in works on afterwards.
func TestFaultsOfTheTokenURLAreNoRevocation(t *testing.T) {
	for _, kind := range []netatmotest.Kind{
		netatmotest.Unavailable, netatmotest.TooMany, netatmotest.TimeOut, netatmotest.HTML, netatmotest.Empty,
		netatmotest.Reset, netatmotest.Refused, netatmotest.Mongo, netatmotest.Overloaded, netatmotest.Redirect,
	} {
		t.Run(string(kind), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, small)
				before := stored(t, r.vault).Refresh
				r.cloud.Break(netatmotest.Fault{Kind: kind, Paths: []string{tokenPath}})
				r.pass(2*time.Hour + 55*time.Minute)
				from := time.Now()
				r.pass(35 * time.Minute)
				n := countOf(since(r.cloud, from), tokenPath)
				if n > 7 || n < 2 && kind != netatmotest.Refused { // which nobody can count
					t.Errorf("%d refreshes in half an hour, at most one in 5 min", n)
				}
				for _, c := range only[gateway.Call](r.facts) {
					if c.Verdict == gateway.VerdictAuthRevoked {
						t.Fatalf("judged a revocation: %s", c.Why)
					}
				}
				if got := stored(t, r.vault).Refresh; got != before {
					t.Error("the refresh token was lost")
				}
				r.cloud.Mend()
				news := r.pass(70 * time.Minute)
				if len(only[gateway.CloudView](news)) == 0 {
					t.Error("the sign-in does not work again")
				}
			})
		})
	}
}

func TestTokenURLDownIsDegradedAuth(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(3*time.Hour + 5*time.Minute) // with a pair whose end is known
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Unavailable, Paths: []string{tokenPath}})
		news := r.pass(2*time.Hour + 50*time.Minute)
		var auth []gateway.Call
		for _, c := range bad(news) {
			if c.Plane != gateway.PlaneAuth || c.Verdict != gateway.VerdictDegraded {
				t.Errorf("unexpected %+v", c)
			}
			auth = append(auth, c)
		}
		if len(auth) < 3 {
			t.Fatalf("%d calls tell that the sign-in cannot be renewed, want several before it ends", len(auth))
		}
		if got := auth[0].Why; got != "token: 503 with HTML" {
			t.Errorf("why: %q", got)
		}
		if left := auth[0].Expires.Sub(news[slices.IndexFunc(news, func(e gateway.Event) bool { return e.Fact == auth[0] })].At); left < 20*time.Minute || left > 40*time.Minute {
			t.Errorf("the house is told that the sign-in ends in %v, want the last fifth of 3 h", left)
		}
	})
}

func TestRevokedSignIn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(10 * time.Minute)
		r.cloud.Revoke()
		news := r.pass(5 * time.Minute)
		for _, c := range bad(news) {
			if c.Verdict == gateway.VerdictAuthRevoked {
				t.Fatalf("judged a revocation after a single refusal: %s", c.Why)
			}
		}
		news = r.pass(20 * time.Minute)
		var revoked []gateway.Call
		for _, c := range bad(news) {
			if c.Verdict == gateway.VerdictAuthRevoked {
				revoked = append(revoked, c)
			}
		}
		if len(revoked) != 1 || revoked[0].Plane != gateway.PlaneAuth || !strings.Contains(revoked[0].Why, "log in again: veilleuse login") {
			t.Fatalf("revocations: %+v, want one that says what to do", revoked)
		}
		var refusals []time.Time
		for _, q := range r.cloud.Requests() {
			if q.Path == tokenPath {
				refusals = append(refusals, q.At)
			}
		}
		if len(refusals) != 2 || refusals[1].Sub(refusals[0]) < 10*time.Minute {
			t.Errorf("refreshes at %v, want two at least 10 min apart", refusals)
		}

		from := time.Now()
		r.pass(5 * time.Hour)
		if n := len(since(r.cloud, from)); n != 0 {
			t.Errorf("%d requests without a sign-in", n)
		}
		r.pass(2 * time.Hour)
		if n := countOf(since(r.cloud, from), tokenPath); n != 1 {
			t.Errorf("%d refreshes in 7 h, want one in case the vendor was wrong", n)
		}

		signInto(t, r.cloud, r.vault)
		if news = r.pass(time.Minute); len(only[gateway.CloudView](news)) == 0 {
			t.Error("a new sign-in is not taken up within a minute")
		}
	})
}

func TestRevocationSurvivesARestart(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Minute)
		r.cloud.Revoke()
		r.pass(5 * time.Minute)
		r.house.Stop()
		first := r.cloud.Count(tokenPath)
		if first != 1 {
			t.Fatalf("%d refreshes before the restart, want 1", first)
		}
		again := newRig(t, func(s *setup) { s.vault = r.vault }) // a vendor that knows nothing of these tokens
		news := again.pass(3 * time.Minute)
		if n := again.cloud.Count(tokenPath); n != 0 {
			t.Errorf("the restart forgot when it had asked: %d refreshes", n)
		}
		news = append(news, again.pass(20*time.Minute)...)
		if !slices.ContainsFunc(bad(news), func(c gateway.Call) bool { return c.Verdict == gateway.VerdictAuthRevoked }) {
			t.Error("the refusal before the restart does not count")
		}
		third := newRig(t, func(s *setup) { s.vault = r.vault })
		if calls := bad(third.pass(time.Second)); len(calls) == 0 || calls[0].Verdict != gateway.VerdictAuthRevoked {
			t.Errorf("a third start says %+v, want that the sign-in is revoked", calls)
		}
	})
}

func TestRevocationThatWasAMistake(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidGrant})
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidToken})
		r.pass(time.Hour)
		if c := bad(r.facts); c[len(c)-1].Verdict != gateway.VerdictAuthRevoked {
			t.Fatalf("the last word is %+v", c[len(c)-1])
		}
		r.cloud.Mend()
		if news := r.pass(7 * time.Hour); len(only[gateway.CloudView](news)) == 0 {
			t.Error("the tokens, which were valid all the time, were given up for ever")
		}
	})
}

func TestOldPairRescuesANewOneThatNeverWorked(t *testing.T) {
	a := account{vault: newMemory()}
	if err := a.settle(keptToken{Token: Token{Refresh: "new"}, Before: &Token{Refresh: "old"}}, evening); err != nil {
		t.Fatal(err)
	}
	a.signedIn = true
	var sent []string
	now := evening
	for range 3 {
		sent = append(sent, a.choose())
		if a.refused(now) {
			break
		}
		now = now.Add(refusalPause)
	}
	if !slices.Equal(sent, []string{"new", "old", "new"}) || !a.attempt.Revoked {
		t.Errorf("sent %v, revoked %v", sent, a.attempt.Revoked)
	}
}

func TestInvalidAccessTokenInAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(10 * time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidToken}) // as on 22 January 2025
		from := time.Now()
		news := r.pass(29 * time.Minute)
		for _, c := range bad(news) {
			if c.Plane != gateway.PlaneAuth || c.Verdict != gateway.VerdictDegraded {
				t.Errorf("unexpected %+v", c)
			}
		}
		if n := countOf(since(r.cloud, from), tokenPath); n < 1 || n > 7 {
			t.Errorf("%d refreshes in 29 min", n)
		}
		r.cloud.Mend()
		if news = r.pass(10 * time.Minute); len(only[gateway.CloudView](news)) == 0 {
			t.Error("it does not go on after the outage")
		}
	})
}

func TestSomebodyElseSignsIn(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, nil)
		r.pass(time.Hour)
		signInto(t, r.cloud, r.vault) // voids the pair in use
		news := r.pass(10 * time.Minute)
		if n := r.cloud.Count(tokenPath); n != 0 {
			t.Errorf("%d refreshes though the vault held a newer pair", n)
		}
		if len(only[gateway.CloudView](news)) == 0 {
			t.Error("the newer pair is not used")
		}
	})
}

func TestVaultThatCannotStoreMeansNoRefresh(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Minute)
		full := errors.New("no space left on device")
		r.vault.hook(func(operation, _ string) error {
			if operation == "set" {
				return full
			}
			return nil
		}, nil)
		news := r.pass(4 * time.Hour)
		if n := r.cloud.Count(tokenPath); n != 0 {
			t.Fatalf("%d refreshes whose pair could not have been kept", n)
		}
		if !slices.ContainsFunc(bad(news), func(c gateway.Call) bool {
			return c.Verdict == gateway.VerdictSelf && strings.Contains(c.Why, "no space left")
		}) {
			t.Error("nobody is told that the disk is at fault")
		}
		r.vault.hook(nil, nil)
		r.pass(10 * time.Minute)
		if n := r.cloud.Count(tokenPath); n != 1 || !r.cloud.Valid(stored(t, r.vault).Refresh) {
			t.Errorf("%d refreshes once there is room again", n)
		}
	})
}

func TestNewPairIsNotUsedBeforeItIsDurable(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Minute)
		old := stored(t, r.vault).Access
		r.vault.hook(func(operation, key string) error {
			if operation == "set" && key == tokenKey {
				return errors.New("input/output error")
			}
			return nil
		}, nil)
		r.pass(3*time.Hour + 10*time.Minute)
		if n := r.cloud.Count(tokenPath); n != 1 {
			t.Errorf("%d refreshes, want one whose pair is kept until it can be stored", n)
		}
		for _, q := range r.cloud.Requests() {
			if q.Access != "" && q.Access != old {
				t.Fatal("a pair was used that is not durable")
			}
		}
		r.vault.hook(nil, nil)
		if news := r.pass(5 * time.Minute); len(only[gateway.CloudView](news)) == 0 || !r.cloud.Valid(stored(t, r.vault).Refresh) {
			t.Error("the pair in hand was lost")
		}
	})
}

func TestStopWaitsForARefreshUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(3*time.Hour - 30*time.Second)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Slow, Delay: 300 * time.Millisecond, Paths: []string{tokenPath}})
		for r.cloud.Count(tokenPath) == 0 {
			time.Sleep(50 * time.Millisecond)
		}
		synctest.Wait()
		r.house.Stop()
		if !r.cloud.Valid(stored(t, r.vault).Refresh) {
			t.Error("the stop lost the new pair")
		}
	})
}

// killed is what a test's power cut panics with.
type killed struct{}

// TestCrashAtEachStep cuts the power before and after everything that a refresh does to the vault, and
// while the vendor's answer is under way; then it starts again. The vault never holds no pair, and in
// the end either the sign-in works or a person is told to log in again; the latter only if the answer
// itself was lost, which nobody can mend.
func TestCrashAtEachStep(t *testing.T) {
	steps := []string{
		"before set refresh", "after set refresh", "lost answer",
		"before set token", "after set token", "before delete refresh", "after delete refresh",
	}
	for _, step := range steps {
		t.Run(step, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				cloud := netatmotest.New(netatmotest.Options{})
				vault := signedIn(t, cloud)
				k := stored(t, vault)
				k.Expires, k.Renew = time.Now().Add(time.Minute), time.Now()
				if err := saveToken(vault, k); err != nil {
					t.Fatal(err)
				}
				crash(t, cloud, vault, step)
				after := stored(t, vault)
				if after.Refresh != k.Refresh && !cloud.Valid(after.Refresh) {
					t.Fatal("the vault holds neither the old pair nor the new one")
				}
				outcome := restart(t, cloud, vault)
				hopeless := step == "lost answer" || step == "before set token"
				if hopeless && outcome != "log in again" || !hopeless && outcome != "works" {
					t.Errorf("after a cut %s: %s", step, outcome)
				}
			})
		})
	}
}

// crash runs one refresh that is cut at a step.
func crash(t *testing.T, cloud *netatmotest.Cloud, vault *memory, step string) {
	t.Helper()
	cut := func(when, operation, key string) {
		if step == when+" "+operation+" "+key {
			panic(killed{})
		}
	}
	vault.hook(func(operation, key string) error { cut("before", operation, key); return nil },
		func(operation, key string) { cut("after", operation, key) })
	if step == "lost answer" {
		cloud.Break(netatmotest.Fault{Kind: netatmotest.LostAnswer, Paths: []string{tokenPath}})
	}
	defer func() {
		if broken := recover(); broken != nil && broken != (killed{}) {
			panic(broken)
		}
		vault.hook(nil, nil)
		cloud.Mend()
	}()
	s, done := lonely(t, cloud, vault)
	defer done()
	s.signIn()
	if err := s.renew(t.Context()); err == nil && step != "after delete refresh" {
		t.Fatalf("the refresh was not cut %s", step)
	}
}

// restart runs a new adapter on what is left, for a day.
func restart(t *testing.T, cloud *netatmotest.Cloud, vault *memory) string {
	t.Helper()
	s, done := lonely(t, cloud, vault)
	defer done()
	s.signIn()
	for range 24 * 12 {
		_, err := s.ask(t.Context(), call{name: "homesdata", path: "/api/homesdata", plane: gateway.PlaneRead}, forPoll)
		if err == nil {
			return "works"
		}
		if errors.Is(err, errRevoked) {
			return "log in again"
		}
		time.Sleep(5 * time.Minute)
	}
	return "neither works nor says so"
}

func TestAttemptSurvivesJSON(t *testing.T) {
	in := attempt{Began: evening, Refused: evening.Add(-time.Hour), Refusals: 1, Failures: 2, Revoked: true}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	var out attempt
	if err := json.Unmarshal(data, &out); err != nil || fmt.Sprint(out) != fmt.Sprint(in) {
		t.Errorf("%v became %v, error %v", in, out, err)
	}
}

func TestPairsOfAShortLife(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, func(s *setup) {
			small(s)
			s.options.TokenLife = 100 * time.Second
		})
		r.pass(10 * time.Minute)
		from := time.Now()
		news := r.pass(time.Hour)
		if n := len(only[gateway.CloudView](news)); n < 25 {
			t.Errorf("homestatus was read %d times in an hour with tokens that live for 100 s", n)
		}
		for _, q := range since(r.cloud, from) {
			if q.Status == 403 {
				t.Fatal("an expired token was sent although its end was known")
			}
		}
	})
}

// While an ended sign-in cannot be renewed nothing can be read, however friendly the API says so.
func TestEndedSignInThatCannotBeRenewedIsAFault(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		r := newRig(t, small)
		r.pass(time.Minute)
		r.cloud.Break(netatmotest.Fault{Kind: netatmotest.Unavailable, Paths: []string{tokenPath}})
		r.pass(3*time.Hour + 10*time.Minute)
		calls := only[gateway.Call](r.pass(30 * time.Minute))
		poor := 0
		for _, c := range calls {
			switch {
			case c.Verdict == gateway.VerdictOK:
				t.Errorf("judged %+v", c)
			case c.Plane == gateway.PlaneAuth && c.Verdict == gateway.VerdictDegraded:
				poor++
			}
		}
		if poor < 12 {
			t.Errorf("%d of %d calls tell that the sign-in fails", poor, len(calls))
		}
	})
}

// Somebody signs in while the vendor is asked about the sign-in before: whatever it answers about that one, theirs is kept.
func TestANewSignInOutlivesTheAnswerToTheOneBefore(t *testing.T) {
	for name, revoke := range map[string]bool{"which is renewed": false, "which is refused": true} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				r := newRig(t, small)
				r.pass(time.Minute)
				if revoke {
					r.cloud.Revoke()
				} else {
					r.cloud.Break(netatmotest.Fault{Kind: netatmotest.InvalidToken, Times: 1})
				}
				var theirs string
				r.vault.hook(nil, func(operation, key string) {
					if operation == "set" && key == refreshKey && theirs == "" { // the request for another pair is about to go
						theirs = "theirs"
						if err := SaveToken(r.vault, Token{Refresh: theirs}); err != nil {
							t.Error(err)
						}
					}
				})
				r.pass(3 * time.Minute)
				if theirs == "" {
					t.Fatal("nothing was renewed")
				}
				if k := stored(t, r.vault); k.Refresh != theirs {
					t.Error("the new sign-in was written over")
				}
			})
		})
	}
}

// The same, when the first answer for a renewed pair would have the pair before it forgotten.
func TestANewSignInOutlivesTheFirstAnswerToAnother(t *testing.T) {
	inBubble(t, func(t *testing.T) {
		cloud := netatmotest.New(netatmotest.Options{})
		vault := signedIn(t, cloud)
		s, end := lonely(t, cloud, vault)
		defer end()
		defer cloud.Close()
		s.begin()
		s.account.kept.Before = &Token{Refresh: "the one before"}
		if err := SaveToken(vault, Token{Refresh: "theirs"}); err != nil {
			t.Fatal(err)
		}
		if err := s.account.worked(); err != nil {
			t.Fatal(err)
		}
		if k := stored(t, vault); k.Refresh != "theirs" {
			t.Error("the new sign-in was written over")
		}
	})
}
