package accessory_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bletest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// Instance ids in the recorded database of the CO alarm.
const (
	alarmCO    uint64 = 229
	alarmLevel uint64 = 40
)

// bedside is a house with Netatmo's CO alarm on Bluetooth, as it was recorded.
type bedside struct {
	t       *testing.T
	alarm   *bletest.Accessory
	radio   *bletest.Radio
	vault   *gatewaytest.Vault
	adapter *accessory.Adapter
	house   *gatewaytest.House
	id      gateway.DeviceID
}

func newBedside(t *testing.T) *bedside {
	t.Helper()
	t.Parallel() // looking around on Bluetooth takes real seconds
	return bedsideWith(t, bletest.NewAlarm(t))
}

func bedsideWith(t *testing.T, alarm *bletest.Accessory) *bedside {
	t.Helper()
	b := &bedside{t: t, alarm: alarm, radio: bletest.NewRadio(alarm), vault: gatewaytest.NewVault()}
	b.begin()
	return b
}

func (b *bedside) begin() {
	b.adapter = accessory.New(accessory.Options{Vault: b.vault, Browse: nothingOnTheLAN, Radio: b.radio, Log: slog.New(slog.DiscardHandler)})
}

// paired pairs the alarm and runs the adapter until it has been visited.
func paired(t *testing.T) *bedside {
	t.Helper()
	b := newBedside(t)
	b.pair()
	return b
}

func (b *bedside) pair() {
	t := b.t
	t.Helper()
	p, err := b.adapter.Pair(t.Context(), b.alarm.ID(), b.alarm.Code(), "Boiler room")
	if err != nil {
		t.Fatal(err)
	}
	if p.ID != strings.ToLower(b.alarm.ID()) {
		t.Fatalf("paired with %s instead of %s", p.ID, b.alarm.ID())
	}
	b.run()
}

func (b *bedside) run() {
	b.t.Helper()
	b.house = gatewaytest.Start(b.t, gateway.AccessoryAdapter, b.adapter, faster2(100))
	found := gatewaytest.Wait(b.house, func(f gateway.Found) bool { return true })
	b.id = found.Device
	b.reads(gateway.CO, gateway.Flag(false))
	b.asleep()
}

func (b *bedside) reads(q gateway.Quantity, want gateway.Value) {
	b.t.Helper()
	gatewaytest.Wait(b.house, func(r gateway.Reading) bool { return r.Device == b.id && r.Quantity == q && r.Value == want })
}

// asleep waits until nobody is connected.
func (b *bedside) asleep() {
	b.t.Helper()
	deadline := time.Now().Add(gatewaytest.Patience)
	for b.alarm.Connected() {
		if time.Now().After(deadline) {
			b.t.Fatal("the accessory is never let go")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (b *bedside) set(iid uint64, value string) {
	b.t.Helper()
	if err := b.alarm.Set(iid, json.RawMessage(value)); err != nil {
		b.t.Fatal(err)
	}
}

func TestDiscoverOnBluetooth(t *testing.T) {
	b := newBedside(t)
	all, err := b.adapter.Discover(t.Context())
	if err != nil || len(all) != 1 || all[0].ID != strings.ToLower(b.alarm.ID()) || !all[0].Bluetooth || all[0].Paired {
		t.Errorf("found %+v (%v)", all, err)
	}
}

func TestAnAlarmOnBluetoothIsHeardWithoutAConnection(t *testing.T) {
	b := paired(t)
	connects := b.alarm.Connects()
	b.set(alarmCO, "1")
	b.reads(gateway.CO, gateway.Flag(true))
	b.set(alarmLevel, "112")
	b.reads(gateway.COLevel, gateway.Number(112))
	b.set(alarmCO, "0")
	b.reads(gateway.CO, gateway.Flag(false))
	if more := b.alarm.Connects() - connects; more != 0 {
		t.Errorf("%d connections were made for it: they cost its battery", more)
	}
}

func TestAMissedNotificationIsReadByAVisit(t *testing.T) {
	b := paired(t)
	b.alarm.Break(bletest.Faults{Silent: true})
	b.set(alarmCO, "1")
	b.alarm.Break(bletest.Faults{})
	packets := b.alarm.Packets()
	b.alarm.Advertise() // with a state number that has moved
	b.reads(gateway.CO, gateway.Flag(true))
	if more := b.alarm.Packets() - packets; more > 20 {
		t.Errorf("%d packets were sent before it was known: each takes a tenth of a second", more)
	}
}

// One that nobody can ask for its state number tells it to everybody: that is enough to know when to visit it.
func TestAnAccessoryThatTellsNoNumbersIsReadByVisits(t *testing.T) {
	t.Parallel()
	database := bletest.RecordedAlarm(t)
	for i, service := range database.Services {
		if service.Type == hap.ServiceProtocolInformation {
			database.Services[i].Characteristics = slices.DeleteFunc(slices.Clone(service.Characteristics),
				func(c hap.Characteristic) bool { return c.Type == hap.CharacteristicServiceSignature })
		}
	}
	alarm, err := bletest.New(bletest.Settings{Database: database})
	if err != nil {
		t.Fatal(err)
	}
	b := bedsideWith(t, alarm)
	b.pair()
	connects := b.alarm.Connects()
	b.set(alarmCO, "1")
	b.reads(gateway.CO, gateway.Flag(true))
	b.asleep()
	if more := b.alarm.Connects() - connects; more != 1 {
		t.Errorf("%d connections were made for one change", more)
	}
	if all, err := b.adapter.Paired(); err != nil || len(all) != 1 || !all[0].Live || all[0].Why != "" {
		t.Errorf("the pairing shows %+v (%v), want that it works", all, err)
	}
}

func TestASleepyAccessoryIsTriedWithPatience(t *testing.T) {
	b := paired(t)
	b.alarm.Break(bletest.Faults{Silent: true})
	b.set(alarmCO, "1")
	b.alarm.Break(bletest.Faults{Refuse: 4})
	b.alarm.Advertise()
	b.reads(gateway.CO, gateway.Flag(true))
}

func TestARestartGoesOnWithTheKeyThatWasKept(t *testing.T) {
	b := paired(t)
	b.house.Stop()
	b.begin()
	b.run()
	connects := b.alarm.Connects()
	b.set(alarmCO, "1")
	b.reads(gateway.CO, gateway.Flag(true))
	if more := b.alarm.Connects() - connects; more != 0 {
		t.Errorf("%d connections were made", more)
	}
}

func TestForgedNotificationsDoNotEmptyABattery(t *testing.T) {
	b := paired(t)
	connects := b.alarm.Connects()
	forged := append([]byte{0x11, 0x36}, make([]byte, 22)...)
	id := strings.ReplaceAll(b.alarm.ID(), ":", "")
	for i := range 6 {
		var octet byte
		for _, digit := range id[2*i : 2*i+2] {
			octet = octet<<4 | byte(strings.IndexRune("0123456789ABCDEF", digit))
		}
		forged[2+i] = octet
	}
	began, more := time.Now(), 0
	for more == 0 && time.Since(began) < gatewaytest.Patience || time.Since(began) < 2*time.Second { // more than three minutes of the house
		b.alarm.Send(forged)
		time.Sleep(time.Millisecond)
		more = b.alarm.Connects() - connects
	}
	if more == 0 || more > 20 {
		t.Errorf("%d connections were made for forged notifications, want a few and at most 20 an hour", more)
	}
}

func TestARadioThatIsUnpluggedIsSaidToBe(t *testing.T) {
	b := paired(t)
	b.radio.Break(errors.New("the Bluetooth adapter was taken away"))
	r := gatewaytest.Wait(b.house, func(r gateway.Reach) bool { return !r.OK })
	if r.Device != b.id || r.Why != "the Bluetooth adapter was taken away" {
		t.Errorf("got %+v", r)
	}
	b.radio.Break(nil)
	gatewaytest.Wait(b.house, func(r gateway.Reach) bool { return r.OK && r.Device == b.id })
}

func TestUnpairOnBluetooth(t *testing.T) {
	b := paired(t)
	if _, err := b.adapter.Unpair(t.Context(), b.alarm.ID()); err != nil {
		t.Fatal(err)
	}
	if left := b.alarm.Controllers(); len(left) != 0 {
		t.Errorf("%d controllers are left", len(left))
	}
	gatewaytest.Wait(b.house, func(g gateway.Gone) bool { return g.Device == b.id })
}

func TestUnpairOnBluetoothWhereItWasHeardLast(t *testing.T) {
	b := paired(t)
	b.alarm.Move("C0:00:00:00:00:02")
	b.set(alarmCO, "1") // heard from there
	b.reads(gateway.CO, gateway.Flag(true))
	if _, err := b.adapter.Unpair(t.Context(), b.alarm.ID()); err != nil {
		t.Fatal(err)
	}
	if left := b.alarm.Controllers(); len(left) != 0 {
		t.Errorf("%d controllers are left", len(left))
	}
}

func TestARemovedPairingOnBluetoothEndsTheAttempts(t *testing.T) {
	b := paired(t)
	if err := b.alarm.Forget(); err != nil {
		t.Fatal(err)
	}
	b.alarm.Break(bletest.Faults{Silent: true})
	b.set(alarmCO, "1")
	b.alarm.Break(bletest.Faults{})
	b.alarm.Advertise()
	r := gatewaytest.Wait(b.house, func(r gateway.Reach) bool { return !r.OK })
	if !strings.Contains(r.Why, "pairing was removed") {
		t.Errorf("got %+v", r)
	}
}

func nothingOnTheLAN(context.Context) ([]accessory.Announced, error) { return nil, nil }
