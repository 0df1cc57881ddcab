package hap

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"
)

const (
	// eventPause is the shortest time between two ordinary event messages to one controller (HAP R14 6.8). The first
	// change after a quiet pause goes out at once, later ones wait together until it has passed.
	eventPause = time.Second
	// pressesMax bounds the button presses kept for a controller that does not read; the oldest go first.
	pressesMax = 32
)

// urgency says how a change of a characteristic travels to the controllers.
type urgency byte

const (
	ordinary urgency = iota // newest value, at most one message each eventPause
	urgent                  // newest value, at once
	press                   // every single one, at once
)

// event is one value for one controller.
type event struct {
	id    CharacteristicID
	value json.RawMessage
}

// eventSet keeps the newest value of each characteristic, in the order of their first change.
type eventSet struct {
	newest map[CharacteristicID]json.RawMessage
	order  []CharacteristicID
}

func (s *eventSet) put(id CharacteristicID, value json.RawMessage) {
	if s.newest == nil {
		s.newest = map[CharacteristicID]json.RawMessage{}
	}
	if _, waiting := s.newest[id]; !waiting {
		s.order = append(s.order, id)
	}
	s.newest[id] = value
}

func (s *eventSet) drop(id CharacteristicID) {
	if _, waiting := s.newest[id]; waiting {
		delete(s.newest, id)
		s.order = slices.DeleteFunc(s.order, func(other CharacteristicID) bool { return other == id })
	}
}

// take empties the set into the batch.
func (s *eventSet) take(batch []event) []event {
	for _, id := range s.order {
		batch = append(batch, event{id, s.newest[id]})
	}
	*s = eventSet{}
	return batch
}

// eventQueue holds the subscriptions of one connection and what its controller has yet to be told. Its memory is bounded
// by the number of characteristics. Nobody waits in it but the goroutine in run, which sleeps while there is nothing.
type eventQueue struct {
	wake chan struct{} // holds one token

	mu         sync.Mutex
	subscribed map[CharacteristicID]bool
	writing    map[CharacteristicID]json.RawMessage // what this controller itself is setting at the moment
	ordinary   eventSet
	urgent     eventSet
	presses    []event
	pauseEnds  time.Time
}

func newEventQueue() *eventQueue {
	return &eventQueue{wake: make(chan struct{}, 1), subscribed: map[CharacteristicID]bool{}}
}

func (q *eventQueue) subscribe(id CharacteristicID, on bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if on {
		q.subscribed[id] = true
		return
	}
	q.forget(id)
}

// forget needs the lock.
func (q *eventQueue) forget(id CharacteristicID) {
	delete(q.subscribed, id)
	q.drop(id)
}

func (q *eventQueue) isSubscribed(id CharacteristicID) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.subscribed[id]
}

// keep drops the subscriptions for characteristics that are no more.
func (q *eventQueue) keep(exists func(CharacteristicID) bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id := range q.subscribed {
		if !exists(id) {
			q.forget(id)
		}
	}
}

// beginWrite notes what the controller is setting: until endWrite it gets no event that tells it just that.
func (q *eventQueue) beginWrite(values map[CharacteristicID]json.RawMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.writing = values
}

func (q *eventQueue) endWrite() { q.beginWrite(nil) }

// discard drops what waits for a characteristic, because the controller knows better.
func (q *eventQueue) discard(id CharacteristicID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.drop(id)
}

// drop needs the lock.
func (q *eventQueue) drop(id CharacteristicID) {
	q.ordinary.drop(id)
	q.urgent.drop(id)
}

// publish queues the value if the controller wants it. It never waits for the controller.
func (q *eventQueue) publish(change event, how urgency) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.subscribed[change.id] {
		return
	}
	if own, writing := q.writing[change.id]; writing && bytes.Equal(own, change.value) {
		q.drop(change.id)
		return
	}
	switch how {
	case press:
		q.presses = append(q.presses[max(0, len(q.presses)-pressesMax+1):], change)
	case urgent:
		q.urgent.put(change.id, change.value)
	default:
		q.ordinary.put(change.id, change.value)
	}
	select {
	case q.wake <- struct{}{}:
	default: // a token is there already
	}
}

// take removes what may go out now, and says how long the rest has to wait; 0 means that there is no rest. A press is a
// batch of its own, as one message cannot hold two values of a characteristic.
func (q *eventQueue) take(now time.Time) (batch []event, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.presses) > 0 {
		batch, q.presses = q.presses[:1:1], q.presses[1:]
		return batch, 0
	}
	batch = q.urgent.take(nil)
	if wait = q.pauseEnds.Sub(now); wait <= 0 {
		waiting := len(batch)
		if batch = q.ordinary.take(batch); len(batch) > waiting {
			q.pauseEnds = now.Add(eventPause)
		}
	}
	if len(q.ordinary.newest) == 0 {
		wait = 0
	}
	return batch, wait
}

// run hands batches to send until it fails or ctx ends.
func (q *eventQueue) run(ctx context.Context, send func([]event) error) error {
	for {
		batch, wait := q.take(time.Now())
		if len(batch) == 0 {
			if !q.sleep(ctx, wait) {
				return nil
			}
			continue
		}
		if err := send(batch); err != nil {
			return err
		}
	}
}

// sleep waits for a change, or for at most that long where there is something to send then.
func (q *eventQueue) sleep(ctx context.Context, most time.Duration) bool {
	var due <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return false
	case <-q.wake:
	case <-due:
	}
	return true
}
