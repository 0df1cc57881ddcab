package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// asStranger runs a function as somebody who may not look into a folder.
func asStranger(t *testing.T, folder string, do func()) {
	t.Helper()
	if err := os.Chmod(folder, 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // root may look into it all the same: this thread becomes nobody to the file system
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			runtime.LockOSThread() // for ever: the thread ends with the goroutine
			if err := syscall.Setfsuid(65534); err == nil {
				do()
			} else {
				t.Error(err)
			}
		}()
		<-ended
	} else {
		do()
	}
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
}

// Whoever forgets to become the service's user must not get a house of their own, with a setup code that leads nowhere and
// pairings that the service does not have.
func TestWhoMayNotReadTheConfigurationGetsNoOtherHouse(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "etc")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	usual := writeTo(t, filepath.Join(folder, "veilleuse.yaml"), "state: /var/lib/veilleuse\n")
	defer func(before []string) { places = before }(places)
	places = []string{usual}
	asStranger(t, folder, func() {
		for _, verb := range []string{"code", "status", "check"} {
			code, out, why := said(t, verb)
			if want := "the configuration cannot be read: open " + usual + ": permission denied: run this as the service's user, as in sudo -u veilleuse veilleuse status\n"; code != exitNo || out != "" || !strings.HasSuffix(why, want) {
				t.Errorf("%s: exit %d, %q, %q", verb, code, out, why)
			}
		}
	})
}

// The service's user may stand in somebody's home, which is closed to it.
func TestWhoStandsInAClosedFolderReadsTheUsualConfiguration(t *testing.T) {
	home, etc := t.TempDir(), t.TempDir()
	usual := writeTo(t, filepath.Join(etc, "veilleuse.yaml"), "state: /var/lib/veilleuse\n")
	for path, mode := range map[string]os.FileMode{filepath.Dir(etc): 0o755, etc: 0o755, usual: 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	defer func(before []string) { places = before }(places)
	places = []string{"veilleuse.yaml", usual}
	t.Chdir(home)
	asStranger(t, home, func() {
		if code, out, why := said(t, "check"); code != exitWell || out != "the configuration is good ("+usual+")\n" {
			t.Errorf("exit %d, %q, %q", code, out, why)
		}
	})
}

func TestWhoMayNotReadABackupIsToldWhoMay(t *testing.T) {
	home := t.TempDir()
	file := writeTo(t, filepath.Join(home, "house.backup"), "nothing")
	asStranger(t, home, func() {
		code, _, why := said(t, "restore", "--verify", file)
		if want := "veilleuse restore: the backup cannot be read: open " + file + ": permission denied: sudo veilleuse restore can, and gives the service what is its own\n"; code != exitNo || why != want {
			t.Errorf("exit %d, %q, want %q", code, why, want)
		}
	})
}

// Root restores: what is the service's is its own afterwards, the files of its configuration included.
func TestRootRestoresForTheService(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: this needs root")
	}
	const service = 65534
	_, _, file := houseOnDisk(t, "")
	state, etc := t.TempDir(), t.TempDir()
	if err := errors.Join(os.Chown(state, service, service), os.Chown(etc, 0, service)); err != nil {
		t.Fatal(err)
	}
	wellSaid(t, "restore", "-c", filepath.Join(etc, "v.yaml"), "--state", state, file)
	for path, want := range map[string]string{filepath.Join(state, "veilleuse.db"): "65534 65534 600", filepath.Join(state, "veilleuse.snapshot.json"): "65534 65534 600",
		filepath.Join(etc, "v.yaml"): "0 65534 640"} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		of := info.Sys().(*syscall.Stat_t)
		if got := fmt.Sprintf("%d %d %o", of.Uid, of.Gid, info.Mode().Perm()); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
}

// A verb of root's, while the service is stopped, must leave nothing that the service cannot go on with.
func TestWhatRootWritesBelongsToTheFoldersOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("SKIPPED: this needs root")
	}
	const service = 65534
	folder := t.TempDir()
	if err := os.Chown(folder, service, service); err != nil {
		t.Fatal(err)
	}
	config := writeTo(t, filepath.Join(t.TempDir(), "v.yaml"), "state: "+folder+"\n")
	if code, out, why := said(t, "backup", "-c", config); code != exitWell {
		t.Fatalf("exit %d, %q, %q", code, out, why)
	}
	files := 0
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != service {
			t.Errorf("%s is root's", path)
		}
		files++
		return err
	})
	if err != nil || files < 4 { // the folder, the database, the folder of the backups, and one
		t.Errorf("%d files, %v", files, err)
	}
}

// The socket is refused in a thread of its own, which root cannot make nobody.
func TestWhoMayNotAskTheDaemonIsToldWhoMay(t *testing.T) {
	refused := &url.Error{Op: "Get", URL: "http://control/status", Err: &net.OpError{Op: "dial", Net: "unix", Err: os.NewSyscallError("connect", syscall.EACCES)}}
	if asWhom(refused) == "" || asWhom(fs.ErrNotExist) != "" {
		t.Errorf("%q, %q", asWhom(refused), asWhom(fs.ErrNotExist))
	}
}
