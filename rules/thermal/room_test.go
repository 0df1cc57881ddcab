package thermal_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/rules/thermal"
)

func TestUnknownRoomHeatsByHysteresis(t *testing.T) {
	var room thermal.Room
	var d thermal.Decision
	at := time.Date(2026, 1, 12, 8, 0, 0, 0, time.UTC)
	for i, reading := range []float64{19.9, 19.7, 19.7, 20.1} {
		now := at.Add(time.Duration(i) * time.Hour)
		room, d = room.Step(thermal.Settings{}, thermal.Input{At: now, Temperature: reading, Measured: now, Target: 20})
		if want := i > 0; d.On != want {
			t.Errorf("%.1f °C at %s: on is %v, want %v", reading, now.Format("15:04"), d.On, want)
		}
	}
	data, err := json.Marshal(room)
	if err != nil {
		t.Fatal(err)
	}
	var again thermal.Room
	if err := json.Unmarshal(data, &again); err != nil {
		t.Fatal(err)
	}
	if again != room {
		t.Error("a room comes back from the store as another")
	}
}
