package accessory_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/accessory/accessorytest"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/haptest"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// quiet is a scene in a bubble of time, with the accessories in a network in memory. The adapter knows all of them, and
// runs.
func quiet(t *testing.T, servers []accessorytest.Server, change ...func(*accessory.Options)) (*scene, *haptest.Network) {
	t.Helper()
	network := &haptest.Network{}
	fake, err := accessorytest.Start(accessorytest.Options{Servers: servers, Network: network})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := fake.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &scene{t: t, fake: fake, vault: gatewaytest.NewVault(), browses: &counter{}}
	s.knowEverything(servers)
	sweep := func(ctx context.Context) ([]accessory.Announced, error) {
		all, err := s.browse(ctx)
		time.Sleep(4 * time.Second) // as long as one by mDNS takes
		return slices.DeleteFunc(all, func(a accessory.Announced) bool { return !network.Answers(a.Address) }), err
	}
	options := accessory.Options{Vault: s.vault, Browse: sweep, Dial: network.Dial, Log: slog.New(slog.DiscardHandler)}
	for _, c := range change {
		c(&options)
	}
	s.adapter = accessory.New(options)
	s.house = gatewaytest.Start(t, gateway.AccessoryAdapter, s.adapter)
	return s, network
}

// knowEverything stores a pairing with every accessory, which knows us.
func (s *scene) knowEverything(servers []accessorytest.Server) {
	s.t.Helper()
	identity, err := hap.NewIdentity()
	s.must(err)
	raw, err := json.Marshal(identity)
	s.must(err)
	s.must(s.vault.Set("controller", raw))
	for _, server := range servers {
		pairing, err := s.fake.Know(server.Name, identity)
		s.must(err)
		raw, err := json.Marshal(map[string]any{"version": 1, "pairing": pairing, "name": server.Name})
		s.must(err)
		s.must(s.vault.Set("pairing/"+normal(pairing.AccessoryID), raw))
	}
}

// happens waits until a fact is as wanted, and says how long that took; the test fails where it takes longer than limit.
func happens[F gateway.Fact](s *scene, limit time.Duration, what string, wanted func(F) bool) time.Duration {
	s.t.Helper()
	began := time.Now()
	over := time.After(limit)
	for {
		select {
		case e := <-s.house.Facts():
			if f, ok := e.Fact.(F); ok && wanted(f) {
				return time.Since(began)
			}
		case <-over:
			s.t.Fatalf("%s does not happen within %v", what, limit)
		}
	}
}

// facts are those that are posted in the next while.
func facts[F gateway.Fact](s *scene, while time.Duration) []F {
	var all []F
	over := time.After(while)
	for {
		select {
		case e := <-s.house.Facts():
			if f, ok := e.Fact.(F); ok {
				all = append(all, f)
			}
		case <-over:
			return all
		}
	}
}

// back waits until a device answers again.
func (s *scene) back(limit time.Duration, id gateway.DeviceID) time.Duration {
	s.t.Helper()
	return happens(s, limit, string(id)+" answering", func(r gateway.Reach) bool { return r.Device == id && r.OK })
}

// allUp waits until all these devices answer.
func (s *scene) allUp(limit time.Duration, ids ...gateway.DeviceID) {
	s.t.Helper()
	missing := slices.Clone(ids)
	happens(s, limit, fmt.Sprint(ids)+" answering", func(r gateway.Reach) bool {
		if r.OK {
			missing = slices.DeleteFunc(missing, func(id gateway.DeviceID) bool { return id == r.Device })
		}
		return len(missing) == 0
	})
}

// closest is the shortest time between two attempts to connect to any of the addresses.
func closest(all []haptest.Dialled, addresses ...string) (gap time.Duration, attempts int) {
	gap = 24 * time.Hour
	var last time.Time
	for _, d := range all {
		if !slices.Contains(addresses, d.Address) {
			continue
		}
		if attempts++; attempts > 1 {
			gap = min(gap, d.At.Sub(last))
		}
		last = d.At
	}
	return gap, attempts
}
