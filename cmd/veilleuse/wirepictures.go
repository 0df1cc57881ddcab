package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/adapters/web/history"
)

// historyName is the file of the last 48 h, in the state folder.
const historyName = "history"

// pastFile is where the page keeps the last 48 h. It counts what that costs the card.
type pastFile struct {
	path           string
	bytes, flushes atomic.Uint64
}

// load reads the file; no bytes: there is none.
func (f *pastFile) load() ([]byte, error) {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, history.MostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.path, err)
	}
	return data, nil
}

// save puts a new file in its place.
func (f *pastFile) save(content []byte) error {
	if err := store.ReplaceFile(f.path, content); err != nil {
		return err
	}
	f.bytes.Add(uint64(len(content)))
	f.flushes.Add(2) // of the file and of the folder
	return nil
}

// pictures is what the page needs for its pictures.
func (h *house) pictures(c Config) web.Pictures {
	h.past = &pastFile{path: filepath.Join(c.State, historyName)}
	return web.Pictures{Load: h.past.load, Save: h.past.save}
}
