// Package mqtt shows the house on an MQTT broker, takes wishes from there and reaches the devices attached
// there: on the embedded broker, or on one of the user's own through github.com/eclipse/paho.mqtt.golang.
//
// Under the base topic, retained JSON unless said otherwise:
//
//	status       online or offline (also the last will), plain text
//	authority    who is in charge, since when, why
//	cloud        the verdict about the vendor's cloud with its evidence
//	room/<id>    temperature, target, mode with its end and reason
//	device/<id>  reachable by which path, the freshest reading of each quantity
//	alarm        the gravest alarm, who was told of it by which path, who answered
//	guard        the watch against intruders, where there is one
//	outage       the outage that goes on, or the last one
//	budget       requests to Netatmo: spent in the last hour, allowed, in total
//	home         mode of the home with its end and its maker, schedule
//	diagnostics  trust in the clock, share of time that Netatmo was available, devices out of reach, disk
//	event        each decision, not retained
//
// and wishes, JSON objects that must not be retained:
//
//	room/<id>/set    {"target":21.5,"for":"2h"}, {"mode":"schedule|manual|max|frost|off"},
//	                 {"preset":"schedule|away|frost|boost"}
//	home/set         {"mode":"away","until":"2026-01-31T18:00:00Z"}, {"schedule":"<id or name>"}, {"drill":"10m"},
//	                 {"guard":"stay|away|night|off","bypass":true}
//	device/<id>/set  {"siren":false}, {"floodlight":"on"}, {"monitoring":true}
//	alarm/set        {"hush":true}, {"acknowledge":true}, {"test":"5m","device":"<id>"}
//
// <id> is the hardware or room id in lower case, every character outside a-z0-9- replaced by "-". A value
// that is not known is absent. Times are RFC 3339 in UTC. A wish that cannot be read, is out of range or
// names something unknown is refused with the reason, which then stands on event like any decision. An
// empty message is not a wish: it is how a retained one is deleted.
//
// Relays, sensors and valves that the user has attached (attach.go) are spoken to in the dialect of their
// firmware: Tasmota, Shelly, Zigbee2MQTT, plain topics, or a profile that the user has written (profile.go).
// Every order to a relay to switch on is a lease that the device itself ends.
//
// Home Assistant is told of the devices by its MQTT device discovery as of release 2026.11. What an earlier run
// has announced and holds no more is read back from the broker and taken down (leftover.go).
//
// Only what has changed is sent, each topic's newest content only. Once the broker is back after an
// outage, it gets everything anew and "online" last: whoever reads online finds all topics as they are.
package mqtt

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync/atomic"

	"github.com/veilleuse/veilleuse/gateway"
)

// Broker is what the adapter needs of the embedded broker. Publish must neither wait for clients nor keep
// the payload; Subscribe's handler is called with what is retained, then with what comes, and does not
// wait either.
type Broker interface {
	Publish(topic string, payload []byte, retain bool) error
	Subscribe(filter string, handler func(topic string, payload []byte, retained bool)) error
}

// Adapter is the house on an MQTT broker.
type Adapter struct {
	options Options
	inbox   chan heard
	back    *readBack    // announcements that the broker holds
	missed  atomic.Int64 // messages that came faster than they could be read

	// What outlives one Run: after a failure the house may not show us anything for long.
	state      gateway.State
	told       uint64 // number of the last decision that was told
	begun      bool   // the two above are valid
	subscribed map[string]bool
}

// New makes the adapter. Options that Check finds fault with make Run fail.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Adapter{options: o, inbox: make(chan heard, inboxSize), back: newReadBack(o), subscribed: make(map[string]bool)}
}

// inboxSize is how many messages may wait to be read.
const inboxSize = 256

// Run shows the house until ctx ends, then says offline. It fails only if the options are wrong; a broker
// that is away is waited for.
func (a *Adapter) Run(ctx context.Context, port gateway.Port) error {
	if err := a.options.Check(); err != nil {
		return err
	}
	if !a.begun {
		select {
		case state := <-port.Shown():
			a.state, a.told, a.begun = state, toldBefore(state), true
		case <-ctx.Done():
			return nil
		}
	}
	s := newSession(a, port)
	defer func() { a.state, a.told = s.view.state, s.view.told }()
	s.view.show(a.state)
	s.line.open()
	defer s.leave()
	s.serve(ctx)
	return nil
}

// Refused takes a client's message that the embedded broker does not pass on, and reports whether it was a
// wish for us: then it is told of like any other that is refused. It never waits.
func (a *Adapter) Refused(topic string, payload []byte, why error) bool {
	if !strings.HasPrefix(topic, a.options.base()+"/") || !strings.HasSuffix(topic, "/set") {
		return false
	}
	a.hear(heard{topic: topic, payload: bytes.Clone(payload[:min(len(payload), longestWish)]), refused: why})
	return true
}

// hear takes a message off the broker's hands. It never waits.
func (a *Adapter) hear(m heard) {
	if a.back.hear(m) || a.options.isOthers(m) {
		return
	}
	select {
	case a.inbox <- m:
	default:
		a.missed.Add(1)
	}
}
