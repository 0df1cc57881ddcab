package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
	"github.com/veilleuse/veilleuse/rules"
)

// TestBackupsStallNobody makes one backup after the other, encrypted with a passphrase, which takes a core for most of a
// second, and looks how long a reading takes through the loop meanwhile, and a secret to the disk.
func TestBackupsStallNobody(t *testing.T) {
	config, _, _ := houseOnDisk(t, "backup: {key_file: "+writeTo(t, filepath.Join(t.TempDir(), "key"), passphrase)+"}\n")
	c, _, err := loadConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	err = withHouse(c, func(h *house) error {
		loop := &gateway.Loop{Step: rules.Step, Every: time.Hour, Log: slog.New(slog.DiscardHandler)}
		echo := &echoes{asked: make(chan int), shown: make(chan struct{}, 1)}
		loop.Attach("echo", echo)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { loop.Run(ctx); close(ended) }()
		machine := gatewaytest.WatchStandstill(t)
		quietLoop, quietStore := stallsOf(t, h, echo, machine, func() bool { return true })
		var made atomic.Int32
		done := make(chan struct{})
		var maker sync.WaitGroup
		maker.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if err := h.backup.Make(time.Now(), true); err != nil {
					t.Error(err)
				}
				made.Add(1)
			}
		})
		busyLoop, busyStore := stallsOf(t, h, echo, machine, func() bool { return made.Load() >= 2 })
		close(done)
		maker.Wait()
		n := made.Load()
		stop()
		<-ended
		t.Logf("p99 of a reading through the loop: %v, while %d backups are made %v; of a secret to the disk: %v, then %v", quietLoop, n, busyLoop, quietStore, busyStore)
		if n < 2 {
			t.Errorf("only %d backups were made meanwhile: this shows nothing", n)
		}
		if busyLoop > 100*time.Millisecond || busyStore > 250*time.Millisecond+3*quietStore {
			t.Error("a backup holds the house up")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, found, err := backup.Newest(backup.Options{Folder: backupFolder(c), Key: func() (*backup.Key, error) { return backupKey(c) }}); !found || err != nil {
		t.Errorf("the newest backup: %v, %v", found, err)
	}
}

// echoes posts a reading when asked and says when the house shows it.
type echoes struct {
	asked chan int
	shown chan struct{}
}

func (e *echoes) Run(ctx context.Context, port gateway.Port) error {
	port.Post(gateway.Found{Device: "echo", Name: "Echo", Model: "NRV"})
	wanted := gateway.Number(-1)
	for {
		select {
		case n := <-e.asked:
			wanted = gateway.Number(10 + float64(n%200)/10)
			port.Post(gateway.Reading{Device: "echo", Quantity: gateway.Temperature, Value: wanted})
		case s := <-port.Shown():
			d, _ := s.Device("echo")
			if m, ok := d.Reading(gateway.Temperature); ok && m.Value == wanted {
				select {
				case e.shown <- struct{}{}:
				default:
				}
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// stallsOf measures for a while, until it is enough, and returns the 99th of 100 of each, without what the machine stood still.
func stallsOf(t *testing.T, h *house, echo *echoes, machine *gatewaytest.Standstill, enough func() bool) (loop, disk time.Duration) {
	t.Helper()
	var loops, disks []time.Duration
	for began := time.Now(); time.Since(began) < 3*time.Second || !enough() && time.Since(began) < patience; {
		n := len(loops)
		at, still := time.Now(), machine.SoFar()
		echo.asked <- n
		select {
		case <-echo.shown:
		case <-time.After(patience):
			t.Fatal("the loop does not answer")
		}
		loops = append(loops, time.Since(at)-(machine.SoFar()-still))
		at, still = time.Now(), machine.SoFar()
		if err := h.store.Vault("test").Set("n", fmt.Append(nil, at.UnixNano(), n)); err != nil {
			t.Fatal(err)
		}
		disks = append(disks, time.Since(at)-(machine.SoFar()-still))
	}
	slices.Sort(loops)
	slices.Sort(disks)
	return loops[len(loops)*99/100], disks[len(disks)*99/100]
}
