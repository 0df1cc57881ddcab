package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestDamageContract(t *testing.T) {
	gatewaytest.Contract(t, "damage", func(testing.TB) gateway.Adapter { return damaged("it was damaged") })
}

// A house that comes up with a damaged database says so where people look: in its status, and among what happened, which
// the page and MQTT show.
func TestTheHouseSaysThatItsDatabaseWasDamaged(t *testing.T) {
	config, state, _ := houseOnDisk(t, "")
	c, _, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(state, "veilleuse.db"), 100); err != nil {
		t.Fatal(err)
	}
	h, err := build(c, slog.New(slog.DiscardHandler), outside{quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		var r statusReport
		err := askDaemon(ctx, state, "GET", "/status", nil, &r)
		if err == nil && strings.Contains(decisionsOf(r), "the database was found damaged") {
			var out strings.Builder
			printStatus(&out, r)
			if want := "disk: the database in " + state + " was damaged (the file has only 100 bytes): "; !strings.Contains(out.String(), want) {
				t.Errorf("the status says\n%s, want %q", out.String(), want)
			}
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%v: lately %s", err, decisionsOf(r))
		}
	}
}
