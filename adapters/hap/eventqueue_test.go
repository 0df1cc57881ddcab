package hap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

var (
	temperature = CharacteristicID{2, 10}
	humidity    = CharacteristicID{2, 11}
	smoke       = CharacteristicID{2, 12}
	button      = CharacteristicID{2, 13}
)

// heardEvents is a controller that notes when it heard what, as "0s 2.10=21 2.11=40".
type heardEvents struct {
	start time.Time

	mu    sync.Mutex
	lines []string
}

func (h *heardEvents) send(batch []event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	line := fmt.Sprint(time.Since(h.start))
	for _, change := range batch {
		line += fmt.Sprintf(" %s=%s", change.id, change.value)
	}
	h.lines = append(h.lines, line)
	return nil
}

func (h *heardEvents) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return strings.Join(h.lines, "; ")
}

// runQueue runs a queue subscribed to everything until the test ends. It must be called in a synctest bubble.
func runQueue(t *testing.T) (*eventQueue, *heardEvents) {
	t.Helper()
	q := newEventQueue()
	for _, id := range []CharacteristicID{temperature, humidity, smoke, button} {
		q.subscribe(id, true)
	}
	heard := &heardEvents{start: time.Now()}
	var running sync.WaitGroup
	running.Go(func() {
		if err := q.run(t.Context(), heard.send); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(running.Wait)
	return q, heard
}

func change(id CharacteristicID, value any) event {
	return event{id, json.RawMessage(fmt.Sprint(value))}
}

func TestEventTiming(t *testing.T) {
	tests := []struct {
		name string
		play func(q *eventQueue)
		want string
	}{
		{"the first change goes out at once", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
		}, "0s 2.10=21"},
		{"later ones wait together until a second has passed", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(humidity, 40), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
		}, "0s 2.10=21; 1s 2.11=40 2.10=22"},
		{"only the newest value goes out", func(q *eventQueue) {
			for i := range 50 {
				q.publish(change(temperature, i), ordinary)
				time.Sleep(10 * time.Millisecond)
			}
		}, "0s 2.10=0; 1s 2.10=49"},
		{"after a quiet second the next goes out at once again", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(1500 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
		}, "0s 2.10=21; 1.5s 2.10=22"},
		{"a pause begins with each message", func(q *eventQueue) {
			for i := range 4 {
				q.publish(change(temperature, i), ordinary)
				time.Sleep(600 * time.Millisecond)
			}
		}, "0s 2.10=0; 1s 2.10=1; 2s 2.10=3"},
		{"smoke does not wait, and takes nobody along", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(smoke, 1), urgent)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(smoke, 0), urgent)
		}, "0s 2.10=21; 200ms 2.12=1; 300ms 2.12=0; 1s 2.10=22"},
		{"smoke does not hold up others", func(q *eventQueue) {
			q.publish(change(smoke, 1), urgent)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
		}, "0s 2.12=1; 100ms 2.10=22"},
		{"every press is told", func(q *eventQueue) {
			for _, kind := range []int{0, 0, 1} {
				q.publish(change(button, kind), press)
			}
		}, "0s 2.13=0; 0s 2.13=0; 0s 2.13=1"},
		{"nobody asked", func(q *eventQueue) {
			q.publish(change(CharacteristicID{9, 9}, 1), urgent)
		}, ""},
		{"no longer wanted while it waits", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(humidity, 40), ordinary)
			q.publish(change(temperature, 22), ordinary)
			q.subscribe(humidity, false)
		}, "0s 2.10=21; 1s 2.10=22"},
		{"gone while it waits", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(humidity, 40), ordinary)
			q.keep(func(id CharacteristicID) bool { return id != humidity })
			q.publish(change(humidity, 41), ordinary)
		}, "0s 2.10=21"},
		{"no event of what the controller writes", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
			q.beginWrite(map[CharacteristicID]json.RawMessage{temperature: json.RawMessage("25")})
			q.publish(change(temperature, 25), ordinary)
			q.endWrite()
		}, "0s 2.10=21"},
		{"an event where something else came of the write", func(q *eventQueue) {
			q.beginWrite(map[CharacteristicID]json.RawMessage{temperature: json.RawMessage("25")})
			q.publish(change(temperature, 24), ordinary)
			q.endWrite()
		}, "0s 2.10=24"},
		{"after the write events go on", func(q *eventQueue) {
			q.beginWrite(map[CharacteristicID]json.RawMessage{temperature: json.RawMessage("25")})
			q.endWrite()
			q.publish(change(temperature, 25), ordinary)
		}, "0s 2.10=25"},
		{"nothing to say, as the controller knows better", func(q *eventQueue) {
			q.publish(change(temperature, 21), ordinary)
			time.Sleep(100 * time.Millisecond)
			q.publish(change(temperature, 22), ordinary)
			q.discard(temperature)
		}, "0s 2.10=21"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, heard := runQueue(t)
				synctest.Wait()
				test.play(q)
				time.Sleep(5 * time.Second)
				if got := heard.String(); got != test.want {
					t.Errorf("heard %q, want %q", got, test.want)
				}
			})
		})
	}
}

func TestEventQueueIsBounded(t *testing.T) {
	q := newEventQueue()
	ids := []CharacteristicID{temperature, humidity, smoke, button}
	for _, id := range ids {
		q.subscribe(id, true)
	}
	for i := range 10_000 {
		q.publish(change(temperature, i), ordinary)
		q.publish(change(humidity, i), ordinary)
		q.publish(change(smoke, i), urgent)
		q.publish(change(button, i), press)
		q.discard(humidity)
	}
	waiting := len(q.ordinary.order) + len(q.urgent.order) + len(q.presses)
	if most := len(ids) - 1 + pressesMax; waiting > most {
		t.Errorf("%d events wait, more than %d", waiting, most)
	}
	if last := q.presses[len(q.presses)-1]; string(last.value) != "9999" {
		t.Errorf("the newest press is %s: new ones were dropped instead of old ones", last.value)
	}
}

func TestEventQueueEndsWithItsReader(t *testing.T) {
	q := newEventQueue()
	q.subscribe(smoke, true)
	q.publish(change(smoke, 1), urgent)
	gone := errors.New("connection reset")
	if err := q.run(t.Context(), func([]event) error { return gone }); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := q.run(ctx, func([]event) error { return nil }); err != nil {
		t.Errorf("error %v at the end", err)
	}
}

// Nothing may tick in an idle house: the goroutine sleeps without a timer.
func TestEventQueueSleepsWithoutTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, heard := runQueue(t)
		q.publish(change(temperature, 21), ordinary)
		time.Sleep(2 * time.Second)
		if batch, wait := q.take(time.Now()); len(batch) > 0 || wait != 0 {
			t.Errorf("%d events wait, for %s", len(batch), wait)
		}
		if got, want := heard.String(), "0s 2.10=21"; got != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}
