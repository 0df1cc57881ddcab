package backup

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
)

// shelf is a folder with the backups of one house, which may lie among those of others.
type shelf struct {
	dir   string
	house string // part of the names
	own   bool   // nobody else has backups here: all count, also those of an identity that was given up
}

// item is one backup on a shelf. The number says which came later: a date is only as good as the clock was.
type item struct {
	name   string // of the file; "": not written yet
	number uint64
	at     time.Time // by the clock of the house when it was made
	dated  bool      // that clock could be believed
	sealed bool
}

const (
	clearSuffix  = ".backup"
	sealedSuffix = ".backup.age"
	leftSuffix   = ".new" // what a power cut leaves of a file that is being written
	undated      = "undated"
)

// nameOf is what a new backup's file is called, as in veilleuse-aabbccddeeff-000042-2026-11-23.backup.age.
func (s shelf) nameOf(i item) string {
	day, suffix := undated, clearSuffix
	if i.dated {
		day = i.at.UTC().Format(time.DateOnly)
	}
	if i.sealed {
		suffix = sealedSuffix
	}
	return fmt.Sprintf("veilleuse-%s-%06d-%s%s", s.house, i.number, day, suffix)
}

// readName tells from a file's name whose backup it is, and which.
func readName(name string) (house string, i item, ok bool) {
	stem, sealed := strings.CutSuffix(name, sealedSuffix)
	if !sealed {
		if stem, ok = strings.CutSuffix(name, clearSuffix); !ok {
			return "", item{}, false
		}
	}
	parts := strings.SplitN(stem, "-", 4)
	if len(parts) != 4 || parts[0] != "veilleuse" {
		return "", item{}, false
	}
	number, err := strconv.ParseUint(parts[2], 10, 64)
	return parts[1], item{name: name, number: number, dated: parts[3] != undated, sealed: sealed}, err == nil
}

// items lists the backups of this house in the order in which they were made. A folder that is not there holds none.
func (s shelf) items() ([]item, error) {
	entries, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var all []item
	for _, e := range entries {
		house, i, ok := readName(e.Name())
		if !ok || !s.own && house != s.house || !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil {
			i.at = info.ModTime()
		}
		all = append(all, i)
	}
	sort.Slice(all, func(i, j int) bool {
		if all[i].number != all[j].number {
			return all[i].number < all[j].number
		}
		return all[i].at.Before(all[j].at)
	})
	return all, nil
}

// put writes a backup, then takes away the oldest beyond that many.
func (s shelf) put(i item, file []byte, keep int) error {
	path := filepath.Join(s.dir, i.name)
	if err := store.ReplaceFile(path, file); err != nil {
		return err
	}
	if err := os.Chtimes(path, i.at, i.at); err != nil {
		return err
	}
	return s.thin(keep)
}

func (s shelf) thin(keep int) error {
	all, err := s.items()
	if err != nil {
		return err
	}
	for _, old := range all[:max(0, len(all)-keep)] {
		if err := os.Remove(filepath.Join(s.dir, old.name)); err != nil {
			return err
		}
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "veilleuse-"+s.house+"-*"+leftSuffix))
	for _, path := range left {
		err = errors.Join(err, os.Remove(path))
	}
	return err
}

// load reads one backup's file.
func (s shelf) load(i item) ([]byte, error) { return ReadFile(filepath.Join(s.dir, i.name)) }

// ReadFile reads a file that ought to be a backup.
func ReadFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: %w", path, ErrForeign)
	}
	return data, nil
}
