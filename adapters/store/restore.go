package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// asidePrefix begins the name of the folder, within the state folder, that keeps what a restore replaced.
const asidePrefix = "before-restore-"

// Read returns what the database in a state folder holds, as far as it is whole, and writes nothing. It is empty
// where there is no database.
func Read(dir string) (Copy, error) {
	data, found, err := readWhole(filepath.Join(dir, databaseName), maxFile)
	if err != nil {
		return Copy{}, fmt.Errorf("read the database: %w", err)
	}
	if !found {
		return Copy{map[place]record{}}, nil
	}
	return Copy{inspect(data).content}, nil
}

// ReadWhole is [Read] for whoever is to go on with a folder, and says when its database was last written. An error says
// that there is none, that something in it is damaged, or that a newer program wrote it.
func ReadWhole(dir string) (c Copy, written time.Time, err error) {
	path := filepath.Join(dir, databaseName)
	info, err := os.Stat(path)
	if err != nil {
		return Copy{}, time.Time{}, err
	}
	data, _, err := readWhole(path, maxFile)
	seen := inspect(data)
	if len(seen.faults) > 0 {
		err = errors.Join(err, fmt.Errorf("%w: %s", errDamaged, strings.Join(seen.faults, "; ")))
	}
	if _, _, snapshotErr := readSnapshot(dir); errors.Is(snapshotErr, errNewer) { // one that is only damaged is written anew
		err = snapshotErr
	}
	if err = errors.Join(err, seen.newer); err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return Copy{seen.content}, info.ModTime(), err
}

// Restore makes c the content of the state folder dir, which it creates if need be. What was there is set aside
// under the name returned, "" if nothing was; it is never deleted. It fails, with nothing changed, while another
// process has the folder open. At whatever moment the power fails, the folder holds all of the old state or all
// of the new one.
func Restore(dir string, c Copy, now time.Time) (aside string, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("create the state folder: %w", err)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	path := filepath.Join(dir, databaseName)
	temporary := path + temporarySuffix
	if err := makeWhole(temporary, c.content); err != nil {
		os.Remove(temporary)
		return "", fmt.Errorf("write the restored database: %w", err)
	}
	if aside, err = setFolderAside(dir, now); err != nil {
		os.Remove(temporary)
		return "", fmt.Errorf("set the present state aside: %w", err)
	}
	if err := moveInto(temporary, path); err != nil {
		return aside, fmt.Errorf("put the restored database in its place: %w", err)
	}
	data, err := snapshot{now, c.content}.encode()
	if err == nil {
		err = ReplaceFile(filepath.Join(dir, snapshotName), data)
	}
	if err != nil { // the daemon writes one within the hour
		return aside, fmt.Errorf("everything is restored but the snapshot: %w", err)
	}
	return aside, nil
}

// makeWhole writes a database file and reads it again, byte by byte, before it is believed.
func makeWhole(path string, content map[place]record) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var cost Stats
	if err := fill(path, content, &cost); err != nil {
		return err
	}
	data, _, err := readWhole(path, maxFile)
	if err != nil {
		return err
	}
	found := inspect(data)
	if len(found.faults) > 0 || !maps.EqualFunc(found.content, content, sameValue) {
		return fmt.Errorf("%w: what was written reads differently: %v", errDamaged, found.faults)
	}
	return nil
}

func sameValue(a, b record) bool {
	return a.generation == b.generation && string(a.payload) == string(b.payload)
}

// setFolderAside gives the present database a second name and moves the snapshot away: until the new database
// takes the name of the old one, the old one is whole, and no snapshot of one is ever beside the other.
func setFolderAside(dir string, now time.Time) (string, error) {
	present := map[string]bool{}
	for _, name := range []string{databaseName, snapshotName} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			present[name] = true
		}
	}
	if len(present) == 0 {
		return "", nil
	}
	aside, err := newFolder(filepath.Join(dir, asidePrefix+now.UTC().Format("20060102-150405")))
	if err != nil {
		return "", err
	}
	if present[databaseName] {
		if err := os.Link(filepath.Join(dir, databaseName), filepath.Join(aside, databaseName)); err != nil {
			// A file system without second names: a copy does as well.
			data, _, err := readWhole(filepath.Join(dir, databaseName), maxFile)
			if err == nil {
				err = writeDurably(filepath.Join(aside, databaseName), data)
			}
			if err != nil {
				return "", err
			}
		}
	}
	if present[snapshotName] {
		if err := os.Rename(filepath.Join(dir, snapshotName), filepath.Join(aside, snapshotName)); err != nil {
			return "", err
		}
	}
	return aside, errors.Join(syncFolder(aside), syncFolder(dir))
}

// newFolder makes a folder of that name, or with a number behind it if that one is there: a clock without
// power may show the same second twice.
func newFolder(path string) (string, error) {
	for n := 1; ; n++ {
		name := path
		if n > 1 {
			name = fmt.Sprintf("%s-%d", path, n)
		}
		err := os.Mkdir(name, 0o700)
		if err == nil || n > 1000 || !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}
