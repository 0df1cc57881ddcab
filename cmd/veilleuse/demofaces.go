package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway"
)

// demoFaces are the people of the demonstration: one who looks at MQTT, and one with the Home app.
// They know of the house only what these two show.
type demoFaces struct {
	screen  *demoScreen
	client  paho.Client
	session *hap.Session
	points  map[string]hap.CharacteristicID // "Chambre target", "CO chaufferie co"

	mutex     sync.Mutex
	now       gateway.Phase
	entered   map[gateway.Phase]time.Time // first time in the house's time
	decisions []gateway.Decision
	alarmMQTT chan time.Time
	alarmHAP  chan time.Time
}

// setupPatience is how long the house may take to come up before the evening begins, in real time.
const setupPatience = 30 * time.Second

// openFaces connects both people once the house serves, and waits until it knows its plan and rooms.
func openFaces(ctx context.Context, d *demo) (*demoFaces, error) {
	f := &demoFaces{screen: d.screen, points: map[string]hap.CharacteristicID{}, entered: map[gateway.Phase]time.Time{},
		alarmMQTT: make(chan time.Time, 1), alarmHAP: make(chan time.Time, 1)}
	ctx, cancel := context.WithTimeout(ctx, setupPatience)
	defer cancel()
	if err := until(ctx, func() bool { return d.house.broker.Address() != "" }); err != nil {
		return f, errors.New("the broker does not listen")
	}
	options := paho.NewClientOptions().AddBroker("tcp://" + d.house.broker.Address()).SetClientID("demo-watcher").SetOrderMatters(true)
	f.client = paho.NewClient(options)
	if token := f.client.Connect(); !token.WaitTimeout(setupPatience) || token.Error() != nil {
		return f, fmt.Errorf("connect to MQTT: %w", token.Error())
	}
	if token := f.client.Subscribe("veilleuse/#", 0, f.heard); !token.WaitTimeout(setupPatience) || token.Error() != nil {
		return f, fmt.Errorf("subscribe: %w", token.Error())
	}
	return f, f.openHomeApp(ctx, d.house)
}

// openHomeApp pairs with the bridge and subscribes to all it shows.
func (f *demoFaces) openHomeApp(ctx context.Context, h *house) error {
	var report codeReport
	err := until(ctx, func() bool {
		var err error
		report, err = h.code()
		return err == nil && !strings.HasSuffix(report.Listen, ":0")
	})
	if err != nil {
		return errors.New("the bridge does not listen")
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		return err
	}
	pairing, err := hap.PairSetup(ctx, report.Listen, report.Code, identity, 0)
	if err != nil {
		return fmt.Errorf("pair the Home app: %w", err)
	}
	if f.session, err = hap.Connect(ctx, report.Listen, pairing, f.shown); err != nil {
		return fmt.Errorf("open the Home app: %w", err)
	}
	return f.learn(ctx)
}

// learn reads the accessories until the house has all that the evening needs.
func (f *demoFaces) learn(ctx context.Context) error {
	bedroom, alarm := "Chambre target", demoCO+" co"
	for {
		all, err := f.session.Accessories(ctx)
		if err != nil {
			return fmt.Errorf("read the accessories: %w", err)
		}
		var ids []hap.CharacteristicID
		points := map[string]hap.CharacteristicID{}
		for _, a := range all {
			ids = append(ids, f.note(points, a)...)
		}
		if points[bedroom].AID != 0 && points[alarm].AID != 0 {
			f.mutex.Lock()
			f.points = points
			f.mutex.Unlock()
			_, err := f.session.Subscribe(ctx, ids...)
			return err
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("the Home app shows %d accessories, but not the bedroom and the CO alarm", len(all))
		}
	}
}

// note remembers the points of one accessory that matter here, by name.
func (f *demoFaces) note(points map[string]hap.CharacteristicID, a hap.Accessory) []hap.CharacteristicID {
	information, _ := a.Find(hap.ServiceAccessoryInformation)
	named, _ := information.Find(hap.CharacteristicName)
	name, _ := hap.TextOf(named.Value)
	var ids []hap.CharacteristicID
	for _, s := range a.Services {
		for _, c := range s.Characteristics {
			id := hap.CharacteristicID{AID: a.AID, IID: c.IID}
			if c.Has(hap.PermEvents) {
				ids = append(ids, id)
			}
			switch c.Type {
			case hap.CharacteristicTargetTemperature:
				points[name+" target"] = id
			case hap.CharacteristicCarbonMonoxideDetected:
				points[name+" co"] = id
			}
		}
	}
	return ids
}

// shown is told of every event of the Home app.
func (f *demoFaces) shown(readings []hap.Reading) {
	f.mutex.Lock()
	alarm := f.points[demoCO+" co"]
	f.mutex.Unlock()
	for _, r := range readings {
		if on, _ := hap.NumberOf(r.Value); r.ID == alarm && on == 1 {
			tell(f.alarmHAP)
		}
	}
}

// heard is told of every MQTT message.
func (f *demoFaces) heard(_ paho.Client, m paho.Message) {
	switch strings.TrimPrefix(m.Topic(), "veilleuse/") {
	case "authority":
		var a gateway.Authority
		if json.Unmarshal(m.Payload(), &a) == nil {
			f.enter(a)
		}
	case "alarm":
		var a gateway.Alarm
		if json.Unmarshal(m.Payload(), &a) == nil && a.Phase == gateway.Sounding {
			tell(f.alarmMQTT)
		}
	case "event":
		var d gateway.Decision
		if json.Unmarshal(m.Payload(), &d) == nil {
			f.decided(d)
		}
	}
}

func tell(c chan time.Time) {
	select {
	case c <- time.Now():
	default:
	}
}

func (f *demoFaces) enter(a gateway.Authority) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.now = a.Phase
	if _, known := f.entered[a.Phase]; !known {
		f.entered[a.Phase] = a.Since
	}
}

// decided shows a decision; what devices were found before the evening began is of no interest.
func (f *demoFaces) decided(d gateway.Decision) {
	f.mutex.Lock()
	f.decisions = append(f.decisions, d)
	f.mutex.Unlock()
	if d.Kind != "device" && d.At.After(demoStart.Add(30*time.Second)) {
		f.screen.lineAt(d.At, "Veilleuse", d.What, d.Why)
	}
}

func (f *demoFaces) phase() gateway.Phase {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.now
}

func (f *demoFaces) since(p gateway.Phase) time.Time {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	return f.entered[p]
}

// find returns the first decision for which accept is true.
func (f *demoFaces) find(accept func(gateway.Decision) bool) (gateway.Decision, bool) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	for _, d := range f.decisions {
		if accept(d) {
			return d, true
		}
	}
	return gateway.Decision{}, false
}

func (f *demoFaces) close() {
	if f.client != nil {
		f.client.Disconnect(100)
	}
	if f.session != nil {
		f.session.Close()
	}
}

// wishByMQTT wants a temperature in the bathroom.
func (d *demo) wishByMQTT() error {
	d.wished[netatmotest.Bathroom] = 23
	d.result.Wishes++
	token := d.faces.client.Publish("veilleuse/room/"+netatmotest.Bathroom+"/set", 1, false, `{"target":23,"for":"10h"}`)
	if !token.WaitTimeout(setupPatience) || token.Error() != nil {
		return fmt.Errorf("wish over MQTT: %w", token.Error())
	}
	return nil
}

// wishInHomeApp turns the bedroom up.
func (d *demo) wishInHomeApp() error {
	d.wished[netatmotest.Bedroom] = 20.5
	d.result.Wishes++
	ctx, cancel := context.WithTimeout(context.Background(), setupPatience)
	defer cancel()
	results, err := d.faces.session.Write(ctx, hap.Write{ID: d.faces.points["Chambre target"], Value: hap.NumberValue(20.5)})
	if err == nil {
		err = results[0].Status.Err()
	}
	if err != nil {
		return fmt.Errorf("turn the bedroom up: %w", err)
	}
	return nil
}

// alarm sets the CO alarm off and measures, in real time, who hears of it and when.
func (d *demo) alarm() error {
	began := time.Now()
	if err := d.world.house.SetCO(demoCO, 180, true); err != nil {
		return fmt.Errorf("set the CO alarm off: %w", err)
	}
	for _, ear := range []struct {
		heard <-chan time.Time
		into  *float64
	}{{d.world.siren, &d.result.Alarm.SirenMS}, {d.faces.alarmMQTT, &d.result.Alarm.MQTTMS}, {d.faces.alarmHAP, &d.result.Alarm.HomeKitMS}} {
		select {
		case at := <-ear.heard:
			*ear.into = float64(at.Sub(began).Microseconds()) / 1000
		case <-time.After(5 * time.Second):
			*ear.into = -1
		}
	}
	return nil
}

func (d *demo) alarmEnds() error { return d.world.house.SetCO(demoCO, 0, false) }

// until waits for a condition, in real time.
func until(ctx context.Context, holds func() bool) error {
	for !holds() {
		select {
		case <-time.After(5 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func bytesReader(b []byte) io.Reader { return bytes.NewReader(b) }
