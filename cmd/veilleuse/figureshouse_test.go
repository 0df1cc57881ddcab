package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

// figurePatience is how long anything may take in a measurement before it counts as broken.
const figurePatience = time.Minute

// Instance ids of a sensor of these measurements.
const (
	iidOfMotion      = 11
	iidOfTemperature = 21
)

// sensors is a HomeKit bridge on loopback with many sensors behind it, each of motion and of
// temperature: the device end of a measurement.
type sensors struct {
	bridge *haptest.Accessory
	motion []bool    // what each shows now
	warmth []float64 // °C, same
}

// startSensors begins to serve so many sensors.
func startSensors(t testing.TB, count int) *sensors {
	t.Helper()
	list := []hap.Accessory{haptest.Bridge("Sensors")}
	for i := range count {
		list = append(list, sensorAccessory(i))
	}
	bridge, err := haptest.StartAccessory(haptest.Options{Accessories: list})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bridge.Close() })
	return &sensors{bridge: bridge, motion: make([]bool, count), warmth: make([]float64, count)}
}

func sensorName(i int) string { return fmt.Sprintf("Sensor %d", i) }

func sensorSerial(i int) string { return fmt.Sprintf("70:ee:50:f1:%02x:%02x", i/200, i%200+1) }

func sensorAID(i int) uint64 { return uint64(i) + hap.BridgeAID + 1 }

// sensorTopic is where its state is published.
func sensorTopic(i int) string {
	return "veilleuse/device/" + strings.ReplaceAll(sensorSerial(i), ":", "-")
}

func sensorAccessory(i int) hap.Accessory {
	text := func(iid uint64, kind hap.UUID, value string) hap.Characteristic {
		return hap.Characteristic{IID: iid, Type: kind, Perms: []hap.Perm{hap.PermRead}, Format: hap.FormatString, Value: hap.TextValue(value)}
	}
	shows := []hap.Perm{hap.PermRead, hap.PermEvents}
	low, high, step := -40.0, 60.0, 0.1
	return hap.Accessory{AID: sensorAID(i), Services: []hap.Service{
		{IID: 1, Type: hap.ServiceAccessoryInformation, Characteristics: []hap.Characteristic{
			{IID: 2, Type: hap.CharacteristicIdentify, Perms: []hap.Perm{hap.PermWrite}, Format: hap.FormatBool},
			text(3, hap.CharacteristicName, sensorName(i)), text(4, hap.CharacteristicManufacturer, "Netatmo"),
			text(5, hap.CharacteristicModel, "Sensor"), text(6, hap.CharacteristicSerialNumber, sensorSerial(i)),
			text(7, hap.CharacteristicFirmwareRevision, "1.0.0")}},
		{IID: 10, Type: hap.ServiceMotionSensor, Characteristics: []hap.Characteristic{
			{IID: iidOfMotion, Type: hap.CharacteristicMotionDetected, Perms: shows, Format: hap.FormatBool, Value: hap.BoolValue(false)}}},
		{IID: 20, Type: hap.ServiceTemperatureSensor, Characteristics: []hap.Characteristic{
			{IID: iidOfTemperature, Type: hap.CharacteristicCurrentTemperature, Perms: shows, Format: hap.FormatFloat,
				MinValue: &low, MaxValue: &high, MinStep: &step, Value: hap.NumberValue(20)}}},
	}}
}

// move changes whether sensor i sees motion. HomeKit sends such an event at once.
func (s *sensors) move(i int) error {
	s.motion[i] = !s.motion[i]
	return s.bridge.Set(hap.Value{ID: hap.CharacteristicID{AID: sensorAID(i), IID: iidOfMotion}, Value: hap.BoolValue(s.motion[i])})
}

// warm changes what sensor i measures. HomeKit batches such events: one message a second to a controller.
func (s *sensors) warm(i int) error {
	if s.warmth[i]++; s.warmth[i] > 30 {
		s.warmth[i] = 1
	}
	return s.bridge.Set(hap.Value{ID: hap.CharacteristicID{AID: sensorAID(i), IID: iidOfTemperature}, Value: hap.NumberValue(20 + s.warmth[i]/10)})
}

// arrival is what an observer was told of one sensor, and when.
type arrival struct {
	sensor      int
	motion      bool
	temperature float64
	at          time.Time
}

// observers are an MQTT client and a Home app, outside of the house.
type observers struct {
	mqtt, homeKit chan arrival
	client        paho.Client
	session       *hap.Session

	mu    sync.Mutex
	moves map[hap.CharacteristicID]int // sensor by its motion in the Home app
	warms map[hap.CharacteristicID]int
	smoke hap.CharacteristicID // a detector in the Home app; zero: none
	smelt chan time.Time       // when it was said to smell,
	aired chan time.Time       // and when no longer
}

// observe connects both and waits until each sees so many sensors.
func observe(t testing.TB, broker, bridge, code string, count int) *observers {
	t.Helper()
	o := &observers{mqtt: make(chan arrival, 4096), homeKit: make(chan arrival, 4096),
		moves: map[hap.CharacteristicID]int{}, warms: map[hap.CharacteristicID]int{}}
	options := paho.NewClientOptions().AddBroker("tcp://" + broker).SetClientID("observer").SetKeepAlive(5 * time.Minute)
	o.client = paho.NewClient(options)
	token := o.client.Connect()
	if !token.WaitTimeout(figurePatience) || token.Error() != nil {
		t.Fatal("MQTT: ", token.Error())
	}
	t.Cleanup(func() { o.client.Disconnect(50) })
	o.watchMQTT(t, count)
	o.watchHomeKit(t, bridge, code, count)
	return o
}

// watchMQTT returns when the last sensor was shown there.
func (o *observers) watchMQTT(t testing.TB, count int) {
	t.Helper()
	byTopic := map[string]int{}
	for i := range count {
		byTopic[sensorTopic(i)] = i
	}
	token := o.client.Subscribe("veilleuse/device/+", 0, func(_ paho.Client, m paho.Message) {
		at := time.Now()
		var device struct {
			Readings map[string]struct{ Value any }
		}
		i, known := byTopic[m.Topic()]
		if !known || json.Unmarshal(m.Payload(), &device) != nil || len(device.Readings) < 2 {
			return
		}
		motion, _ := device.Readings["motion"].Value.(bool)
		temperature, _ := device.Readings["temperature"].Value.(float64)
		o.mqtt <- arrival{i, motion, temperature, at}
	})
	if !token.WaitTimeout(figurePatience) || token.Error() != nil {
		t.Fatal("MQTT: ", token.Error())
	}
	seen := map[int]bool{}
	for late := time.After(figurePatience); len(seen) < count; {
		select {
		case a := <-o.mqtt:
			seen[a.sensor] = true
		case <-late:
			t.Fatalf("MQTT shows %d of %d sensors", len(seen), count)
		}
	}
}

// watchHomeKit pairs, and returns when it gets the events of all sensors.
func (o *observers) watchHomeKit(t testing.TB, bridge, code string, count int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	identity, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	pairing, err := hap.PairSetup(ctx, bridge, code, identity, 0)
	if err != nil {
		t.Fatal(err)
	}
	if o.session, err = hap.Connect(ctx, bridge, pairing, o.told); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { o.session.Close() })
	for len(o.moves) < count {
		list, err := o.session.Accessories(ctx)
		if err != nil {
			t.Fatalf("the Home app shows %d of %d sensors: %v", len(o.moves), count, err)
		}
		o.learn(list)
		time.Sleep(20 * time.Millisecond)
	}
	var all []hap.CharacteristicID
	for _, ids := range []map[hap.CharacteristicID]int{o.moves, o.warms} {
		for id := range ids {
			all = append(all, id)
		}
	}
	if _, err := o.session.Subscribe(ctx, all...); err != nil {
		t.Fatal(err)
	}
}

// learn finds the sensors among the accessories.
func (o *observers) learn(list []hap.Accessory) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, a := range list {
		information, _ := a.Find(hap.ServiceAccessoryInformation)
		named, _ := information.Find(hap.CharacteristicName)
		name, _ := hap.TextOf(named.Value)
		i := -1
		if _, err := fmt.Sscanf(name, "Sensor %d", &i); err != nil {
			continue
		}
		if motion, ok := a.Find(hap.ServiceMotionSensor); ok {
			c, _ := motion.Find(hap.CharacteristicMotionDetected)
			o.moves[hap.CharacteristicID{AID: a.AID, IID: c.IID}] = i
		}
		if warmth, ok := a.Find(hap.ServiceTemperatureSensor); ok {
			c, _ := warmth.Find(hap.CharacteristicCurrentTemperature)
			o.warms[hap.CharacteristicID{AID: a.AID, IID: c.IID}] = i
		}
	}
}

// told takes the events of the Home app.
func (o *observers) told(readings []hap.Reading) {
	at := time.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range readings {
		switch {
		case r.ID != o.smoke || o.smelt == nil:
		case string(r.Value) == "1":
			o.smelt <- at
		default:
			o.aired <- at
		}
		if i, ok := o.moves[r.ID]; ok {
			on, _ := hap.BoolOf(r.Value)
			o.homeKit <- arrival{sensor: i, motion: on, at: at}
		}
		if i, ok := o.warms[r.ID]; ok {
			celsius, _ := hap.NumberOf(r.Value)
			o.homeKit <- arrival{sensor: i, temperature: celsius, at: at}
		}
	}
}

// drain forgets what arrived so far.
func (o *observers) drain() {
	for {
		select {
		case <-o.mqtt:
		case <-o.homeKit:
		default:
			return
		}
	}
}

// next waits for the first arrival that wanted accepts.
func next(arrivals <-chan arrival, wanted func(arrival) bool) (time.Time, error) {
	late := time.After(figurePatience)
	for {
		select {
		case a := <-arrivals:
			if wanted(a) {
				return a.at, nil
			}
		case <-late:
			return time.Time{}, fmt.Errorf("an event has not arrived within %v", figurePatience)
		}
	}
}
