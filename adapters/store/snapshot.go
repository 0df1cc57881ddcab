package store

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"path/filepath"
	"time"
)

// snapshot is the small copy beside the database that it is rebuilt from if it should be damaged: one
// JSON file with a checksum, which needs no bbolt to be read.
type snapshot struct {
	written time.Time
	content map[place]record
}

const (
	snapshotKind    = "veilleuse snapshot"
	snapshotVersion = 1
)

// snapshotFile is the file's form. CRC is over version, time and the bytes of Values, which has no
// white space.
type snapshotFile struct {
	Kind    string          `json:"kind"`
	Version int             `json:"version"`
	Written time.Time       `json:"written"`
	CRC     string          `json:"crc32c"`
	Values  json.RawMessage `json:"values"`
}

// snapshotValues maps bucket and key to a value.
type snapshotValues map[string]map[string]snapshotValue

type snapshotValue struct {
	Generation uint64 `json:"generation"`
	Data       []byte `json:"data"`
}

func (f snapshotFile) sum() string {
	head := fmt.Sprintf("%d %s ", f.Version, f.Written.Format(time.RFC3339Nano))
	sum := crc32.Update(crc32.Checksum([]byte(head), castagnoli), castagnoli, f.Values)
	return fmt.Sprintf("%08x", sum)
}

// encode returns the file's bytes.
func (s snapshot) encode() ([]byte, error) {
	values := snapshotValues{}
	for at, r := range s.content {
		if values[at.bucket] == nil {
			values[at.bucket] = map[string]snapshotValue{}
		}
		values[at.bucket][at.key] = snapshotValue{r.generation, r.payload}
	}
	raw, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	file := snapshotFile{Kind: snapshotKind, Version: snapshotVersion, Written: s.written.UTC(), Values: raw}
	file.CRC = file.sum()
	return json.Marshal(file)
}

// decodeSnapshot reads what encode wrote.
func decodeSnapshot(data []byte) (snapshot, error) {
	var file snapshotFile
	if err := json.Unmarshal(data, &file); err != nil {
		return snapshot{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	if file.Kind != snapshotKind || file.CRC != file.sum() {
		return snapshot{}, fmt.Errorf("%w: its checksum is wrong", errDamaged)
	}
	if file.Version > snapshotVersion {
		return snapshot{}, errNewer
	}
	var values snapshotValues
	if err := json.Unmarshal(file.Values, &values); err != nil {
		return snapshot{}, fmt.Errorf("%w: %w", errDamaged, err)
	}
	s := snapshot{written: file.Written, content: map[place]record{}}
	for bucket, entries := range values {
		for key, value := range entries {
			s.content[place{bucket, key}] = record{value.Generation, value.Data}
		}
	}
	return s, nil
}

// readSnapshot returns the copy in that folder, and whether there is one at all.
func readSnapshot(dir string) (s snapshot, found bool, err error) {
	data, found, err := readWhole(filepath.Join(dir, snapshotName), maxFile)
	if err != nil || !found {
		return snapshot{}, found, err
	}
	s, err = decodeSnapshot(data)
	return s, true, err
}

// due says whether and when the snapshot is to be written.
type due int

const (
	never due = iota
	hourly
	soon
)

// remind notes that the snapshot is to be written.
func (s *Store) remind(when due) {
	if when == never {
		return
	}
	s.mu.Lock()
	s.copyDue = max(s.copyDue, when)
	s.mu.Unlock()
	s.wake()
}

// wake makes Run look at what is due.
func (s *Store) wake() {
	select {
	case s.poke <- struct{}{}:
	default: // Run will look anyway
	}
}

func (s *Store) copyNeed() due {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.copyDue
}

// copyNow writes the snapshot if it is due at all.
func (s *Store) copyNow() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.copyNeed() == never || s.closed {
		return nil
	}
	defer s.publish()
	s.mu.RLock()
	data, err := snapshot{time.Now(), s.content}.encode()
	held := make(map[place]bool, len(s.content))
	for at := range s.content {
		held[at] = true
	}
	s.mu.RUnlock()
	if err == nil {
		err = ReplaceFile(filepath.Join(s.dir, snapshotName), data)
	}
	if err != nil {
		return fmt.Errorf("write the snapshot: %w", err)
	}
	s.cost.Bytes += uint64(len(data))
	s.cost.Flushes += 2 // of the file, of the folder
	s.mu.Lock()
	s.copied, s.copyDue = held, never
	s.mu.Unlock()
	return nil
}
