package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What a card, an update or a hand does to a file beside the configuration stops what needs that file. The house starts, is
// read and steered, and says what is lacking.
func TestHouseStartsWithoutTheFilesOfOthers(t *testing.T) {
	l := live(t, true)
	l.status(t, "the house is up", func(r statusReport) bool { return len(r.Devices) > 0 })
	l.end(t)
	users := filepath.Join(filepath.Dir(l.config), "users")
	if err := os.WriteFile(users, []byte{0, 0, 0, 0}, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(l.config)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), "mqtt: {", "mqtt: {users_file: "+users+", ", 1)
	if err := os.WriteFile(l.config, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(l.config), "secret")); err != nil {
		t.Fatal(err)
	}
	code, _, complaint := said(t, "check", "-c", l.config)
	if code != exitNo || !strings.Contains(complaint, "mqtt.users_file: "+users+":1: ") || !strings.Contains(complaint, "netatmo.client_secret_file: open ") {
		t.Errorf("check gives %d, %q", code, complaint)
	}
	l.start(t, func(*house) {})
	parts := map[string]adapterReport{}
	l.status(t, "what is lacking is told, and accessories are read", func(r statusReport) bool {
		for _, one := range r.Adapters {
			parts[one.Name] = one
		}
		return parts["mqtt"].Why != "" && parts["netatmo"].Why != "" && parts["accessory"].Up && parts["homekit"].Up
	})
	for part, want := range map[string]string{"mqtt": "mqtt.users_file: ", "netatmo": "netatmo.client_secret_file: "} {
		if why := parts[part].Why; !strings.Contains(why, want) || !strings.Contains(why, "then restart veilleuse") {
			t.Errorf("%s: %q", part, why)
		}
	}
}
