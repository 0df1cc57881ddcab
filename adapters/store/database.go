package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// sealPlace holds the seal; see there.
var sealPlace = place{"seal", "seal"}

// database is an open bbolt file. bbolt is asked to write only: what is stored is read once, by
// inspect, and held in memory from then on.
type database struct {
	bolt  *bbolt.DB
	path  string
	cost  *Stats
	stuck bool // broke off in the middle of something: its locks are held for ever
}

// boltOptions are the settings that cost the card least. Page size: on a kernel with 16 KiB pages
// (Raspberry Pi 5) a small write would cost 82 KB in place of 20. No list of free pages on disk: one
// page less for each write, and a damaged list cannot free what is in use; it is worked out from
// the tree when the file is opened.
func boltOptions() *bbolt.Options {
	return &bbolt.Options{
		Timeout:        lockPatience,
		PageSize:       pageSize,
		NoFreelistSync: true,
		FreelistType:   bbolt.FreelistMapType,
		MaxSize:        maxFile,
	}
}

// openDatabase opens a file that inspect has found whole. Should bbolt think otherwise, it panics.
func openDatabase(path string, cost *Stats) (d *database, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if broke := recover(); broke != nil {
			d, err = nil, fmt.Errorf("open %s: %w: %v", path, errBroken, broke)
		}
	}()
	bolt, err := bbolt.Open(path, 0o600, boltOptions())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return &database{bolt: bolt, path: path, cost: cost}, nil
}

// Try opens a database file as the store does and goes through all of it with bbolt, which may crash or hang over a
// file that is damaged in a way that nobody thought of. It is for a process of its own, and writes nothing.
func Try(path string) error {
	d, err := openDatabase(path, &Stats{})
	if err != nil {
		return err
	}
	tx, err := d.bolt.Begin(false)
	if err != nil {
		return errors.Join(err, d.close())
	}
	for fault := range tx.Check() {
		err = errors.Join(err, fault)
	}
	return errors.Join(err, tx.Rollback(), d.close())
}

// createDatabase puts a new file with that content in the place of path, whole or not at all: bbolt
// cannot take a power cut in the first moments of a file.
func createDatabase(path string, content map[place]record, cost *Stats) (*database, error) {
	temporary := path + temporarySuffix
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("create database: %w", err)
	}
	if err := fill(temporary, content, cost); err != nil {
		os.Remove(temporary)
		return nil, fmt.Errorf("create database: %w", err)
	}
	if err := moveInto(temporary, path); err != nil {
		return nil, fmt.Errorf("create database: %w", err)
	}
	cost.Flushes++ // of the folder
	return openDatabase(path, cost)
}

// fill makes a new database file. It writes twice, because only then do both of bbolt's header pages
// lead to something of ours.
func fill(path string, content map[place]record, cost *Stats) (err error) {
	d, err := openDatabase(path, cost)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	cost.Bytes += smallestFile
	cost.Flushes++
	if err := d.write(content, nil); err != nil {
		return err
	}
	return d.write(nil, nil)
}

// write stores and removes values in one transaction. It returns when they are durable. After
// [errBroken] this database must not be used again.
func (d *database) write(set map[place]record, remove []place) (err error) {
	// The file is mapped: a card that fails while a page of it is read is a memory fault.
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if broke := recover(); broke != nil {
			d.stuck = true
			err = fmt.Errorf("%w: %v", errBroken, broke)
		}
	}()
	before, size := d.bolt.Stats(), d.size()
	tx, err := d.bolt.Begin(true)
	if err != nil {
		return err
	}
	// Not db.Update: that one rolls back after a panic, and walks the broken file to do so, in a
	// goroutine whose fault nobody can catch.
	if err := change(tx, set, remove); err != nil {
		return errors.Join(err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		if errors.Is(err, syscall.EIO) { // what else was to be flushed may be lost too
			return fmt.Errorf("%w: %w", errBroken, err)
		}
		return err
	}
	d.count(before, size)
	return nil
}

// close closes the file, unless that would wait for ever.
func (d *database) close() error {
	if d == nil || d.stuck {
		return nil
	}
	return d.bolt.Close()
}

var errBroken = errors.New("the database broke")

func change(tx *bbolt.Tx, set map[place]record, remove []place) error {
	for _, at := range remove {
		if bucket := tx.Bucket([]byte(at.bucket)); bucket != nil {
			if err := bucket.Delete([]byte(at.key)); err != nil {
				return err
			}
		}
	}
	for at, r := range set {
		if err := put(tx, at, r.encode(at)); err != nil {
			return err
		}
	}
	total, err := sealOf(tx)
	if err != nil {
		return err
	}
	return put(tx, sealPlace, record{payload: total.encode()}.encode(sealPlace))
}

func put(tx *bbolt.Tx, at place, data []byte) error {
	bucket, err := tx.CreateBucketIfNotExists([]byte(at.bucket))
	if err != nil {
		return err
	}
	return bucket.Put([]byte(at.key), data)
}

// sealOf sums up everything as it will be after the transaction.
func sealOf(tx *bbolt.Tx) (seal, error) {
	total := seal{transaction: uint64(tx.ID())}
	err := tx.ForEach(func(name []byte, bucket *bbolt.Bucket) error {
		if string(name) == sealPlace.bucket {
			return nil
		}
		return bucket.ForEach(func(key, data []byte) error {
			total.add(place{string(name), string(key)}, data)
			return nil
		})
	})
	return total, err
}

// count adds what the last transaction handed to the disk: its pages, flushed, then a header page,
// flushed, and one flush more if the file had to grow.
func (d *database) count(before bbolt.Stats, size int64) {
	now := d.bolt.Stats()
	d.cost.Bytes += uint64(now.TxStats.GetPageAlloc()-before.TxStats.GetPageAlloc()) + pageSize
	d.cost.Flushes += 2
	d.cost.Writes++
	if d.size() != size {
		d.cost.Flushes++
	}
}

func (d *database) size() int64 {
	info, err := os.Stat(d.path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// setAside keeps the damaged file at path for people who want to look at it, under a name with that
// day. Only one is kept: they may be large, and the newest holds most.
func setAside(path string, day time.Time) (string, error) {
	aside := path + ".bad-" + day.Format(time.DateOnly)
	older, err := filepath.Glob(path + ".bad-*")
	if err != nil {
		return "", err
	}
	for _, name := range older {
		if err := os.Remove(name); err != nil {
			return "", fmt.Errorf("set the damaged database aside: %w", err)
		}
	}
	// A second name rather than a new one: should the power fail now, the file is still found.
	if err := os.Link(path, aside); err == nil {
		return aside, nil
	}
	if err := os.Rename(path, aside); err != nil {
		return "", fmt.Errorf("set the damaged database aside: %w", err)
	}
	return aside, nil
}

// newest returns, of two contents, for each place the newer value.
func newest(a, b map[place]record) map[place]record {
	all := make(map[place]record, len(a))
	maps.Copy(all, a)
	for at, r := range b {
		if have, ok := all[at]; !ok || r.generation > have.generation {
			all[at] = r
		}
	}
	return all
}
