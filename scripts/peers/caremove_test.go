package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// moves takes the house to a second machine by a download and an upload.
func (k *keeping) moves() {
	file := filepath.Join(k.t.TempDir(), "house.backup.age")
	k.downloads(file)
	second := newHouse(k.t, k.house.with, settings{})
	second.start()
	_, port, _ := net.SplitHostPort(second.page)
	there := *k.browser
	there.home = "http://" + pageHost + ":" + port
	o := there.visit("mover", looks{})
	need(k.t, "a second daemon is opened", func() (string, error) {
		if err := o.keys(pagePassword + "<Tab>" + pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		if _, err := o.sees(`location.pathname.startsWith('/first/')`); err != nil {
			return "", err
		}
		return "", o.do("go", map[string]any{"url": o.home + "/care"})
	})
	m := &move{k, second, o}
	m.refuses()
	m.looksInto(file)
	m.confirms()
	promise(k.t, "SIGTERM ends the second daemon, and the race detector found nothing", second.endsSoon)
	k.house.start()
}

// downloads gets a backup of the house.
func (k *keeping) downloads(file string) {
	v := k.phone
	need(k.t, "a backup is downloaded, encrypted with a passphrase", func() (string, error) {
		if err := v.do("go", map[string]any{"url": v.home + "/care"}); err != nil {
			return "", err
		}
		for _, field := range []string{"passphrase", "again"} {
			if err := v.do("fill", map[string]any{"at": "#backup-" + field, "text": backupWords}); err != nil {
				return "", err
			}
		}
		var got struct {
			Name string
			Size int
		}
		if err := k.ask(v, "download", map[string]any{"at": "#backup .main", "file": file}, &got); err != nil {
			return "", err
		}
		content, err := os.ReadFile(file)
		if err == nil && (!strings.HasPrefix(string(content), "age-encryption.org/") || !strings.HasSuffix(got.Name, ".backup.age")) {
			err = fmt.Errorf("%s begins with %.30q", got.Name, content)
		}
		return fmt.Sprintf("%s, %d bytes", got.Name, got.Size), err
	})
}

// move is the way of the house to a second machine, whose page somebody has open.
type move struct {
	*keeping
	second *house
	v      *visitor
}

// send uploads a file, with a passphrase.
func (m *move) send(path, words string) error {
	if err := m.ask(m.v, "upload", map[string]any{"at": "#restore-file", "file": path}, nil); err != nil {
		return err
	}
	if err := m.v.do("fill", map[string]any{"at": "#restore-passphrase", "text": words}); err != nil {
		return err
	}
	return m.v.click("#restore .main")
}

// refuses uploads what is no backup.
func (m *move) refuses() {
	promise(m.t, "an upload that is no backup is refused in one sentence, and nothing is lost", func() (string, error) {
		if err := m.send(m.house.config, ""); err != nil {
			return "", err
		}
		if err := m.v.says("#restore .refusal", "no backup of Veilleuse"); err != nil {
			return "", err
		}
		m.v.picture("wrong-upload-desk-en", false)
		aside, err := filepath.Glob(filepath.Join(m.second.folder, "state", "before-restore-*"))
		if err == nil && len(aside) > 0 {
			err = fmt.Errorf("something was set aside: %v", aside)
		}
		return "", err
	})
}

// looksInto uploads the backup, by a wrong passphrase and the right one.
func (m *move) looksInto(file string) {
	need(m.t, "the right one asks for its passphrase, is shown, and needs no second upload after a wrong passphrase", func() (string, error) {
		if err := m.send(file, "not the right words"); err != nil {
			return "", err
		}
		if err := m.v.says("#restore .refusal", "not the passphrase"); err != nil {
			return "", err
		}
		if err := m.v.do("fill", map[string]any{"at": "#restore-passphrase", "text": backupWords}); err != nil {
			return "", err
		}
		if err := m.v.click("#restore .main"); err != nil {
			return "", err
		}
		if err := m.v.says("#restore", "The backup is whole", "encrypted", "Here now", "In the backup", "Outages"); err != nil {
			return "", err
		}
		m.v.picture("restore-desk-en", true)
		_, err := m.v.sound()
		return "", err
	})
}

// confirms lets the second machine become the house.
func (m *move) confirms() {
	promise(m.t, "confirmed, the second daemon comes back as the first house, by itself", func() (string, error) {
		m.house.end() // two machines must never run one house
		if err := m.v.click("#restore-sure"); err != nil {
			return "", err
		}
		began := time.Now()
		if err := m.v.click("#restore .main"); err != nil {
			return "", err
		}
		if err := m.v.says("#restore", "restarts from the backup"); err != nil {
			return "", err
		}
		if _, err := until(patience, func() error {
			s, err := m.second.status()
			if err == nil {
				_, err = s.room("Salon")
			}
			return errors.Join(err, dial(m.second.page))
		}); err != nil {
			return "", err
		}
		took := seconds(time.Since(began))
		if err := m.v.do("go", map[string]any{"url": m.v.home + "/"}); err != nil {
			return "", err
		}
		return took, m.v.says("main", "Salon")
	})
}
