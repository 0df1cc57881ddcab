package broker

import (
	"sort"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

// enter gives a client id to its new holder when the one before has entirely gone, will included. Left to
// itself, mochi lets both run side by side: the old one's will may then follow the new one's birth
// message, and its last act may be to delete the new one's session.
func (m *mochi) enter(g *guest) {
	for {
		m.mu.Lock()
		holder := m.present[g.client.ID]
		if holder == nil {
			m.present[g.client.ID], g.holds = g, true
			m.makeRoom()
			m.dropOthers(g)
			m.resume(g.client.ID)
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
		m.replace(holder)
		<-holder.ended
	}
}

// dropOthers ends the session that another user has left under the same client id: what waits there is not
// for this one to read.
func (m *mochi) dropOthers(g *guest) {
	session, ok := m.server.Clients.Get(g.client.ID)
	if ok && string(session.Properties.Username) != g.name {
		m.forget(session)
	}
}

// replace ends a connection whose client has come again. Before MQTT 5 a server has no DISCONNECT. Closing
// it, rather than stopping mochi's client, sees to it that the will is sent.
func (m *mochi) replace(g *guest) {
	if g.client.Properties.ProtocolVersion >= 5 {
		_ = g.client.WritePacket(packets.Packet{FixedHeader: packets.FixedHeader{Type: packets.Disconnect},
			ReasonCode: packets.ErrSessionTakenOver.Code})
	}
	g.Close()
}

// resume prepares a session whose client is back: what has expired goes, the rest is numbered so that mochi,
// which sorts by the second of arrival, sends it in the order in which it came.
func (m *mochi) resume(id string) {
	session, ok := m.server.Clients.Get(id)
	if !ok {
		return
	}
	session.ClearExpiredInflights(time.Now().Unix(), 0)
	pending := session.State.Inflight.GetAll(false)
	sort.SliceStable(pending, func(i, j int) bool { return pending[i].Created < pending[j].Created })
	for i, pk := range pending {
		pk.Created = int64(i)
		session.State.Inflight.Set(pk)
	}
}

// makeRoom forgets the session that has been absent longest if there are too many.
func (m *mochi) makeRoom() {
	all := m.server.Clients.GetAll()
	if len(all) <= m.house.limits.sessions { // one of them is the house itself
		return
	}
	var longest *mqtt.Client
	for id, session := range all {
		if m.isAbsent(id) && (longest == nil || session.StopTime() < longest.StopTime()) {
			longest = session
		}
	}
	if longest != nil {
		m.forget(longest)
	}
}

func (m *mochi) isAbsent(id string) bool { return id != houseID && m.present[id] == nil }

// forget ends the session of a client that is absent; mochi alone would leave its subscriptions behind.
func (m *mochi) forget(session *mqtt.Client) {
	m.server.UnsubscribeClient(session)
	session.ClearInflights()
	m.server.Clients.Delete(session.ID)
}

// keepHouse removes what has expired, once a minute.
func (m *mochi) keepHouse() {
	ticker := time.NewTicker(housekeeping)
	defer ticker.Stop()
	for {
		select {
		case <-m.done:
			return
		case now := <-ticker.C:
			m.sweep(now)
			m.refresh()
			m.storeIfDue(now)
		}
	}
}

func (m *mochi) sweep(now time.Time) {
	m.vanish(now)
	m.mu.Lock()
	defer m.mu.Unlock()
	for id, session := range m.server.Clients.GetAll() {
		if !m.isAbsent(id) {
			continue
		}
		session.ClearExpiredInflights(now.Unix(), 0)
		if session.StopTime()+m.remembered(session) < now.Unix() {
			m.forget(session)
		}
	}
}

// relieve forgets what waits for clients that are not there, when there is no memory for those that are.
func (m *mochi) relieve() {
	m.mu.Lock()
	defer m.mu.Unlock()
	forgotten := 0
	for id, session := range m.server.Clients.GetAll() {
		if m.isAbsent(id) {
			forgotten += session.State.Inflight.Len()
			session.ClearInflights()
		}
	}
	if forgotten > 0 {
		m.house.log.Warn("MQTT broker has forgotten what waited for clients that are not there", "messages", forgotten, "why", errNoMemory)
	}
}

// remembered is for how many seconds a session outlives its connection.
func (m *mochi) remembered(session *mqtt.Client) int64 {
	most := int64(m.house.limits.session / time.Second)
	switch {
	case session.Properties.ProtocolVersion >= 5:
		return min(most, int64(session.Properties.Props.SessionExpiryInterval))
	case session.Properties.Clean:
		return 0
	}
	return most
}
