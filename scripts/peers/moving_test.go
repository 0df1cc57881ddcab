package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear/eartest"
	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// moving is a house in a network of its own that nobody has set up: the vendor, a relay that announces itself, a Home app and a
// browser are there with it.
type moving struct {
	t       *testing.T
	with    tools
	net     network
	house   *house
	vendor  *http.Server
	opens   net.Listener // of the vendor
	cloud   *netatmotest.Cloud
	relay   *relay
	lan     *stranger
	browser *browser
	siren   *atomic.Bool // the microphone hears one
	keys    int          // that were pressed
	steps   int          // that were gone on from
}

// moveIn starts everything but the vendor, which open does.
func moveIn(t *testing.T, others ...json.RawMessage) *moving {
	t.Helper()
	with := needTools(t)
	m := &moving{t: t, with: with, net: newNetwork(t), siren: &atomic.Bool{}}
	need(t, "a LAN is laid for this test alone", func() (string, error) {
		err := errors.Join(m.net.ip("link set lo up"), m.net.ip("link add eth0 type veth peer name eth1"), m.net.ip("addr add "+houseAddress+"/24 dev eth0"),
			m.net.ip("link set eth0 up"), m.net.ip("link set eth1 up"))
		if err == nil {
			m.opens, err = m.net.listen()
		}
		return "", err
	})
	m.cloud = netatmotest.New(netatmotest.Options{Others: others})
	t.Cleanup(m.cloud.Close)
	m.relay = &relay{t: t, with: with, folder: t.TempDir(), id: "AE:5A:00:00:00:01", code: "031-45-154", address: freeAddress(t)}
	m.serveRelay()
	m.lan = startStranger(t, "lan.py", m.net.command(with.python(), "lan.py", houseAddress))
	m.announce("Relay of others", m.relay.id, m.relay.address, "1")
	m.announce("Velux", "AE:5A:00:00:00:02", freeAddress(t), "0")
	m.house = newHouse(t, with, settings{cloud: "http://" + m.opens.Addr().String(), witness: m.opens.Addr().String(), inside: &m.net,
		more: "ear:\n  microphone: " + m.microphone() + "\n  room: Palier\n"})
	m.house.amend("  client_id: client\n  client_secret_file: "+filepath.Join(m.house.folder, "secret")+"\n", "")
	m.house.start()
	m.browse()
	return m
}

// open lets the vendor serve.
func (m *moving) open() {
	m.vendor = &http.Server{Handler: m.cloud}
	go m.vendor.Serve(m.opens)
	m.t.Cleanup(func() { m.vendor.Close() })
}

func (m *moving) serveRelay() {
	_, port, _ := net.SplitHostPort(m.relay.address)
	m.relay.stranger = startNodeBy(m.t, m.with, m.net.command, "accessories.js", port, m.relay.folder, m.relay.id, m.relay.code, houseAddress)
	if err := m.relay.ask("serve", nil, nil); err != nil {
		m.t.Fatal(err)
	}
}

// announce makes an accessory known by mDNS; free is 1 if nobody has it.
func (m *moving) announce(name, id, address, free string) {
	m.t.Helper()
	_, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	text := map[string]string{"id": id, "md": "Others", "sf": free, "c#": "1", "s#": "1", "ff": "0", "ci": "2", "pv": "1.1"}
	if err := m.lan.ask("announce", map[string]any{"name": name, "port": number, "text": text}, nil); err != nil {
		m.t.Fatal(err)
	}
}

// microphone is a pipe in which there is a quiet room, or a siren.
func (m *moving) microphone() string {
	m.t.Helper()
	pipe := filepath.Join(m.t.TempDir(), "microphone")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		m.t.Fatal(err)
	}
	file, err := os.OpenFile(pipe, os.O_RDWR, 0) // so that it has a reader from the beginning
	if err != nil {
		m.t.Fatal(err)
	}
	over := make(chan struct{})
	m.t.Cleanup(func() { close(over); file.Close() })
	r := eartest.Random(3)
	room := make(eartest.Sound, eartest.Rate).PCM(r, -60)
	loud := make(eartest.Sound, 20*eartest.Rate)
	loud.Add(eartest.Temporal3(3100).Sound(r, 20).Scaled(0.1), 0)
	voice := loud.PCM(r, -60)
	go func() {
		const piece = eartest.Rate / 10
		beat, began := time.NewTicker(100*time.Millisecond), time.Now()
		defer beat.Stop()
		for at, written := 0, 0; ; {
			now := room
			if m.siren.Load() {
				now = voice
			}
			for ; written < int(time.Since(began).Seconds()*eartest.Rate); written += piece { // a busy machine may miss a beat
				at = (at + piece) % len(now)
				_, _ = file.Write(eartest.PCM(now[at : at+piece]))
			}
			select {
			case <-beat.C:
			case <-over:
				return
			}
		}
	}()
	return pipe
}

// browse starts the browser in the house's network, where its plain HTTP counts as safe enough for a camera.
func (m *moving) browse() {
	m.t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		m.t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(m.house.page)
	b := &browser{t: m.t, home: "http://" + pageHost + ":" + port, shot: artefacts(m.t), stranger: startNodeBy(m.t, m.with, m.net.command, "first.js")}
	var version string
	args := []string{"--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream", "--unsafely-treat-insecure-origin-as-secure=" + b.home}
	if err := b.ask("launch", map[string]any{"program": program, "host": pageHost, "args": args}, &version); err != nil {
		m.t.Fatal(err)
	}
	m.browser = b
}

var oneKey = regexp.MustCompile(`(?s)<\w+>|.`)

// press types, and counts.
func (m *moving) press(v *visitor, keys string) error {
	m.keys += len(oneKey.FindAllString(keys, -1))
	return v.keys(keys)
}

// reach goes on with the tabulator until something has the focus, as somebody does who has no mouse.
func (m *moving) reach(v *visitor, at string) error {
	for range 60 {
		var there bool
		if err := v.ask("run", map[string]any{"visitor": v.name, "script": fmt.Sprintf("Boolean(document.activeElement && document.activeElement.matches(%q))", at)}, &there); err != nil {
			return err
		}
		if there {
			return nil
		}
		if err := m.press(v, "<Tab>"); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s is not reached by 60 touches of the tabulator", at)
}

// typed reaches a field, and types.
func (m *moving) typed(v *visitor, at, keys string) error {
	if err := m.reach(v, at); err != nil {
		return err
	}
	return m.press(v, keys)
}

// onward goes on to the next step by its button.
func (m *moving) onward(v *visitor, to string) error {
	if err := m.typed(v, "#moves button", "<Enter>"); err != nil {
		return err
	}
	m.steps++
	_, err := v.sees(fmt.Sprintf("location.pathname === %q && document.readyState === 'complete'", to))
	return err
}

// shows waits until a text is on the page.
func (v *visitor) shows(at, text string) (string, error) {
	took, err := v.sees(fmt.Sprintf("document.querySelector(%q) && document.querySelector(%q).innerText.includes(%q)", at, at, text))
	if err != nil {
		now, _ := v.text("main")
		err = fmt.Errorf("%w; the page says %.600q", err, now)
	}
	return took, err
}

// fits keeps a picture, and looks at what shuts people out; the vendor's own page is no stranger here.
func (m *moving) fits(v *visitor, picture string) error {
	v.picture("first-"+picture, true)
	var wide float64
	if err := v.ask("run", map[string]any{"visitor": v.name, "script": "document.documentElement.scrollWidth - innerWidth"}, &wide); err != nil || wide > 0 {
		return fmt.Errorf("%v px too wide, %v", wide, err)
	}
	var all []string
	for _, verb := range []string{"faults", "strangers", "look"} {
		var found []string
		if err := v.ask(verb, map[string]any{"visitor": v.name}, &found); err != nil {
			return err
		}
		all = append(all, slices.DeleteFunc(found, func(one string) bool { return strings.HasPrefix(one, "http://"+m.opens.Addr().String()) })...)
	}
	if len(all) > 0 {
		return fmt.Errorf("%s", strings.Join(all, "; "))
	}
	return nil
}

// inOrder does one act after the other, and looks at what is to be seen; the first that fails ends it.
func inOrder(acts ...func() error) error {
	for _, act := range acts {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}
