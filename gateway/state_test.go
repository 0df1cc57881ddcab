package gateway_test

import (
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestTheGravestAlarmIsShown(t *testing.T) {
	burglar := gateway.Alarm{Number: 1, Kind: gateway.Intrusion, Phase: gateway.Sounding}
	fire := gateway.Alarm{Number: 2, Kind: gateway.Smoke, Phase: gateway.Sounding}
	gas := gateway.Alarm{Number: 3, Kind: gateway.CO, Phase: gateway.Sounding}
	hushed := gateway.Alarm{Number: 4, Kind: gateway.Smoke, Phase: gateway.Hushed}
	for name, test := range map[string]struct {
		alarms []gateway.Alarm
		want   uint64
	}{
		"none":                               {nil, 0},
		"a fire before a burglar":            {[]gateway.Alarm{burglar, fire}, 2},
		"of fire and gas the older":          {[]gateway.Alarm{fire, gas}, 2},
		"a burglar before a fire hushed":     {[]gateway.Alarm{hushed, burglar}, 1},
		"a fire before a burglar, any order": {[]gateway.Alarm{fire, burglar}, 2},
	} {
		if got := (gateway.State{Alarms: test.alarms}).Alarm(); got.Number != test.want {
			t.Errorf("%s: shown is alarm %d, want %d", name, got.Number, test.want)
		}
	}
}
