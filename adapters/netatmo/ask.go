package netatmo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// patience is how long one request waits for the bucket to fill; a longer wait is an error.
const patience = 15 * time.Second

// quotaSpent says that a request cannot go for a while.
type quotaSpent struct{ until time.Time }

// Error says until when.
func (q quotaSpent) Error() string {
	return fmt.Sprintf("the quota of requests is spent until %s", q.until.Format("15:04"))
}

// spend takes one request from the purse, after a short wait if need be.
func (s *session) spend(ctx context.Context, who buyer) error {
	now := s.now()
	wait := s.purse.wait(now, who)
	if wait > patience {
		return quotaSpent{now.Add(wait)}
	}
	if wait > 0 && !s.port.Sleep(ctx, wait) {
		return ctx.Err()
	}
	s.purse.take(s.now(), who)
	return nil
}

// ask sends one request to the API, with a fresh access token if the vendor wants one, and reports
// what it says about the cloud.
func (s *session) ask(ctx context.Context, c call, who buyer) (answer, error) {
	access, err := s.access(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := s.once(ctx, c, access, who)
	var no refusal
	if !errors.As(err, &no) || !no.aboutToken() {
		return a, err
	}
	if again := s.renew(ctx); again != nil {
		if !errors.Is(again, errNotYet) { // which says less than why the last one failed
			s.renewal = again
		}
		if s.account.attempt.Revoked {
			s.account.dead = true
			s.look = s.now().Add(lookEvery)
			return answer{}, errRevoked
		}
		return answer{}, err
	}
	return s.once(ctx, c, s.account.kept.Access, who)
}

// once sends one request and reports it.
func (s *session) once(ctx context.Context, c call, access string, who buyer) (answer, error) {
	if err := s.spend(ctx, who); err != nil {
		return answer{}, err
	}
	r := s.web.do(ctx, c, access)
	if ctx.Err() != nil && r.err != nil {
		return answer{}, ctx.Err() // we are being stopped, which says nothing about the cloud
	}
	a, f := judge(c, r, s.state.Clock.Trust)
	s.report(c, r, s.weighToken(f))
	if f.err == nil {
		if err := s.account.worked(); err != nil {
			s.Log.Warn("netatmo: cannot forget the former tokens", "err", err)
		}
	}
	return a, f.err
}

// weighToken judges a request that was refused for its token. If the token is about to be renewed, the
// renewal will tell. If it has ended in an outage, in which it must not be renewed, a live server has
// looked at it. Otherwise nothing can be read until the sign-in is renewed.
func (s *session) weighToken(f finding) finding {
	var no refusal
	if !errors.As(f.err, &no) || !no.aboutToken() {
		return f
	}
	f.plane = gateway.PlaneAuth
	switch may := s.mayRenew(); {
	case may && !s.now().Before(s.account.next()):
		f.verdict = gateway.VerdictUnknown
	case !may && no.code == codeTokenExpired:
		f.plane, f.verdict = gateway.PlaneRead, gateway.VerdictOK
	default:
		f.verdict = gateway.VerdictDegraded
	}
	return f
}

// report posts what one request says, and heeds what the vendor asks of the next ones.
func (s *session) report(c call, r reply, f finding) {
	now := s.now()
	why := s.hush(f.why(c))
	asked, ok := retryAfter(r.header, now)
	if ok && f.err != nil {
		why += fmt.Sprintf(", and asks to wait %.0f s", asked.Seconds())
	}
	switch {
	case f.verdict == gateway.VerdictRateLimited:
		s.purse.Heed(now, true, asked)
	case r.status >= 500:
		s.purse.Heed(now, false, asked)
	case f.verdict == gateway.VerdictOK:
		s.purse.answered()
	}
	s.post(gateway.Call{Plane: f.plane, Verdict: f.verdict, Why: why, Took: r.took, Expires: s.account.kept.Expires})
	s.post(s.purse.Budget(now))
}

func (s *session) post(f gateway.Fact) { s.port.Post(f) }
