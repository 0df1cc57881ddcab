package broker

import "time"

// limits bound what clients can use up. They are generous for a house with 150 devices.
type limits struct {
	patience     time.Duration // a write that takes longer ends the connection
	introduction time.Duration // from connecting to being let in
	parting      time.Duration // for queued messages when the broker stops
	session      time.Duration // how long an absent client is remembered

	waiting  int // connections that have not introduced themselves
	clients  int // connected clients
	sessions int // clients remembered, present ones included

	topics   int // retained topics; also filters that one client may subscribe to
	retained int // bytes of topics and payloads that are retained
	packet   int // bytes of a packet from a client
	rate     int // messages a second that one client may publish for long; faster ones wait. One counts once more for each kilobyte
	burst    int // messages that it may publish at once
	queue    int // packets that wait for one client, and messages that it has not acknowledged
}

func usualLimits() limits {
	return limits{
		patience:     time.Second, // others wait for it, and on a busy machine longer: two seconds is what they were promised
		introduction: 10 * time.Second,
		parting:      250 * time.Millisecond,
		session:      time.Hour,

		waiting:  32,
		clients:  64,
		sessions: 128,

		topics:   2000,
		retained: 16 << 20,
		packet:   64 << 10,
		rate:     1000,
		burst:    10_000,
		queue:    2 * 2000, // all that is retained, and all of it changed meanwhile
	}
}
