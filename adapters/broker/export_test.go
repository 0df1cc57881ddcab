package broker

import (
	"fmt"
	"hash/crc32"
	"sync/atomic"
	"time"
)

// What the tests of package broker_test may change and see.

// Limits are the broker's bounds, for tests that want them tighter.
type Limits struct {
	Patience, Introduction, Parting                     time.Duration
	Waiting, Clients, Sessions, Topics, Retained, Queue int
	Rate, Burst                                         int // messages
}

// WithLimits replaces those of the usual limits that are not zero.
func WithLimits(l Limits) Option {
	return func(h *house) error {
		replace(&h.limits.patience, l.Patience)
		replace(&h.limits.introduction, l.Introduction)
		replace(&h.limits.parting, l.Parting)
		replace(&h.limits.waiting, l.Waiting)
		replace(&h.limits.clients, l.Clients)
		replace(&h.limits.sessions, l.Sessions)
		replace(&h.limits.topics, l.Topics)
		replace(&h.limits.retained, l.Retained)
		replace(&h.limits.queue, l.Queue)
		replace(&h.limits.rate, l.Rate)
		replace(&h.limits.burst, l.Burst)
		return nil
	}
}

func replace[T comparable](old *T, with T) {
	var zero T
	if with != zero {
		*old = with
	}
}

// Sweep does the housekeeping of a moment.
func (b *Broker) Sweep(now time.Time) { b.engine.(*mochi).sweep(now) }

// Refresh reads changed files again, as happens each minute.
func (b *Broker) Refresh() { b.engine.(*mochi).refresh() }

// Hash is that of a user's password.
func (b *Broker) Hash(user string) string { return b.house.users.hashOf(user) }

// StoreAt writes what clients retain if it is due at that time.
func (b *Broker) StoreAt(now time.Time) { b.engine.(*mochi).storeIfDue(now) }

// Restore puts back what was kept on disk, as Start does.
func (b *Broker) Restore() { b.engine.(*mochi).restore() }

// Sealed is a file of retained messages with a right head.
func Sealed(body []byte) []byte {
	return append(fmt.Appendf(nil, "%s%08x\n", archiveHead, crc32.ChecksumIEEE(body)), body...)
}

// Received counts the packets that were read from clients.
func (b *Broker) Received() int64 {
	return atomic.LoadInt64(&b.engine.(*mochi).server.Info.PacketsReceived)
}

// Retained counts the retained messages, $SYS included.
func (b *Broker) Retained() int { return b.engine.(*mochi).server.Topics.Retained.Len() }

// Sessions counts the clients remembered, present ones included.
func (b *Broker) Sessions() int { return b.engine.(*mochi).server.Clients.Len() - 1 }

// Subscriptions counts the clients whose filters match a topic.
func (b *Broker) Subscriptions(topic string) int {
	return len(b.engine.(*mochi).server.Topics.Subscribers(topic).Subscriptions)
}

// CountFrom numbers the messages that wait for acknowledgement from n on.
func (b *Broker) CountFrom(n int64) { b.engine.(*mochi).sequence.Store(n) }

// Pending counts the messages that a client has not acknowledged.
func (b *Broker) Pending(id string) int {
	session, ok := b.engine.(*mochi).server.Clients.Get(id)
	if !ok {
		return 0
	}
	return session.State.Inflight.Len()
}

// Connections counts those who wait to introduce themselves, and those who have.
func (b *Broker) Connections() (waiting, inside int) {
	b.door.mu.Lock()
	defer b.door.mu.Unlock()
	return len(b.door.waiting), len(b.door.inside)
}

// UsualLimits are the limits without any change.
func UsualLimits() (topics, queue, packet int) {
	l := usualLimits()
	return l.topics, l.queue, l.packet
}
