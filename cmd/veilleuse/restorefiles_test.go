package main

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/store/backup"
)

// Two files of one name, from two folders, must not end as one where neither can be put.
func TestRestoredFilesOfOneNameAreBothKept(t *testing.T) {
	state := t.TempDir()
	var out strings.Builder
	p := placing{out: &out, fallback: state, grounds: []string{"/proc"}, laid: map[string]bool{}}
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
	p := placing{out: io.Discard, fallback: t.TempDir(), grounds: []string{filepath.Dir(yours)}, laid: map[string]bool{}}
	if err := p.place(yours, backup.File{Data: []byte("restored")}); err != nil {
		t.Fatal(err)
	}
	if to, err := os.Readlink(yours); to != yours || string(mustRead(t, yours+".restored")) != "restored" {
		t.Errorf("it is %q, %v", to, err)
	}
}

// A backup that somebody else has made cannot have root write wherever it likes: what does not belong beside the
// configuration is laid into the state folder, whatever it says of itself, and even if writing over files is forced.
func TestRestoreWritesBesideTheConfigurationOnly(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	config, state := writeTo(t, filepath.Join(folder, "veilleuse.yaml"), "state: "+filepath.Join(folder, "state")+"\n"), filepath.Join(folder, "state")
	there := writeTo(t, filepath.Join(elsewhere, "there"), "mine")
	own := filepath.Join(folder, "secrets", "client_secret")
	file, err := backup.Seal(backup.Content{Files: []backup.File{
		{Role: "netatmo.client_secret_file", Path: own, Data: []byte("good")},
		{Role: "mqtt.users_file", Path: filepath.Join(elsewhere, "new"), Data: []byte("evil")},
		{Role: "mqtt.acl_file", Path: folder + "/../" + filepath.Base(elsewhere) + "/round", Data: []byte("evil")},
		{Role: "mqtt.ca_file", Path: there, Data: []byte("evil")},
		{Role: "/../../../" + filepath.Base(elsewhere) + "/role", Path: there, Data: []byte("evil")},
	}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	out := wellSaid(t, "restore", "-c", config, "--force", writeTo(t, filepath.Join(folder, "house.backup"), string(file)))
	if entries, _ := os.ReadDir(elsewhere); len(entries) != 1 || string(mustRead(t, there)) != "mine" {
		t.Errorf("elsewhere there are %v; it says\n%s", entries, out)
	}
	if laid, _ := os.ReadDir(filepath.Join(state, "restored-files")); len(laid) != 4 || !strings.Contains(out, "beside the configuration only") {
		t.Errorf("laid aside are %v; it says\n%s", laid, out)
	}
	if string(mustRead(t, own)) != "good" {
		t.Errorf("what belongs beside the configuration is not there; it says\n%s", out)
	}
}

// What root puts into a folder of its own within that of the configuration, the service's user can read there.
func TestWhatRootRestoresTheServiceCanRead(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give files to another group")
	}
	const group = 4242
	folder := t.TempDir()
	if err := errors.Join(os.Chown(folder, 0, group), os.Chmod(folder, 0o750)); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(folder, "tls", "broker", "key.pem")
	if err := writeConfigFile(file, []byte("key")); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{file: 0o640, filepath.Dir(file): 0o750, filepath.Join(folder, "tls"): 0o750} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if of := info.Sys().(*syscall.Stat_t); info.Mode().Perm() != want || of.Uid != 0 || of.Gid != group {
			t.Errorf("%s has mode %v, owner %d:%d", path, info.Mode().Perm(), of.Uid, of.Gid)
		}
	}
}
