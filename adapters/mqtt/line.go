package mqtt

import "bytes"

// line leads to a broker.
type line interface {
	// open begins to look for the broker and returns; news tells how that goes. It does so until close.
	open()
	// news tells that the broker was reached, lost or not found.
	news() <-chan news
	// ready reports whether the broker is there now, as far as can be known.
	ready() bool
	// subscribe asks for the messages on the topics; they go to what was given to the line when made.
	subscribe(filters []string) receipt
	// send hands a message over; the receipt tells when it has left. One at a time.
	send(message) receipt
	// close says goodbye with the last messages, if there are any, and ends everything that open began.
	close(last []message)
}

// news is a change of the connection.
type news struct {
	up  bool
	err error // if not up: why
}

// receipt tells how something sent has fared: Done is closed then, and Error is nil if it went well.
// A token of paho is one.
type receipt interface {
	Done() <-chan struct{}
	Error() error
}

// settled is the receipt for what was carried out at once.
type settled struct {
	done chan struct{} // closed
	err  error
}

// Done is closed: it is over already.
func (s settled) Done() <-chan struct{} { return s.done }

// Error is how it went.
func (s settled) Error() error { return s.err }

// embedded is the line to the broker within this process.
type embedded struct {
	broker     Broker
	hear       func(heard)
	subscribed map[string]bool // lasts as long as the adapter: there is no unsubscribing
	changes    chan news
	done       chan struct{} // of all receipts: closed
}

func newEmbedded(b Broker, subscribed map[string]bool, hear func(heard)) *embedded {
	e := &embedded{broker: b, hear: hear, subscribed: subscribed, changes: make(chan news, 1), done: make(chan struct{})}
	close(e.done)
	return e
}

func (e *embedded) open()             { e.changes <- news{up: true} }
func (e *embedded) news() <-chan news { return e.changes }
func (e *embedded) ready() bool       { return true }

func (e *embedded) subscribe(filters []string) receipt {
	for _, f := range filters {
		if e.subscribed[f] {
			continue
		}
		err := e.broker.Subscribe(f, func(topic string, payload []byte, retained bool) {
			// The broker may use the payload again. What is too long is refused, whatever its end.
			e.hear(heard{topic: topic, payload: bytes.Clone(payload[:min(len(payload), longestMessage+1)]), retained: retained})
		})
		if err != nil {
			return settled{e.done, err}
		}
		e.subscribed[f] = true
	}
	return settled{e.done, nil}
}

func (e *embedded) send(m message) receipt {
	return settled{e.done, e.broker.Publish(m.topic, m.text, m.retain)}
}

// close ignores an error: a broker that has ended before us keeps nothing that could be wrong.
func (e *embedded) close(last []message) {
	for _, last := range last {
		_ = e.broker.Publish(last.topic, last.text, last.retain)
	}
}
