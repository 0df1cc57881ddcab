package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/store/backup"
)

// Two files of one name, from two folders, must not end as one where neither can be put.
func TestRestoredFilesOfOneNameAreBothKept(t *testing.T) {
	state := t.TempDir()
	var out strings.Builder
	p := placing{out: &out, fallback: state, laid: map[string]bool{}}
	for _, f := range []backup.File{{Role: "mqtt.tls_key_file", Path: "/proc/server/key.pem", Data: []byte("one")}, {Role: "mqtt.key_file", Path: "/proc/client/key.pem", Data: []byte("other")}} {
		if err := p.place(f.Path, f); err != nil {
			t.Fatal(err)
		}
	}
	laid, _ := filepath.Glob(filepath.Join(state, "restored-files", "*key.pem"))
	if len(laid) != 2 || string(mustRead(t, laid[0]))+string(mustRead(t, laid[1])) != "oneother" {
		t.Errorf("there are %q; it says\n%s", laid, &out)
	}
}

// Even what cannot be read is not written over.
func TestRestoreLeavesAloneWhatItCannotRead(t *testing.T) {
	yours := filepath.Join(t.TempDir(), "client_secret")
	if err := os.Symlink(yours, yours); err != nil {
		t.Fatal(err)
	}
	p := placing{out: io.Discard, fallback: t.TempDir(), laid: map[string]bool{}}
	if err := p.place(yours, backup.File{Data: []byte("restored")}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(yours); to != yours || string(mustRead(t, yours+".restored")) != "restored" {
		t.Errorf("it is %q, %v", to, err)
	}
}
