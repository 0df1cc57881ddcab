package main

import (
	"fmt"
	"io"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// storeReport is what was written to the disk since the start.
type storeReport struct {
	WrittenBytes uint64 `json:"written_bytes"`
	Flushes      uint64 `json:"flushes"`
	Damage       string `json:"damage,omitempty"` // what was found damaged at the start
}

// backupReport is how the backups stand.
type backupReport struct {
	Newest    time.Time    `json:"newest,omitzero"`
	AgeS      *int         `json:"age_s,omitempty"` // absent: there is none, or the clock could not be believed when it was made
	Kept      int          `json:"kept"`
	Encrypted bool         `json:"encrypted"`
	Folder    string       `json:"folder"`
	Why       string       `json:"why,omitempty"` // why the last one could not be made
	Second    *secondPlace `json:"second,omitempty"`
}

// justMade is how far a backup may be ahead of the State that is reported: it was made after it.
const justMade = time.Hour

type secondPlace struct {
	Folder   string    `json:"folder"`
	Newest   time.Time `json:"newest,omitzero"`
	SameDisk bool      `json:"same_disk,omitempty"`
	Why      string    `json:"why,omitempty"`
}

// reportDisk says what the disk bears and what is kept beside it.
func (h *house) reportDisk(s gateway.State) (*storeReport, *backupReport) {
	written, made := h.stored(), h.backup.Report()
	b := &backupReport{Newest: made.Newest, Kept: made.Kept, Encrypted: made.Sealed, Folder: made.Folder, Why: made.Err}
	if age := s.At.Sub(made.Newest); made.Dated && age > -justMade {
		seconds := int(max(age, 0).Seconds())
		b.AgeS = &seconds
	}
	if made.Second.Folder != "" {
		b.Second = &secondPlace{made.Second.Folder, made.Second.Newest, made.Second.SameDisk, made.Second.Err}
	}
	return &storeReport{written.Bytes, written.Flushes, h.store.Damage()}, b
}

func printDisk(out io.Writer, r statusReport) {
	if r.Store != nil {
		fmt.Fprintf(out, "disk: %.1f MB written since the start, flushed %d times\n", float64(r.Store.WrittenBytes)/1e6, r.Store.Flushes)
		if r.Store.Damage != "" {
			fmt.Fprintf(out, "disk: %s\n", r.Store.Damage)
		}
	}
	b := r.Backup
	if b == nil {
		return
	}
	switch {
	case b.Newest.IsZero():
		fmt.Fprint(out, "backup: none yet")
	case b.AgeS == nil:
		fmt.Fprintf(out, "backup: %d kept, the newest made while the time was not known", b.Kept)
	default:
		fmt.Fprintf(out, "backup: %s old, %d kept", ageOf(*b.AgeS), b.Kept)
	}
	if b.Encrypted {
		fmt.Fprint(out, ", encrypted")
	}
	if b.Why != "" {
		fmt.Fprintf(out, "; the last could not be made: %s", b.Why)
	}
	fmt.Fprintln(out)
	if second := b.Second; second != nil && second.Why != "" {
		fmt.Fprintf(out, "backup in %s: %s\n", second.Folder, second.Why)
	} else if second != nil && second.SameDisk {
		fmt.Fprintf(out, "backup in %s: on the same disk as the house, which helps little if that fails\n", second.Folder)
	}
}
