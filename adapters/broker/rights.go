package broker

import (
	"strings"
	"sync"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"golang.org/x/time/rate"
)

// may reports whether a client may write to a topic, or read something of what a filter matches.
func (m *mochi) may(cl *mqtt.Client, topic string, write bool) bool {
	if m.house.access == nil || cl.Net.Inline {
		return true
	}
	return m.house.access.now().allows(guestName{string(cl.Properties.Username), cl.ID}, topic, write)
}

// mayRead is may for a topic or filter to read; of a filter that several clients share, what it matches
// counts. The farewell is for everybody.
func (m *mochi) mayRead(cl *mqtt.Client, filter string) bool {
	if filter == farewellTopic {
		return true
	}
	if mqtt.IsSharedFilter(filter) {
		if parts := strings.SplitN(filter, "/", 3); len(parts) == 3 {
			filter = parts[2]
		}
	}
	return m.may(cl, filter, false)
}

// refresh reads users and access list again if their files have changed, and sends those away whom the
// users' file no longer lets in as they came.
func (m *mochi) refresh() {
	if m.house.access != nil {
		m.house.access.look(m.house.log)
	}
	if m.house.users == nil || !m.house.users.refresh(m.house.log) {
		return
	}
	for _, g := range m.guests() {
		if g.hash != "" && m.house.users.hashOf(g.name) != g.hash {
			m.house.log.Info("MQTT client is sent away", "client", brief(g.client.ID), "user", brief(g.name),
				"why", "its user was removed or has another password")
			g.Close()
		}
	}
}

// nameOf is how a refusal calls a client's user.
func nameOf(cl *mqtt.Client) string {
	if name := string(cl.Properties.Username); name != "" {
		return "user " + brief(name)
	}
	return "a client without a name"
}

// complaints bounds the refusals in the log: a client that comes again and again would fill it.
type complaints struct {
	limit  *rate.Limiter
	mu     sync.Mutex
	unsaid int
}

const (
	complaintsAtOnce = 20
	complaintsEvery  = 10 * time.Second
)

func newComplaints() *complaints {
	return &complaints{limit: rate.NewLimiter(rate.Every(complaintsEvery), complaintsAtOnce)}
}

// allow reports whether one more may be said, and how many were not since the last one.
func (c *complaints) allow() (unsaid int, say bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.limit.Allow() {
		c.unsaid++
		return 0, false
	}
	unsaid, c.unsaid = c.unsaid, 0
	return unsaid, true
}
