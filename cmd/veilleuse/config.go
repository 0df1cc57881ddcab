package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"

	"github.com/veilleuse/veilleuse/adapters/clock"
	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

// Config is the one configuration. Every key has a default; README.md has a line for each.
type Config struct {
	State       string // folder of database, secrets, backups and the control socket
	Home        HomeConfig
	Netatmo     NetatmoConfig
	Uplink      UplinkConfig
	Clock       ClockConfig
	HomeKit     HomeKitConfig
	MQTT        MQTTConfig
	Web         WebConfig
	Backup      BackupConfig
	Ear         EarConfig
	Alarms      AlarmsConfig
	Guard       gateway.GuardPlan // against intruders
	Accessories []AccessoryConfig
	Profiles    []*mqtt.Profile // how kinds of devices speak over MQTT that are not known here
	Attached    []mqtt.Attached // relays, sensors and valves by MQTT, in the order of the file

	file string // where it was read; "": the defaults
}

// HomeConfig is what holds for the whole home.
type HomeConfig struct {
	ID         string  // Netatmo home; empty: the only one
	FrostGuard float64 // °C, floor that nothing undercuts
	Maximum    float64 // °C, cap that nothing exceeds
}

// NetatmoConfig is how the vendor's cloud is reached.
type NetatmoConfig struct {
	URL              string
	ClientID         string
	ClientSecretFile string
	BudgetPerHour    int // requests, people's commands included
}

// UplinkConfig is how the way to the vendor is judged.
type UplinkConfig struct {
	Witnesses []string // independent hosts that tell "internet" from "cloud"; nil: built-in ones
	Resolvers []string // name servers as host:port; empty: the system's
}

// ClockConfig is who is asked for the time while no time server keeps the machine's clock in step.
type ClockConfig struct {
	Servers []string // time servers (NTP); nil: the router; empty: none
	Dates   []string // web servers, asked for their Date over HTTPS; nil: built-in ones; empty: none
}

// HomeKitConfig is the bridge to the Home app.
type HomeKitConfig struct {
	Listen string
	Name   string
}

// WebConfig is the HTTP server.
type WebConfig struct{ Listen string }

// BackupConfig is how backups are kept.
type BackupConfig struct {
	KeyFile string // passphrase, or key of age; empty: backups are in clear, in the state folder only
	Second  string // another folder for them, best on another disk; empty: none
}

// EarConfig is the microphone that listens for sirens.
type EarConfig struct {
	Microphone string // ALSA device, or the path of a WAV or PCM file or pipe; empty: no ear
	Room       string // name of the room it stands in
}

// AccessoryConfig is one paired accessory that multicast does not find, or a hint about one.
type AccessoryConfig struct {
	ID      string // HomeKit id, as in AA:BB:CC:DD:EE:FF
	Address string // host:port
	Room    string // name or id of the room it stands in
	Siren   bool   // its switch is a siren
}

// embedded is the value of mqtt.broker for the broker inside.
const embedded = "embedded"

func defaults() Config {
	return Config{
		State:   "/var/lib/veilleuse",
		Home:    HomeConfig{FrostGuard: 7, Maximum: 28},
		Netatmo: NetatmoConfig{URL: "https://api.netatmo.com", BudgetPerHour: 120},
		HomeKit: HomeKitConfig{Listen: ":51826", Name: "Veilleuse"},
		MQTT:    MQTTConfig{Broker: embedded, Listen: "127.0.0.1:1883", Base: "veilleuse", Discovery: "homeassistant"},
		Web:     WebConfig{Listen: ":7007"},
		Alarms:  defaultAlarms(),
		Guard:   defaultGuard(),
	}
}

// places are where a configuration is looked for if none is named.
var places = []string{"veilleuse.yaml", "/etc/veilleuse/veilleuse.yaml"}

// loadConfig reads the file named, or the first of the usual places that exists, or the defaults;
// it says which in words.
func loadConfig(file string) (Config, string, error) {
	if file == "" {
		file = usualPlace()
	}
	if file == "" {
		c := defaults()
		c.State = usableState(c.State)
		return c, "defaults, as there is no ./veilleuse.yaml and no /etc/veilleuse/veilleuse.yaml", nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, "", fmt.Errorf("the configuration cannot be read: %w%s", err, asWhom(err))
	}
	c, faults := readConfig(file, text)
	if len(faults) > 0 {
		return Config{}, "", faultError(faults)
	}
	c.file = file
	return c, file, nil
}

// usualPlace is the first of the usual places that has a configuration; "" if none has. One that somebody may not read is
// there: in its stead a house of the reader's own would come into being, which nobody has asked for. Not so where somebody
// stands: the home of whoever says sudo -u veilleuse is closed to that user.
func usualPlace() string {
	for _, place := range places {
		if _, err := os.Stat(place); err == nil || errors.Is(err, fs.ErrPermission) && filepath.IsAbs(place) {
			return place
		}
	}
	return ""
}

// asWhom says who may do what was refused, if that is why it failed.
func asWhom(err error) string {
	if errors.Is(err, fs.ErrPermission) {
		return ": run this as the service's user, as in sudo -u veilleuse veilleuse status"
	}
	return ""
}

// usableState is the default state folder, or one in the person's own folder where that cannot be
// written: somebody who tries the program need not be root.
func usableState(folder string) string {
	if err := os.MkdirAll(folder, 0o700); err == nil {
		if probe, err := os.CreateTemp(folder, ".writable"); err == nil {
			probe.Close()
			os.Remove(probe.Name())
			return folder
		}
	}
	if own := os.Getenv("XDG_STATE_HOME"); own != "" {
		return filepath.Join(own, "veilleuse")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "veilleuse-state"
	}
	return filepath.Join(home, ".local", "state", "veilleuse")
}

// validate finds what no single key can tell.
func (c Config) validate() []string {
	var faults []string
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	if c.Home.Maximum <= c.Home.FrostGuard {
		fault("home.maximum is %g °C and must lie above home.frost_guard, %g °C", c.Home.Maximum, c.Home.FrostGuard)
	}
	if err := vendorURL(c.Netatmo.URL); err != nil {
		fault("netatmo.url: %v", err)
	}
	if c.Netatmo.ClientID != "" && c.Netatmo.ClientSecretFile == "" {
		fault("netatmo.client_secret_file is missing: netatmo.client_id needs the secret of the same application")
	}
	if c.Backup.Second != "" && c.Backup.KeyFile == "" {
		fault("backup.key_file is missing: backups in backup.second must be encrypted, for they hold tokens and pairing keys")
	}
	for _, err := range c.adapterFaults() {
		if !unreadable(err) {
			fault("%v", err)
		}
	}
	return faults
}

// adapterFaults asks those who will use the configuration; none of them touches the network for it.
func (c Config) adapterFaults() []error {
	var faults []error
	if err := uplinkOptions(c, outside{}).Check(); err != nil && vendorURL(c.Netatmo.URL) == nil {
		faults = append(faults, fmt.Errorf("uplink: %w", err))
	}
	if err := (clock.Options{Servers: c.Clock.Servers, Dates: c.Clock.Dates}).Check(); err != nil {
		faults = append(faults, fmt.Errorf("clock: %w", err))
	}
	if _, err := new(house).messages(c, slog.New(slog.DiscardHandler)); err != nil {
		faults = append(faults, err)
	}
	if _, err := cloudOptions(c, nil, nil); err != nil {
		faults = append(faults, err)
	}
	return faults
}

// fileFaults finds files that the configuration names and that cannot be read. The daemon starts all the same, without what
// needs them.
func (c Config) fileFaults() []string {
	var faults []string
	for _, err := range c.adapterFaults() {
		if unreadable(err) {
			faults = append(faults, fmt.Sprintf("%s: %v", c.file, err))
		}
	}
	return faults
}

// vendorURL refuses to send tokens over a line that others can read.
func vendorURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		return fmt.Errorf("%q is not a URL as in https://api.netatmo.com", text)
	}
	if u.Scheme != "https" && !(u.Scheme == "http" && onLoopback(u)) {
		return fmt.Errorf("%q is not safe for your tokens; use https:// (http:// only for a loopback address, for tests)", text)
	}
	return nil
}

func onLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
