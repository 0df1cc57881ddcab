package netatmo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// account is the sign-in: the pair of tokens in use and how its renewal stands.
type account struct {
	vault    gateway.Vault
	kept     keptToken
	signedIn bool
	dead     bool       // the access token is refused and the refresh token too
	pending  *keptToken // a new pair that is not durable yet, and so must not be used
	attempt  attempt
	renewed  time.Time // when a refresh last succeeded in this run
}

// attempt is a refresh that has begun. It is durable before the request is sent, so that a restart
// knows that its answer may have been lost, when to ask again, and what was refused before.
type attempt struct {
	Began    time.Time `json:"began"`
	Refused  time.Time `json:"refused,omitzero"` // when invalid_grant was first seen
	Refusals int       `json:"refusals,omitempty"`
	Failures int       `json:"failures,omitempty"` // in a row
	Revoked  bool      `json:"revoked,omitempty"`
}

// Pauses between refreshes. At most one in 5 min; a refusal counts only
// when it is repeated 10 min later; and since even that may have been an outage's word, a revoked
// sign-in is tried again now and then.
const (
	refreshPause = 5 * time.Minute
	refusalPause = 10 * time.Minute
	longPause    = time.Hour
	revokedPause = 6 * time.Hour
)

func (a *account) usable() bool { return a.signedIn && !a.dead }

// next is when a refresh may be tried.
func (a *account) next() time.Time {
	t := a.attempt
	switch {
	case t.Began.IsZero(): // a pair that is refused though it is new is not helped by another
		next := a.renewed.Add(refreshPause)
		if end := a.kept.Expires; !end.IsZero() && end.Before(next) {
			return end
		}
		return next
	case t.Revoked:
		return t.Began.Add(revokedPause)
	case t.Refusals > 0:
		return t.Began.Add(refusalPause)
	}
	return t.Began.Add(min(refreshPause<<min(max(t.Failures-3, 0), 6), longPause))
}

// load takes the pair from the vault if it is another than the one in use, and reports whether it
// did.
func (a *account) load() (bool, error) {
	kept, err := loadToken(a.vault)
	if err != nil {
		return false, err
	}
	if a.signedIn && kept.Refresh == a.kept.Refresh {
		return false, nil
	}
	first := !a.signedIn
	a.kept, a.signedIn, a.dead, a.pending = kept, true, false, nil
	a.attempt = attempt{}
	if data, err := a.vault.Get(refreshKey); err == nil && first {
		_ = json.Unmarshal(data, &a.attempt) // a damaged one says nothing
	}
	if !first {
		return true, a.forgetAttempt()
	}
	return true, nil
}

// begin makes the attempt durable, before its request is sent.
func (a *account) begin(now time.Time) error {
	a.attempt.Began = now
	return a.keepAttempt()
}

func (a *account) keepAttempt() error {
	data, err := json.Marshal(a.attempt)
	if err != nil {
		return fmt.Errorf("store the attempt to refresh: %w", err)
	}
	if err := a.vault.Set(refreshKey, data); err != nil {
		return fmt.Errorf("store the attempt to refresh: %w", err)
	}
	return nil
}

func (a *account) forgetAttempt() error {
	a.attempt = attempt{}
	if err := a.vault.Delete(refreshKey); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("end the attempt to refresh: %w", err)
	}
	return nil
}

// choose returns the refresh token to send: the newest, but the one before it every other time if
// the newest has never worked and is refused.
func (a *account) choose() string {
	if a.kept.Before != nil && a.attempt.Refusals%2 == 1 {
		return a.kept.Before.Refresh
	}
	return a.kept.Refresh
}

// settle makes a new pair durable and only then puts it to use. It must not be called if somebody has signed in meanwhile.
func (a *account) settle(kept keptToken, now time.Time) error {
	a.pending = &kept
	if err := saveToken(a.vault, kept); err != nil {
		return err
	}
	a.kept, a.pending, a.dead, a.renewed = kept, nil, false, now
	return a.forgetAttempt()
}

// refused counts an invalid_grant and reports whether it is now certain.
func (a *account) refused(now time.Time) bool {
	if a.attempt.Refusals == 0 {
		a.attempt.Refused = now
	}
	a.attempt.Refusals++
	enough := 2
	if a.kept.Before != nil {
		enough = 3
	}
	if a.attempt.Refusals >= enough && now.Sub(a.attempt.Refused) >= refusalPause {
		a.attempt.Revoked = true
	}
	return a.attempt.Revoked
}

// worked notes that the pair in use has given an answer: the one before it is needed no more. If somebody has signed in meanwhile,
// theirs is taken up instead.
func (a *account) worked() error {
	if a.kept.Before == nil {
		return nil
	}
	if changed, err := a.load(); err != nil || changed {
		return err
	}
	a.kept.Before = nil
	return saveToken(a.vault, a.kept)
}

// move shifts what was noted of the past, after the clock was set back.
func (a *account) move(d time.Duration) {
	for _, t := range []*time.Time{&a.attempt.Began, &a.attempt.Refused, &a.renewed} {
		if !t.IsZero() {
			*t = t.Add(d)
		}
	}
}
