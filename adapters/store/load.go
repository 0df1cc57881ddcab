package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// load fills memory from the folder and opens the database, or makes it anew if it is damaged.
func (s *Store) load() error {
	path := filepath.Join(s.dir, databaseName)
	for _, name := range []string{databaseName, snapshotName} {
		s.closeToOthers(filepath.Join(s.dir, name))
	}
	os.Remove(path + temporarySuffix) // what a power cut left; if it stays, it does no harm
	backup, found, backupErr := readSnapshot(s.dir)
	if errors.Is(backupErr, errNewer) {
		return fmt.Errorf("%s: %w: install the newer program", filepath.Join(s.dir, snapshotName), backupErr)
	}
	data, exists, err := readWhole(path, maxFile)
	switch {
	case err != nil && !errors.Is(err, errDamaged) && !errors.Is(err, syscall.EIO):
		return fmt.Errorf("read the database: %w", err)
	case err != nil:
		s.rescue(inspection{faults: []string{err.Error()}}, backup, backupErr)
	case !exists && found:
		s.rescue(inspection{faults: []string{"it is missing"}}, backup, backupErr)
		s.damaged = false
	case !exists:
		s.content = map[place]record{}
	default:
		found := inspect(data)
		if found.newer != nil {
			return fmt.Errorf("%s: %w: install the newer program, or restore a backup", path, found.newer)
		}
		if len(found.faults) > 0 {
			s.rescue(found, backup, backupErr)
			break
		}
		s.content = found.content
	}
	s.begin(backup, backupErr)
	return s.openOrCreate(path, exists)
}

// openOrCreate opens the file that inspect found whole, or makes one of what is in memory. That the
// disk cannot be written is no reason not to start: the house is steered from memory.
func (s *Store) openOrCreate(path string, exists bool) error {
	var err error
	if exists && !s.damaged {
		s.db, err = openDatabase(path, &s.cost)
	} else {
		s.writing.Lock()
		err = s.rebuild(nil, nil)
		s.writing.Unlock()
	}
	if err != nil {
		s.log.Error("the database cannot be written; nothing will survive a restart until it can", "err", err)
	}
	s.publish()
	return nil
}

// begin sets what follows from the content that was loaded.
func (s *Store) begin(backup snapshot, backupErr error) {
	s.copied = map[place]bool{}
	for at, r := range backup.content {
		s.copied[at] = true
		s.generation = max(s.generation, r.generation)
	}
	for at, r := range s.content {
		s.generation = max(s.generation, r.generation)
		if at != statePlace && backup.content[at].generation != r.generation {
			s.copyDue = max(s.copyDue, hourly)
		}
	}
	for at := range s.copied {
		if _, ok := s.content[at]; !ok {
			s.copyDue = soon
		}
	}
	if s.damage != "" {
		s.log.Error(s.damage)
		s.copyDue = soon
	} else if backupErr != nil {
		s.log.Warn("the snapshot is not readable and will be written anew", "err", backupErr)
		s.copyDue = soon
	}
}

// rescue takes into memory what is whole in a damaged database and in the snapshot, of each value the
// newer one, and says what happened.
func (s *Store) rescue(found inspection, backup snapshot, backupErr error) {
	s.damaged = true
	s.content = newest(found.content, backup.content)
	fromBackup := 0
	for at, r := range backup.content {
		if have, ok := found.content[at]; !ok || have.generation < r.generation {
			fromBackup++
		}
	}
	var lost []string
	for _, at := range found.lost {
		if _, ok := s.content[at]; !ok {
			lost = append(lost, at.String())
		}
	}
	slices.Sort(lost)
	said := fmt.Sprintf("the database in %s was damaged (%s): %d values were read from it",
		s.dir, strings.Join(found.faults, "; "), len(found.content))
	switch {
	case backupErr != nil:
		said += ", the snapshot is not readable either"
	case backup.written.IsZero():
		said += ", there was no snapshot"
	default:
		said += fmt.Sprintf(", %d were taken from the snapshot of %s", fromBackup, backup.written.Format(time.RFC3339))
	}
	if len(lost) > 0 {
		said += ", lost are " + strings.Join(lost, ", ")
	}
	s.damage = said + "; sign in and pair again where something is missing"
}

// closeToOthers takes from others what rights they have on a file that holds secrets.
func (s *Store) closeToOthers(path string) {
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 == 0 {
		return
	}
	s.log.Warn("a file with secrets was open to other users", "file", path, "mode", info.Mode().Perm().String())
	if err := os.Chmod(path, 0o600); err != nil {
		s.log.Error("a file with secrets stays open to other users", "file", path, "err", err)
	}
}
