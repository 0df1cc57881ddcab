package main

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml/parser"
	"github.com/veilleuse/veilleuse/gateway"
)

func TestStatusTellsOfDiskAndBackups(t *testing.T) {
	age := 5 * 3600
	for _, test := range []struct {
		name   string
		report backupReport
		want   string
	}{
		{"none", backupReport{}, "backup: none yet\n"},
		{"in clear", backupReport{Newest: evening, AgeS: &age, Kept: 7}, "backup: 5 h old, 7 kept\n"},
		{"encrypted", backupReport{Newest: evening, AgeS: &age, Kept: 7, Encrypted: true, Second: &secondPlace{Folder: "/mnt/usb", Newest: evening}}, "backup: 5 h old, 7 kept, encrypted\n"},
		{"without the time", backupReport{Newest: evening, Kept: 2}, "backup: 2 kept, the newest made while the time was not known\n"},
		{"failed", backupReport{Newest: evening, AgeS: &age, Kept: 2, Why: "no space left"}, "backup: 5 h old, 2 kept; the last could not be made: no space left\n"},
		{"a stick that is gone", backupReport{Second: &secondPlace{Folder: "/mnt/usb", Why: "it is gone"}}, "backup: none yet\nbackup in /mnt/usb: it is gone\n"},
		{"a stick that is not plugged in", backupReport{Second: &secondPlace{Folder: "/mnt/usb", SameDisk: true}}, "backup: none yet\nbackup in /mnt/usb: on the same disk"},
	} {
		var out bytes.Buffer
		printDisk(&out, statusReport{Store: &storeReport{WrittenBytes: 1_240_000, Flushes: 40}, Backup: &test.report})
		if got, ok := strings.CutPrefix(out.String(), "disk: 1.2 MB written since the start, flushed 40 times\n"); !ok || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, out.String(), test.want)
		}
	}
}

// A daemon makes a backup when asked, and status shows it.
func TestBackupOfARunningHouse(t *testing.T) {
	l := live(t, false)
	l.world.clock.SetRate(1) // else the day's own backup may come between
	l.status(t, "the clock", func(r statusReport) bool { return r.Clock.Trust != gateway.TrustGuess })
	if out := wellSaid(t, "backup", "-c", l.config); !strings.Contains(out, filepath.Join("state", "backups")) {
		t.Errorf("it says %q", out)
	}
	r := l.status(t, "the backup", func(r statusReport) bool { return r.Backup != nil && r.Backup.Kept == 1 })
	if r.Backup.AgeS == nil || *r.Backup.AgeS > int((48*time.Hour).Seconds()) || r.Store.WrittenBytes == 0 || r.Store.Flushes == 0 {
		t.Errorf("%+v, %+v", r.Backup, r.Store)
	}
	if out := wellSaid(t, "status", "-c", l.config); !strings.Contains(out, "1 kept") {
		t.Errorf("for people:\n%s", out)
	}
	made, _ := filepath.Glob(filepath.Join(filepath.Dir(l.config), "state", "backups", "*.backup"))
	if len(made) != 1 {
		t.Fatalf("%q", made)
	}
	wellSaid(t, "restore", "-c", l.config, "--verify", made[0])
}

func TestCheckLooksAtTheKeyOfTheBackups(t *testing.T) {
	folder := t.TempDir()
	for content, want := range map[string]string{"hunter2": "fewer than 12", passphrase: ""} {
		config := writeTo(t, filepath.Join(folder, "v.yaml"), "backup: {key_file: "+writeTo(t, filepath.Join(folder, "key"), content)+", second: /mnt/usb}\n")
		code, out, complaint := said(t, "check", "-c", config)
		if (code == exitWell) != (want == "") || !strings.Contains(complaint, want) || strings.Contains(out+complaint, content) {
			t.Errorf("exit %d, %q, %q; want %q", code, out, complaint, want)
		}
	}
}

// Whatever file the configuration names is in the backup, but for the key of the backups themselves.
func TestBackupsHoldEveryFileOfTheConfiguration(t *testing.T) {
	folder := t.TempDir()
	var c Config
	var want []string
	for _, k := range keys {
		if !strings.HasSuffix(k.path, "_file") {
			continue
		}
		file, err := parser.ParseBytes([]byte(writeTo(t, filepath.Join(folder, k.path), k.path)), 0)
		if err == nil {
			err = k.read(&c, file.Docs[0].Body)
		}
		if err != nil {
			t.Fatal(err)
		}
		if k.path != "backup.key_file" {
			want = append(want, k.path)
		}
	}
	files, err := configFiles(c)
	var got []string
	for _, f := range files {
		if got = append(got, f.Role); string(f.Data) != f.Role {
			t.Errorf("%s holds %q", f.Role, f.Data)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if err != nil || !slices.Equal(got, want) || len(want) < 5 {
		t.Errorf("%v: in the backup are %q, the configuration has %q", err, got, want)
	}
}
