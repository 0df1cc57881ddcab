package homekit

import (
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// aged is a device whose readings were taken at that hour, through that adapter.
func aged(id gateway.DeviceID, from string, reaches bool, readings ...any) gateway.Device {
	d := gateway.Device{ID: id, Name: string(id), Model: "NAMain", Faces: []gateway.Face{{Adapter: from, Reaches: reaches}}}
	for i := 0; i < len(readings); i += 2 {
		d = d.WithReading(gateway.Measure{Quantity: readings[i].(gateway.Quantity), Value: readings[i+1].(gateway.Value), At: at, From: from})
	}
	return d
}

func TestStatusIsTrueToAgeAndHealth(t *testing.T) {
	warm, open := gateway.Number(20), gateway.Flag(true)
	both := aged("d", gateway.AccessoryAdapter, false, gateway.Temperature, warm)
	both.Faces = append(both.Faces, gateway.Face{Adapter: gateway.CloudAdapter, Reaches: true})
	silent := aged("d", gateway.AccessoryAdapter, true, gateway.Smoke, gateway.Flag(false))
	silent.Silent = true
	for name, test := range map[string]struct {
		device  gateway.Device
		service hap.UUID
		after   time.Duration
		active  string
		fault   string
	}{
		"measured just now":                         {aged("d", gateway.CloudAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 0, "true", "0"},
		"the cloud's, of 59 minutes ago":            {aged("d", gateway.CloudAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 59 * time.Minute, "true", "0"},
		"the cloud's, of an hour ago":               {aged("d", gateway.CloudAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, time.Hour, "false", "1"},
		"carbon dioxide ages as well":               {aged("d", gateway.CloudAdapter, true, gateway.CO2, gateway.Number(800)), hap.ServiceCarbonDioxideSensor, time.Hour, "false", "1"},
		"the vendor does not reach it":              {aged("d", gateway.CloudAdapter, false, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 0, "false", "1"},
		"MQTT, of three hours ago":                  {aged("d", gateway.MQTTAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 3 * time.Hour, "true", "0"},
		"MQTT, of four hours ago":                   {aged("d", gateway.MQTTAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 4 * time.Hour, "false", "1"},
		"over the LAN, while it answers":            {aged("d", gateway.AccessoryAdapter, true, gateway.Temperature, warm), hap.ServiceTemperatureSensor, 24 * time.Hour, "true", "0"},
		"lost on the LAN, but the cloud is there":   {both, hap.ServiceTemperatureSensor, 30 * time.Minute, "true", "0"},
		"and has said nothing for an hour":          {both, hap.ServiceTemperatureSensor, time.Hour, "false", "1"},
		"a door that was opened a week ago is open": {aged("d", gateway.CloudAdapter, true, gateway.Contact, open), hap.ServiceContactSensor, 7 * 24 * time.Hour, "true", "0"},
		"its own word of a fault":                   {aged("d", gateway.AccessoryAdapter, true, gateway.Contact, open, gateway.Fault, open), hap.ServiceContactSensor, 0, "true", "1"},
		"a detector that is silent":                 {silent, hap.ServiceSmokeSensor, 0, "false", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := gateway.State{At: at, Devices: gateway.Table[gateway.DeviceID, gateway.Device]{}.With("d", test.device)}
			a := opened(t, gatewaytest.NewVault())
			if err := a.publish(gateway.State{}, s, at); err != nil {
				t.Fatal(err)
			}
			if err := a.age(s, at.Add(test.after)); err != nil { // nothing happens but time
				t.Fatal(err)
			}
			all := a.bridges[0].shelf.accessories()
			_, active := find(t, all, "d", test.service, hap.CharacteristicStatusActive)
			_, fault := find(t, all, "d", test.service, hap.CharacteristicStatusFault)
			if active != test.active || fault != test.fault {
				t.Errorf("active %s, fault %s; want %s, %s", active, fault, test.active, test.fault)
			}
		})
	}
}

func TestOldTemperatureOfARoomIsNone(t *testing.T) {
	a := opened(t, gatewaytest.NewVault())
	s := home()
	if err := a.publish(gateway.State{}, s, at); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		after time.Duration
		want  string
	}{{4*time.Hour - time.Second, "19.3"}, {4 * time.Hour, ""}} {
		if err := a.age(s, at.Add(test.after)); err != nil {
			t.Fatal(err)
		}
		all := a.bridges[0].shelf.accessories()
		if _, got := find(t, all, "Bath", hap.ServiceThermostat, hap.CharacteristicCurrentTemperature); got != test.want {
			t.Errorf("after %v the room shows %q, want %q", test.after, got, test.want)
		}
		if _, got := find(t, all, "Bath", hap.ServiceThermostat, hap.CharacteristicTargetTemperature); got != "20.5" {
			t.Errorf("after %v its target is %q: what is wanted does not age", test.after, got)
		}
	}
}

func TestFreshReadingIsActiveAgain(t *testing.T) {
	a := opened(t, gatewaytest.NewVault())
	s := gateway.State{At: at, Devices: gateway.Table[gateway.DeviceID, gateway.Device]{}.With("d", aged("d", gateway.CloudAdapter, true, gateway.Temperature, gateway.Number(20)))}
	if err := a.publish(gateway.State{}, s, at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	d := aged("d", gateway.CloudAdapter, true).WithReading(gateway.Measure{Quantity: gateway.Temperature, Value: gateway.Number(20), At: at.Add(2 * time.Hour), From: gateway.CloudAdapter})
	next := s
	next.Devices = s.Devices.With("d", d)
	if err := a.publish(s, next, at.Add(2*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if _, got := find(t, a.bridges[0].shelf.accessories(), "d", hap.ServiceTemperatureSensor, hap.CharacteristicStatusActive); got != "true" {
		t.Errorf("measured anew, it is active: %s", got)
	}
	if until := a.fades["device/d"]; !until.Equal(at.Add(3 * time.Hour)) {
		t.Errorf("it counts as fresh until %v", until)
	}
}

func TestStepOfATargetKeepsWholeDegrees(t *testing.T) {
	for _, test := range []struct {
		floor float64
		want  float64
	}{{7, 0.5}, {4.5, 0.5}, {7.3, 0.1}, {12.2, 0.1}} {
		if got := stepFrom(test.floor); got != test.want {
			t.Errorf("from %v °C a target has steps of %v, want %v", test.floor, got, test.want)
		}
	}
}

// A valve whose thermometer was known before its target was is shown on, and not left with an old value.
func TestSensorThatTurnsOutToSteerARoom(t *testing.T) {
	a := opened(t, gatewaytest.NewVault())
	first := gateway.State{At: at, Home: home().Home, Devices: gateway.Table[gateway.DeviceID, gateway.Device]{}.With("valve", device("valve", "NRV", "", gateway.Temperature, gateway.Number(18)))}
	if err := a.publish(gateway.State{}, first, at); err != nil {
		t.Fatal(err)
	}
	next := first
	next.Devices = first.Devices.With("valve", device("valve", "NRV", "", gateway.Temperature, gateway.Number(21), gateway.Target, gateway.Number(19)))
	if err := a.publish(first, next, at); err != nil {
		t.Fatal(err)
	}
	if _, got := find(t, a.bridges[0].shelf.accessories(), "valve", hap.ServiceTemperatureSensor, hap.CharacteristicCurrentTemperature); got != "21" {
		t.Errorf("it shows %s °C", got)
	}
}
