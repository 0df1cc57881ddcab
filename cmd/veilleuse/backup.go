package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/homekit"
	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// backupFolder is where a house keeps its backups.
func backupFolder(c Config) string { return filepath.Join(c.State, "backups") }

func (h *house) backupOptions(c Config, log *slog.Logger) backup.Options {
	return backup.Options{
		Folder: backupFolder(c), Second: c.Backup.Second, House: h.bridgeID, Content: h.backupContent, Log: log,
		Key: func() (*backup.Key, error) { return backupKey(c) },
	}
}

// bridgeID is the HomeKit id of the first bridge, which backups are named after.
func (h *house) bridgeID() (string, error) {
	all, err := h.bridge.Bridges()
	if err != nil {
		return "", err
	}
	return all[0].ID, nil
}

// backupKey reads backup.key_file; without one it is nil.
func backupKey(c Config) (*backup.Key, error) {
	if c.Backup.KeyFile == "" {
		return nil, nil
	}
	return readKeyFile(c.Backup.KeyFile)
}

func readKeyFile(file string) (*backup.Key, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the key of the backups cannot be read: %w", err)
	}
	key, err := backup.ReadKey(text)
	if err != nil {
		return nil, fmt.Errorf("the key of the backups, %s: %w", file, err)
	}
	return key, nil
}

// newestBackup is the store's last resort.
func newestBackup(c Config) store.Rescue {
	return func() (store.Copy, string, error) {
		content, found, err := backup.Newest(backup.Options{Folder: backupFolder(c), Key: func() (*backup.Key, error) { return backupKey(c) }})
		if !found {
			return store.Copy{}, "", err
		}
		values, err := store.ReadCopy(content.Values)
		return values, content.Made.Format(time.RFC3339), err
	}
}

// mend makes good what coming back from the past does to the vaults, where the store had to. Where it cannot, controllers
// of the Home app may go on with what they remember; the house comes up all the same.
func (h *house) mend() {
	if h.store.Damage() == "" {
		return
	}
	if err := homekit.Restored(h.store.Vault("homekit"), nil, 0); err != nil {
		h.log.Error("the Home app may show the house as it was before the database was damaged", "err", err)
	}
}

// backupBeforeMigration makes a backup before anything is saved in a newer form than the one on disk: the program
// that wrote it can be had back then. New fields alone make no newer form; a program without them reads past them.
func (h *house) backupBeforeMigration(log *slog.Logger, world outside) error {
	lasting, found, err := h.store.Load()
	if err != nil || !found || lasting.Version >= gateway.LastingVersion {
		return err
	}
	now := time.Now
	if world.now != nil {
		now = world.now
	}
	if err := h.backup.Make(now(), false); err != nil {
		log.Error("there is no backup from before the change of the saved state's form", "err", err)
		return nil // the house must come up
	}
	log.Info("a backup was made before the saved state takes a newer form", "from", lasting.Version, "to", gateway.LastingVersion)
	return nil
}

// backupContent is everything that a house needs to come back on another machine.
func (h *house) backupContent() (backup.Content, error) {
	copied := h.store.Copy()
	lasting, _, err := copied.Load()
	if err != nil {
		return backup.Content{}, err
	}
	files, err := configFiles(h.config)
	if err != nil { // better a backup without a file than none
		h.log.Warn("the backup lacks a file of the configuration", "err", err)
	}
	program, _ := version()
	n, err := countSecrets(copied)
	return backup.Content{Program: program, Home: lasting.Home.Name, Secrets: n.all(), Values: copied.Values(), Files: files}, err
}

// secretCounts is how many of the things are in a copy that nobody wants to do again.
type secretCounts struct{ controllers, accessories, signIns int }

func (n secretCounts) all() int { return n.controllers + n.accessories + n.signIns }

// countSecrets counts pairings and sign-ins.
func countSecrets(c store.Copy) (n secretCounts, err error) {
	for _, of := range []struct {
		vault, word string
		count       *int
	}{
		{"homekit", "pairing/", &n.controllers}, // of further bridges with words before it
		{gateway.AccessoryAdapter, "pairing/", &n.accessories},
		{gateway.CloudAdapter, "token", &n.signIns},
	} {
		keys, listErr := c.Vault(of.vault).List("")
		for _, key := range keys {
			if strings.Contains(key, of.word) {
				*of.count++
			}
		}
		err = errors.Join(err, listErr)
	}
	return n, err
}

// namedFiles are the configuration and the files that it names, without what is in them; "" where it names none.
func namedFiles(c Config) []backup.File {
	return []backup.File{
		{Path: c.file}, {Role: "netatmo.client_secret_file", Path: c.Netatmo.ClientSecretFile}, {Role: "mqtt.users_file", Path: c.MQTT.UsersFile},
		{Role: "mqtt.acl_file", Path: c.MQTT.AccessFile}, {Role: "mqtt.tls_certificate_file", Path: c.MQTT.TLS.Certificate}, {Role: "mqtt.tls_key_file", Path: c.MQTT.TLS.Key},
		{Role: "mqtt.client_ca_file", Path: c.MQTT.TLS.ClientCA}, {Role: "mqtt.password_file", Path: c.MQTT.PasswordFile}, {Role: "mqtt.ca_file", Path: c.MQTT.CAFile},
		{Role: "mqtt.certificate_file", Path: c.MQTT.CertificateFile}, {Role: "mqtt.key_file", Path: c.MQTT.KeyFile},
	}
}

// configFiles reads the configuration and the files that it names, but for the key of the backups themselves.
func configFiles(c Config) ([]backup.File, error) {
	var files []backup.File
	var faults error
	for _, f := range namedFiles(c) {
		if f.Path == "" {
			continue
		}
		var err error
		if f.Data, err = os.ReadFile(f.Path); err != nil {
			faults = errors.Join(faults, err)
			continue
		}
		files = append(files, f)
	}
	return files, faults
}

// stored is what was written to disk since the start: by the store, for the backups, for what the page and the broker remember.
func (h *house) stored() web.Stored {
	written, made := h.store.Stats(), h.backup.Report()
	all := web.Stored{Bytes: written.Bytes + made.Bytes + h.past.bytes.Load(), Flushes: written.Flushes + made.Flushes + h.past.flushes.Load(), Writes: written.Writes}
	if h.broker != nil {
		bytes, flushes := h.broker.Stored()
		all.Bytes, all.Flushes = all.Bytes+bytes, all.Flushes+flushes
	}
	return all
}

func (h *house) backedUp() web.Backup {
	r := h.backup.Report()
	return web.Backup{State: r.Newest, Second: r.Second.Newest}
}
