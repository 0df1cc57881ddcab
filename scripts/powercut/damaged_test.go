package powercut

import (
	"flag"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

var damages = flag.Int("powercut.damages", 20, "damaged databases on which the program is started")

// TestDamaged starts the program on databases that were damaged: a zeroed page, a sector of garbage, a flipped bit, a
// tail that was cut off; with and without the snapshot beside it. It has to be up in time whatever it finds, and to say
// what it misses. That no value is silently wrong is shown by the trials of adapters/store, which know them all.
func TestDamaged(t *testing.T) {
	program := needTools(t)
	whole := aPast(t)
	random := rand.New(rand.NewPCG(*seed, 31))
	r := result{harness: "the program starts on a damaged database"}
	for range *damages {
		r.trials++
		files := maps.Clone(whole)
		files["/veilleuse.db"] = harm(random, whole["/veilleuse.db"])
		if random.IntN(2) == 0 {
			delete(files, "/veilleuse.snapshot.json")
		}
		var s story
		startProgram(t, program, files, &s)
		r.add(s)
		if s.hangs != "" {
			tell(t, r, s)
		}
	}
	r.print()
	if r.hung > 0 {
		t.Errorf("it was not up in time after %d of them", r.hung)
	}
	if r.damaged < r.trials/10 {
		t.Errorf("only %d of %d said that something was damaged: this shows nothing", r.damaged, r.trials)
	}
}

// aPast is what a life leaves behind that was ended well: its files.
func aPast(t *testing.T) map[string][]byte {
	t.Helper()
	folder := t.TempDir()
	l, err := wakeUp(folder)
	if err != nil {
		t.Fatal(err)
	}
	const length = 100
	for n := 1; n <= length; n++ {
		if err := l.change(n); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.store.Close(); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, name := range []string{"/veilleuse.db", "/veilleuse.snapshot.json"} {
		if files[name], err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// harm returns a file with one damage in it.
func harm(random *rand.Rand, whole []byte) []byte {
	const page = 4096
	file := slices.Clone(whole)
	switch random.IntN(4) {
	case 0:
		clear(file[random.IntN(len(file)/page)*page:][:page])
	case 1:
		garbage := file[random.IntN(len(file)/sector)*sector:][:sector]
		for i := range garbage {
			garbage[i] = byte(random.Uint32())
		}
	case 2:
		file[random.IntN(len(file))] ^= 1 << random.IntN(8)
	default:
		file = file[:random.IntN(len(file))]
	}
	return file
}
