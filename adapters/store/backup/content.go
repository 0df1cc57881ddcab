// Package backup makes and reads the one file that brings a house back on another machine, and keeps the last of
// them.
//
// The file holds every record of the database with its checksum, and the configuration with the files that it names.
// With a key it is encrypted in the format of age (https://age-encryption.org/v1), so that it can be opened without
// this program, too.
package backup

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
)

// Content is what a backup holds.
type Content struct {
	Made    time.Time     `json:"made"`
	Dated   bool          `json:"dated"`   // the clock could be believed when it was made
	Program string        `json:"program"` // version of the program that made it
	House   string        `json:"house"`   // the bridge's HomeKit id; two backups with the same one are of one house
	Home    string        `json:"home"`    // name for people; "" if not known
	Secrets int           `json:"secrets"` // pairings and sign-ins in it
	Values  []store.Value `json:"values"`
	Files   []File        `json:"files"`
}

// File is a file of the configuration.
type File struct {
	Role string `json:"role"` // the key of the configuration that names it; "" for the configuration itself
	Path string `json:"path"` // as it was named there
	Data []byte `json:"data"`
}

const (
	magic       = "veilleuse backup "
	version     = 1
	maxFile     = 64 << 20 // bytes
	sumLength   = 2 * sha256.Size
	sealedBegin = "age-encryption.org/"
)

// What is wrong with a file.
var (
	ErrDamaged = errors.New("the backup is damaged: it was cut off or changed after it was made")
	ErrForeign = errors.New("this is no backup of veilleuse, or its beginning is damaged")
	ErrNewer   = errors.New("the backup was made by a newer version of this program: install that one first")
)

// encode returns the file in clear: a line with version and checksum, then the packed content.
func (c Content) encode() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(packed.Bytes())
	return append(fmt.Appendf(nil, "%s%d %x\n", magic, version, sum), packed.Bytes()...), nil
}

// decode reads what encode wrote. It believes nothing that the checksum does not cover.
func decode(file []byte) (Content, error) {
	head, packed, ok := bytes.Cut(file[:min(len(file), maxFile)], []byte("\n"))
	words := strings.Fields(strings.TrimPrefix(string(head), magic))
	switch {
	case !bytes.HasPrefix(head, []byte(magic)):
		return Content{}, ErrForeign
	case !ok || len(words) != 2 || len(words[1]) != sumLength:
		return Content{}, ErrDamaged
	}
	if sum := sha256.Sum256(packed); words[1] != hex.EncodeToString(sum[:]) {
		return Content{}, ErrDamaged
	}
	if words[0] != fmt.Sprint(version) {
		return Content{}, ErrNewer
	}
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), store.MaxUnpacked+1))
	if err != nil {
		return Content{}, ErrDamaged
	}
	if len(data) > store.MaxUnpacked || store.Weight(data) > store.MaxWeight {
		return Content{}, fmt.Errorf("%w: it unpacks to more than any house has", ErrDamaged)
	}
	var c Content
	if err := json.Unmarshal(data, &c); err != nil {
		return Content{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return c, nil
}
