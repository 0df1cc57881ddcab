package broker

import (
	"log/slog"
	"testing"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/packets"
)

func TestHowLongSessionsAreRemembered(t *testing.T) {
	m := &mochi{house: house{limits: limits{session: time.Hour}}}
	for _, row := range []struct {
		name    string
		version byte
		clean   bool
		asked   uint32 // seconds, MQTT 5
		want    int64
	}{
		{"MQTT 3.1.1, for one connection", 4, true, 0, 0},
		{"MQTT 3.1.1, for ever", 4, false, 0, 3600},
		{"MQTT 5, for one connection", 5, false, 0, 0},
		{"MQTT 5, for a minute", 5, true, 60, 60},
		{"MQTT 5, for ever", 5, false, 1<<32 - 1, 3600},
	} {
		session := &mqtt.Client{}
		session.Properties.ProtocolVersion, session.Properties.Clean = row.version, row.clean
		session.Properties.Props.SessionExpiryInterval = row.asked
		if got := m.remembered(session); got != row.want {
			t.Errorf("%s: %d s, not %d", row.name, got, row.want)
		}
	}
}

// A state that changes while the one before is being handed out is handed out as well: the subscriber may
// have got the newer one first.
func TestReplacedMessageIsHandedOutAgain(t *testing.T) {
	b, err := New("127.0.0.1:0", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	publish := func(payload string) {
		t.Helper()
		if err := b.Publish("a", []byte(payload), true); err != nil {
			t.Fatal(err)
		}
	}
	publish("old")
	var given []string
	b.engine.(*mochi).eachRetained("a", func(pk packets.Packet) {
		given = append(given, string(pk.Payload))
		if len(given) == 1 {
			publish("newer")
			publish("newest")
		}
	})
	if len(given) != 2 || given[1] != "newest" {
		t.Errorf("handed out: %v", given)
	}
	b.engine.(*mochi).eachRetained("never/published", func(packets.Packet) { t.Error("nothing was handed out") })
}
