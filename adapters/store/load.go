package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	case mayPass(err):
		return fmt.Errorf("read the database: %w", err)
	case err != nil:
		s.rescue(inspection{faults: []string{err.Error()}}, backup, found, backupErr)
	case !exists && found:
		s.rescue(inspection{faults: []string{"it is missing"}}, backup, found, backupErr)
		s.damaged = false
	case !exists:
		s.beginAnew()
	default:
		seen := inspect(data)
		if seen.newer != nil {
			return fmt.Errorf("%s: %w: install the newer program, or restore a backup", path, seen.newer)
		}
		if len(seen.faults) == 0 && s.help.Try != nil {
			if err := s.help.Try(path); err != nil {
				seen.faults = []string{err.Error()}
			}
		}
		if len(seen.faults) > 0 {
			s.rescue(seen, backup, found, backupErr)
			break
		}
		s.content = seen.content
	}
	s.begin(backup, backupErr)
	return s.openOrCreate(path, exists)
}

// mayPass reports whether a file that could not be read may be as it should be: who asks may not read it, or the machine
// has nothing left to read it with. Whatever else a card or its file system says, the file is of no use.
func mayPass(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
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

// Rescue finds the newest backup that can be read, and says in words which it is. An empty Copy without an error
// says that there is none.
type Rescue func() (c Copy, which string, err error)

// beginAnew begins without a database and without a snapshot: with nothing, unless there is a backup. Whoever wants
// a house without a past takes the whole folder away.
func (s *Store) beginAnew() {
	s.content = map[place]record{}
	c, which, _ := s.lastResort() // why one cannot be read is of no interest to a house that is new
	if len(c.content) == 0 {
		return
	}
	s.content = maps.Clone(c.content)
	s.damage = fmt.Sprintf("the database in %s was missing, and the snapshot with it: %d values were taken from the backup of %s; %s",
		s.dir, len(s.content), which, whatIsMissing)
}

func (s *Store) lastResort() (Copy, string, error) {
	if s.help.Backups == nil {
		return Copy{}, "", nil
	}
	return s.help.Backups()
}

const whatIsMissing = "where something is missing, veilleuse restore brings it back from a backup, else sign in and pair again"

// rescue takes into memory what is whole in a damaged database: as it is, else as it was before its last change, else
// from the snapshot, and where that is of no use from the newest backup. It says what happened.
func (s *Store) rescue(seen inspection, copied snapshot, found bool, copiedErr error) {
	s.damaged = true
	s.content = maps.Clone(seen.content)
	said := fmt.Sprintf("the database in %s was damaged (%s): %d values were read from it", s.dir, strings.Join(seen.faults, "; "), len(seen.content))
	if n := s.add(seen.earlier); n > 0 {
		said += fmt.Sprintf(", %d as they were before its last change", n)
	}
	n := s.add(copied.content)
	switch {
	case copiedErr != nil:
		said += ", the snapshot is not readable either"
	case !found:
		said += ", there was no snapshot"
	default:
		said += fmt.Sprintf(", %d were taken from the snapshot of %s", n, copied.written.Format(time.RFC3339))
	}
	if !found || copiedErr != nil { // else what the backup has and the snapshot has not was given up since
		said += s.addBackup()
	}
	var lost []string
	for _, at := range seen.lost {
		if _, ok := s.content[at]; !ok {
			lost = append(lost, at.String())
		}
	}
	slices.Sort(lost)
	if len(lost) > 0 {
		said += ", lost are " + strings.Join(lost, ", ")
	}
	s.damage = said + "; " + whatIsMissing
}

// add takes from what is older the values that are not there, or are older still; it returns how many.
func (s *Store) add(older map[place]record) (taken int) {
	for at, r := range older {
		if have, ok := s.content[at]; !ok || have.generation < r.generation {
			taken++
		}
	}
	s.content = newest(s.content, older)
	return taken
}

// addBackup adds what the newest backup has, and says so.
func (s *Store) addBackup() string {
	c, which, err := s.lastResort()
	switch {
	case err != nil:
		return fmt.Sprintf(", no backup can be read (%v)", err)
	case len(c.content) == 0:
		return ", and there was no backup"
	}
	return fmt.Sprintf(", %d were taken from the backup of %s", s.add(c.content), which)
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
