// Package store keeps on disk, in bbolt, what must survive a restart: the lasting part of the State and
// the secrets of the adapters.
//
// Memory first: everything stored is read once, when the store is opened, and answered from memory
// from then on, so that no reader ever waits for the card. A write returns when it is durable. bbolt
// is trusted to write, never to judge a file: a file is inspected byte by byte before bbolt maps it,
// every value carries a checksum, and a seal over all of them tells the present from the past.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Names in the state folder.
const (
	databaseName = "veilleuse.db"
	snapshotName = "veilleuse.snapshot.json"
)

// Store is an open state folder. It is also the adapter that saves each State shown to it; see Run.
// All methods may be called from any goroutine.
type Store struct {
	dir  string
	log  *slog.Logger
	help Options
	lock *os.File
	poke chan struct{} // tells Run that the copy is due

	writing sync.Mutex     // held while something is written; guards the fields below
	db      *database      // nil: not usable, to be made anew with the next write
	damaged bool           // the file in its place is, and is to be set aside first
	doubt   map[place]bool // where the disk may hold something else than memory, after a failure
	closed  bool
	cost    Stats

	mu         sync.RWMutex // never held while the disk is touched; guards the fields below
	content    map[place]record
	generation uint64
	copied     map[place]bool // what the snapshot holds
	copyDue    due
	damage     string
	stats      Stats

	understood atomic.Bool // that the saved state can be read
	turns      atomic.Uint64
	keeper     keeper // of Run alone
}

// Stats says what was handed to the disk since the store was opened: an SD card wears out by it.
type Stats struct {
	Bytes   uint64 // written to files, without what the file system adds
	Flushes uint64 // times the disk was told to make it durable
	Writes  uint64 // changes of the database
}

// Open opens the store in that folder, which it creates if need be. One process can have it open.
//
// A damaged file is set aside as veilleuse.db.bad-<day> and rebuilt from what is whole in it and from
// the snapshot; one sentence about it goes to the log and to [Store.Damage]. A disk that cannot be
// written does not fail Open: what can be read is served, and writes give errors. Open fails if
// another process has the folder, if it cannot be read, or if a newer program wrote in it.
func Open(dir string, log *slog.Logger) (*Store, error) { return OpenWith(dir, Options{Log: log}) }

// Options are what a start after an accident can fall back upon.
type Options struct {
	Log     *slog.Logger
	Backups Rescue                  // the last resort; nil: none
	Try     func(path string) error // opens the database in a process that may crash or hang over it; nil: not tried
}

// OpenWith is [Open] with that help.
func OpenWith(dir string, o Options) (*Store, error) {
	log := o.Log
	if log == nil {
		log = slog.Default()
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create the state folder: %w", err)
	}
	lock, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Store{dir: dir, log: log, help: o, lock: lock, doubt: map[place]bool{}, poke: make(chan struct{}, 1)}
	if err := s.load(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return s, nil
}

// Close writes the snapshot if it is due and closes the files. Run must have ended.
func (s *Store) Close() error {
	copied := s.copyNow()
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(copied, s.db.close(), s.lock.Close())
}

// Damage says in one sentence what was found damaged when the store was opened and what was lost; ""
// if nothing was.
func (s *Store) Damage() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.damage
}

// Stats returns what was handed to the disk.
func (s *Store) Stats() Stats {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.stats
}

// Inspect reads the database's file from the disk and returns its size in bytes and what is wrong with it, in words for
// people. Writers wait meanwhile.
func (s *Store) Inspect() (size int, faults []string) {
	s.writing.Lock()
	file, found, err := readWhole(filepath.Join(s.dir, databaseName), maxFile)
	s.writing.Unlock()
	if err != nil {
		return 0, []string{err.Error()}
	}
	if !found {
		return 0, []string{"there is none yet"}
	}
	return len(file), inspect(file).faults
}

// get returns the value at a place. The payload must not be changed.
func (s *Store) get(at place) (record, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r, ok := s.content[at]
	return r, ok
}

var errClosed = errors.New("the store is closed")

// set makes a value durable. Nothing is written if it is there already.
func (s *Store) set(at place, payload []byte, copying due) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	have, ok := s.get(at)
	if ok && string(have.payload) == string(payload) && s.db != nil && !s.doubt[at] {
		return nil
	}
	r := record{s.generation + 1, append([]byte{}, payload...)}
	if err := s.write(map[place]record{at: r}, nil); err != nil {
		return err
	}
	s.mu.Lock()
	s.content[at] = r
	s.generation = r.generation
	s.mu.Unlock()
	s.remind(copying)
	return nil
}

// remove makes it durable that a value is gone. It is taken out of the snapshot and of the state before the last
// change at once, too, lest a pairing that was dissolved come back with a repaired file.
func (s *Store) remove(at place) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if _, ok := s.get(at); !ok && !s.doubt[at] {
		return nil
	}
	if err := s.write(nil, []place{at}); err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.content, at)
	copied := s.copied[at]
	s.mu.Unlock()
	if copied {
		s.remind(soon)
	}
	// A change of nothing, after which neither header page leads to the value any more. It is gone without it, too.
	if err := s.write(nil, nil); err != nil {
		s.log.Warn("a value that was removed can come back if the database is damaged now", "err", err)
	}
	return nil
}

// write makes a change durable. What an earlier failure left in doubt is written along with it. A
// database that broke is made anew from memory, the change included.
func (s *Store) write(set map[place]record, removed []place) error {
	if s.closed {
		return errClosed
	}
	defer s.publish()
	if s.db == nil {
		return s.rebuild(set, removed)
	}
	set, removed = s.withDoubts(set, removed)
	err := s.db.write(set, removed)
	if err == nil {
		clear(s.doubt)
		return nil
	}
	for at := range set {
		s.doubt[at] = true
	}
	for _, at := range removed {
		s.doubt[at] = true
	}
	if !errors.Is(err, errBroken) {
		return err
	}
	s.log.Error("the database cannot be used any more", "err", errors.Join(err, s.db.close()))
	s.db, s.damaged = nil, true
	return s.rebuild(set, removed)
}

// withDoubts returns the change with everything in doubt brought back to what memory says.
func (s *Store) withDoubts(set map[place]record, removed []place) (map[place]record, []place) {
	all := map[place]record{}
	for at := range s.doubt {
		if r, ok := s.get(at); ok {
			all[at] = r
		} else if _, ok := set[at]; !ok {
			removed = append(removed, at)
		}
	}
	maps.Copy(all, set)
	for _, at := range removed {
		delete(all, at)
	}
	return all, removed
}

// rebuild makes a new database out of what is in memory and a change.
func (s *Store) rebuild(set map[place]record, removed []place) error {
	s.mu.RLock()
	content := maps.Clone(s.content)
	s.mu.RUnlock()
	maps.Copy(content, set)
	for _, at := range removed {
		delete(content, at)
	}
	path := filepath.Join(s.dir, databaseName)
	if s.damaged {
		aside, err := setAside(path, time.Now())
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		s.log.Warn("the database is written anew", "set aside", aside)
		s.damaged = false
	}
	db, err := createDatabase(path, content, &s.cost)
	if err != nil {
		return err
	}
	s.db = db
	clear(s.doubt)
	return nil
}

// publish lets Stats see what was counted.
func (s *Store) publish() {
	s.mu.Lock()
	s.stats = s.cost
	s.mu.Unlock()
}

// Pulse asks Run for a sign of life and returns how many it has given so far. A number that stands still from
// one call to the next says that a write hangs, or that Run does. A disk that answers with errors gives
// signs of life; they come a minute apart at most, as often as Run is tried again.
func (s *Store) Pulse() uint64 {
	s.wake()
	return s.turns.Load()
}

// Run saves each State that is shown to it: what people wished and who is in charge within a second,
// the list of decisions within a minute, what devices measured every quarter of an hour or along with
// something else. Newest only, nothing while nothing changes, one last time when ctx ends. If the
// disk fails it returns the error; the newest State is not forgotten, and the next Run saves it.
func (s *Store) Run(ctx context.Context, port gateway.Port) error {
	return s.keep(ctx, port)
}
