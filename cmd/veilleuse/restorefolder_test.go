package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
)

// A state folder that was set aside, as by an upgrade, is brought back like a backup.
func TestRestoreFromAFolder(t *testing.T) {
	config, state, _ := houseOnDisk(t, "")
	aside := filepath.Join(state, "before-upgrade")
	if err := os.Mkdir(aside, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"veilleuse.db", "veilleuse.snapshot.json"} {
		if data, err := os.ReadFile(filepath.Join(state, name)); err == nil {
			writeTo(t, filepath.Join(aside, name), string(data))
		}
	}
	fill(t, state, "tablet")
	out := wellSaid(t, "restore", "--verify", aside)
	for _, want := range []string{"is whole", "written", "Maison", "1 with the Home app's side"} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	wellSaid(t, "restore", "-c", config, aside)
	if got := pairingsIn(t, state); len(got) != 1 {
		t.Errorf("the pairings are %q", got)
	}
}

// What a program does not understand is found out before it serves: that is how going back knows that the state has
// to go back, too.
func TestRestoreVerifyOfAFolderRefuses(t *testing.T) {
	_, state, _ := houseOnDisk(t, "")
	newer := t.TempDir()
	copied, err := store.ReadCopy(savedAs(t, gateway.Lasting{Version: gateway.LastingVersion + 1}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Restore(newer, copied, time.Now()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(state, "veilleuse.db"))
	if err != nil {
		t.Fatal(err)
	}
	for at := 2 * 4096; at < len(data); at += 16 { // behind the two header pages
		data[at] ^= 0xff
	}
	damaged := t.TempDir()
	writeTo(t, filepath.Join(damaged, "veilleuse.db"), string(data))
	for folder, want := range map[string]string{newer: "this program knows", damaged: "damaged", t.TempDir(): "holds no state of a house: name the file of a backup"} {
		if code, _, complaint := said(t, "restore", "--verify", folder); code != exitNo || !strings.Contains(complaint, want) {
			t.Errorf("exit %d, %q, want %q", code, complaint, want)
		}
	}
	wellSaid(t, "restore", "--verify", state)
}
