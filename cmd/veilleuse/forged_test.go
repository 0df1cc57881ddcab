package main

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/gateway"
)

// palace is a house larger than any, of a hundred rooms with four devices each, with all that it can remember.
func palace() gateway.State {
	at := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	s := gateway.State{Home: gateway.Home{ID: "91763b24c43d3e344f424e8b", Name: "Palais"}}
	outage := gateway.Outage{Why: strings.Repeat("because ", 20), Lost: at, Began: at, Back: at, Ended: at}
	for i := range 100 {
		room := gateway.RoomID(fmt.Sprint("room-", i))
		s.Rooms = s.Rooms.With(room, gateway.Room{ID: room, Name: fmt.Sprint("Pièce ", i), Last: 19})
		s.Kept = s.Kept.With(room, gateway.MemoryOf(gateway.MemoryText("["+strings.Repeat("19.123456,", 2300)+"0]")))
		outage.Rooms = outage.Rooms.With(room, gateway.Comfort{Name: "Pièce", Below: 0.123456789, Measured: 1234567890, Next: at, Due: at})
		for k := range 4 {
			d := gateway.Device{ID: gateway.DeviceID(fmt.Sprintf("70:ee:50:00:%02x:%02x", i, k)), Name: "Vanne", Model: "NRV", Room: room,
				Faces: []gateway.Face{{Adapter: "netatmo"}, {Adapter: "accessory", Controls: []gateway.Control{{Quantity: gateway.Target, Min: 7, Max: 28, Step: 0.5}}}}}
			for q := range 10 {
				d = d.WithReading(gateway.Measure{Quantity: gateway.Quantity(fmt.Sprint("reading-", q)), Value: gateway.Number(19.123), At: at, From: "accessory"})
			}
			s.Devices = s.Devices.With(d.ID, d)
		}
	}
	line := gateway.Decision{At: at, Kind: "heating", Room: "room-1", What: strings.Repeat("what ", 20), Why: strings.Repeat("because ", 20)}
	for range gateway.FirstDecisions + gateway.LastDecisions {
		outage.Decisions = append(outage.Decisions, line)
		outage.HandedBack = append(outage.HandedBack, line.Why)
	}
	for range gateway.MaxOutages {
		s.Outages = append(s.Outages, outage)
	}
	for range gateway.MaxDecisions {
		s.Decisions = append(s.Decisions, line)
	}
	return s
}

// A bound on what a backup may unpack to must leave every house its backups.
func TestTheLargestHouseComesBack(t *testing.T) {
	s := palace()
	disk, err := store.Open(t.TempDir(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	if err := disk.Save(s); err != nil {
		t.Fatal(err)
	}
	if data, err := json.Marshal(s.Lasting()); err != nil || store.Weight(data) > store.MaxWeight/2 {
		t.Errorf("its State weighs %d, %v", store.Weight(data), err)
	} else {
		t.Logf("its State has %d bytes and weighs %d", len(data), store.Weight(data))
	}
	for i := range 450 {
		if err := disk.Vault("accessory").Set(fmt.Sprint("pairing/", i), make([]byte, 300)); err != nil {
			t.Fatal(err)
		}
	}
	file, err := backup.Seal(backup.Content{House: "AA", Values: disk.Copy().Values()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	back, err := openBackup("the backup", file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if has := back.contents(); has.Rooms != 100 || has.Devices != 400 || has.Outages != gateway.MaxOutages || has.Accessories != 450 {
		t.Errorf("%+v", has)
	}
}

// forge is a backup in clear with that content, whose checksum is right.
func forge(t *testing.T, content string) []byte {
	t.Helper()
	packed := deflated(content)
	return append(fmt.Appendf(nil, "veilleuse backup 1 %x\n", sha256.Sum256(packed)), packed...)
}

func deflated(text string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestCompression) // fails for other levels only
	io.WriteString(w, text)
	w.Close()
	return b.Bytes()
}

// taken is how much memory something takes in all, what was given back meanwhile included.
func taken(do func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	do()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Somebody who is signed in on the page may upload a small file that unpacks to more than the unit gives the service, so that the
// kernel ends it and the heating with it.
func TestAForgedBackupTakesNoMemory(t *testing.T) {
	many := func(one string, bytes int) string { return strings.Repeat(one+",", bytes/(len(one)+1)) + one }
	state := func(text string) string {
		values, err := json.Marshal(stateOf(deflated(text)))
		if err != nil {
			t.Fatal(err)
		}
		return `{"values":` + string(values) + `}`
	}
	rooms := func() string {
		var b strings.Builder
		for i := range 1 << 20 {
			fmt.Fprintf(&b, `"%x":{},`, i)
		}
		return `{"rooms":{` + b.String() + `"z":{}}}`
	}
	for _, test := range []struct{ name, content string }{
		{"a text of 200 MB", `{"home":"` + strings.Repeat("a", 200<<20) + `"}`},
		{"millions of values", `{"values":[` + many("{}", 15<<20) + `]}`},
		{"millions of files that are nothing", `{"files":[` + many("null", 15<<20) + `]}`},
		{"a State of 60 MB", state(`{"why":"` + strings.Repeat("a", 60<<20) + `"}`)},
		{"a State of a million rooms", state(rooms())},
		{"a State of millions of texts", state(`{"outage":{"evidence":[` + many(`""`, 15<<20) + `]}}`)},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := forge(t, test.content)
			if len(file) > 8<<20 {
				t.Fatalf("%d bytes are more than the page takes", len(file))
			}
			var err error
			if bytes := taken(func() { _, err = openBackup("the backup", file, nil) }); err == nil || bytes > 128<<20 {
				t.Errorf("%d MB, %v", bytes>>20, err)
			}
		})
	}
}
