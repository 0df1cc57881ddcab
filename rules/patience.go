package rules

import (
	"iter"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// forPeople yields what a person asked of the cloud, as long as the cloud has not done it.
func (b *book) forPeople() iter.Seq[gateway.Asked] {
	return func(yield func(gateway.Asked) bool) {
		for _, asked := range b.Asked.All() {
			p := asked.Command.Point
			if asked.Keep && !asked.Done && p.Adapter == gateway.CloudAdapter && p.Quantity != gateway.Look && !yield(asked) {
				return
			}
		}
	}
}

// inVain reports whether the cloud did not do what was asked of it in the time that a person can be
// kept waiting.
func (b *book) inVain(asked gateway.Asked) bool {
	return asked.Tries > 1 || asked.Err != "" || b.now.Sub(asked.At) >= patience
}

// toldInVain reports whether a person waits for the cloud.
func (b *book) toldInVain() bool {
	for asked := range b.forPeople() {
		if b.inVain(asked) {
			return true
		}
	}
	return false
}

// unanswered reports whether the cloud left a person's command without any answer since it was last
// known to be well.
func (b *book) unanswered() bool {
	for asked := range b.forPeople() {
		if asked.Tries == 1 && asked.Err == "" && b.now.Sub(asked.At) >= patience && asked.At.After(b.Cloud.LastGood) {
			return true
		}
	}
	return false
}

// wake says when the next tick is needed: as soon as a person has waited long enough, or the next step of an alarm
// is due.
func (b *book) wake() {
	next := time.Time{}
	if !b.inCharge() {
		for asked := range b.forPeople() {
			at := asked.At.Add(patience)
			if asked.Tries == 1 && asked.Err == "" && at.After(b.now) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	b.Wake = sooner(next, sooner(b.nextStep(), b.nextDelay()))
}

// sooner is the earlier of two instants, of which one or both may be zero: none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
