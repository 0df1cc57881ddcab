package peers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// house is the program under test with a configuration and a state folder of its own.
type house struct {
	t      *testing.T
	with   tools
	folder string
	config string
	mqtt   string // host:port of the broker that it uses
	page   string // host:port of the page
	ntp    bool
	inside *network // where the program runs; nil: where the test does

	embedded bool // the broker is its own
	*process
}

// settings are what differs between the houses of the tests.
type settings struct {
	broker      string // host:port of Mosquitto; "": the embedded one
	cloud       string // URL of the vendor; "": nobody
	witness     string // host:port that shows that the internet is there
	accessories []string
	more        string // of the configuration, at its end: without the two above, more of mqtt
	secure      bool   // the broker speaks TLS
	homekit     string // host:port of the bridge; "": a free one of this machine alone
	inside      *network
	ntp         bool // let the program see that a time server keeps the machine's clock in step
}

// newHouse writes a configuration; start starts the program.
func newHouse(t *testing.T, with tools, s settings) *house {
	t.Helper()
	h := &house{t: t, with: with, folder: t.TempDir(), mqtt: s.broker, page: freeAddress(t), ntp: s.ntp, inside: s.inside}
	broker := "  broker: mqtt://" + s.broker + "\n"
	if s.secure {
		broker = "  broker: mqtts://" + s.broker + "\n"
	}
	if s.broker == "" {
		h.mqtt, h.embedded = freeAddress(t), true
		broker = "  broker: embedded\n  listen: " + h.mqtt + "\n"
	}
	if s.homekit == "" {
		s.homekit = "127.0.0.1:0"
	}
	if s.cloud == "" {
		s.cloud = "http://" + freeAddress(t)
	}
	text := "state: " + filepath.Join(h.folder, "state") + "\n" +
		"netatmo:\n  url: " + s.cloud + "\n  client_id: client\n  client_secret_file: " + h.file("secret", "client-secret\n") + "\n" +
		"homekit:\n  listen: " + s.homekit + "\n" +
		"web:\n  listen: " + h.page + "\n" +
		"mqtt:\n" + broker
	if s.witness != "" {
		text += "uplink:\n  witnesses: [\"" + s.witness + "\"]\n"
	}
	if len(s.accessories) > 0 {
		text += "accessories:\n" + strings.Join(s.accessories, "")
	}
	text += s.more
	h.config = h.file("veilleuse.yaml", text)
	return h
}

// amend changes the configuration.
func (h *house) amend(old, now string) {
	h.t.Helper()
	text, err := os.ReadFile(h.config)
	if err != nil || !strings.Contains(string(text), old) {
		h.t.Fatalf("%q does not stand in the configuration (%v)", old, err)
	}
	h.file("veilleuse.yaml", strings.Replace(string(text), old, now, 1))
}

func (h *house) file(name, text string) string {
	path := filepath.Join(h.folder, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// freeAddress is an address of this machine where nobody listens now, nor will before it is used: it lies below the
// ports that the system gives to those who ask for any, and no other test beside this one gets it.
func freeAddress(t *testing.T) string {
	t.Helper()
	const tries = 100
	for range tries {
		address := loopback.Address("127.0.0.1")
		taken := filepath.Join(os.TempDir(), "port-"+strings.TrimPrefix(address, "127.0.0.1:"))
		mark, err := os.OpenFile(taken, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			continue
		}
		mark.Close()
		t.Cleanup(func() { os.Remove(taken) })
		if l, err := net.Listen("tcp", address); err == nil {
			l.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// start runs the daemon and waits until it answers, as do its page and the broker inside.
func (h *house) start() {
	h.t.Helper()
	cmd := exec.Command(h.with.program, "run", "-c", h.config)
	if h.ntp {
		cmd = exec.Command("unshare", append([]string{"--mount", "--propagation", "private", "sh", "-c", inStep}, cmd.Args...)...)
	}
	if h.inside != nil {
		cmd = h.inside.inside(cmd.Args...)
	}
	cmd.Env = append(os.Environ(), "GORACE=halt_on_error=0")
	h.process = startProcess(h.t, "veilleuse run", cmd, func([]byte) {})
	if took, err := until(3*patience, h.answers); err != nil {
		h.t.Fatalf("the daemon does not answer: %v\n%s", err, h.lastWords(20))
	} else {
		say(h.t, "the daemon answers after %s", seconds(took))
	}
}

// answers reports whether the daemon, its page and the broker inside can be reached.
func (h *house) answers() error {
	if _, err := h.status(); err != nil {
		return err
	}
	err := h.reach(h.page)
	if err == nil && h.embedded {
		err = h.reach(h.mqtt)
	}
	return err
}

// reach connects from where the program runs.
func (h *house) reach(address string) (err error) {
	if h.inside == nil {
		return dial(address)
	}
	entered := h.inside.from(func() { err = dial(address) })
	return errors.Join(entered, err)
}

// inStep runs a program to which it looks as if systemd-timesyncd had just heard a time server. Machines
// that tests run on often have nobody who vouches for their clock, and without that no slot of a schedule
// is due. Only the program sees it: it gets a /run of its own.
const inStep = `mount -t tmpfs none /run && mkdir -p /run/systemd/timesync && touch /run/systemd/timesync/synchronized && exec "$0" "$@"`

// end stops the daemon as systemd does.
func (h *house) end() time.Duration { return h.stop(syscall.SIGTERM) }

// endsSoon stops the daemon, for which 2 s are promised; with the race detector it is given twice that, and the second for which
// that waits before a program ends.
func (h *house) endsSoon() (string, error) {
	const promised, waits = 2 * time.Second, time.Second
	took := h.end()
	if took > 2*promised+waits {
		return "", fmt.Errorf("it took %s", seconds(took))
	}
	return seconds(took), h.races()
}

// verbTime bounds a verb: pairing needs seconds.
const verbTime = 2 * patience

// verb runs one verb of the program and returns what it printed.
func (h *house) verb(args ...string) (string, error) { return h.verbWith("", args...) }

// verbWith types something into a verb.
func (h *house) verbWith(typed string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), verbTime)
	defer cancel()
	args = append([]string{args[0], "-c", h.config}, args[1:]...)
	var failure strings.Builder
	cmd := exec.CommandContext(ctx, h.with.program, args...)
	cmd.Stderr = &failure
	if typed != "" {
		cmd.Stdin = strings.NewReader(typed)
	}
	out, err := cmd.Output()
	if err != nil {
		return string(out), fmt.Errorf("veilleuse %s: %w: %s", args[0], err, strings.TrimSpace(failure.String()))
	}
	return string(out), nil
}

// status is the part of veilleuse status --json that the tests look at.
type status struct {
	Authority struct{ Phase, Why string }
	Clock     struct{ Trust, Why string }
	Cloud     struct {
		Verdict, Why string
		Evidence     []string
	}
	Alarm   struct{ Phase, Kind string }
	Rooms   []roomStatus
	Devices []deviceStatus

	Decisions []struct{ Kind, What, Why string } // the last ones
}

// lately is what was decided last, in words.
func (s status) lately() string {
	var words []string
	for _, d := range s.Decisions {
		words = append(words, d.Kind+": "+d.What+" ("+d.Why+")")
	}
	return strings.Join(words, "; ")
}

type roomStatus struct {
	ID, Name    string
	Temperature *struct{ Value any }
	Target      any
	Mode        string
}

type deviceStatus struct {
	ID, Name, Model, Room, Via, Why string
	Reachable                       bool
	Readings                        []struct {
		Quantity, From string
		Value          any
	}
}

func (h *house) status() (status, error) {
	var s status
	out, err := h.verb("status", "--json")
	if err == nil {
		err = json.Unmarshal([]byte(out), &s)
	}
	return s, err
}

// device finds a device by its name.
func (s status) device(name string) (deviceStatus, error) {
	var names []string
	for _, d := range s.Devices {
		if d.Name == name {
			return d, nil
		}
		names = append(names, d.Name)
	}
	return deviceStatus{}, fmt.Errorf("there is no device %q, only %q", name, names)
}

// room finds a room by its name.
func (s status) room(name string) (roomStatus, error) {
	var names []string
	for _, r := range s.Rooms {
		if r.Name == name {
			return r, nil
		}
		names = append(names, r.Name)
	}
	return roomStatus{}, fmt.Errorf("there is no room %q, only %q", name, names)
}

// code asks for what the Home app needs, once the bridge has its port.
func (h *house) code() (code, address string, err error) {
	var r struct{ Code, Listen string }
	_, err = until(patience, func() error {
		out, err := h.verb("code", "--json")
		if err == nil {
			err = json.Unmarshal([]byte(out), &r)
		}
		if err == nil && strings.HasSuffix(r.Listen, ":0") {
			err = fmt.Errorf("%w: the bridge is at %s", errNotYet, r.Listen)
		}
		return err
	})
	return r.Code, r.Listen, err
}

// form is an id as it stands in a topic.
func form(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, id)
}
