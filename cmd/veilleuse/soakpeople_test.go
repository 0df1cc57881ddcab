package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
)

// soakPeople are those who look at the house all the time: one at MQTT, one with the Home app.
type soakPeople struct {
	client  paho.Client
	session *hap.Session
	pairing hap.Pairing

	mu     sync.Mutex
	points map[string]hap.CharacteristicID // "Chambre target", "Fumée palier smoke"
	events []string                        // the last decisions, over MQTT
	phase  string
	heard  map[string]chan time.Time // by face and kind: "mqtt smoke", "homekit co"
	alarms []time.Duration           // how long the slowest waited for each
}

// look connects the people once all devices are there.
func (w *soakWorld) look() {
	w.t.Helper()
	w.await("all devices are here", allHere)
	p := &soakPeople{points: map[string]hap.CharacteristicID{}, heard: map[string]chan time.Time{}}
	for _, kind := range []string{"mqtt smoke", "mqtt co", "homekit smoke", "homekit co"} {
		p.heard[kind] = make(chan time.Time, 1)
	}
	w.people = p
	p.client = paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + w.mqtt).SetClientID("watcher").SetOrderMatters(true).SetKeepAlive(5 * time.Minute))
	if token := p.client.Connect(); !token.WaitTimeout(patience) || token.Error() != nil {
		w.t.Fatal("MQTT: ", token.Error())
	}
	w.t.Cleanup(func() { p.client.Disconnect(50) })
	if token := p.client.Subscribe("veilleuse/#", 0, p.hear); !token.WaitTimeout(patience) || token.Error() != nil {
		w.t.Fatal("MQTT: ", token.Error())
	}
	w.openHomeApp(p)
}

// openHomeApp pairs with the bridge and subscribes to everything.
func (w *soakWorld) openHomeApp(p *soakPeople) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var code codeReport
	if err := w.ask(ctx, "GET", "/code", nil, &code); err != nil {
		w.t.Fatal(err)
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		w.t.Fatal(err)
	}
	if p.pairing, err = hap.PairSetup(ctx, w.homeKit, code.Code, identity, 0); err != nil {
		w.t.Fatal(err)
	}
	if p.session, err = hap.Connect(ctx, w.homeKit, p.pairing, p.shown); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { // whichever it is by then
		if p.session != nil {
			p.session.Close()
		}
	})
	all, err := p.session.Accessories(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	ids := p.learn(all)
	if _, err := p.session.Subscribe(ctx, ids...); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range []string{"Chambre target", soakSmoke + " smoke", demoCO + " co"} {
		if p.points[name].AID == 0 {
			w.t.Fatalf("the Home app has no %s in %d accessories", name, len(all))
		}
	}
}

// leave hangs up.
func (p *soakPeople) leave() {
	p.client.Disconnect(50)
	p.session.Close()
}

// comeBack connects the people to a daemon that was started anew.
func (w *soakWorld) comeBack() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	p := w.people
	err := until(ctx, func() bool {
		token := p.client.Connect()
		return token.WaitTimeout(time.Second) && token.Error() == nil
	})
	if err == nil {
		p.client.Subscribe("veilleuse/#", 0, p.hear).WaitTimeout(patience)
		err = until(ctx, func() bool {
			var failed error
			p.session, failed = hap.Connect(ctx, w.homeKit, p.pairing, p.shown)
			return failed == nil
		})
	}
	if err != nil {
		w.t.Fatal("the people do not get in again")
	}
	all, err := p.session.Accessories(ctx)
	if err == nil {
		_, err = p.session.Subscribe(ctx, p.learn(all)...)
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

// learn finds the points of interest and all that can be subscribed to.
func (p *soakPeople) learn(all []hap.Accessory) []hap.CharacteristicID {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ids []hap.CharacteristicID
	for _, a := range all {
		information, _ := a.Find(hap.ServiceAccessoryInformation)
		named, _ := information.Find(hap.CharacteristicName)
		name, _ := hap.TextOf(named.Value)
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				id := hap.CharacteristicID{AID: a.AID, IID: c.IID}
				if c.Has(hap.PermEvents) {
					ids = append(ids, id)
				}
				if what, ok := soakPoints[c.Type]; ok {
					p.points[name+" "+what] = id
				}
			}
		}
	}
	return ids
}

var soakPoints = map[hap.UUID]string{
	hap.CharacteristicTargetTemperature:      "target",
	hap.CharacteristicCarbonMonoxideDetected: "co",
	hap.CharacteristicSmokeDetected:          "smoke",
}

// shown is told of every event of the Home app.
func (p *soakPeople) shown(readings []hap.Reading) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range readings {
		on, _ := hap.NumberOf(r.Value)
		for name, kind := range map[string]string{soakSmoke + " smoke": "homekit smoke", demoCO + " co": "homekit co"} {
			if r.ID == p.points[name] && on == 1 {
				tell(p.heard[kind])
			}
		}
	}
}

// hear is told of every MQTT message.
func (p *soakPeople) hear(_ paho.Client, m paho.Message) {
	switch strings.TrimPrefix(m.Topic(), "veilleuse/") {
	case "authority":
		var a gateway.Authority
		if json.Unmarshal(m.Payload(), &a) == nil {
			p.mu.Lock()
			p.phase = string(a.Phase)
			p.mu.Unlock()
		}
	case "alarm":
		var a gateway.Alarm
		if json.Unmarshal(m.Payload(), &a) == nil && a.Phase == gateway.Sounding {
			tell(p.heard["mqtt "+string(a.Kind)])
		}
	case "event":
		p.mu.Lock()
		p.events = append(p.events[max(0, len(p.events)-99):], string(m.Payload()))
		p.mu.Unlock()
	}
}

// raise sets an alarm off, waits until all have heard, and returns how long the slowest took.
func (w *soakWorld) raise(kind string) (time.Duration, error) {
	ears := map[string]<-chan time.Time{"the siren": w.siren, "MQTT": w.people.heard["mqtt "+kind], "the Home app": w.people.heard["homekit "+kind]}
	for _, old := range ears {
		for len(old) > 0 {
			<-old
		}
	}
	began := time.Now()
	if err := w.smell(kind, true); err != nil {
		return 0, err
	}
	late := time.After(10 * time.Second)
	slowest := time.Duration(0)
	for name, ear := range ears {
		select {
		case at := <-ear:
			slowest = max(slowest, at.Sub(began))
		case <-late:
			return 0, errors.Join(fmt.Errorf("%s at %s in the house was not heard by %s", kind, w.clock.Now().Format(time.TimeOnly), name), w.smell(kind, false))
		}
	}
	return slowest, nil
}

func (w *soakWorld) smell(kind string, on bool) error {
	if kind == "smoke" {
		return w.house.SetSmoke(soakSmoke, on)
	}
	ppm := 0.0
	if on {
		ppm = 180
	}
	return w.house.SetCO(demoCO, ppm, on)
}
