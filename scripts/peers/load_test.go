package peers

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
)

// The load that broke 24 to 32 sessions in ten seconds with the server that was measured first.
const (
	sessions     = 8
	changesEvery = time.Second / 30
	loadTime     = time.Minute
	readPause    = 200 * time.Millisecond
)

// TestLoad reads a full bridge from eight sessions by the strict controller of package haptest, while its
// values change. The race detector is on in this process.
func TestLoad(t *testing.T) {
	needTools(t)
	full, err := haptest.StartAccessory(haptest.Options{Accessories: fullBridge()})
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	ctx, cancel := context.WithTimeout(t.Context(), loadTime+3*patience)
	defer cancel()
	controllers, err := pairMany(ctx, full, sessions)
	if err != nil {
		t.Fatal(err)
	}
	promise(t, fmt.Sprintf("%d sessions read %d accessories for %s while 30 values a second change, and none breaks",
		sessions, hap.AccessoriesMax, loadTime), func() (string, error) {
		var l load
		err := l.run(ctx, full, controllers)
		return fmt.Sprintf("%d reads of everything, %d changes, %d events", l.reads.Load(), l.changes, l.events.Load()), err
	})
}

// fullBridge is a bridge with as many thermostats as HomeKit allows.
func fullBridge() []hap.Accessory {
	list := []hap.Accessory{haptest.Bridge("Full")}
	for aid := uint64(2); aid <= hap.AccessoriesMax; aid++ {
		a := haptest.Bridge(fmt.Sprintf("Valve %d", aid))
		a.AID = aid
		celsius := func(iid uint64, kind hap.UUID, low, high float64, perms ...hap.Perm) hap.Characteristic {
			return hap.Characteristic{IID: iid, Type: kind, Perms: append(perms, hap.PermRead, hap.PermEvents), Format: hap.FormatFloat,
				Unit: "celsius", MinValue: &low, MaxValue: &high, Value: hap.NumberValue(20)}
		}
		a.Services = append(a.Services, hap.Service{IID: 8, Type: hap.ServiceThermostat, Primary: true, Characteristics: []hap.Characteristic{
			celsius(currentIID, hap.CharacteristicCurrentTemperature, -40, 60),
			celsius(10, hap.CharacteristicTargetTemperature, 7, 30, hap.PermWrite),
		}})
		list = append(list, a)
	}
	return list
}

const currentIID = 9

// pairMany pairs one controller, which adds the others.
func pairMany(ctx context.Context, a *haptest.Accessory, controllers int) ([]hap.Pairing, error) {
	first, err := a.Pair(ctx)
	if err != nil {
		return nil, err
	}
	admin, err := hap.Connect(ctx, a.Address(), first, nil)
	if err != nil {
		return nil, err
	}
	defer admin.Close()
	all := []hap.Pairing{first}
	for len(all) < controllers {
		next := first
		if next.Controller, err = hap.NewIdentity(); err != nil {
			return nil, err
		}
		added := hap.PairedController{ID: next.Controller.ID, Key: next.Controller.Public(), Admin: true}
		if err := admin.AddPairing(ctx, added); err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	return all, nil
}

// load is one run of the load.
type load struct {
	reads, events atomic.Int64
	changes       int
}

// run returns the failures of all sessions.
func (l *load) run(ctx context.Context, a *haptest.Accessory, controllers []hap.Pairing) error {
	end, stop := context.WithTimeout(ctx, loadTime)
	defer stop()
	failures := make([]error, len(controllers))
	var running sync.WaitGroup
	for i, c := range controllers {
		running.Go(func() { failures[i] = l.session(ctx, end, a, c) })
	}
	err := l.change(end, a)
	running.Wait()
	return errors.Join(append(failures, err)...)
}

// change changes one value after the other; where the beat was missed, more at once.
func (l *load) change(end context.Context, a *haptest.Accessory) error {
	beat := time.NewTicker(changesEvery)
	defer beat.Stop()
	for began := time.Now(); ; {
		select {
		case <-end.Done():
			return nil
		case <-beat.C:
		}
		for ; l.changes < int(time.Since(began)/changesEvery); l.changes++ {
			id := hap.CharacteristicID{AID: 2 + uint64(l.changes)%(hap.AccessoriesMax-1), IID: currentIID}
			if err := a.Set(hap.Value{ID: id, Value: hap.NumberValue(float64(10 + l.changes%20))}); err != nil {
				return err
			}
		}
	}
}

// session subscribes to everything and reads everything until the end.
func (l *load) session(ctx, end context.Context, a *haptest.Accessory, pairing hap.Pairing) error {
	c, err := haptest.Connect(ctx, a.Address(), pairing)
	if err != nil {
		return err
	}
	defer c.Close()
	answer, err := c.Put(ctx, "/characteristics", subscription())
	if err != nil || answer.Status != http.StatusNoContent {
		return fmt.Errorf("subscribe: status %d, %w", answer.Status, err)
	}
	for end.Err() == nil {
		answer, err := c.Get(ctx, "/accessories")
		if err != nil {
			return fmt.Errorf("after %d reads: %w", l.reads.Load(), err)
		}
		list, err := hap.DecodeAccessories(answer.Body)
		if err != nil || len(list) != hap.AccessoriesMax {
			return fmt.Errorf("%d accessories with status %d: %w", len(list), answer.Status, err)
		}
		l.reads.Add(1)
		time.Sleep(readPause)
	}
	return l.drain(ctx, c)
}

// drain counts the events that came between the answers, and ends when no more of them come.
func (l *load) drain(ctx context.Context, c *haptest.Client) error {
	for {
		patience, cancel := context.WithTimeout(ctx, time.Second)
		_, err := c.Event(patience)
		cancel()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("after %d events: %w", l.events.Load(), err)
		}
		l.events.Add(1)
	}
}

func subscription() string {
	var entries []string
	for aid := 2; aid <= hap.AccessoriesMax; aid++ {
		entries = append(entries, fmt.Sprintf(`{"aid":%d,"iid":%d,"ev":true}`, aid, currentIID))
	}
	return `{"characteristics":[` + strings.Join(entries, ",") + `]}`
}

const pairings = 1000

// TestPairings pairs with fresh keys on both sides, again and again: a mistake with leading zeros of
// SRP's numbers refuses one pairing in 128.
func TestPairings(t *testing.T) {
	needTools(t)
	promise(t, fmt.Sprintf("none of %d pairings with fresh keys on both sides is refused", pairings), func() (string, error) {
		began := time.Now()
		err := pairAgainAndAgain(t.Context())
		return seconds(time.Since(began)), err
	})
}

// pairAgainAndAgain uses two goroutines, as many as the boards of interest have processors at least.
func pairAgainAndAgain(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	var running sync.WaitGroup
	failures := make([]error, 2)
	for i := range failures {
		running.Go(func() {
			for n := range pairings / len(failures) {
				if err := pairFresh(ctx); err != nil {
					failures[i] = errors.Join(failures[i], fmt.Errorf("pairing %d: %w", n, err))
				}
			}
		})
	}
	running.Wait()
	return errors.Join(failures...)
}

// pairFresh pairs a new controller with a new accessory and reads it once.
func pairFresh(ctx context.Context) error {
	a, err := haptest.StartAccessory(haptest.Options{})
	if err != nil {
		return err
	}
	defer a.Close()
	pairing, err := a.Pair(ctx)
	if err != nil {
		return err
	}
	s, err := hap.Connect(ctx, a.Address(), pairing, nil)
	if err != nil {
		return err
	}
	defer s.Close()
	_, err = s.Accessories(ctx)
	return err
}
