package store

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"

	"github.com/veilleuse/veilleuse/gateway"
)

// statePlace holds the lasting part of the State: compressed JSON, one value. Compressed, a house of 60
// devices takes two pages of the file in place of a dozen, whatever changed in it.
var statePlace = place{"state", "lasting"}

// maxLasting bounds what a stored value may unpack to, in bytes.
const maxLasting = 64 << 20

// pack returns the stored form of the lasting part. Equal parts give equal bytes.
func pack(l gateway.Lasting) ([]byte, error) {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.DefaultCompression)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(l)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// unpack reads what pack wrote.
func unpack(packed []byte) (gateway.Lasting, error) {
	data, err := inflate(packed, maxLasting)
	if err != nil {
		return gateway.Lasting{}, err
	}
	return gateway.ReadLasting(data)
}

// inflate returns the JSON that pack has packed, of at most that many bytes.
func inflate(packed []byte, most int) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("saved state is not readable: %w", err)
	}
	if len(data) > most {
		return nil, fmt.Errorf("saved state is not readable: more than %d bytes", most)
	}
	return data, nil
}

// Load returns the lasting part as it was last saved; found is false if nothing ever was. An error says
// that it is there and cannot be understood, as when a newer program wrote it: the house must not start
// on defaults then.
func (s *Store) Load() (lasting gateway.Lasting, found bool, err error) {
	r, ok := s.get(statePlace)
	if !ok {
		return gateway.Lasting{}, false, nil
	}
	lasting, err = unpack(r.payload)
	if err != nil {
		return gateway.Lasting{}, true, fmt.Errorf("%s: %w", s.dir, err)
	}
	s.understood.Store(true)
	return lasting, true, nil
}

// Save makes the lasting part of the State durable. Nothing is written if it is what the disk holds.
// A saved state that this program cannot read is not overwritten.
func (s *Store) Save(state gateway.State) error {
	return s.save(state, hourly)
}

func (s *Store) save(state gateway.State, copying due) error {
	if !s.understood.Load() {
		if _, _, err := s.Load(); err != nil {
			return fmt.Errorf("state is not saved over one that is not understood: %w", err)
		}
	}
	packed, err := pack(state.Lasting())
	if err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	if err := s.set(statePlace, packed, copying); err != nil {
		return fmt.Errorf("save state: %w", err)
	}
	return nil
}
