package main

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/veilleuse/veilleuse/gateway"
)

// maskOf is a mask that knows this house.
func (h *house) maskOf(s gateway.State, facts doctorFacts, names bool) *mask {
	m := newMask(h.pseudonymKey(), s, names)
	bridges, _ := h.bridge.Bridges() // why there are none, status says
	m.knows("", "", untyped(s.Lasting()))
	for _, devices := range []any{facts.Paired, facts.Found, bridges} {
		m.knows("device", "", untyped(devices))
	}
	host, _ := os.Hostname()
	folder, _ := os.UserHomeDir()
	m.learn("host", host, host)
	m.learn("folder", folder, strings.TrimRight(folder, "/"))
	m.values(untyped(h.config), untyped(defaults()))
	return m
}

// untyped is a value as its JSON says it. What cannot be written as JSON says nothing.
func untyped(value any) (all any) {
	text, _ := json.Marshal(value) // it is made of plain data
	_ = json.Unmarshal(text, &all)
	return all
}

// knows learns the ids and names in a value that was JSON. kind is what it tells of and thing the id of that, as far as they
// are known; "" for what tells of nothing in particular.
func (m *mask) knows(kind, thing string, value any) {
	switch value := value.(type) {
	case string:
		if kind != "" {
			m.learn(kind, m.thing(value), value)
		}
	case []any:
		for _, v := range value {
			m.knows(kind, thing, v)
		}
	case map[string]any:
		m.knowsObject(kind, thing, value)
	}
}

// knowsObject learns what the fields of an object say. In a table the fields are ids themselves.
func (m *mask) knowsObject(kind, thing string, fields map[string]any) {
	text := func(field string) string { s, _ := fields[field].(string); return s }
	name := text("name") + text("Name")
	if id := cmp.Or(text("device"), text("id"), text("ID")); id != "" {
		thing = m.thing(id)
	} else if fields["id"] != nil { // a number: of a zone
		thing = name
	}
	if text("device") != "" {
		kind = "device"
	}
	m.name(kind, thing, name)
	for field, v := range fields {
		switch of := kindOf(field); {
		case of != "":
			m.knows(of, thing, v)
		case field == "id" || field == "ID" || field == "Address" || field == "address":
			m.learn(kind, thing, text(field))
		case field == "Room": // the name that somebody has given
			m.name("room", text(field), text(field))
		case field != "name" && field != "Name":
			if _, word := v.(string); !word {
				m.knows(kind, field, v)
			}
		}
	}
}

// kindOf is what a field's value tells of.
func kindOf(field string) string {
	switch field {
	case "home", "room", "device", "schedule":
		return field
	case "rooms", "devices", "schedules", "zones":
		return strings.TrimSuffix(field, "s")
	case "also", "bridge":
		return "device"
	}
	return ""
}

// thing is the device that goes by an id, or else the id.
func (m *mask) thing(id string) string {
	if d, ok := m.state.Device(gateway.DeviceID(id)); ok {
		return string(d.ID)
	}
	return id
}

// pseudonymKey is the key of this house's pseudonyms. It is drawn once; if it cannot be kept, those of this bundle are its own.
func (h *house) pseudonymKey() []byte {
	vault := h.store.Vault("bundle")
	key, err := vault.Get("pseudonyms")
	if errors.Is(err, fs.ErrNotExist) {
		key = []byte(rand.Text())
		if err := vault.Set("pseudonyms", key); err != nil {
			h.log.Warn("the pseudonyms of the bundle are for this one alone", "err", err)
		}
	}
	return key
}

// choices are what a configuration may say in words of our own.
const choices = " all away boiler electric embedded floor homekit homie light mqtt night page plain radiator relay run sensor shelly sound stay tasmota tell valve zigbee2mqtt "

// values learns every text of a configuration that the user has put in the place of what is usual.
func (m *mask) values(given, usual any) {
	switch given := given.(type) {
	case map[string]any:
		like, _ := usual.(map[string]any)
		for k, v := range given {
			m.values(v, like[k])
		}
	case []any:
		for _, v := range given {
			m.values(v, nil)
		}
	case string:
		if given != usual && !strings.Contains(choices, " "+given+" ") {
			m.spell("text", given, given, withinQuotes(given))
			m.learn("host", hostIn(given), hostIn(given))
		}
	}
}

// hostIn is the name of the computer in an address or a URL; an address of numbers any text shows by its shape.
func hostIn(text string) string {
	host, _, err := net.SplitHostPort(text)
	if u, wrong := url.Parse(text); err != nil && wrong == nil {
		host = u.Hostname()
	}
	if net.ParseIP(host) != nil {
		return ""
	}
	return host
}
