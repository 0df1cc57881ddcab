package peers

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bletest"
)

// coLevel, coSensed and nameOfAlarm are ids in the recorded database of Netatmo's CO alarm.
const (
	nameOfAlarm = "1.2"
	identify    = "1.3"
	coLevel     = "1.40"
	coSensed    = "1.229"
)

// TestBluetooth has aiohomekit vouch for the simulated accessory: an independent controller pairs with
// it, reads, writes, subscribes and opens its sealed broadcasts. Our own controller then passes the same
// script against the same accessory.
func TestBluetooth(t *testing.T) {
	with := needTools(t)
	alarm := bletest.NewAlarm(t)
	b := bluetooth{t, alarm, startStranger(t, "aiohomeble.py", exec.Command(with.python(), "aiohomeble.py"))}
	need(t, "aiohomekit is ready", func() (string, error) {
		return "", b.peer.ask("begin", map[string]any{"socket": serveGATT(t, alarm), "mtu": 185}, nil)
	})
	b.listen()
	b.aiohomekit()
	b.ours()
}

// bluetooth is the test while it goes on.
type bluetooth struct {
	t     *testing.T
	alarm *bletest.Accessory
	peer  *stranger
}

// listen passes on what the accessory advertises.
func (b bluetooth) listen() {
	radio := bletest.NewRadio(b.alarm)
	heard := make(chan ble.Sighting, 100)
	go radio.Listen(b.t.Context(), func(s ble.Sighting) { heard <- s })
	first := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case s := <-heard:
				_ = b.peer.ask("hear", map[string]any{"address": s.Address, "data": hex.EncodeToString(s.Data)}, nil)
				if n == 0 {
					close(first)
				}
			case <-b.t.Context().Done():
				return
			}
		}
	}()
	<-first
}

func (b bluetooth) aiohomekit() {
	var paired struct{ Controller string }
	need(b.t, "aiohomekit pairs with the simulated accessory by its setup code", func() (string, error) {
		began := time.Now()
		err := b.peer.ask("pair", map[string]any{"device": b.alarm.ID(), "code": b.alarm.Code()}, &paired)
		return seconds(time.Since(began)), err
	})
	need(b.t, "aiohomekit reads the recorded database, signature by signature", func() (string, error) { return b.readAll() })
	promise(b.t, "aiohomekit reads and writes values", func() (string, error) { return "", b.readAndWrite() })
	promise(b.t, "aiohomekit is told of a change while it is connected", func() (string, error) {
		if err := b.peer.ask("subscribe", map[string]any{"ids": []string{coSensed}}, nil); err != nil {
			return "", err
		}
		// aiohomekit subscribes some time after it has connected.
		took, err := until(patience, func() error {
			b.peer.forget()
			if err := b.alarm.Set(229, json.RawMessage("1")); err != nil {
				return err
			}
			_, err := b.peer.event(time.Second, coSensed, float64(1))
			return err
		})
		return seconds(took), err
	})
	promise(b.t, "aiohomekit opens a sealed broadcast while nobody is connected", func() (string, error) { return b.broadcast() })
	promise(b.t, "aiohomekit lists the pairings and removes its own", func() (string, error) {
		var all []any
		if err := b.peer.ask("pairings", nil, &all); err != nil || len(all) != 1 {
			return "", fmt.Errorf("%d pairings: %w", len(all), err)
		}
		if err := b.peer.ask("unpair", map[string]any{"controller": paired.Controller}, nil); err != nil {
			return "", err
		}
		if left := b.alarm.Controllers(); len(left) != 0 {
			return "", fmt.Errorf("%d controllers are left", len(left))
		}
		return "", nil
	})
}

func (b bluetooth) readAll() (string, error) {
	var all database
	if err := b.peer.ask("accessories", nil, &all); err != nil {
		return "", err
	}
	if len(all.Accessories) != 1 {
		return "", fmt.Errorf("%d accessories", len(all.Accessories))
	}
	count := 0
	for _, s := range all.Accessories[0].Services {
		count += len(s.Characteristics)
	}
	if name := all.Accessories[0].name(); name != "Smart CO Alarm" || count < 35 {
		return "", fmt.Errorf("it reads %d characteristics of %q", count, name)
	}
	return fmt.Sprintf("%d services, %d characteristics", len(all.Accessories[0].Services), count), nil
}

func (b bluetooth) readAndWrite() error {
	if err := b.alarm.Set(40, json.RawMessage("17.5")); err != nil {
		return err
	}
	var raw json.RawMessage
	if err := b.peer.ask("read", map[string]any{"ids": []string{nameOfAlarm, coLevel}}, &raw); err != nil {
		return err
	}
	if got := values(raw); got[nameOfAlarm] != "Smart CO Alarm" || got[coLevel] != 17.5 {
		return fmt.Errorf("it reads %v", got)
	}
	if err := b.peer.ask("write", map[string]any{"values": map[string]any{identify: true}}, nil); err != nil {
		return err
	}
	if got := string(b.alarm.Value(3)); got != "true" {
		return fmt.Errorf("what it wrote arrives as %s", got)
	}
	return nil
}

func (b bluetooth) broadcast() (string, error) {
	if err := b.peer.ask("close", nil, nil); err != nil {
		return "", err
	}
	if err := b.parted(); err != nil {
		return "", err
	}
	connects := b.alarm.Connects()
	b.peer.forget()
	if err := b.alarm.Set(229, json.RawMessage("0")); err != nil {
		return "", err
	}
	if _, err := b.peer.event(patience, coSensed, float64(0)); err != nil {
		return "", err
	}
	if again := b.alarm.Connects(); again != connects {
		return "", fmt.Errorf("it connected %d times for it", again-connects)
	}
	return "without connecting", nil
}

// parted waits until the accessory has noticed that aiohomekit has gone, which is a moment after it has.
func (b bluetooth) parted() error {
	_, err := until(patience, func() error {
		if b.alarm.Connected() {
			return errors.New("the accessory is still connected")
		}
		return nil
	})
	return err
}

// ours is the same script by our own controller.
func (b bluetooth) ours() {
	if err := b.parted(); err != nil {
		b.t.Fatal(err)
	}
	identity, err := hap.NewIdentity()
	if err != nil {
		b.t.Fatal(err)
	}
	var pairing hap.Pairing
	need(b.t, "our controller pairs with the same accessory", func() (string, error) {
		began := time.Now()
		p, err := b.alarm.Connect(b.t.Context())
		if err != nil {
			return "", err
		}
		defer p.Close()
		pairing, err = ble.PairSetup(b.t.Context(), p, b.alarm.Code(), identity)
		return seconds(time.Since(began)), err
	})
	promise(b.t, "our controller reads, writes and is told of a sealed broadcast", func() (string, error) {
		p, err := b.alarm.Connect(b.t.Context())
		if err != nil {
			return "", err
		}
		s, err := ble.Open(b.t.Context(), p, pairing, ble.Layout{}, 1)
		if err != nil {
			return "", err
		}
		defer s.Close()
		return b.script(s)
	})
	b.shared(pairing)
}

// shared has our controller let aiohomekit join, and sends it away again.
func (b bluetooth) shared(owner hap.Pairing) {
	var guest struct{ Controller, Key string }
	promise(b.t, "our controller lets aiohomekit join over Bluetooth, which reads with its own keys", func() (string, error) {
		if err := b.peer.ask("identity", nil, &guest); err != nil {
			return "", err
		}
		key, err := hex.DecodeString(guest.Key)
		if err != nil {
			return "", err
		}
		err = b.asOwner(owner, func(s *ble.Session) error {
			return s.AddPairing(b.t.Context(), hap.PairedController{ID: guest.Controller, Key: key, Admin: true})
		})
		if err != nil {
			return "", err
		}
		err = b.peer.ask("join", map[string]any{"accessory": owner.AccessoryID, "accessoryKey": hex.EncodeToString(owner.AccessoryKey), "address": bletest.Address}, nil)
		if err != nil {
			return "", err
		}
		return b.readAll()
	})
	promise(b.t, "both are listed over Bluetooth, and aiohomekit is refused once it is removed", func() (string, error) {
		if err := b.peer.ask("close", nil, nil); err != nil {
			return "", err
		}
		if err := b.parted(); err != nil {
			return "", err
		}
		var all []hap.PairedController
		err := b.asOwner(owner, func(s *ble.Session) (err error) {
			if all, err = s.Pairings(b.t.Context()); err != nil || len(all) != 2 {
				return fmt.Errorf("listed are %v: %w", all, err)
			}
			return s.RemovePairing(b.t.Context(), guest.Controller)
		})
		if err != nil {
			return "", err
		}
		if err := b.peer.ask("read", map[string]any{"ids": []string{coLevel}}, nil); err == nil {
			return "", errors.New("it still reads")
		}
		return fmt.Sprintf("%d controllers, then %d", len(all), len(b.alarm.Controllers())), nil
	})
}

// asOwner does something in a session of our controller.
func (b bluetooth) asOwner(owner hap.Pairing, do func(*ble.Session) error) error {
	if err := b.parted(); err != nil {
		return err
	}
	p, err := b.alarm.Connect(b.t.Context())
	if err != nil {
		return err
	}
	s, err := ble.Open(b.t.Context(), p, owner, ble.Layout{}, 1)
	if err != nil {
		return err
	}
	defer s.Close()
	return do(s)
}

func (b bluetooth) script(s *ble.Session) (string, error) {
	readings, err := s.Read(b.t.Context(), 2, 40)
	if err != nil || string(readings[0].Value) != `"Smart CO Alarm"` || string(readings[1].Value) != "17.5" {
		return "", fmt.Errorf("it reads %v: %w", readings, err)
	}
	written, err := s.Write(b.t.Context(), hap.Write{ID: hap.CharacteristicID{AID: 1, IID: 3}, Value: json.RawMessage("false")})
	if err != nil || written[0].Status != hap.StatusOK || string(b.alarm.Value(3)) != "false" {
		return "", fmt.Errorf("it writes %v: %w", written, err)
	}
	key, err := s.EnableBroadcasts(b.t.Context(), 229)
	if err != nil {
		return "", err
	}
	last := b.alarm.State()
	s.Close()
	heard := make(chan ble.Sighting, 10)
	go bletest.NewRadio(b.alarm).Listen(b.t.Context(), func(s ble.Sighting) { heard <- s })
	<-heard
	if err := b.alarm.Set(229, json.RawMessage("1")); err != nil {
		return "", err
	}
	n, err := ble.ParseNotification((<-heard).Data)
	if err != nil {
		return "", err
	}
	change, err := n.Open(key, last)
	if err != nil {
		return "", err
	}
	reading, err := s.Layout().Value(change)
	if err != nil || string(reading.Value) != "1" {
		return "", fmt.Errorf("it hears %v: %w", reading, err)
	}
	return fmt.Sprintf("state %d", change.State), nil
}
