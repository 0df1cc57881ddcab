package netatmo

import (
	"maps"
	"slices"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// readWeather reads an answer of getstationsdata or gethomecoachsdata: devices with their modules,
// their last measurements under dashboard_data. It leaves out stations that belong to somebody else:
// favourites, those of another home, and those lent for reading unless they stand in this home.
func readWeather(a answer, home string, at time.Time) []deviceStatus {
	if !a.at.IsZero() {
		at = a.at
	}
	newest := make(map[gateway.DeviceID]deviceStatus)
	for _, base := range a.body.objects("devices") {
		if !isOurStation(base, home) {
			continue
		}
		keepNewer(newest, readStation(base, "", at))
		for _, m := range base.objects("modules") {
			keepNewer(newest, readStation(m, base.text("_id", "id"), at))
		}
	}
	var all []deviceStatus
	for _, id := range slices.Sorted(maps.Keys(newest)) {
		all = append(all, newest[id])
	}
	return all
}

// keepNewer keeps the livelier of two entries of one module: one that was moved to another station
// stays listed under the first, as never seen (pyatmo getstationsdata.json, 12:34:56:32:db:06).
func keepNewer(all map[gateway.DeviceID]deviceStatus, d deviceStatus) {
	if old, known := all[d.Device]; d.Device == "" || known && !d.seen.After(old.seen) {
		return
	}
	all[d.Device] = d
}

func isOurStation(a attributes, home string) bool {
	favourite, _ := a.yes("favorite")
	lent, _ := a.yes("read_only")
	switch own := a.text("home_id"); {
	case favourite:
		return false
	case own != "":
		return own == home
	}
	return !lent
}

func readStation(a attributes, bridge string, at time.Time) deviceStatus {
	flat := maps.Clone(a)
	maps.Copy(flat, a.object("dashboard_data"))
	d := readDevice(flat, at)
	d.Bridge = gateway.DeviceID(bridge)
	switch {
	case bridge != "":
		d.Name = a.text("module_name")
	case d.Model == "NHC": // its module is called Indoor whatever its owner calls it
		d.Name = a.text("station_name", "module_name")
	default:
		d.Name = a.text("module_name", "station_name", "home_name")
	}
	return d
}
