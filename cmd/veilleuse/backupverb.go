package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/gateway"
)

// packedBackup is the answer of a daemon that is asked for a backup's file.
type packedBackup struct {
	File   []byte `json:"file"`
	Sealed bool   `json:"sealed"`
}

// madeBackup is the answer of a daemon that has made one in its own places.
type madeBackup struct {
	Folder string `json:"folder"`
	Second string `json:"second,omitempty"`
	Fault  string `json:"fault,omitempty"` // why the second place has none
	Sealed bool   `json:"sealed"`
}

// backupVerb makes a backup now.
func backupVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("backup")
	rest, err := o.parseUpTo(args, 1)
	if err != nil {
		return err
	}
	if len(rest) == 0 {
		return backupHere(ctx, c, o)
	}
	var packed packedBackup
	err = o.ask(ctx, "GET", "/backup", nil, &packed, func(h *house) (err error) {
		packed, err = h.pack(time.Now(), false)
		return err
	})
	if err != nil {
		return err
	}
	if err := store.ReplaceFile(rest[0], packed.File); err != nil {
		return fmt.Errorf("write the backup: %w", err)
	}
	fmt.Fprintf(c.out, "%s holds the house, %s (%d bytes)\n", rest[0], inWhichForm(packed.Sealed), len(packed.File))
	return nil
}

func inWhichForm(sealed bool) string {
	if sealed {
		return "encrypted"
	}
	return "IN CLEAR, with tokens and pairing keys: keep it as you keep a key, or set backup.key_file"
}

// backupHere makes one in the usual places.
func backupHere(ctx context.Context, c console, o *options) error {
	var made madeBackup
	err := o.ask(ctx, "POST", "/backup", nil, &made, func(h *house) (err error) {
		made, err = h.makeBackup(time.Now(), false)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "a backup is in %s, %s\n", made.Folder, inWhichForm(made.Sealed))
	switch {
	case made.Fault != "":
		return fmt.Errorf("there is none in %s: %s", made.Second, made.Fault)
	case made.Second != "":
		fmt.Fprintf(c.out, "and in %s\n", made.Second)
	}
	return nil
}

func (h *house) pack(now time.Time, dated bool) (packedBackup, error) {
	file, sealed, err := h.backup.Pack(now, dated)
	return packedBackup{file, sealed}, err
}

func (h *house) makeBackup(now time.Time, dated bool) (madeBackup, error) {
	if err := h.backup.Make(now, dated); err != nil {
		return madeBackup{}, err
	}
	r := h.backup.Report()
	folder, err := filepath.Abs(r.Folder)
	return madeBackup{folder, r.Second.Folder, r.Second.Err, r.Sealed}, err
}

// backupRoutes are what the verb backup asks a running daemon.
func (c *control) backupRoutes(mux *http.ServeMux, port gateway.Port) {
	dated := func() bool {
		s := c.newest.Load()
		return s != nil && (s.Clock.Trust == gateway.TrustSynced || s.Clock.Trust == gateway.TrustHoldover)
	}
	mux.HandleFunc("GET /backup", answer(func(*http.Request) (any, error) {
		packed, err := c.house.pack(port.Now(), dated())
		if err == nil && len(packed.File) > longestAnswer/2 {
			err = errors.New("the backup is too large to be handed over: make it in its usual place, without FILE")
		}
		return packed, err
	}))
	mux.HandleFunc("POST /backup", answer(func(*http.Request) (any, error) { return c.house.makeBackup(port.Now(), dated()) }))
}
