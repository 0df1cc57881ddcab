package netatmo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// logInAgain is what a person has to do when the vendor accepts the sign-in no longer.
const logInAgain = "log in again: veilleuse login"

var (
	errNotSignedIn = errors.New("not signed in: run veilleuse login")
	errNotYet      = errors.New("the sign-in cannot be renewed yet")
	errRevoked     = errors.New("the vendor no longer accepts the sign-in: " + logInAgain)
)

// signIn looks for tokens at the start of a run and says so once if there are none.
func (s *session) signIn() {
	s.look = s.now().Add(lookEvery)
	err := errNoClient
	if s.ClientID != "" {
		_, err = s.account.load()
	}
	switch {
	case err == nil && s.account.attempt.Revoked:
		s.post(gateway.Call{Plane: gateway.PlaneAuth, Verdict: gateway.VerdictAuthRevoked, Why: errRevoked.Error()})
	case err == nil:
		if !s.account.attempt.Began.IsZero() {
			s.Log.Info("netatmo: the last renewal of the sign-in did not end; the same token will be sent again")
		}
	case errors.Is(err, fs.ErrNotExist):
		s.post(gateway.Call{Plane: gateway.PlaneAuth, Verdict: gateway.VerdictUnknown, Why: errNotSignedIn.Error()})
	default:
		s.post(gateway.Call{Plane: gateway.PlaneAuth, Verdict: gateway.VerdictUnknown, Why: "not signed in: " + err.Error()})
	}
}

// lookForTokens sees whether somebody has signed in meanwhile. A revoked sign-in is also tried again
// now and then: the word may have been an outage's.
func (s *session) lookForTokens(ctx context.Context) {
	s.look = s.now().Add(lookEvery)
	if s.ClientID == "" {
		return
	}
	changed, err := s.account.load()
	if s.account.dead && !changed && err == nil && !s.now().Before(s.account.next()) {
		err = s.renew(ctx)
		changed = err == nil
	}
	if !changed {
		return
	}
	s.Log.Info("netatmo: signed in")
	s.renewal = nil
	s.known.refused = [errandCount]bool{}
	s.round = round{}
	s.plan()
}

// adopt takes up a pair that somebody has stored since. A fault of the vault shows where it matters,
// at the next renewal.
func (s *session) adopt() {
	if changed, err := s.account.load(); err == nil && changed {
		s.Log.Info("netatmo: signed in anew")
		s.renewal = nil
		s.known.refused = [errandCount]bool{}
		for _, e := range []errand{stations, coaches, events} {
			s.round.hasten(e, s.now())
		}
	}
}

// access returns the access token to send, renewed if it is about to end.
func (s *session) access(ctx context.Context) (string, error) {
	switch {
	case s.account.dead:
		return "", errRevoked
	case !s.account.signedIn:
		return "", errNotSignedIn
	}
	token := s.account.kept.Token
	if token.Access != "" && !s.isOld(token) {
		return token.Access, nil
	}
	err := s.renew(ctx)
	token = s.account.kept.Token
	if token.Access == "" {
		return "", err
	}
	return token.Access, nil // if it has ended, the vendor says so, which is a sign of life
}

// isOld reports whether the token should be renewed before it is used: near its end, while the
// cloud is well and the clock can be believed.
func (s *session) isOld(t Token) bool {
	if t.Renew.IsZero() || s.state.Clock.Trust == gateway.TrustGuess {
		return false
	}
	switch s.state.Authority.Phase {
	case gateway.Suspect, gateway.Local:
		return false
	}
	return !s.now().Before(t.Renew)
}

// mayRenew reports whether a refresh may be sent: never into an outage, for its answer could get
// lost, and with it the sign-in.
func (s *session) mayRenew() bool {
	if s.state.Authority.Phase != gateway.Local || s.state.Authority.Drill {
		return true
	}
	switch s.state.Cloud.Verdict {
	case gateway.VerdictOK, gateway.VerdictDegraded, gateway.VerdictAuthRevoked, gateway.VerdictRateLimited:
		return true
	}
	return false
}

// renew trades the refresh token for a new pair. Nothing of it can lose both pairs but an answer
// that gets lost after the vendor has sent it, and then the same token is sent again until the vendor
// has refused it twice, 10 min apart.
func (s *session) renew(ctx context.Context) error {
	a := &s.account
	changed, err := a.load()
	if a.pending != nil {
		return s.settle(*a.pending)
	}
	if err != nil || changed && a.kept.Access != "" {
		return err // the vault fails, and could not keep a new pair; or somebody has just signed in
	}
	now := s.now()
	if !s.mayRenew() || now.Before(a.next()) {
		return errNotYet
	}
	if err := s.spend(ctx, forPeople); err != nil {
		return err
	}
	if err := a.begin(s.now()); err != nil {
		s.post(gateway.Call{Plane: gateway.PlaneAuth, Verdict: gateway.VerdictSelf, Why: err.Error()})
		return err
	}
	old := a.kept.Token
	c := call{name: "token", plane: gateway.PlaneAuth, path: tokenPath, form: url.Values{
		"grant_type": {"refresh_token"}, "refresh_token": {a.choose()},
		"client_id": {s.ClientID}, "client_secret": {s.ClientSecret},
	}}
	lingering, cancel := linger(ctx)
	defer cancel()
	r := s.web.do(lingering, c, "")
	if lingering.Err() != nil && r.err != nil {
		return lingering.Err()
	}
	if changed, err := a.load(); err == nil && changed { // somebody has signed in meanwhile: the answer is of no use
		if a.kept.Access == "" {
			return errNotYet
		}
		return nil
	}
	t, err := readTokenAnswer(r, s.now())
	if err != nil {
		return s.renewalFailed(c, r, err)
	}
	err = s.settle(keptToken{Token: t, Before: &old})
	s.report(c, r, finding{gateway.PlaneAuth, gateway.VerdictOK, nil})
	return err
}

// stopPatience is how long a refresh under way may go on after the adapter was told to stop.
const stopPatience = 700 * time.Millisecond

// linger returns a context that outlives ctx a little, for an answer that must not get lost.
func linger(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	late := time.AfterFunc(time.Hour, cancel)
	stop := context.AfterFunc(ctx, func() { late.Reset(stopPatience) })
	return longer, func() { stop(); late.Stop(); cancel() }
}

// settle puts a new pair to use once it is durable; until then it is kept and tried again.
func (s *session) settle(kept keptToken) error {
	err := s.account.settle(kept, s.now())
	if err != nil {
		s.post(gateway.Call{Plane: gateway.PlaneAuth, Verdict: gateway.VerdictSelf, Why: err.Error()})
	}
	return err
}

// renewalFailed judges a refresh that gave no tokens. Only the vendor's own word, repeated, is a
// revocation; everything else is a fault that passes.
func (s *session) renewalFailed(c call, r reply, err error) error {
	a := &s.account
	f := finding{gateway.PlaneAuth, gateway.VerdictDegraded, err}
	var no refusal
	switch {
	case refusesGrant(err):
		f.err = fmt.Errorf("the vendor refused to renew the sign-in (%w); asked again in %v", err, refusalPause)
		if a.refused(s.now()) {
			f.verdict, f.err = gateway.VerdictAuthRevoked, errRevoked
		}
	case r.err != nil:
		a.attempt.Failures++
		f.verdict, f.err = judgeFailure(r, s.state.Clock.Trust), plain(r.err)
	case errors.As(err, &no) && no.message == "invalid_client":
		a.attempt.Failures++
		f.err = errors.New("the vendor does not know this application: check netatmo.client_id and its secret")
	default:
		a.attempt.Failures++
		if _, v := judgeRefusal(gateway.PlaneAuth, err); v == gateway.VerdictRateLimited {
			f.verdict = v
		}
	}
	if kept := a.keepAttempt(); kept != nil {
		s.Log.Warn("netatmo: cannot note a failed renewal of the sign-in", "err", kept)
	}
	s.report(c, r, f)
	return f.err
}

// hush blots out secrets, should a text of the vendor's repeat one.
func (s *session) hush(text string) string {
	secrets := []string{s.ClientSecret, s.account.kept.Access, s.account.kept.Refresh}
	if b := s.account.kept.Before; b != nil {
		secrets = append(secrets, b.Access, b.Refresh)
	}
	for _, secret := range secrets {
		if len(secret) >= 8 {
			text = strings.ReplaceAll(text, secret, hidden)
		}
	}
	return text
}
