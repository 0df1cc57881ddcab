package broker

import (
	"fmt"
	"sync"
)

// shelf keeps account of what is retained: which topics, how much of it, until when. The messages
// themselves are with the engine.
type shelf struct {
	topics int // limit
	room   int // limit, bytes

	mu    sync.RWMutex
	items map[string]item // by topic
	used  int             // bytes
	turn  uint64          // counts changes
	lent  uint64          // the last change by a client, rather than by the house itself
}

type item struct {
	size int    // bytes of topic and payload
	end  int64  // Unix seconds after which a message of MQTT 5 vanishes; 0: it stays
	turn uint64 // tells a message from the one before on the same topic
	own  bool   // by the house itself
}

func newShelf(l limits) *shelf {
	return &shelf{topics: l.topics, room: l.retained, items: map[string]item{}}
}

// fits says why a message with a payload of so many bytes cannot be retained, or nil.
func (s *shelf) fits(topic string, payload int) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	old, replaced := s.items[topic]
	switch {
	case payload == 0:
		return nil
	case !replaced && len(s.items) >= s.topics:
		return fmt.Errorf("%d topics are retained already, which is the limit", s.topics)
	case s.used-old.size+len(topic)+payload > s.room:
		return fmt.Errorf("%d bytes are retained already; the limit is %d", s.used, s.room)
	}
	return nil
}

// put notes that a message was retained, or deleted if its payload has no bytes. End is when it expires in
// Unix seconds, 0 if never; own: the house itself has published it.
func (s *shelf) put(topic string, payload int, end int64, own bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn++
	old, there := s.items[topic]
	if !own || there && !old.own {
		s.lent = s.turn
	}
	s.used -= old.size
	if payload == 0 {
		delete(s.items, topic)
		return
	}
	s.items[topic] = item{size: len(topic) + payload, end: end, turn: s.turn, own: own}
	s.used += len(topic) + payload
}

// lentTopics lists the topics that clients retain, and the turn of the last change among them.
func (s *shelf) lentTopics() (topics []string, turn uint64) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for topic, i := range s.items {
		if !i.own {
			topics = append(topics, topic)
		}
	}
	return topics, s.lent
}

// turnOf tells whether the message on a topic is still the same; it is 0 if there is none.
func (s *shelf) turnOf(topic string) uint64 {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.items[topic].turn
}

// matching lists the topics that a filter matches.
func (s *shelf) matching(filter string) (topics []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !hasWildcard(filter) {
		if _, ok := s.items[filter]; ok {
			topics = append(topics, filter)
		}
		return topics
	}
	for topic := range s.items {
		if matches(filter, topic) {
			topics = append(topics, topic)
		}
	}
	return topics
}

// expired lists the topics whose messages ended before now, in Unix seconds.
func (s *shelf) expired(now int64) (topics []string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for topic, i := range s.items {
		if i.end > 0 && i.end < now {
			topics = append(topics, topic)
		}
	}
	return topics
}
