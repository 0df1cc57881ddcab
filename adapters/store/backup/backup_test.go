package backup

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"filippo.io/age"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

var began = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const bridge = "AA:BB:CC:DD:EE:FF"

// canary stands for a token: it must never lie anywhere in clear but in a backup in clear.
const canary = "refresh-token-that-nobody-may-read"

func full() Content {
	return Content{Program: "v1", Home: "Maison", Secrets: 3,
		Values: []store.Value{{Bucket: "vault/netatmo", Key: "token", Data: []byte(canary)}},
		Files:  []File{{Path: "/etc/veilleuse/veilleuse.yaml", Data: []byte("state: /x\n")}}}
}

// options are those of a house that makes backups below dir; key may be nil.
func options(dir string, key *Key) Options {
	return Options{
		Folder: filepath.Join(dir, "backups"), House: func() (string, error) { return bridge, nil },
		Key: func() (*Key, error) { return key, nil }, Content: func() (Content, error) { return full(), nil },
	}
}

func secretKey(t testing.TB) (*Key, *age.X25519Identity) {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	must(t, err)
	key, err := ReadKey([]byte("# created: today\n# public key: " + identity.Recipient().String() + "\n" + identity.String() + "\n"))
	must(t, err)
	return key, identity
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func namesIn(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestWhatIsSealedComesBack(t *testing.T) {
	secret, identity := secretKey(t)
	public, err := ReadKey([]byte(identity.Recipient().String()))
	must(t, err)
	words, err := ReadKey([]byte("correct horse battery staple\n"))
	must(t, err)
	for _, test := range []struct {
		name         string
		sealed, open *Key
	}{{"in clear", nil, nil}, {"passphrase", words, words}, {"secret key", secret, secret}, {"public key", public, secret}} {
		t.Run(test.name, func(t *testing.T) {
			file, err := Seal(full(), test.sealed)
			must(t, err)
			if IsSealed(file) != (test.sealed != nil) || bytes.Contains(file, []byte(canary)) {
				t.Errorf("sealed %v; a secret in clear: %v", IsSealed(file), bytes.Contains(file, []byte(canary)))
			}
			c, err := Open(file, test.open)
			if err != nil || c.Home != "Maison" || string(c.Values[0].Data) != canary || string(c.Files[0].Data) != "state: /x\n" {
				t.Errorf("%+v, %v", c, err)
			}
		})
	}
}

// A backup can be had without this program: age opens it.
func TestTheProgramAgeCouldOpenIt(t *testing.T) {
	key, identity := secretKey(t)
	file, err := Seal(full(), key)
	must(t, err)
	r, err := age.Decrypt(bytes.NewReader(file), identity)
	must(t, err)
	head := make([]byte, len(magic))
	if _, err := r.Read(head); err != nil || string(head) != magic {
		t.Errorf("%q, %v", head, err)
	}
}

func TestWhatCannotBeOpenedIsSaidInOneSentence(t *testing.T) {
	key, identity := secretKey(t)
	other, _ := secretKey(t)
	public, err := ReadKey([]byte(identity.Recipient().String()))
	must(t, err)
	words, err := ReadKey([]byte("correct horse battery staple"))
	must(t, err)
	otherWords, err := ReadKey([]byte("incorrect horse battery staple"))
	must(t, err)
	sealed, err := Seal(full(), key)
	must(t, err)
	byWords, err := Seal(full(), words)
	must(t, err)
	clear, err := Seal(full(), nil)
	must(t, err)
	for _, test := range []struct {
		name string
		file []byte
		key  *Key
		want error
	}{
		{"no key", sealed, nil, ErrNoKey},
		{"wrong key", sealed, other, ErrWrongKey},
		{"wrong passphrase", byWords, otherWords, ErrWrongKey},
		{"passphrase for a key", sealed, words, ErrWrongKey},
		{"public half", sealed, public, errHalfKey},
		{"empty", nil, nil, ErrForeign},
		{"something else", []byte("PK\x03\x04"), nil, ErrForeign},
		{"newer", bytes.Replace(clear, []byte("backup 1 "), []byte("backup 2 "), 1), nil, ErrNewer},
		{"sealed, cut", sealed[:len(sealed)-1], key, ErrDamaged},
		{"clear, cut", clear[:len(clear)-1], nil, ErrDamaged},
		{"clear, longer", append(bytes.Clone(clear), 0), nil, ErrDamaged},
	} {
		_, err := Open(test.file, test.key)
		if !errors.Is(err, test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	key, _ := secretKey(t)
	for _, k := range []*Key{nil, key} {
		whole, err := Seal(full(), k)
		must(t, err)
		for bit := range len(whole) * 8 {
			file := bytes.Clone(whole)
			file[bit/8] ^= 1 << (bit % 8)
			if _, err := Open(file, k); err == nil {
				t.Fatalf("sealed %v: bit %d flipped passes", k != nil, bit)
			}
		}
		for cut := range len(whole) {
			if _, err := Open(whole[:cut], k); err == nil {
				t.Fatalf("sealed %v: cut to %d passes", k != nil, cut)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	whole, err := Seal(full(), nil)
	must(f, err)
	f.Add(whole)
	f.Add([]byte(magic + "1 \n"))
	f.Add([]byte("age-encryption.org/v1\n-> scrypt bBjlhJVYZeE4aqUdmtRHfw 15\n"))
	key, _ := secretKey(f)
	f.Fuzz(func(t *testing.T, file []byte) {
		c, err := Open(file, key)
		if err != nil {
			return
		}
		if _, err := Seal(c, nil); err != nil {
			t.Errorf("what was read cannot be written: %v", err)
		}
	})
}

func TestKeyFiles(t *testing.T) {
	_, identity := secretKey(t)
	public := identity.Recipient().String()
	for _, test := range []struct{ name, text, want string }{
		{"passphrase", "correct horse battery\n", ""},
		{"of twelve letters", "abcdefghijkl", ""},
		{"secret", identity.String() + "\n", ""},
		{"public", public, ""},
		{"empty", "\n\n", "it is empty"},
		{"short", "hunter2\n", "fewer than 12"},
		{"damaged secret", identity.String()[:40], "damaged"},
		{"damaged public", public[:len(public)-1] + "b", "damaged"},
		{"of another kind", "AGE-SECRET-KEY-PQ-1XYZ", "not known here"},
		{"of a plugin", "age1yubikey1qwertyuiop", "not known here"},
		{"with umlauts", "zwölf große Äpfel\r\n", ""},
		{"of an editor of Latin-1", "zw\xf6lf gro\xdfe \xc4pfel\n", "no text in UTF-8"},
		{"of PowerShell, in UTF-16", "\xff\xfec\x00o\x00r\x00r\x00e\x00c\x00t\x00 \x00h\x00o\x00r\x00s\x00e\x00", "no text in UTF-8"},
		{"random bytes", "\x01\x00abcdefghijklmnopqrst", "no text in UTF-8"},
		{"remarks alone", "#Sommer 2026 im Garten\n", "remarks"},
	} {
		_, err := ReadKey([]byte(test.text))
		if (err == nil) != (test.want == "") || err != nil && (!strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), test.text)) {
			t.Errorf("%s: %v, want %q", test.name, err, test.want)
		}
	}
}

// What an editor on Windows puts before a text is no part of the passphrase: nobody could type it on another machine.
func TestAMarkBeforeThePassphraseIsNoPartOfIt(t *testing.T) {
	const words = "correct horse battery staple"
	marked, err := ReadKey([]byte("\ufeff" + words + "\r\n"))
	must(t, err)
	typed, err := ReadKey([]byte(words))
	must(t, err)
	file, err := Seal(Content{Program: "1.0.0"}, marked)
	must(t, err)
	if _, err := Open(file, typed); err != nil {
		t.Error(err)
	}
	_, identity := secretKey(t)
	if key, err := ReadKey([]byte("\ufeff" + identity.String())); err != nil || fmt.Sprint(key.identity) != identity.String() {
		t.Errorf("a secret key is taken for another: %v", err)
	}
}

func FuzzReadKey(f *testing.F) {
	f.Add("AGE-SECRET-KEY-1")
	f.Add("age1")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ReadKey([]byte(text))
		if err == nil && key.recipient == nil {
			t.Error("a key that cannot make backups")
		}
	})
}

func TestContract(t *testing.T) {
	gatewaytest.Contract(t, "backup", func(t testing.TB) gateway.Adapter { return New(options(t.TempDir(), nil)) })
}

func TestSevenAreKept(t *testing.T) {
	dir := t.TempDir()
	a := New(options(dir, nil))
	for day := range 20 {
		must(t, a.Make(began.AddDate(0, 0, day), true))
	}
	names := namesIn(t, filepath.Join(dir, "backups"))
	if len(names) != 7 || names[6] != "veilleuse-aabbccddeeff-000020-2026-12-12.backup" || names[0] != "veilleuse-aabbccddeeff-000014-2026-12-06.backup" {
		t.Errorf("%q", names)
	}
	info, err := os.Stat(filepath.Join(dir, "backups", names[0]))
	must(t, err)
	if info.Mode().Perm() != 0o600 || !info.ModTime().Equal(began.AddDate(0, 0, 13)) {
		t.Errorf("mode %v, time %v", info.Mode(), info.ModTime())
	}
}

// A clock in 1970, or one years ahead, must not make an old backup the newest, nor a new one the first to go.
func TestOrderIsThatOfMaking(t *testing.T) {
	dir := t.TempDir()
	a := New(options(dir, nil))
	for _, at := range []time.Time{began, began.AddDate(10, 0, 0), time.Unix(0, 0), began.AddDate(0, 0, 1)} {
		must(t, a.Make(at, true))
	}
	for range 6 {
		must(t, a.Make(time.Unix(3600, 0), false))
	}
	c, found, err := Newest(options(dir, nil))
	if err != nil || !found || !c.Made.Equal(time.Unix(3600, 0)) || c.Dated {
		t.Errorf("found=%v %v made %v", found, err, c.Made)
	}
	names := namesIn(t, filepath.Join(dir, "backups"))
	if names[0] != "veilleuse-aabbccddeeff-000004-2026-11-24.backup" || names[6] != "veilleuse-aabbccddeeff-000010-undated.backup" {
		t.Errorf("%q", names)
	}
}

// A house that came up with nothing must not push out, in a week, what was made of it before.
func TestAnEmptyHousePushesNothingOut(t *testing.T) {
	dir := t.TempDir()
	must(t, New(options(dir, nil)).Make(began, true))
	o := options(dir, nil)
	o.Content = func() (Content, error) { return Content{}, nil }
	for day := range 20 {
		must(t, New(o).Make(began.AddDate(0, 0, 1+day), true))
	}
	if names := namesIn(t, filepath.Join(dir, "backups")); len(names) != 21 {
		t.Errorf("%d are left of 21", len(names))
	}
}

func TestTheSecondPlace(t *testing.T) {
	key, _ := secretKey(t)
	t.Run("nothing in clear", func(t *testing.T) {
		o := options(t.TempDir(), nil)
		o.Second = t.TempDir()
		a := New(o)
		must(t, a.Make(began, true))
		if names := namesIn(t, o.Second); len(names) != 0 || !strings.Contains(a.Report().Second.Err, "backup.key_file") {
			t.Errorf("%q, %q", names, a.Report().Second.Err)
		}
	})
	t.Run("a copy, beside those of another house", func(t *testing.T) {
		o := options(t.TempDir(), key)
		o.Second = t.TempDir()
		others := filepath.Join(o.Second, "veilleuse-112233445566-000001-2020-01-01.backup.age")
		must(t, os.WriteFile(others, []byte("x"), 0o600))
		a := New(o)
		for day := range 9 {
			must(t, a.Make(began.AddDate(0, 0, day), true))
		}
		r := a.Report()
		if len(namesIn(t, o.Second)) != 8 || r.Second.Err != "" || !r.Second.Newest.Equal(began.AddDate(0, 0, 8)) || !r.Second.SameDisk {
			t.Errorf("%q, %+v", namesIn(t, o.Second), r.Second)
		}
		if _, err := os.Stat(others); err != nil {
			t.Error("a backup of another house was taken away")
		}
		newest := namesIn(t, o.Folder)[6]
		one, err := os.ReadFile(filepath.Join(o.Folder, newest))
		must(t, err)
		two, err := os.ReadFile(filepath.Join(o.Second, newest))
		must(t, err)
		if !bytes.Equal(one, two) {
			t.Error("the copy differs")
		}
	})
	t.Run("numbers go on from it on a new card", func(t *testing.T) {
		second := t.TempDir()
		for _, dir := range []string{t.TempDir(), t.TempDir()} {
			o := options(dir, key)
			o.Second = second
			must(t, New(o).Make(began, true))
		}
		if names := namesIn(t, second); len(names) != 2 || !strings.Contains(names[1], "-000002-") {
			t.Errorf("%q", names)
		}
	})
	t.Run("a stick that is gone costs nothing here", func(t *testing.T) {
		o := options(t.TempDir(), key)
		o.Second = filepath.Join(t.TempDir(), "usb")
		a := New(o)
		must(t, a.Make(began, true))
		if r := a.Report(); r.Kept != 1 || r.Err != "" || !strings.Contains(r.Second.Err, "plugged in") {
			t.Errorf("%+v", r)
		}
		must(t, os.Mkdir(o.Second, 0o700))
		a.mirror()
		if r := a.Report(); r.Second.Err != "" || len(namesIn(t, o.Second)) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// Without its key a backup is not made at all: never in clear instead.
func TestNoKeyNoBackup(t *testing.T) {
	o := options(t.TempDir(), nil)
	o.Key = func() (*Key, error) { return nil, errors.New("no such file") }
	a := New(o)
	if err := a.Make(began, true); err == nil || !strings.Contains(a.Report().Err, "no such file") {
		t.Errorf("%v, %+v", err, a.Report())
	}
	if _, err := os.Stat(o.Folder); err == nil && len(namesIn(t, o.Folder)) > 0 {
		t.Error("something was written")
	}
}

func TestWhatAPowerCutLeftGoes(t *testing.T) {
	o := options(t.TempDir(), nil)
	must(t, os.MkdirAll(o.Folder, 0o700))
	must(t, os.WriteFile(filepath.Join(o.Folder, "veilleuse-aabbccddeeff-000001-undated.backup.new"), []byte("half"), 0o600))
	must(t, New(o).Make(began, true))
	if names := namesIn(t, o.Folder); len(names) != 1 {
		t.Errorf("%q", names)
	}
}

func TestADamagedBackupIsPassedOver(t *testing.T) {
	o := options(t.TempDir(), nil)
	a := New(o)
	must(t, a.Make(began, true))
	must(t, a.Make(began.Add(time.Hour), true))
	must(t, os.WriteFile(filepath.Join(o.Folder, namesIn(t, o.Folder)[1]), []byte("nonsense"), 0o600))
	c, found, err := Newest(o)
	if !found || !c.Made.Equal(began) || !errors.Is(err, ErrForeign) {
		t.Errorf("found=%v of %v, %v", found, c.Made, err)
	}
}

// inHouse runs f in a bubble with a house whose clock has that trust.
func inHouse(t *testing.T, trust gateway.Trust, f func(o Options, made func() int)) {
	synctest.Test(t, func(t *testing.T) {
		o := options(t.TempDir(), nil)
		var made atomic.Int64
		o.Content = func() (Content, error) { made.Add(1); return full(), nil }
		h := gatewaytest.Start(t, "backup", New(o))
		h.Show(func(s gateway.State) gateway.State { s.Clock.Trust = trust; return s })
		f(o, func() int { return int(made.Load()) })
		h.Stop()
	})
}

func TestOneADay(t *testing.T) {
	inHouse(t, gateway.TrustSynced, func(o Options, made func() int) {
		time.Sleep(settled - time.Second)
		synctest.Wait()
		if made() != 0 {
			t.Error("one before the house has settled")
		}
		time.Sleep(10*daily - settled + time.Hour)
		synctest.Wait()
		if n := made(); n != 10 && n != 11 {
			t.Errorf("%d in ten days", n)
		}
	})
}

// A program that restarts all the time makes no more of them, whatever the clock shows.
func TestRestartsMakeNoMore(t *testing.T) {
	for _, test := range []struct {
		trust gateway.Trust
		want  int // in two days of restarts every half hour
	}{{gateway.TrustSynced, 2}, {gateway.TrustGuess, 1}} {
		synctest.Test(t, func(t *testing.T) {
			o := options(t.TempDir(), nil)
			var made atomic.Int64
			o.Content = func() (Content, error) { made.Add(1); return full(), nil }
			for range 95 {
				h := gatewaytest.Start(t, "backup", New(o))
				h.Show(func(s gateway.State) gateway.State { s.Clock.Trust = test.trust; return s })
				time.Sleep(30 * time.Minute)
				synctest.Wait()
				h.Stop()
			}
			if n := int(made.Load()); n != test.want {
				t.Errorf("clock %s: %d backups, want %d", test.trust, n, test.want)
			}
		})
	}
}

func TestDatesAreWorthWhatTheClockWas(t *testing.T) {
	for _, test := range []struct {
		name    string
		newest  item
		now     time.Time
		trusted bool
		due     bool
	}{
		{"none yet", item{}, began, false, true},
		{"of this morning", item{at: began, dated: true}, began.Add(8 * time.Hour), true, false},
		{"of yesterday", item{at: began, dated: true}, began.Add(25 * time.Hour), true, true},
		{"of yesterday, as a clock has it that nobody vouches for", item{at: began, dated: true}, began.Add(25 * time.Hour), false, false},
		{"of next year", item{at: began.AddDate(1, 0, 0), dated: true}, began, true, true},
		{"made while the time was not known", item{at: began}, began, true, true},
	} {
		o := options(t.TempDir(), nil)
		a := New(o)
		if !test.newest.at.IsZero() {
			must(t, a.Make(test.newest.at, test.newest.dated))
		}
		if got := a.isDue(test.now, test.trusted); got != test.due {
			t.Errorf("%s: due is %v", test.name, got)
		}
	}
}

func TestAFullDiskIsSaidAndTriedAgain(t *testing.T) {
	inHouse(t, gateway.TrustSynced, func(o Options, made func() int) {
		must(t, os.WriteFile(o.Folder, nil, 0o600)) // a file where the folder ought to be
		time.Sleep(settled + time.Minute)
		synctest.Wait()
		if made() == 0 {
			t.Fatal("not tried")
		}
		must(t, os.Remove(o.Folder))
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if names := namesIn(t, o.Folder); len(names) == 0 {
			t.Error("not tried again")
		}
	})
}

func BenchmarkSealWithPassphrase(b *testing.B) {
	key, err := ReadKey([]byte("correct horse battery staple"))
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Seal(full(), key); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleIsSealed() {
	fmt.Println(IsSealed([]byte("age-encryption.org/v1\n")))
	// Output: true
}
