package hap

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
)

const configurationKey = "configuration"

// configuration is the number by which controllers know whether to read the accessories again (HAP R2 table 6-7).
type configuration struct {
	Number int    `json:"number"` // 1..65535
	Layout string `json:"layout"` // fingerprint of the database that has this number
}

func loadConfiguration(store Store) (configuration, error) {
	blob, err := store.Get(configurationKey)
	if errors.Is(err, ErrNotFound) {
		return configuration{}, nil
	}
	if err != nil {
		return configuration{}, fmt.Errorf("read HomeKit configuration number: %w", err)
	}
	var c configuration
	if err := json.Unmarshal(blob, &c); err != nil {
		return configuration{}, fmt.Errorf("read HomeKit configuration number: %w", err)
	}
	return c, nil
}

// raise takes the next number for another layout; after 65535 comes 1.
func (c *configuration) raise(layout string) bool {
	if c.Layout == layout {
		return false
	}
	c.Layout = layout
	c.Number++
	if c.Number < 1 || c.Number > 65535 {
		c.Number = 1
	}
	return true
}

func (c configuration) save(store Store) error {
	blob, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("store configuration number: %w", err)
	}
	if err := store.Set(configurationKey, blob); err != nil {
		return fmt.Errorf("store configuration number: %w", err)
	}
	return nil
}

// RaiseConfiguration moves the configuration number on by so many, from least if that is greater. It is for a store that
// was brought back from the past: controllers may have seen numbers since that it knows nothing of, and would go on
// with the accessories that they kept under one of those. A store without a number is left alone.
func RaiseConfiguration(store Store, least, by int) error {
	c, err := loadConfiguration(store)
	if err != nil || c.Number == 0 {
		return err
	}
	c.Number = (max(c.Number, least)+by-1)%65535 + 1
	return c.save(store)
}

// ConfigurationNumber is the number that a store holds; 0 if it has none.
func ConfigurationNumber(store Store) (int, error) {
	c, err := loadConfiguration(store)
	return c.Number, err
}

func (s *Server) currentConfiguration() configuration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.configuration
}

// txtFixed are the members of the TXT record that no server of ours changes.
var txtFixed = map[string]string{
	"pv": "1.1", // protocol version
	"s#": "1",   // state number, always 1 over IP
	"ff": "0",   // no MFi chip
}

// TXT is the record to announce by mDNS for `_hap._tcp` (HAP R2 table 6-7), a map of its own for each caller.
func (s *Server) TXT() map[string]string {
	identity := s.options.Identity
	txt := maps.Clone(txtFixed)
	txt["id"] = identity.DeviceID
	txt["md"] = s.options.Model
	txt["ci"] = strconv.Itoa(s.options.Category)
	txt["sh"] = SetupHash(identity.SetupID, identity.DeviceID)
	txt["c#"] = strconv.Itoa(max(1, s.currentConfiguration().Number))
	txt["sf"] = "1"
	if s.Paired() {
		txt["sf"] = "0"
	}
	return txt
}

// SetupURI is the content of the QR code that the Home app scans to pair this server.
func (s *Server) SetupURI() string {
	identity := s.options.Identity
	return SetupURI(s.options.Category, identity.SetupCode, identity.SetupID)
}
