package broker

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"sync/atomic"
	"time"
)

// What keeping retained messages may cost a memory card: 20 minutes between two writes, so that a day of the
// whole house stays below 500 flushes (the store has 320, this 144), longer if the file is large, so that a
// day costs two megabytes. A clean stop writes in any case.
const (
	archivePause = 20 * time.Minute
	archiveDaily = 2 << 20 // bytes a day, and the largest file
)

// archive keeps clients' retained messages in a file over restarts. What the process itself retains is not
// in there: it publishes that anew when it starts. After a power cut the last 20 minutes are missing.
type archive struct {
	path string
	log  *slog.Logger

	written time.Time // last
	size    int       // bytes of what was written last
	turn    uint64    // of the shelf, as it was written last
	trouble string    // last complaint

	bytes, flushes atomic.Uint64 // handed to the disk since the program was started
}

// kept is one message. Of the properties of MQTT 5, the end is kept alone.
type kept struct {
	Topic   string `json:"topic"`
	Payload []byte `json:"payload"`
	QoS     byte   `json:"qos,omitempty"`
	End     int64  `json:"end,omitempty"` // Unix seconds
}

const archiveHead = "veilleuse-retained 1 "

// load reads what was kept. A file that is damaged is set aside, once, and the broker starts empty.
func (a *archive) load() []kept {
	content, err := readArchive(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var all []kept
	if err == nil {
		all, err = decodeArchive(content)
	}
	if err != nil {
		aside := a.path + ".bad"
		a.log.Warn("MQTT broker has lost its retained messages", "why", err, "set aside as", aside,
			"err", errors.Join(os.Rename(a.path, aside)))
		return nil
	}
	a.size = len(content)
	return all
}

// readArchive reads no more than was ever written.
func readArchive(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, archiveDaily+1))
}

func encodeArchive(all []kept) ([]byte, error) {
	body, err := json.Marshal(all)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, "%s%08x\n", archiveHead, crc32.ChecksumIEEE(body)), body...), nil
}

func decodeArchive(content []byte) (all []kept, err error) {
	head, body, _ := bytes.Cut(content, []byte("\n"))
	if want := fmt.Sprintf("%s%08x", archiveHead, crc32.ChecksumIEEE(body)); string(head) != want {
		return nil, errors.New("the file is damaged, or of another version")
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return nil, fmt.Errorf("the file is damaged: %w", err)
	}
	return all, nil
}

// due reports whether a shelf of that turn is to be written now.
func (a *archive) due(turn uint64, now time.Time) bool {
	pause := max(archivePause, time.Duration(a.size)*(24*time.Hour/archiveDaily))
	return turn != a.turn && now.Sub(a.written) >= pause
}

// save writes messages so that the file is the old or the new one whenever the power fails. What is too
// much for a day is left out, the longest first.
func (a *archive) save(all []kept, turn uint64, now time.Time) {
	content, left, err := fitting(all)
	if err == nil {
		err = replaceFile(a.path, content)
	}
	a.written = now // also after a failure: a full disk is not asked every minute
	trouble := ""
	switch {
	case err != nil:
		trouble = err.Error()
	case left > 0:
		trouble = fmt.Sprintf("%d of %d retained messages are too much for the memory card: more than %d bytes", left, len(all), archiveDaily)
	}
	if trouble != "" && trouble != a.trouble {
		a.log.Warn("MQTT broker cannot keep all retained messages over a restart", "why", trouble)
	}
	a.trouble = trouble
	if err == nil {
		a.turn, a.size = turn, len(content)
		a.bytes.Add(uint64(len(content)))
		a.flushes.Add(2) // of the file and of the folder
	}
}

// fitting is the content of a file with as many messages as a day's share allows.
func fitting(all []kept) (content []byte, left int, err error) {
	sort.Slice(all, func(i, j int) bool {
		if a, b := len(all[i].Payload), len(all[j].Payload); a != b {
			return a < b
		}
		return all[i].Topic < all[j].Topic
	})
	room := archiveDaily - 64
	for i, k := range all {
		one, err := json.Marshal(k)
		if err != nil {
			return nil, 0, err
		}
		if room -= len(one) + 1; room < 0 {
			left = len(all) - i
			all = all[:i]
			break
		}
	}
	content, err = encodeArchive(all)
	return content, left, err
}

// replaceFile puts content in the place of a file: written beside it, flushed, renamed, folder flushed.
func replaceFile(path string, content []byte) error {
	beside := path + ".new"
	f, err := os.OpenFile(beside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(beside, path)
	}
	if err != nil {
		os.Remove(beside)
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
