package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// inspect has its own idea of bbolt's format. Here it meets bbolt itself: many random changes, after
// each of which both must see the same, and nothing to complain about.
func TestInspectAgreesWithBbolt(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	path := filepath.Join(t.TempDir(), databaseName)
	var cost Stats
	db, err := createDatabase(path, nil, &cost)
	must(t, err)
	defer func() { db.bolt.Close() }()
	oracle := map[place]record{}
	for turn := range 150 {
		set, remove := randomChange(random, oracle)
		must(t, db.write(set, remove))
		if turn%30 == 29 {
			must(t, db.bolt.Close())
			db, err = openDatabase(path, &cost)
			must(t, err)
		}
		file, err := os.ReadFile(path)
		must(t, err)
		found := inspect(file)
		if len(found.faults) > 0 || len(found.lost) > 0 {
			t.Fatalf("turn %d: a whole file is called damaged: %v", turn, found.faults)
		}
		if !maps.EqualFunc(found.content, oracle, sameRecord) {
			t.Fatalf("turn %d: inspect sees %d values, written were %d", turn, len(found.content), len(oracle))
		}
	}
	must(t, db.bolt.View(func(tx *bbolt.Tx) error {
		for err := range tx.Check() {
			t.Error(err)
		}
		return nil
	}))
}

func sameRecord(a, b record) bool {
	return a.generation == b.generation && bytes.Equal(a.payload, b.payload)
}

// randomChange makes a change, mostly of small values, now and then of one that needs many pages, and
// keeps the oracle in step.
func randomChange(random *rand.Rand, oracle map[place]record) (set map[place]record, remove []place) {
	set = map[place]record{}
	for range 1 + random.IntN(12) {
		at := place{fmt.Sprint("bucket", random.IntN(5)), fmt.Sprint("key", random.IntN(120))}
		if random.IntN(4) == 0 {
			if _, ok := set[at]; !ok {
				remove = append(remove, at)
				delete(oracle, at)
			}
			continue
		}
		size := random.IntN(200)
		if random.IntN(15) == 0 {
			size = random.IntN(40_000)
		}
		r := record{random.Uint64(), bytes.Repeat([]byte{byte(size)}, size)}
		if len(remove) > 0 && remove[len(remove)-1] == at {
			remove = remove[:len(remove)-1]
		}
		set[at] = r
		oracle[at] = r
	}
	for _, at := range remove { // a change removes or sets, not both
		delete(set, at)
		delete(oracle, at)
	}
	return set, remove
}

// aFile returns the bytes of a database with small and large values, in several buckets, with pages of
// the past still in it.
func aFile(t testing.TB) ([]byte, map[place]record) {
	t.Helper()
	random := rand.New(rand.NewPCG(5, 6))
	path := filepath.Join(t.TempDir(), databaseName)
	var cost Stats
	db, err := createDatabase(path, nil, &cost)
	must(t, err)
	oracle := map[place]record{}
	for range 12 {
		set, remove := randomChange(random, oracle)
		must(t, db.write(set, remove))
	}
	must(t, db.bolt.Close())
	file, err := os.ReadFile(path)
	must(t, err)
	return file, oracle
}

func TestInspectNeverPassesAWrongValue(t *testing.T) {
	whole, oracle := aFile(t)
	random := rand.New(rand.NewPCG(7, 8))
	noticed := 0
	for trial := range 2500 {
		file, what := harm(random, whole)
		found := inspect(file)
		if len(found.faults) > 0 {
			noticed++
		}
		if len(found.faults) == 0 && !maps.EqualFunc(found.content, oracle, sameRecord) {
			t.Fatalf("trial %d: %s passes unnoticed", trial, what)
		}
	}
	if noticed < 600 {
		t.Errorf("only %d of 2500 damages were noticed: the trials do not hit", noticed)
	}
}

// harm returns a copy of a file with one damage.
func harm(random *rand.Rand, whole []byte) ([]byte, string) {
	file := bytes.Clone(whole)
	page := random.IntN(len(file)/pageSize) * pageSize
	switch random.IntN(6) {
	case 0:
		clear(file[page:][:pageSize])
		return file, fmt.Sprint("zeroed page ", page/pageSize)
	case 1:
		at := random.IntN(len(file)/512) * 512
		for i := range 512 {
			file[at+i] = byte(random.Uint32())
		}
		return file, fmt.Sprint("garbage in the sector at ", at)
	case 2:
		at := random.IntN(len(file))
		file[at] ^= 1 << random.IntN(8)
		return file, fmt.Sprint("a flipped bit in byte ", at)
	case 3:
		size := random.IntN(len(file))
		return file[:size], fmt.Sprint("cut to ", size)
	case 4: // an old or other page in its place, as a card does that mixes up its blocks
		from := random.IntN(len(file)/pageSize) * pageSize
		copy(file[page:][:pageSize], file[from:][:pageSize])
		return file, fmt.Sprintf("page %d instead of %d", from/pageSize, page/pageSize)
	default: // in the first bytes, where the structure is
		at := page + random.IntN(200)
		file[at] = byte(random.Uint32())
		return file, fmt.Sprint("another byte at ", at)
	}
}

// A page of the past that comes back has the right checksums and the right keys: only the seal tells.
func TestSealTellsThePastFromThePresent(t *testing.T) {
	path := filepath.Join(t.TempDir(), databaseName)
	var cost Stats
	db, err := createDatabase(path, nil, &cost)
	must(t, err)
	at := place{"vault/x", "token"}
	// Large enough for pages of its own.
	must(t, db.write(map[place]record{at: {1, bytes.Repeat([]byte("old "), 500)}}, nil))
	old, err := os.ReadFile(path)
	must(t, err)
	must(t, db.write(map[place]record{at: {2, bytes.Repeat([]byte("new "), 500)}}, nil))
	must(t, db.bolt.Close())
	now, err := os.ReadFile(path)
	must(t, err)

	// The header pages are those of the last change, all else is of the one before.
	mixed := append(bytes.Clone(now[:2*pageSize]), old[2*pageSize:]...)
	newer := inspect(now)
	if len(newer.faults) > 0 || newer.content[at].generation != 2 {
		t.Fatalf("%+v", newer)
	}
	if found := inspect(mixed); len(found.faults) == 0 {
		t.Errorf("old pages pass as new: %d", found.content[at].generation)
	}

	// Without its newer header page the file is that of the change before, which must be said.
	page := pageSize * int(headOf(now)%2)
	clear(now[page:][:pageSize])
	if found := inspect(now); len(found.faults) == 0 || found.content[at].generation != 1 {
		t.Errorf("half a header: faults %v, generation %d", found.faults, found.content[at].generation)
	}
}

// headOf returns the transaction of the newer header page.
func headOf(file []byte) uint64 {
	a := binary.LittleEndian.Uint64(file[pageHeader+48:])
	return max(a, binary.LittleEndian.Uint64(file[pageSize+pageHeader+48:]))
}

func FuzzInspect(f *testing.F) {
	whole, oracle := aFile(f)
	random := rand.New(rand.NewPCG(9, 9))
	f.Add(0, []byte{1})
	for range 20 {
		f.Add(random.IntN(len(whole)), []byte{byte(random.Uint32()), byte(random.Uint32())})
	}
	f.Add(len(whole)-1, []byte{})
	f.Fuzz(func(t *testing.T, at int, patch []byte) {
		file := bytes.Clone(whole)
		if at < 0 || at >= len(file) {
			return
		}
		if len(patch) == 0 {
			file = file[:at]
		}
		copy(file[at:], patch)
		found := inspect(file)
		if len(found.faults) == 0 && !maps.EqualFunc(found.content, oracle, sameRecord) {
			t.Errorf("%x at %d passes unnoticed", patch, at)
		}
	})
}

// FuzzInspectAnything lets the walker loose on files that are nothing at all.
func FuzzInspectAnything(f *testing.F) {
	whole, _ := aFile(f)
	f.Add(whole[:smallestFile])
	f.Fuzz(func(t *testing.T, data []byte) {
		file := append(bytes.Clone(whole[:2*pageSize]), data...)
		for len(file) < smallestFile {
			file = append(file, 0)
		}
		inspect(file)
	})
}

func TestInspectReadsWhatLiesOnTheDisk(t *testing.T) {
	dir := t.TempDir()
	s, _ := open(t, dir)
	defer s.Close()
	if err := s.Vault("a").Set("b", []byte("c")); err != nil {
		t.Fatal(err)
	}
	if size, faults := s.Inspect(); size < smallestFile || len(faults) > 0 {
		t.Errorf("of a whole one it says %d bytes, %q", size, faults)
	}
	path := filepath.Join(dir, databaseName)
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	clear(file[2*pageSize : 4*pageSize])
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, faults := s.Inspect(); len(faults) == 0 {
		t.Error("two pages are gone, and it says nothing")
	}
}
