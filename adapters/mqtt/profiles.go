package mqtt

import "github.com/veilleuse/veilleuse/gateway"

// profiles are the kinds that are data alone. Tasmota's and Shelly's sensors are data, too; their relays are
// code (tasmota.go, shelly.go), because their leases are confirmed in conversations: a setting that is read,
// written and read again before the first order, numbered requests whose late answers must not count.
var profiles = map[Kind]*Profile{
	// zigbee2mqtt.io, "MQTT Topics and Messages". The lease of a relay is on_time in the order: Zigbee's
	// OnWithTimedOff, which the documentation says not every firmware supports. Whether this one does shows in
	// its attribute onTime, which counts down from ten times the seconds: it is read together with each order.
	Zigbee2MQTT: {
		Name:  Zigbee2MQTT,
		Topic: "{base}/{topic}",
		Signs: []Sign{
			{Topic: "{base}/{topic}/availability", Key: "state", Yes: "online", No: "offline", Why: "Zigbee2MQTT does not reach it"},
			{Topic: "{base}/bridge/state", Key: "state", Yes: "online", No: "offline", Why: "Zigbee2MQTT is not there", Bridge: true},
		},
		Ask: []Say{ // sensors on batteries sleep
			{Topic: "{base}/{topic}/get", Payload: `{"state{_channel}":""}`, Roles: "r"},
			{Topic: "{base}/{topic}/get", Payload: `{"local_temperature":""}`, Roles: "v"},
		},
		Seen:     "last_seen", // if it is set to say so (advanced.last_seen)
		Readings: zigbeeReadings,
		Switch: &Switch{
			State: Extract{Key: "state{_channel}"},
			Topic: "{base}/{topic}{/channel}/set",
			On:    `{"state":"ON"}`, Off: `{"state":"OFF"}`, OnLeased: `{"state":"ON","on_time":{seconds}}`,
			Left: Extract{Key: "veilleuse_on_time.onTime"}, PerSecond: 10, Timer: "on_time",
			AskLeft: &Say{Topic: "{base}/{topic}{/channel}/set", Payload: `{"read":{"cluster":"genOnOff","attributes":["onTime"],"state_property":"veilleuse_on_time"}}`},
		},
		Setpoint: &Setpoint{Keys: []string{"occupied_heating_setpoint", "current_heating_setpoint"}, Topic: "{base}/{topic}/set", Payload: `{"{key}":{value}}`},
	},
	// A device of which only its topics are known: a relay that takes ON and OFF on one topic and shows its
	// state on another, or a thermometer. Nothing is known of when it answers, so that a first word is a sign
	// of life and nothing is one of death.
	Plain: {
		Name:     Plain,
		Readings: []Extract{{Key: "{key}", Quantity: gateway.Temperature, Roles: "s"}},
		Switch:   &Switch{State: Extract{Key: "{key}"}, Topic: "{command}", On: "ON", Off: "OFF"},
	},
}

// zigbeeReadings are the names that all models behind Zigbee2MQTT share.
var zigbeeReadings = []Extract{
	{Key: "power{_channel}", Quantity: gateway.Power, Roles: "rs"},
	{Key: "local_temperature", Quantity: gateway.Temperature, Roles: "v"},
	{Key: "pi_heating_demand", Quantity: gateway.HeatingRequest, Roles: "v"},
	{Key: "position", Quantity: gateway.Position, Roles: "v"},
	{Key: "valve_position", Quantity: gateway.Position, Roles: "v"},
	{Key: "valve_opening_degree", Quantity: gateway.Position, Roles: "v"},
	{Key: "window", Quantity: gateway.OpenWindow, Yes: "OPEN", Roles: "v"},
	{Key: "window_open", Quantity: gateway.OpenWindow, Yes: "true", No: "false", Roles: "v"},
	{Key: "temperature", Quantity: gateway.Temperature, Roles: "sv"},
	{Key: "humidity", Quantity: gateway.Humidity, Roles: "sv"},
	{Key: "co2", Quantity: gateway.CO2, Roles: "sv"},
	{Key: "pressure", Quantity: gateway.Pressure, Roles: "sv"},
	{Key: "battery", Quantity: gateway.Battery, Roles: "sv"},
	{Key: "co", Quantity: gateway.COLevel, Roles: "sv"},
	{Key: "smoke", Quantity: gateway.Smoke, Yes: "true", No: "false", Roles: "sv"},
	{Key: "carbon_monoxide", Quantity: gateway.CO, Yes: "true", No: "false", Roles: "sv"},
	{Key: "occupancy", Quantity: gateway.Motion, Yes: "true", No: "false", Roles: "sv"},
	{Key: "tamper", Quantity: gateway.Tampered, Yes: "true", No: "false", Roles: "sv"},
	{Key: "battery_low", Quantity: gateway.LowBattery, Yes: "true", No: "false", Roles: "sv"},
	{Key: "contact", Quantity: gateway.Contact, Yes: "false", No: "true", Roles: "sv"}, // Zigbee2MQTT: true = closed
}

// tasmotaReadings are what its sensors say in SENSOR, STATUS8 and STATUS10, by the sensor's name.
var tasmotaReadings = []Extract{
	{Key: "ENERGY.Power", Quantity: gateway.Power},
	{Key: "*.Temperature", Quantity: gateway.Temperature, Roles: "s"},
	{Key: "*.Humidity", Quantity: gateway.Humidity, Roles: "s"},
	{Key: "*.CarbonDioxide", Quantity: gateway.CO2, Roles: "s"},
}

// shellyReadings are what the parts of a Shelly say (shelly-api-docs.shelly.cloud, gen2, components).
var shellyReadings = []Extract{
	{Key: "devicepower:*.battery.percent", Quantity: gateway.Battery, Roles: "s"},
	{Key: "humidity:*.rh", Quantity: gateway.Humidity, Roles: "s"},
	{Key: "smoke:*.alarm", Quantity: gateway.Smoke, Yes: "true", No: "false", Roles: "s"},
	{Key: "temperature:*.tC", Quantity: gateway.Temperature, Roles: "s"},
}
