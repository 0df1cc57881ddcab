package mqtt

import (
	"bytes"
	"slices"

	"github.com/veilleuse/veilleuse/gateway"
)

// board is what the broker ought to show: one page a retained topic, each with its newest content, and
// the pages that the broker has not got yet. The broker being away costs no memory but this: a page
// that changes twice is sent once.
type board struct {
	pages   []*page // all of them, in the order they were added
	named   map[string]*page
	queue   []*page // those to be sent, from head on
	head    int
	events  [][]byte // to be sent after the pages, oldest first
	shots   []shot   // pictures to be sent after the pages, one a camera
	heralds []shot   // retained texts to be sent before the pages: another follows on the same topic
	orders  []order  // to attached devices, to be sent before everything else
}

// page is one retained topic.
type page struct {
	topic  string
	text   []byte // never changed in place: it may be on its way; nil: not there
	queued bool
	sure   bool // the broker is to confirm that it has it
}

// shot is a message that has no page: a picture that is not retained, or a word before the pages.
type shot struct {
	topic string
	text  []byte
}

// message is what goes to the broker next: a page, a picture, an event, or an order to an attached device.
type message struct {
	page   *page // nil: a picture, an event or an order
	shot   bool
	herald bool
	order  bool
	of     gateway.DeviceID // whose order it is
	topic  string
	text   []byte
	retain bool
	sure   bool // the broker is to confirm that it has it
}

func newBoard() *board { return &board{named: make(map[string]*page)} }

// page returns the page of that topic; a new one is empty and not sent before it was written to. Two
// devices whose ids look alike in a topic share a page.
func (b *board) page(topic string) *page {
	if p, ok := b.named[topic]; ok {
		return p
	}
	p := &page{topic: topic}
	b.pages = append(b.pages, p)
	b.named[topic] = p
	return p
}

// write puts text on the page, and the page into the queue if that is news. The text may be a buffer
// that is used again.
func (b *board) write(p *page, text []byte) {
	if bytes.Equal(p.text, text) {
		return
	}
	p.text = bytes.Clone(text)
	b.post(p)
}

// clear takes the page down: the broker gets an empty retained message, which deletes.
func (b *board) clear(p *page) {
	p.text = nil
	delete(b.named, p.topic)
	b.pages = slices.DeleteFunc(b.pages, func(other *page) bool { return other == p })
	b.post(p)
}

// post puts the page into the queue.
func (b *board) post(p *page) {
	if !p.queued {
		p.queued = true
		b.queue = append(b.queue, p)
	}
}

// postAll puts every page into the queue, last behind all others. What waited there already, cleared
// pages above all, keeps its place.
func (b *board) postAll(last *page) {
	for _, p := range b.pages {
		if p != last && p.text != nil {
			b.post(p)
		}
	}
	b.postLast(last)
}

// tell puts an event behind everything else. While nobody takes them only the newest are kept, as many
// as the house itself remembers.
func (b *board) tell(event []byte) {
	b.events = append(b.events, bytes.Clone(event))
	if over := len(b.events) - gateway.MaxDecisions; over > 0 {
		b.events = slices.Delete(b.events, 0, over)
	}
}

// display puts a picture behind the pages, in place of an older one of the same camera.
func (b *board) display(topic string, jpeg []byte) {
	b.shots = slices.DeleteFunc(b.shots, func(s shot) bool { return s.topic == topic })
	b.shots = append(b.shots, shot{topic, jpeg})
}

// herald puts a retained word before the pages, of which one follows on the same topic.
func (b *board) herald(topic, text string) {
	if !slices.ContainsFunc(b.heralds, func(s shot) bool { return s.topic == topic }) {
		b.heralds = append(b.heralds, shot{topic, []byte(text)})
	}
}

// postLast puts the page at the end of the queue, wherever in it it was.
func (b *board) postLast(p *page) {
	b.queue = slices.DeleteFunc(b.queue[b.head:], func(other *page) bool { return other == p })
	b.head, p.queued = 0, false
	b.post(p)
}

// next takes what is to be sent first from the queue.
func (b *board) next(eventTopic string) (message, bool) {
	if len(b.orders) > 0 {
		o := b.orders[0]
		b.orders = b.orders[1:]
		return message{order: true, of: o.of, topic: o.topic, text: []byte(o.text), sure: true}, true
	}
	if len(b.heralds) > 0 {
		h := b.heralds[0]
		b.heralds = slices.Delete(b.heralds, 0, 1)
		return message{herald: true, topic: h.topic, text: h.text, retain: true, sure: true}, true
	}
	for b.head < len(b.queue) {
		p := b.queue[b.head]
		b.head++
		p.queued = false
		if b.isCurrent(p) {
			return message{page: p, topic: p.topic, text: p.text, retain: true, sure: p.sure}, true
		}
	}
	b.queue, b.head = b.queue[:0], 0
	if len(b.shots) > 0 {
		s := b.shots[0]
		b.shots = slices.Delete(b.shots, 0, 1)
		return message{shot: true, topic: s.topic, text: s.text}, true
	}
	if len(b.events) > 0 {
		m := message{topic: eventTopic, text: b.events[0]}
		b.events = slices.Delete(b.events, 0, 1)
		return m, true
	}
	return message{}, false
}

// isCurrent reports whether nobody has put up another page for the topic since this one was cleared.
func (b *board) isCurrent(p *page) bool {
	now, taken := b.named[p.topic]
	return !taken || now == p
}

// command puts an order before everything else. While nobody takes them only the newest are kept: an old
// one must not come late.
func (b *board) command(o order) {
	b.orders = append(b.orders, o)
	if over := len(b.orders) - mostOrders; over > 0 {
		b.orders = slices.Delete(b.orders, 0, over)
	}
}

// mostOrders is how many orders may wait to be sent.
const mostOrders = 256

// putBack returns a message that did not reach the broker. An order is not repeated: whoever gave it is
// told, and gives it again if it still holds.
func (b *board) putBack(m message) {
	switch {
	case m.page != nil:
		b.post(m.page)
	case m.herald:
		b.herald(m.topic, string(m.text))
	case m.shot:
		if !slices.ContainsFunc(b.shots, func(s shot) bool { return s.topic == m.topic }) {
			b.display(m.topic, m.text)
		}
	case !m.order:
		b.events = slices.Insert(b.events, 0, m.text)
	}
}
