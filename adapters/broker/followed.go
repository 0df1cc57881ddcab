package broker

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

// followed is what some files say, read again when one of them has changed: a certificate renewed on disk
// and a user added need no restart. New words that cannot be understood are logged once and leave in force
// what held before.
type followed[T any] struct {
	files []string
	read  func() (T, error)
	value atomic.Pointer[T]

	mu    sync.Mutex
	stamp string // of the files as they were read last
}

// follow reads the files for the first time.
func follow[T any](read func() (T, error), files ...string) (*followed[T], error) {
	f := &followed[T]{files: files, read: read, stamp: stampOf(files)}
	value, err := read()
	f.value.Store(&value)
	return f, err
}

// now is what holds, without a look at the disk.
func (f *followed[T]) now() T { return *f.value.Load() }

// look reads the files again if they have changed, and reports whether something else holds now.
func (f *followed[T]) look(log *slog.Logger) (value T, changed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	stamp := stampOf(f.files)
	if stamp == f.stamp {
		return f.now(), false
	}
	f.stamp = stamp
	value, err := f.read()
	if err != nil {
		log.Warn("MQTT broker goes on with what it had read before", "why", err)
		return f.now(), false
	}
	log.Info("MQTT broker has read anew", "files", strings.Join(f.files, ", "))
	f.value.Store(&value)
	return value, true
}

// longestFile is how many bytes of a file of ours are read. A thousand users take 70 000.
const longestFile = 1 << 20

// readFile reads a whole file that a person has written, or says that it is too long.
func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, longestFile+1))
	if err == nil && len(content) > longestFile {
		err = fmt.Errorf("%s has more than %d bytes", name, longestFile)
	}
	return content, err
}

// stampOf changes with the files. Size and time are enough: nobody writes twice in a tick of the clock.
func stampOf(files []string) string {
	var all strings.Builder
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			fmt.Fprintf(&all, "%s: not there\n", file)
			continue
		}
		fmt.Fprintf(&all, "%s: %d bytes of %d\n", file, info.Size(), info.ModTime().UnixNano())
	}
	return all.String()
}
