package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// uploadKept is how long a file that was uploaded waits to be confirmed.
const uploadKept = 10 * time.Minute

// uploads is the one backup that somebody has uploaded and not confirmed yet, and the one that was confirmed.
type uploads struct {
	mu     sync.Mutex
	id     string
	bytes  []byte
	opened *opened // once it was looked at
	forget *time.Timer
	chosen *opened // with which the house is to come back
}

// take keeps a file in place of the one before.
func (u *uploads) take(file []byte) string {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.forget != nil {
		u.forget.Stop()
	}
	sum := sha256.Sum256(file)
	u.id, u.bytes, u.opened = hex.EncodeToString(sum[:8]), file, nil
	id := u.id
	u.forget = time.AfterFunc(uploadKept, func() { u.drop(id) })
	return id
}

func (u *uploads) drop(id string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.id == id {
		u.id, u.bytes, u.opened = "", nil, nil
	}
}

func (u *uploads) file(id string) ([]byte, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if id == "" || u.id != id {
		return nil, web.ErrUploadGone
	}
	return u.bytes, nil
}

func (u *uploads) looked(id string, what opened) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.id == id {
		u.opened = &what
	}
}

// choose confirms the file that was looked at.
func (u *uploads) choose(id string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if id == "" || u.id != id || u.opened == nil {
		return web.ErrUploadGone
	}
	u.chosen, u.opened, u.bytes, u.id = u.opened, nil, nil, ""
	return nil
}

// confirmed is the backup with which the house is to come back; nil: none.
func (u *uploads) confirmed() *opened {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.chosen
}

// comeBack makes ready to restore what was uploaded: the house has to end for that, and runHouses starts it again.
func (h *house) comeBack(id string) (func(), error) {
	if h.end == nil {
		return nil, errors.New("this house is not run as a daemon: veilleuse restore does it")
	}
	if err := h.uploads.choose(id); err != nil {
		return nil, err
	}
	h.log.Info("the house ends, to come back from a backup that was confirmed on the page")
	return h.end, nil
}

// comesBack reports whether the house ends only to come back.
func (h *house) comesBack() bool { return h.uploads.confirmed() != nil }

// locality is where a house that was uploaded would come.
func (h *house) locality() locality {
	return locality{config: h.config, found: true, configs: h.config.file}
}

// bringBack puts the confirmed backup into the state folder of a house that has ended. If it fails before anything was put
// there, the house goes on as it was.
func (h *house) bringBack(log *slog.Logger) {
	said := lines{log}
	if _, err := h.uploads.confirmed().bring(said, h.locality(), restoreOptions{keepDoor: true}); err != nil {
		log.Error("the restore is not complete", "err", err)
	}
}

// lines logs what the verb restore prints.
type lines struct{ log *slog.Logger }

// Write logs each line.
func (l lines) Write(text []byte) (int, error) {
	for line := range strings.Lines(string(text)) {
		l.log.Info("restore: " + strings.TrimSpace(line))
	}
	return len(text), nil
}

// fateOf says what restoring would do with a file of the configuration.
func fateOf(path string, f backup.File) string {
	present, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "new"
	case err == nil && bytes.Equal(present, f.Data):
		return "same"
	}
	return "beside"
}

// keepDoor gives what is restored the password of the page and the sign-ins that are here: who restores has just come in with
// them, and old ones that somebody took away must not be back.
func keepDoor(into, present gateway.Vault) error {
	for _, key := range []string{"password", "sessions"} {
		value, err := present.Get(key)
		switch {
		case err == nil:
			err = into.Set(key, value)
		case errors.Is(err, fs.ErrNotExist):
			err = into.Delete(key)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("keep the password of the page: %w", err)
		}
	}
	return nil
}
