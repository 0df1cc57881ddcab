package peers

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// homeAssistant is Home Assistant itself, as hass.py starts it.
type homeAssistant struct {
	t      *testing.T
	with   tools
	folder string
	broker string
	*stranger
}

// entity is what Home Assistant shows of one thing.
type entity struct {
	ID, Platform, Category, Device, By, Version, State string

	Attributes map[string]any
}

// text is an attribute as Home Assistant shows it; "": there is none.
func (e entity) text(attribute string) string {
	if v := e.Attributes[attribute]; v != nil {
		return fmt.Sprint(v)
	}
	return ""
}

func newHomeAssistant(t *testing.T, with tools, broker string) *homeAssistant {
	t.Helper()
	h := &homeAssistant{t: t, with: with, folder: t.TempDir(), broker: broker}
	host, port, _ := net.SplitHostPort(freeAddress(t))
	text := "homeassistant:\n  time_zone: Europe/Paris\nhttp:\n  server_host: " + host + "\n  server_port: " + port + "\nlogger:\n  default: warning\n"
	if err := os.WriteFile(filepath.Join(h.folder, "configuration.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return h
}

// start starts it and waits until it runs.
func (h *homeAssistant) start() (string, error) {
	began := time.Now()
	python := filepath.Join(h.with.folder, "homeassistant", "bin", "python3.14")
	h.stranger = startStranger(h.t, "hass.py", exec.Command(python, "hass.py", h.folder))
	_, err := h.await(5*patience, func(n news) bool { return n.News == "running" })
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, h.lastWords(20))
	}
	return seconds(time.Since(began)), nil
}

// connect adds the MQTT integration.
func (h *homeAssistant) connect() error {
	host, port, _ := net.SplitHostPort(h.broker)
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	return h.ask("broker", map[string]any{"host": host, "port": number}, nil)
}

// entities are all that came over MQTT, by unique id.
func (h *homeAssistant) entities() (map[string]entity, error) {
	var all map[string]entity
	err := h.ask("entities", nil, &all)
	return all, err
}

// act does what a tap on an entity does.
func (h *homeAssistant) act(unique, service string, with map[string]any) error {
	all, err := h.entities()
	if err != nil {
		return err
	}
	e, ok := all[unique]
	if !ok {
		return fmt.Errorf("there is no entity %s", unique)
	}
	data := map[string]any{"entity_id": e.ID}
	for k, v := range with {
		data[k] = v
	}
	return h.ask("act", map[string]any{"domain": e.Platform, "service": service, "data": data}, nil)
}

// shows waits until an entity fits.
func (h *homeAssistant) shows(limit time.Duration, unique string, fits func(entity) bool) (string, error) {
	took, err := until(limit, func() error {
		all, err := h.entities()
		if err != nil {
			return err
		}
		if e, ok := all[unique]; !ok || !fits(e) {
			return fmt.Errorf("%w: %s is there: %t, with state %q and %v", errNotYet, unique, ok, e.State, e.Attributes)
		}
		return nil
	})
	return seconds(took), err
}

// state waits for the state of an entity.
func (h *homeAssistant) state(unique, want string) (string, error) {
	return h.shows(patience, unique, func(e entity) bool { return e.State == want })
}

// ownTroubles are complaints that have nothing to do with us: how the test installed it, and that the machine is slow.
var ownTroubles = []string{"Skipping pip installation", "zlib_ng and isal are not available",
	"Waiting for integrations to complete setup", " is taking over ", "Updating state for "}

// faults is what it has complained of.
func (h *homeAssistant) faults() error {
	text, err := os.ReadFile(h.log)
	if err != nil {
		return err
	}
	var found []string
	for line := range strings.Lines(string(text)) {
		complains := strings.Contains(line, " WARNING ") || strings.Contains(line, " ERROR ")
		if complains && !slices.ContainsFunc(ownTroubles, func(own string) bool { return strings.Contains(line, own) }) {
			found = append(found, strings.TrimSpace(line))
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("%d complaints: %.1500s", len(found), strings.Join(found, "\n"))
	}
	return nil
}

// kinds is how Home Assistant ought to show a quantity: platform, device class, unit and state class in its
// own words.
var kinds = map[string][4]string{
	"temperature":     {"sensor", "temperature", "°C", "measurement"},
	"humidity":        {"sensor", "humidity", "%", "measurement"},
	"co2":             {"sensor", "carbon_dioxide", "ppm", "measurement"},
	"pressure":        {"sensor", "atmospheric_pressure", "hPa", "measurement"},
	"noise":           {"sensor", "sound_pressure", "dB", "measurement"},
	"rain":            {"sensor", "precipitation", "mm", "measurement"},
	"rain-today":      {"sensor", "precipitation", "mm", "total_increasing"},
	"wind":            {"sensor", "wind_speed", "km/h", "measurement"},
	"wind-angle":      {"sensor", "wind_direction", "°", "measurement_angle"},
	"battery":         {"sensor", "battery", "%", "measurement"},
	"co-level":        {"sensor", "carbon_monoxide", "ppm", "measurement"},
	"heating-request": {"sensor", "", "%", "measurement"},
	"smoke":           {"binary_sensor", "smoke", "", ""},
	"co":              {"binary_sensor", "carbon_monoxide", "", ""},
	"contact":         {"binary_sensor", "opening", "", ""},
	"motion":          {"binary_sensor", "motion", "", ""},
	"low-battery":     {"binary_sensor", "battery", "", ""},
	"fault":           {"binary_sensor", "problem", "", ""},
	"tampered":        {"binary_sensor", "tamper", "", ""},
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// sameState compares a state of Home Assistant, which is text, with a value of the house.
func sameState(state string, value any) bool {
	switch v := value.(type) {
	case bool:
		return state == onOff(v)
	case float64:
		n, err := strconv.ParseFloat(state, 64)
		return err == nil && n-v < 0.001 && v-n < 0.001
	}
	return state == fmt.Sprint(value)
}
