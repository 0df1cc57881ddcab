package mqtttest

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
)

// Relay is the relay of a fake device: its contact, its timer and its line to the broker. The timer is the
// device's own: it runs whether or not anybody listens.
type Relay struct {
	t      testing.TB
	client paho.Client
	speed  float64 // its clock runs so many times faster than ours
	tell   func()  // says that the contact has moved

	mu      sync.Mutex
	on      bool
	deaf    bool
	numb    bool // the contact does not move
	timer   *time.Timer
	ends    time.Time
	set     time.Duration // what the running timer was set to
	heard   []string
	changes chan bool
}

// join connects a fake to a broker, with its last will, and listens.
func join(t testing.TB, url, client, will, last string, speed float64) *Relay {
	t.Helper()
	r := &Relay{t: t, speed: speed, tell: func() {}, changes: make(chan bool, 1000)}
	o := paho.NewClientOptions().AddBroker(url).SetClientID(client).SetProtocolVersion(4).
		SetWill(will, last, 1, true).SetAutoReconnect(false) // orders are heard in the order in which they come
	r.client = paho.NewClient(o)
	r.must(r.client.Connect())
	t.Cleanup(func() {
		r.mu.Lock()
		r.stop()
		r.mu.Unlock()
		r.client.Disconnect(100)
	})
	return r
}

func (r *Relay) must(token paho.Token) {
	r.t.Helper()
	if !token.WaitTimeout(Patience) || token.Error() != nil {
		r.t.Fatalf("the fake device and the broker: %v", token.Error())
	}
}

// listen has each message on the filter handled, unless the device is deaf.
func (r *Relay) listen(filter string, handle func(topic, payload string)) {
	var one sync.Mutex // a device does one thing after the other
	r.must(r.client.Subscribe(filter, 1, func(_ paho.Client, m paho.Message) {
		one.Lock()
		defer one.Unlock()
		r.mu.Lock()
		deaf := r.deaf
		if !deaf {
			r.heard = append(r.heard, fmt.Sprintf("%s %s", m.Topic(), m.Payload()))
		}
		r.mu.Unlock()
		if m.Retained() {
			r.t.Errorf("%s was retained: %s", m.Topic(), m.Payload())
		}
		if !deaf {
			handle(m.Topic(), string(m.Payload()))
		}
	}))
}

func (r *Relay) publish(topic, payload string, retain bool) {
	r.client.Publish(topic, 1, retain, payload)
}

// turn moves the contact, and starts the timer anew if it is on and there is to be one.
func (r *Relay) turn(on bool, timer time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.numb {
		return
	}
	r.stop()
	if on && timer > 0 {
		r.start(timer)
	}
	if r.on != on {
		r.on = on
		r.changes <- on
	}
}

func (r *Relay) start(timer time.Duration) {
	r.set, r.ends = timer, time.Now().Add(time.Duration(float64(timer)/r.speed))
	r.timer = time.AfterFunc(time.Until(r.ends), func() {
		r.turn(false, 0)
		r.tell()
	})
}

func (r *Relay) stop() {
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer, r.set = nil, 0
}

// left is what the device's clock says remains of its timer; 0: none runs.
func (r *Relay) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return 0
	}
	return max(time.Duration(float64(time.Until(r.ends))*r.speed), 0)
}

// Ends is when the running timer opens the contact; zero: none runs.
func (r *Relay) Ends() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer == nil {
		return time.Time{}
	}
	return r.ends
}

// Elapse lets the rest of the running timer pass at once. Without one nothing happens.
func (r *Relay) Elapse() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.timer != nil {
		r.ends = time.Now()
		r.timer.Reset(0)
	}
}

// On reports whether the contact is closed.
func (r *Relay) On() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.on
}

// WaitFor waits until the contact has moved there.
func (r *Relay) WaitFor(on bool) {
	r.t.Helper()
	timeout := time.After(Patience)
	for r.On() != on {
		select {
		case <-r.changes:
		case <-timeout:
			r.t.Fatalf("the relay does not go %v within %v; it heard %q", on, Patience, r.Heard())
		}
	}
}

// Deafen lets the device hear nothing more, or hear again.
func (r *Relay) Deafen(deaf bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deaf = deaf
}

// Weld keeps the contact where it is, whatever it is told; the device says so.
func (r *Relay) Weld(welded bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.numb = welded
}

// Heard returns every order the device has heard, "topic payload" each.
func (r *Relay) Heard() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.heard)
}
