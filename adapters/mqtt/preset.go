package mqtt

import (
	"fmt"

	"github.com/veilleuse/veilleuse/gateway"
)

// Presets of a thermostat. Away and frost guard are those of the whole home, as in the vendor's own app: a
// wish for them on one room is one for all.
const (
	presetSchedule = "schedule" // back to the schedule, the home and this room
	presetAway     = "away"
	presetFrost    = "frost"
	presetBoost    = "boost" // this room as warm as it may be, for as long as a change by hand lasts
)

var presets = []string{presetSchedule, presetAway, presetFrost, presetBoost}

// preset reads {"preset":"away"}, what a thermostat in Home Assistant or of Homie asks for in one topic.
func (r reader) preset(id gateway.RoomID, preset gateway.Value, w *wish) (gateway.Ask, error) {
	end, err := w.end(r.now)
	if err != nil {
		return nil, err
	}
	if err := w.rest("preset, for, until"); err != nil {
		return nil, err
	}
	switch preset.Word() {
	case presetSchedule:
		if r.state.Home.Regime.Mode == gateway.HomeAway || r.state.Home.Regime.Mode == gateway.HomeFrost {
			return gateway.SetMode{Mode: gateway.HomeSchedule}, end.none(presetSchedule)
		}
		return gateway.FollowHome{Room: id}, end.none(presetSchedule)
	case presetAway:
		return gateway.SetMode{Mode: gateway.HomeAway, For: end.lasting, Until: end.until}, nil
	case presetFrost:
		return gateway.SetMode{Mode: gateway.HomeFrost, For: end.lasting, Until: end.until}, nil
	case presetBoost:
		return r.target(id, limitsOf(r.state.Home).high, end)
	}
	return nil, fmt.Errorf(`"preset" is schedule, away, frost or boost, not %q`, preset)
}

// presetOf is a template that reads the preset from a room's page. A room that is held at the maximum by hand
// is boosted, by whatever way somebody asked for that.
func presetOf(l limits) string {
	return "{{ 'boost' if value_json.get('mode') == 'max' or " +
		"value_json.get('mode') == 'manual' and value_json.get('target', 0) >= " + gateway.Number(l.high).String() + " " +
		"else value_json.mode if value_json.get('mode') in ['schedule', 'away', 'frost'] else 'none' }}"
}
