package hap

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Reading is the outcome for one characteristic of a read, a write or a subscription, or one value of an event.
type Reading struct {
	ID     CharacteristicID
	Value  json.RawMessage // nil where there is none; see BoolOf, NumberOf, TextOf
	Status Status          // why there is no value, or why the write did not happen
}

// Write is a value to be written.
type Write struct {
	ID    CharacteristicID
	Value json.RawMessage
}

// StatusSilent is our own word for a characteristic that the accessory left out of its answer.
const StatusSilent Status = -1

// idsPerRequest keeps requests small enough for devices with short buffers (aiohomekit uses 49).
const idsPerRequest = 49

// Read reads characteristics and returns one Reading for each, in the order asked. One that fails does not fail the
// others: look at each Status.
func (s *Session) Read(ctx context.Context, ids ...CharacteristicID) ([]Reading, error) {
	var all []Reading
	for part := range slices.Chunk(ids, idsPerRequest) {
		names := make([]string, len(part))
		for i, id := range part {
			names[i] = id.String()
		}
		target := "/characteristics?id=" + strings.Join(names, ",")
		answer, err := s.request(ctx, http.MethodGet, target, "", nil)
		if err != nil {
			return nil, err
		}
		readings, err := match(part, http.MethodGet, "/characteristics", answer, StatusSilent)
		if err != nil {
			return nil, err
		}
		all = append(all, readings...)
	}
	return all, nil
}

// Write writes values in one request and returns one Reading for each, in their order. Their Status says which of them
// happened.
func (s *Session) Write(ctx context.Context, writes ...Write) ([]Reading, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	defer s.giveTurn()
	return s.put(ctx, writes, nil)
}

// TimedWrite is Write for characteristics that demand PermTimedWrite: the accessory is told first, and drops the write
// if it does not follow within ttl.
func (s *Session) TimedWrite(ctx context.Context, ttl time.Duration, writes ...Write) ([]Reading, error) {
	if ttl < time.Millisecond {
		return nil, errors.New("a timed write needs a time of at least one millisecond")
	}
	if err := s.takeTurn(ctx); err != nil {
		return nil, fmt.Errorf("timed write: %w", err)
	}
	defer s.giveTurn()
	pid, err := drawPID()
	if err != nil {
		return nil, err
	}
	if err := s.prepare(ctx, ttl, pid); err != nil {
		return nil, err
	}
	return s.put(ctx, writes, &pid)
}

// drawPID returns an id for a timed write that JavaScript can represent, too.
func drawPID() (uint64, error) {
	var raw [8]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return 0, fmt.Errorf("draw timed write id: %w", err)
	}
	return binary.LittleEndian.Uint64(raw[:])>>11 | 1, nil
}

func (s *Session) prepare(ctx context.Context, ttl time.Duration, pid uint64) error {
	body, err := json.Marshal(prepareJSON{TTL: uint64(ttl.Milliseconds()), PID: pid})
	if err != nil {
		return err
	}
	answer, err := s.roundTrip(ctx, http.MethodPut, "/prepare", contentJSON, body)
	if err != nil {
		return err
	}
	var outcome struct {
		Status Status `json:"status"`
	}
	if err := json.Unmarshal(answer.body, &outcome); answer.status != http.StatusOK || err != nil || outcome.Status != StatusOK {
		return statusError(http.MethodPut, "/prepare", answer)
	}
	return nil
}

// put belongs to who has the turn.
func (s *Session) put(ctx context.Context, writes []Write, pid *uint64) ([]Reading, error) {
	wire := valuesJSON{PID: pid}
	var ids []CharacteristicID
	for _, write := range writes {
		if !json.Valid(write.Value) {
			return nil, fmt.Errorf("write %s: %.40q is no JSON value", write.ID, write.Value)
		}
		wire.Characteristics = append(wire.Characteristics, valueJSON{AID: write.ID.AID, IID: write.ID.IID, Value: write.Value})
		ids = append(ids, write.ID)
	}
	return s.putValues(ctx, ids, wire)
}

func (s *Session) putValues(ctx context.Context, ids []CharacteristicID, wire valuesJSON) ([]Reading, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	body, err := json.Marshal(wire)
	if err != nil {
		return nil, fmt.Errorf("write values: %w", err)
	}
	answer, err := s.roundTrip(ctx, http.MethodPut, "/characteristics", contentJSON, body)
	if err != nil {
		return nil, err
	}
	return match(ids, http.MethodPut, "/characteristics", answer, StatusOK)
}

// Subscribe asks for events of the characteristics and returns one Reading for each, in the order asked; their Status
// says which of them will give events. Subscriptions end with the session.
func (s *Session) Subscribe(ctx context.Context, ids ...CharacteristicID) ([]Reading, error) {
	on := true
	var all []Reading
	for part := range slices.Chunk(ids, idsPerRequest) {
		var wire valuesJSON
		for _, id := range part {
			wire.Characteristics = append(wire.Characteristics, valueJSON{AID: id.AID, IID: id.IID, Events: &on})
		}
		if err := s.takeTurn(ctx); err != nil {
			return nil, fmt.Errorf("subscribe: %w", err)
		}
		readings, err := s.putValues(ctx, part, wire)
		s.giveTurn()
		if err != nil {
			return nil, err
		}
		all = append(all, readings...)
	}
	return all, nil
}

// match finds the outcome of each id in the answer. missing is the status of one that the answer does not name: after a
// write that means success, since devices list only what failed.
func match(ids []CharacteristicID, method, target string, answer response, missing Status) ([]Reading, error) {
	var found []Reading
	if answer.status != http.StatusNoContent && len(answer.body) > 0 {
		var err error
		if found, err = decodeReadings(answer.body); err != nil && answer.status < 300 {
			return nil, err
		}
	}
	failed := answer.status >= 300
	if failed && len(found) == 0 {
		return nil, statusError(method, target, answer)
	}
	if failed {
		missing = StatusSilent
	}
	byID := map[CharacteristicID][]Reading{}
	for _, reading := range found {
		byID[reading.ID] = append(byID[reading.ID], reading)
	}
	readings := make([]Reading, len(ids))
	for i, id := range ids {
		readings[i] = Reading{ID: id, Status: missing}
		if answers := byID[id]; len(answers) > 0 {
			readings[i] = answers[0]
			byID[id] = answers[min(1, len(answers)-1):] // one asked twice may be answered twice, or once for both
		}
	}
	return readings, nil
}
