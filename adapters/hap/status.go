package hap

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// CharacteristicID names one characteristic of an accessory server.
type CharacteristicID struct {
	AID, IID uint64
}

// String writes the id as HAP requests do: "1.10".
func (id CharacteristicID) String() string { return fmt.Sprintf("%d.%d", id.AID, id.IID) }

// ParseCharacteristicID reads an id as HAP requests write it.
func ParseCharacteristicID(text string) (CharacteristicID, error) {
	aid, iid, ok := strings.Cut(text, ".")
	a, errA := strconv.ParseUint(aid, 10, 64)
	i, errI := strconv.ParseUint(iid, 10, 64)
	if !ok || errA != nil || errI != nil {
		return CharacteristicID{}, fmt.Errorf("%.40q is not a characteristic id such as 1.10", text)
	}
	return CharacteristicID{a, i}, nil
}

// Status is the outcome of one read, write or subscription (HAP R2 table 6-11). It is an error unless it is StatusOK.
type Status int

// Outcomes.
const (
	StatusOK             Status = 0
	StatusPrivileges     Status = -70401
	StatusUnreachable    Status = -70402
	StatusBusy           Status = -70403
	StatusReadOnly       Status = -70404
	StatusWriteOnly      Status = -70405
	StatusNoEvents       Status = -70406
	StatusOutOfResources Status = -70407
	StatusTimedOut       Status = -70408
	StatusNoSuch         Status = -70409
	StatusInvalidValue   Status = -70410
	StatusNotAuthorized  Status = -70411
	StatusNotAllowedNow  Status = -70412
)

var statusWords = map[Status]string{
	StatusOK:             "done",
	StatusPrivileges:     "refused for lack of privileges",
	StatusUnreachable:    "the device cannot be reached",
	StatusBusy:           "the device is busy",
	StatusReadOnly:       "the characteristic is read-only",
	StatusWriteOnly:      "the characteristic is write-only",
	StatusNoEvents:       "the characteristic gives no events",
	StatusOutOfResources: "the device is out of resources",
	StatusTimedOut:       "the device took too long",
	StatusNoSuch:         "there is no such characteristic",
	StatusInvalidValue:   "the value is invalid",
	StatusNotAuthorized:  "the write needs authorisation",
	StatusNotAllowedNow:  "not allowed in the present state",
	StatusSilent:         "the accessory did not answer for this one",
}

// Error is the status in words.
func (s Status) Error() string {
	if words, ok := statusWords[s]; ok {
		return fmt.Sprintf("%s (%d)", words, int(s))
	}
	return fmt.Sprintf("HomeKit status %d", int(s))
}

// Err is nil for StatusOK, else the status itself.
func (s Status) Err() error {
	if s == StatusOK {
		return nil
	}
	return s
}

// valueJSON is one entry of /characteristics in requests, responses and events; each uses some of the members.
type valueJSON struct {
	AID      uint64          `json:"aid"`
	IID      uint64          `json:"iid"`
	Value    json.RawMessage `json:"value,omitempty"`
	Events   *bool           `json:"ev,omitempty"`
	Status   *Status         `json:"status,omitempty"`
	AuthData string          `json:"authData,omitempty"`
	Remote   bool            `json:"remote,omitempty"`
	Response bool            `json:"r,omitempty"` // the writer wants the value that the write leads to
}

// valuesJSON is the body of /characteristics.
type valuesJSON struct {
	Characteristics []valueJSON `json:"characteristics"`
	PID             *uint64     `json:"pid,omitempty"` // of the timed write that these writes belong to
}

// prepareJSON is the body of /prepare, which announces a timed write.
type prepareJSON struct {
	TTL uint64 `json:"ttl"` // milliseconds
	PID uint64 `json:"pid"`
}
