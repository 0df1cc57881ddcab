package accessory_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/adapters/accessory"
	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// knows stores a pairing with an accessory that is nowhere.
func knows(t *testing.T, v gateway.Vault, id string) {
	t.Helper()
	me, err := hap.NewIdentity()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(map[string]any{"version": 1, "pairing": hap.Pairing{AccessoryID: id, Controller: me}})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Set("pairing/"+id, raw); err != nil {
		t.Fatal(err)
	}
}

// sweepsIn runs an adapter for a while of a bubble's time and returns when it looked around.
func sweepsIn(t *testing.T, v *gatewaytest.Vault, d time.Duration) []time.Duration {
	t.Helper()
	var mu sync.Mutex
	var at []time.Duration
	began := time.Now()
	a := accessory.New(accessory.Options{Vault: v, Log: slog.New(slog.DiscardHandler),
		Browse: func(context.Context) ([]accessory.Announced, error) {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, time.Since(began).Round(time.Second))
			return nil, nil
		}})
	loop := &gateway.Loop{Log: slog.New(slog.DiscardHandler), Every: time.Hour,
		Step: func(s gateway.State, _ gateway.Event) (gateway.State, []gateway.Command) { return s, nil }}
	loop.Attach(gateway.AccessoryAdapter, a)
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	loop.Run(ctx)
	mu.Lock()
	defer mu.Unlock()
	return at
}

func TestALostAccessoryIsLookedForUntilItIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := gatewaytest.NewVault()
		knows(t, v, "12:34:56:78:9a:bc")
		got := sweepsIn(t, v, 140*time.Second)
		want := []time.Duration{0, 10 * time.Second, 30 * time.Second, 60 * time.Second, 90 * time.Second, 120 * time.Second}
		if !slices.Equal(got, want) {
			t.Errorf("the LAN is swept at %v, want %v", got, want)
		}
	})
}

func TestNothingPairedNothingSought(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		if got := sweepsIn(t, gatewaytest.NewVault(), 24*time.Hour); len(got) != 0 {
			t.Errorf("the LAN is swept at %v", got)
		}
	})
}
