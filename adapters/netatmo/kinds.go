package netatmo

import (
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// What a type code says of a device that matters here (pyatmo device_types.py). Codes that are not
// listed occur over time: such a device is kept and shown with its code, and it may be a thermostat.
const (
	thermostats = " NATherm1 OTM BNS BNTH "
	valves      = " NRV "
	heaters     = " NLC BNFC BNTR NAC " // and coolers
	others      = " NAPlug OTH NSD NCO NACamera NPC NOC NDB NIS NACamDoorTag NAMain NAModule1 NAModule2 NAModule3" +
		" NAModule4 NHC NLG NLGS NLP NLPM NLPBS NLPO NLPT NLPD NLPC NLPS NLE NLL NLF NLFE NLFN NLM NLIS NLV NLLV NLLM" +
		" NLJ NLT NLD NLAO NLAS NLDP NLLF NBG NBR NBO NBS Z3L Z3V TPSRS BNCX BNEU BNDL BNC1 "

	// detectors sleep for days and have no state in homestatus.
	detectors = " NSD NCO "
	// talkers are heard of each few minutes.
	talkers = thermostats + valves + " NAPlug OTH NAMain NAModule1 NAModule2 NAModule3 NAModule4 NHC "
	// localHTTP are the cameras with an HTTP interface on the LAN.
	localHTTP = " NACamera NOC NPC "
	// withPast are the devices that make events.
	withPast = " NACamera NPC NOC NDB NIS NACamDoorTag NSD NCO "
)

func isA(kinds, code string) bool { return code != "" && strings.Contains(kinds, " "+code+" ") }

// headRank tells which device of a room speaks for its temperature: the lowest.
func headRank(code string) (int, bool) {
	switch {
	case isA(thermostats, code):
		return 0, true
	case isA(valves, code):
		return 1, true
	case isA(heaters, code):
		return 2, true
	case code != "" && !isA(others, code):
		return 3, true
	}
	return 0, false
}

// heads returns the device that speaks for each room: its thermostat, else its first valve. What the
// vendor says of a room's temperature is what that device measures.
func heads(devices []gateway.Found) map[gateway.RoomID]gateway.DeviceID {
	best := make(map[gateway.RoomID]int)
	all := make(map[gateway.RoomID]gateway.DeviceID)
	for _, d := range devices {
		rank, ok := headRank(d.Model)
		if !ok || d.Room == "" {
			continue
		}
		if held, taken := best[d.Room]; !taken || rank < held {
			best[d.Room], all[d.Room] = rank, d.Device
		}
	}
	return all
}
