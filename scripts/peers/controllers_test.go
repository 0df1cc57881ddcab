package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestControllers shares accessories of hap-nodejs: other controllers join what is ours, and we join what is others'.
func TestControllers(t *testing.T) {
	with := needTools(t)
	g := sharing{t: t, relay: startRelay(t, with), house: newHouse(t, with, settings{accessories: inRooms})}
	g.house.start()
	need(t, "veilleuse pair pairs", func() (string, error) { return g.house.pair(g.relay, g.relay.address) })
	need(t, "all its devices are read", func() (string, error) { return g.house.knows(everyDevice...) })
	g.guest("aiohomekit", startAioHome(t, with))
	g.guest("hap-controller", startHomeApp(t, with))
	promise(t, "the house heard all the while", func() (string, error) { return g.heard(18.5) })
	promise(t, "veilleuse unpair frees the accessories", func() (string, error) {
		_, err := g.house.verb("unpair", g.relay.id)
		return "", err
	})
	g.joined(startHomeApp(t, with))
	g.freed()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", g.house.endsSoon)
}

// sharing is what TestControllers works with.
type sharing struct {
	t     *testing.T
	relay *relay
	house *house
}

// controllers lists the controllers of the relay.
func (g sharing) controllers(args ...string) (ids []string, err error) {
	var r struct{ Controllers []struct{ ID string } }
	out, err := g.house.verb(append([]string{"pairings", "--json", g.relay.id}, args...)...)
	if err == nil {
		err = json.Unmarshal([]byte(out), &r)
	}
	for _, c := range r.Controllers {
		ids = append(ids, c.ID)
	}
	return ids, err
}

// heard changes a temperature and waits until the house shows it.
func (g sharing) heard(value float64) (string, error) {
	if err := g.relay.set("Bedroom", "CurrentTemperature", value); err != nil {
		return "", err
	}
	took, err := until(patience, func() error {
		s, err := g.house.status()
		if err != nil {
			return err
		}
		d, err := s.device("Bedroom")
		if err != nil {
			return err
		}
		for _, r := range d.Readings {
			if r.Quantity == "temperature" && r.Value == value {
				return nil
			}
		}
		return errNotYet
	})
	return seconds(took), err
}

// refusedTime is less than the time after which a controller gives up by itself.
const refusedTime = 10 * time.Second

// guest lets a controller of others join by veilleuse share, and sends it away again.
func (g sharing) guest(name string, peer *stranger) {
	var who struct{ Controller, Key string }
	var shared struct{ AccessoryPairingID, AccessoryLTPK string }
	need(g.t, "veilleuse share adds "+name+" as an admin, through the running daemon", func() (string, error) {
		if err := peer.ask("identity", nil, &who); err != nil {
			return "", err
		}
		began := time.Now()
		out, err := g.house.verb("share", "--json", g.relay.id, who.Controller, who.Key)
		if err == nil {
			err = json.Unmarshal([]byte(out), &shared)
		}
		return seconds(time.Since(began)), err
	})
	join := func() error {
		return peer.ask("join", map[string]any{"address": g.relay.address, "accessory": shared.AccessoryPairingID, "accessoryKey": shared.AccessoryLTPK}, nil)
	}
	var temperature string
	promise(g.t, name+" reads a value with its own keys", func() (string, error) {
		if err := join(); err != nil {
			return "", err
		}
		var all database
		err := peer.ask("accessories", nil, &all)
		if err != nil {
			return "", err
		}
		if temperature, _, err = all.find("Bedroom", currentTemperature); err != nil {
			return "", err
		}
		var raw json.RawMessage
		err = peer.ask("read", map[string]any{"ids": []string{temperature}}, &raw)
		return fmt.Sprint(values(raw)[temperature], " °C"), err
	})
	promise(g.t, "veilleuse pairings lists it and us, and --remove sends it away", func() (string, error) {
		both, err := g.controllers()
		if err != nil || len(both) != 2 {
			return "", fmt.Errorf("%q are listed: %w", both, err)
		}
		left, err := g.controllers("--remove", who.Controller)
		if err != nil || len(left) != 1 || left[0] != both[0] {
			return "", fmt.Errorf("%q are left: %w", left, err)
		}
		return fmt.Sprintf("%d controllers, then %d", len(both), len(left)), nil
	})
	promise(g.t, name+" is refused then, on a new connection as well", func() (string, error) {
		began := time.Now()
		if err := join(); err != nil {
			return "", err
		}
		err := peer.ask("read", map[string]any{"ids": []string{temperature}}, nil)
		if err == nil {
			return "", errors.New("it still reads")
		}
		if took := time.Since(began); took > refusedTime {
			return "", fmt.Errorf("it gives up after %s, but was not refused: %w", seconds(took), err)
		}
		return seconds(time.Since(began)), nil
	})
}

// joined has hap-controller own the accessories, and lets us join.
func (g sharing) joined(owner *stranger) {
	var paired struct{ Controller, Accessory, AccessoryKey string }
	need(g.t, "hap-controller pairs with the accessories", func() (string, error) {
		return "", owner.ask("pair", map[string]any{"address": g.relay.address, "device": g.relay.id, "code": g.relay.code}, &paired)
	})
	promise(g.t, "veilleuse pair says whose they may be, and what to do", func() (string, error) {
		out, err := g.house.verb("pair", "--address", g.relay.address, g.relay.id, g.relay.code)
		if err == nil || !strings.Contains(err.Error(), "belongs to another controller") || !strings.Contains(out, "3. Or leave it where it is") {
			return "", fmt.Errorf("it says %q: %w", out, err)
		}
		return "", nil
	})
	need(g.t, "hap-controller adds whom veilleuse pair --join names", func() (string, error) {
		out, err := g.house.verb("pair", "--join", g.relay.id)
		words := regexp.MustCompile(`controller  (\S+)\n  public key  (\S+)\n`).FindStringSubmatch(out)
		if err != nil || words == nil {
			return "", fmt.Errorf("it says %q: %w", out, err)
		}
		return words[1], owner.ask("add", map[string]any{"controller": words[1], "key": words[2]}, nil)
	})
	need(g.t, "veilleuse pair --join joins, and the devices are read", func() (string, error) {
		if _, err := g.house.verb("pair", "--join", "--key", paired.AccessoryKey, "--address", g.relay.address, g.relay.id); err != nil {
			return "", err
		}
		return g.heard(16)
	})
	promise(g.t, "both controllers are listed", func() (string, error) {
		both, err := g.controllers()
		if err != nil || len(both) != 2 || both[1] != paired.Controller {
			return "", fmt.Errorf("%q are listed: %w", both, err)
		}
		return "", nil
	})
	promise(g.t, "veilleuse unpair leaves the owner what it is", func() (string, error) {
		if _, err := g.house.verb("unpair", g.relay.id); err != nil {
			return "", err
		}
		var all database
		return "", owner.ask("accessories", nil, &all)
	})
}

// freed lets veilleuse pair wait until the owner has let the accessories go.
func (g sharing) freed() {
	promise(g.t, "veilleuse pair --wait goes on by itself once the accessories are free", func() (string, error) {
		began := time.Now()
		free := time.AfterFunc(7*time.Second, func() {
			if err := g.relay.ask("forget", nil, nil); err != nil {
				g.t.Error(err)
			}
		})
		defer free.Stop()
		_, err := g.house.verb("pair", "--wait", "60s", "--address", g.relay.address, g.relay.id, g.relay.code)
		return seconds(time.Since(began)), err
	})
	promise(g.t, "the devices are read again", func() (string, error) { return g.heard(17) })
}
