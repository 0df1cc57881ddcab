package rules

import (
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// sentence says a view in words for people: what fails since when, then what works all the same. The
// first clause of what was seen is the symptom; the others, and whom the witnesses blame, follow it.
//
//	Netatmo answers 503 with HTML since 16:41; your internet works: 2 of 3 witnesses answered
func (b *book) sentence(v view, since time.Time) string {
	switch v.verdict {
	case gateway.VerdictOK:
		return "Netatmo answers"
	case gateway.VerdictUnknown, gateway.VerdictSelf:
		return v.why
	case gateway.VerdictAuthRevoked:
		return "Netatmo has not accepted the sign-in since " + b.clock(since) + "; log in again: veilleuse login"
	}
	symptom, rest, more := strings.Cut(v.why, "; ")
	if symptom == "" {
		symptom = string(v.verdict)
	}
	text := b.subject(v) + symptom + " since " + b.clock(since)
	if began := b.lostSince(); v.bad && !began.IsZero() && since.Sub(began) >= time.Minute {
		text += "; it fails since " + b.clock(began)
	}
	if more {
		text += "; " + rest
	}
	return text + b.remedy(v)
}

// subject begins a sentence whose symptom is the name of a call.
func (b *book) subject(v view) string {
	if b.Cloud.Probe.Why == v.why && b.Cloud.Probe.Verdict == v.verdict {
		return ""
	}
	switch {
	case v.verdict == gateway.VerdictRateLimited:
		return "Netatmo wants fewer requests: "
	case slices.Contains(v.scope, gateway.PlaneRead):
		return "Netatmo does not let itself be read: "
	case slices.Contains(v.scope, gateway.PlaneAuth):
		return "Netatmo does not renew the sign-in: "
	case slices.Contains(v.scope, gateway.PlaneWrite):
		return "Netatmo does not carry out commands: "
	case slices.Contains(v.scope, gateway.PlanePush):
		return "Netatmo pushes no news: "
	}
	return ""
}

// remedy ends a sentence with what goes on all the same.
func (b *book) remedy(v view) string {
	only := func(p gateway.Plane) bool { return !v.bad && slices.Equal(v.scope, []gateway.Plane{p}) }
	switch {
	case v.verdict == gateway.VerdictRateLimited:
		return "; it is no outage, and commands go over the LAN"
	case only(gateway.PlaneWrite):
		return "; it still runs the schedule, and commands go over the LAN"
	case only(gateway.PlanePush):
		return "; it is read instead"
	case only(gateway.PlaneAuth):
		return "; the present one still works"
	}
	return ""
}

// lostSince is when the failure began that is on now; zero if none is.
func (b *book) lostSince() time.Time {
	if b.inCharge() && !b.Authority.Drill {
		return b.Authority.Lost
	}
	if b.Cloud.Bad == 0 {
		return time.Time{}
	}
	return b.Cloud.FirstBad
}

// words is how long something took, as people write it: 8h14m, 21m, 30s. From a minute on, seconds are left out.
func words(d time.Duration) string {
	d = d.Round(time.Second)
	if d >= time.Minute {
		d = d.Round(time.Minute)
	}
	text := d.String()
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		text = whole + "m"
	}
	if whole, ok := strings.CutSuffix(text, "h0m"); ok {
		text = whole + "h"
	}
	return text
}
