package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
)

// TestRestore lets a house die and come back on another machine from its backup: for hap-controller it is the same
// bridge, and for hap-nodejs the same controller.
func TestRestore(t *testing.T) {
	with := needTools(t)
	relay := startRelay(t, with)
	dying := newHouse(t, with, settings{accessories: inRooms})
	dying.appendConfig("backup:\n  key_file: " + dying.file("key", "correct horse battery staple\n") + "\n")
	dying.start()
	need(t, "the house is paired with accessories of hap-nodejs", func() (string, error) { return dying.pair(relay, relay.address) })
	need(t, "all its devices are read", func() (string, error) { return dying.knows("Living room", "Bedroom", "Study") })
	home := startHomeApp(t, with)
	b := bridge{t: t, house: dying, relay: relay, home: home, shows: inTheHomeApp}
	need(t, "veilleuse code --json gives code and address", func() (_ string, err error) {
		b.code, b.address, err = dying.code()
		return "", err
	})
	b.firstController()
	before := b.database

	file := filepath.Join(t.TempDir(), "house.age")
	need(t, "veilleuse backup makes an encrypted file while the house runs", func() (string, error) {
		out, err := dying.verb("backup", file)
		if err == nil && !strings.Contains(out, "encrypted") {
			err = errors.New(out)
		}
		return strings.TrimSpace(out), err
	})
	promise(t, "restore refuses while the daemon runs", func() (string, error) {
		out, err := dying.verb("restore", file)
		if err == nil || !strings.Contains(err.Error(), "in use by another veilleuse") {
			return "", fmt.Errorf("it says %q, %v", out, err)
		}
		return "", nil
	})
	dying.stop(syscall.SIGKILL)
	number := configurationIn(t, dying.state())
	if err := os.RemoveAll(dying.state()); err != nil {
		t.Fatal(err)
	}

	coming := newHouse(t, with, settings{accessories: inRooms})
	key := coming.file("key", "correct horse battery staple\n")
	promise(t, "restore --verify proves the file and touches nothing", func() (string, error) {
		out, err := coming.verb("restore", "--verify", "--key", key, file)
		if err == nil && !strings.Contains(out, "1 with the Home app's side, 1 accessories") {
			err = errors.New(out)
		}
		if _, there := os.Stat(coming.state()); err == nil && there == nil {
			err = errors.New("there is a state folder now")
		}
		return "", err
	})
	need(t, "restore brings the house to another machine", func() (string, error) {
		_, err := coming.verb("restore", "--key", key, file)
		return "", err
	})
	coming.start()
	b.house = coming
	need(t, "hap-controller goes on with the pairing that it has, at another port", func() (_ string, err error) {
		if _, b.address, err = coming.code(); err != nil {
			return "", err
		}
		if err := home.ask("move", map[string]any{"address": b.address}, nil); err != nil {
			return "", err
		}
		return b.readAll(home, 4)
	})
	promise(t, "every accessory and characteristic has the id that it had", func() (string, error) {
		was, is := idsOf(before), idsOf(b.database)
		if !slices.Equal(was, is) {
			return "", fmt.Errorf("the ids were\n%q and are\n%q", was, is)
		}
		return fmt.Sprintf("%d characteristics", len(is)), nil
	})
	promise(t, "the house goes on with the accessories that it was paired with", func() (string, error) { return coming.knows("Living room", "Bedroom", "Study") })
	b.goesOn()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", coming.endsSoon)
	promise(t, "the configuration number went up", func() (string, error) {
		now := configurationIn(t, coming.state())
		if now <= number {
			return "", fmt.Errorf("it was %d and is %d", number, now)
		}
		return fmt.Sprintf("%d, then %d", number, now), nil
	})
}

// goesOn checks that values go both ways.
func (b *bridge) goesOn() {
	b.t.Helper()
	promise(b.t, "a change at a device is an event in the Home app", func() (string, error) {
		if err := b.home.ask("subscribe", map[string]any{"ids": b.database.with("ev")}, nil); err != nil {
			return "", err
		}
		current, _, err := b.database.find("Study", currentTemperature)
		if err != nil {
			return "", err
		}
		began := time.Now()
		if err := b.relay.set("Study", "CurrentTemperature", 15.5); err != nil {
			return "", err
		}
		n, err := b.home.event(patience, current, 15.5)
		return seconds(n.At.Sub(began)), err
	})
	promise(b.t, "a target written in the Home app reaches the device", func() (string, error) {
		target, _, err := b.database.find("Study", targetTemperature)
		if err != nil {
			return "", err
		}
		began := time.Now()
		if err := b.write(b.home, target, 22.5); err != nil {
			return "", err
		}
		n, err := b.relay.written(patience, "Study", "Target Temperature", 22.5)
		return seconds(n.At.Sub(began)), err
	})
}

// idsOf is every aid.iid of a database with the type that it stands for, in order.
func idsOf(d database) []string {
	var ids []string
	for _, a := range d.Accessories {
		for _, s := range a.Services {
			for _, c := range s.Characteristics {
				ids = append(ids, fmt.Sprintf("%d.%d %s", a.AID, c.IID, shortType(c.Type)))
			}
		}
	}
	slices.Sort(ids)
	return ids
}

// configurationIn is the configuration number that a house which has ended had on disk: the c# that it announced.
func configurationIn(t *testing.T, state string) int {
	t.Helper()
	c, err := store.Read(state)
	if err != nil {
		t.Fatal(err)
	}
	var kept struct{ Number int }
	data, err := c.Vault("homekit").Get("configuration")
	if err == nil {
		err = json.Unmarshal(data, &kept)
	}
	if err != nil {
		t.Fatal(err)
	}
	return kept.Number
}

// state is the house's state folder.
func (h *house) state() string { return filepath.Join(h.folder, "state") }

// appendConfig adds to the configuration before the start.
func (h *house) appendConfig(more string) {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil {
		h.t.Fatal(err)
	}
	h.file(filepath.Base(h.config), string(text)+more)
}
