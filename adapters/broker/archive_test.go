package broker_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// shelfOf reads what a broker retains, on a client's own.
func shelfOf(t testing.TB, b *broker.Broker) map[string]string {
	t.Helper()
	all := map[string]string{}
	if err := b.Subscribe("#", func(topic string, payload []byte, retained bool) {
		if retained {
			all[topic] = string(payload)
		}
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func archived(t testing.TB, file string) *broker.Broker {
	t.Helper()
	b := brokertest.New(t, "127.0.0.1:0", broker.WithArchive(file))
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Stop)
	return b
}

func TestRetainedMessagesOutliveARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retained")
	b := archived(t, file)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "device", Version: 5})
	p.Publish("device/config", `{"name":"lamp"}`, 0, true)
	p.Publish("device/binary", "\x00\xff", 0, true)
	p.Publish("device/gone", "x", 0, true)
	p.Publish("device/gone", "", 0, true)
	p.Publish("device/old", "x", 0, false)
	p.Publish("house/taken", "by a client", 0, true)
	p.Ping()
	for topic, payload := range map[string]string{"house/state": "by the house", "house/taken": "over by the house"} {
		if err := b.Publish(topic, []byte(payload), true); err != nil {
			t.Fatal(err)
		}
	}
	b.Stop()

	again := archived(t, file)
	if got := fmt.Sprint(shelfOf(t, again)); got != fmt.Sprint(map[string]string{"device/config": `{"name":"lamp"}`, "device/binary": "\x00\xff"}) {
		t.Errorf("after a restart there are %q", got)
	}
	c := join(t, again, "reader")
	if m := next(t, listen(t, c, "device/config", 1)); !m.retained || m.payload != `{"name":"lamp"}` {
		t.Errorf("a client reads %+v", m)
	}
	finish(t, c.Publish("device/config", 1, true, "")) // and what was kept can be deleted
	again.Stop()
	if got := shelfOf(t, archived(t, file)); len(got) != 1 {
		t.Errorf("after it was deleted there are %q", got)
	}
}

// What the house itself publishes first is newer than what was kept.
func TestTheHouseIsNotOverwritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retained")
	b := archived(t, file)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "device"})
	p.Publish("house/state", "old", 0, true)
	p.Ping()
	b.Stop()
	again := brokertest.New(t, "127.0.0.1:0", broker.WithArchive(file))
	if err := again.Publish("house/state", []byte("new"), true); err != nil {
		t.Fatal(err)
	}
	if err := again.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Stop)
	if got := shelfOf(t, again)["house/state"]; got != "new" {
		t.Errorf("the state is %s", got)
	}
}

// A day of a house whose devices retain a new value each minute costs the memory card at most
// 72 writes and two megabytes, the share of what can be had again.
func TestArchiveKeepsTheDiskBudget(t *testing.T) {
	for name, row := range map[string]struct{ devices, size int }{"usual": {40, 200}, "large": {50, 8000}} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "retained")
			b := archived(t, file)
			devices := make([]*brokertest.Peer, row.devices) // each on its own: one client that says so much is slowed as a flood
			for i := range devices {
				devices[i] = brokertest.Join(t, b.Address(), brokertest.Connect{ID: fmt.Sprint("device ", i)})
			}
			now, writes, written := time.Now(), 0, int64(0)
			var last time.Time
			for minute := range 24 * 60 {
				payload := fmt.Sprint(minute, strings.Repeat("x", row.size))
				if minute%15 == 0 {
					for i, device := range devices {
						device.Publish(fmt.Sprint("device/", i), payload, 0, true)
						device.Ping()
					}
				}
				b.StoreAt(now.Add(time.Duration(minute) * time.Minute))
				if info, err := os.Stat(file); err == nil && info.ModTime() != last {
					last = info.ModTime()
					writes, written = writes+1, written+info.Size()
				}
			}
			// Two writes in one tick of the file system's clock look like one.
			bytes, flushes := b.Stored()
			if writes == 0 || flushes < 2*uint64(writes) || bytes < uint64(written) {
				t.Errorf("it says %d bytes and %d flushes, after %d writes of %d bytes", bytes, flushes, writes, written)
			}
			if flushes > 2*72 || bytes > 3<<20 { // of the file and of its folder
				t.Errorf("%d flushes, %d bytes", flushes, bytes)
			}
			t.Logf("%d flushes, %d bytes together", flushes, bytes)
		})
	}
}

// An idle house writes nothing, nor does one that publishes its own states only.
func TestArchiveRestsWithTheHouse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retained")
	b := archived(t, file)
	if err := b.Publish("house/state", []byte("x"), true); err != nil {
		t.Fatal(err)
	}
	b.StoreAt(time.Now().Add(time.Hour))
	b.Stop()
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was written for nothing")
	}
}

func TestDamagedArchiveIsSetAside(t *testing.T) {
	file := filepath.Join(t.TempDir(), "retained")
	b := archived(t, file)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "device"})
	p.Publish("device/state", "x", 0, true)
	p.Ping()
	b.Stop()
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cut": whole[:len(whole)-5], "flipped": bytes.Replace(whole, []byte("device"), []byte("devise"), 1),
		"empty": {}, "newer": bytes.Replace(whole, []byte(" 1 "), []byte(" 2 "), 1)} {
		t.Run(name, func(t *testing.T) {
			put(t, file, string(content))
			var log bytes.Buffer
			b, err := broker.New("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)), broker.WithArchive(file))
			if err == nil {
				err = b.Start()
			}
			if err != nil {
				t.Fatal(err)
			}
			defer b.Stop()
			if n := b.Retained(); n != 0 {
				t.Errorf("%d messages were believed", n)
			}
			if aside, _ := os.ReadFile(file + ".bad"); !bytes.Equal(aside, content) || !strings.Contains(log.String(), "has lost its retained messages") {
				t.Errorf("aside is %q; the log: %s", aside, &log)
			}
		})
	}
}

// A full or absent disk is said once, and costs nobody a message.
func TestArchiveThatCannotBeWritten(t *testing.T) {
	var log bytes.Buffer
	b, err := broker.New("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, nil)), broker.WithArchive(filepath.Join(t.TempDir(), "no", "folder")))
	if err == nil {
		err = b.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "device"})
	for i := range 3 {
		p.Publish("device/state", fmt.Sprint(i), 0, true)
		p.Ping()
		b.StoreAt(time.Now().Add(time.Duration(i+1) * time.Hour))
	}
	b.Stop()
	if n := strings.Count(log.String(), "cannot keep"); n != 1 {
		t.Errorf("said %d times:\n%s", n, &log)
	}
}

// FuzzArchive has the broker begin with any file: it never fails, and keeps nothing that nobody could publish.
func FuzzArchive(f *testing.F) {
	f.Add([]byte("veilleuse-retained 1 00000000\n[]"))
	f.Add([]byte("veilleuse-retained 1 4f3c7bd0\n" + `[{"topic":"a/set","payload":"eA=="}]`))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, text := range [][]byte{content, broker.Sealed(content)} {
			file := put(t, filepath.Join(t.TempDir(), "retained"), string(text))
			b, err := broker.New("127.0.0.1:0", slog.New(slog.DiscardHandler), broker.WithArchive(file))
			if err != nil {
				t.Fatal(err)
			}
			b.Restore()
			for topic := range shelfOf(t, b) {
				if strings.ContainsAny(topic, "+#") || strings.HasSuffix(topic, "/set") || topic == "" {
					t.Errorf("%q was restored", topic)
				}
			}
		}
	})
}
