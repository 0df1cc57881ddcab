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

// chalet is a second home of the account.
const chalet = `{"id":"60c000000000000000000009","name":"Chalet","timezone":"Europe/Paris","rooms":[{"id":"9","name":"Séjour","type":"livingroom"}]}`

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

// type reaches a field, and types.
func (m *moving) typed(v *visitor, at, keys string) error {
	if err := m.reach(v, at); err != nil {
		return err
	}
	return m.press(v, keys)
}

// go on to the next step by its button.
func (m *moving) onward(v *visitor, to string) error {
	if err := m.typed(v, "#moves button", "<Enter>"); err != nil {
		return err
	}
	m.steps++
	_, err := v.sees(fmt.Sprintf("location.pathname === %q", to))
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

// steps are a step's acts and what is to be seen, in order; the first that fails ends it.
func inOrder(acts ...func() error) error {
	for _, act := range acts {
		if err := act(); err != nil {
			return err
		}
	}
	return nil
}

// TestFirstRunPage has two families move in: one in French, on a phone, by the keyboard alone; one in English, at a desk, which is
// interrupted in every way.
func TestFirstRunPage(t *testing.T) {
	needTools(t)
	t.Run("French", func(t *testing.T) { moveIn(t, json.RawMessage(chalet)).french() })
	t.Run("English", func(t *testing.T) { moveIn(t).english() })
}

// french goes the straight way.
func (m *moving) french() {
	m.open()
	began := time.Now()
	v := m.browser.visit("phone", looks{french: true, phone: true})
	m.signsIn(v)
	m.pairs(v)
	m.learns(v)
	m.adds(v)
	promise(m.t, "MQTT is told with what to type, and the readiness report with what is missing", func() (string, error) {
		err := inOrder(
			func() error {
				return v.says("main", "htpasswd -nB homeassistant", "users_file: /etc/veilleuse/users", pageHost)
			},
			func() error { return m.fits(v, "mqtt-phone-fr") },
			func() error { return m.onward(v, "/first/check") },
			func() error { return m.typed(v, "section button", "<Enter>") },
			func() error { _, err := v.shows("#report", "sur 100"); return err },
			func() error { return m.fits(v, "check-phone-fr") },
			func() error { return m.onward(v, "/") },
			func() error {
				_, err := v.sees(`document.querySelectorAll('.room').length > 2 && !document.querySelector('#first-card')`)
				return err
			},
		)
		return "", err
	})
	promise(m.t, "the whole first run takes far under ten minutes, by the keyboard alone", func() (string, error) {
		took := time.Since(began)
		if took > 5*time.Minute {
			return "", fmt.Errorf("%s", seconds(took))
		}
		return fmt.Sprintf("%s of a machine's time, %d steps, %d keys", seconds(took), m.steps, m.keys), nil
	})
	promise(m.t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// signsIn sets the password, gives the application, goes to the vendor and back, and chooses the home.
func (m *moving) signsIn(v *visitor) {
	m.t.Helper()
	need(m.t, "the password leads to the first step, the application is given, and its secret is not shown again", func() (string, error) {
		return "", inOrder(
			func() error { return m.press(v, pagePassword+"<Tab>"+pagePassword+"<Enter>") },
			func() error { _, err := v.shows("h1", "Netatmo"); return err },
			func() error { return v.says("main", "dev.netatmo.com/apps", m.browser.home+"/first/return") },
			func() error { return m.fits(v, "netatmo-phone-fr") },
			func() error { return m.typed(v, "#client", "client<Tab>client-secret<Enter>") },
			func() error { _, err := v.sees(`document.querySelector('#sign-in')`); return err },
			func() error {
				var page string
				err := v.ask("run", map[string]any{"visitor": v.name, "script": "document.documentElement.outerHTML"}, &page)
				if err == nil && strings.Contains(page, "client-secret") {
					err = errors.New("the secret stands in the page")
				}
				return err
			},
		)
	})
	need(m.t, "the browser signs in at the vendor and comes back by itself", func() (string, error) {
		if err := m.typed(v, "#sign-in", "<Enter>"); err != nil {
			return "", err
		}
		took, err := v.shows("#standing", "2 logements")
		if err == nil {
			err = m.fits(v, "signed-in-phone-fr")
		}
		return took, err
	})
	need(m.t, "the home is chosen, and its plan is copied within seconds", func() (string, error) {
		err := inOrder(
			func() error { return m.onward(v, "/first/home") },
			func() error { return m.fits(v, "home-phone-fr") },
			func() error { return m.typed(v, "input[type=radio]", "<Space>") },
			func() error { return m.typed(v, "#choice button", "<Enter>") },
		)
		if err != nil {
			return "", err
		}
		took, err := v.shows("#choice", "planning de Maison")
		if err == nil {
			err = m.onward(v, "/first/accessories")
		}
		return took, err
	})
}

// pairs finds the accessories and pairs one, with a wrong code first.
func (m *moving) pairs(v *visitor) {
	m.t.Helper()
	mine := "#acc-" + form(m.relay.id)
	need(m.t, "accessories are found by mDNS, and one that has an owner is told apart", func() (string, error) {
		if err := m.typed(v, "section button", "<Enter>"); err != nil {
			return "", err
		}
		took, err := v.shows(mine, "Relay of others")
		if err == nil {
			_, err = v.shows("#acc-ae-5a-00-00-00-02", "appartient à un autre contrôleur")
		}
		if err == nil {
			err = m.fits(v, "accessories-phone-fr")
		}
		return took, err
	})
	promise(m.t, "a code of another shape and a wrong one are told next to it", func() (string, error) {
		return "", inOrder(
			func() error { return m.typed(v, mine+"-code", "12345<Enter>") },
			func() error { _, err := v.shows(mine+" #fault", "huit chiffres"); return err },
			func() error { return m.fits(v, "wrong-code-phone-fr") },
			func() error { return m.typed(v, mine+"-code", "111-22-334<Enter>") },
			func() error { _, err := v.shows(mine+"-state", "Ce n’est pas son code"); return err },
		)
	})
	need(m.t, "the right one pairs it, and its devices are in the house", func() (string, error) {
		if err := m.typed(v, mine+"-code", m.relay.code+"<Tab>Salon<Enter>"); err != nil {
			return "", err
		}
		took, err := v.shows(mine+"-state", "Appairé avec cette maison")
		if err == nil {
			_, err = m.house.knows("Boiler", "Study", "Siren")
		}
		return took, err
	})
	promise(m.t, "a restart in the middle loses nothing that was typed", func() (string, error) {
		err := inOrder(
			func() error { return m.onward(v, "/first/ear") },
			func() error { return m.typed(v, "#name", "Palier<Tab>") },
			func() error {
				_, err := until(10*time.Second, func() error { return m.keeps(v, "ear.name", "Palier") })
				return err
			},
		)
		if err != nil {
			return "", err
		}
		m.house.end()
		m.house.start()
		if err := v.do("go", map[string]any{"url": m.browser.home + "/first/ear"}); err != nil {
			return "", err
		}
		_, err = v.sees(`document.querySelector('#name').value === 'Palier' && document.querySelectorAll('.is-done').length >= 3`)
		return "", err
	})
}

// keeps asks the house for what was typed.
func (m *moving) keeps(v *visitor, field, want string) error {
	var text string
	script := fmt.Sprintf("fetch('/api/first').then(a => a.json()).then(v => (v.typed || {})[%q] || '')", field)
	if err := v.ask("run", map[string]any{"visitor": v.name, "script": script}, &text); err != nil || text != want {
		return fmt.Errorf("%w: %s is %q, %v", errNotYet, field, text, err)
	}
	return nil
}

// learns lets the ear learn the voice of a detector.
func (m *moving) learns(v *visitor) {
	promise(m.t, "the ear learns a detector's voice by its test button, and raises no alarm", func() (string, error) {
		if err := m.typed(v, "section button.main", "<Enter>"); err != nil {
			return "", err
		}
		if _, err := v.shows("#voices", "tenez son bouton d’essai"); err != nil {
			return "", err
		}
		if err := m.fits(v, "ear-phone-fr"); err != nil {
			return "", err
		}
		m.siren.Store(true)
		defer m.siren.Store(false)
		took, err := until(90*time.Second, func() error { _, err := v.shows("#voices", "est reconnu à sa voix"); return err })
		if err != nil {
			return "", err
		}
		s, err := m.house.status()
		if err == nil && s.Alarm.Phase == "sounding" {
			err = errors.New("an alarm was raised")
		}
		return seconds(took), err
	})
}

// adds pairs a Home app with the code that the page shows.
func (m *moving) adds(v *visitor) {
	promise(m.t, "the Home app's code and QR code are shown, and that somebody has added the house is seen live", func() (string, error) {
		err := inOrder(
			func() error { return m.onward(v, "/first/homekit") },
			func() error { return m.fits(v, "homekit-phone-fr") },
		)
		if err != nil {
			return "", err
		}
		code, err := v.text(".setup")
		if err != nil {
			return "", err
		}
		_, address, err := m.house.code()
		if err != nil {
			return "", err
		}
		home := startNodeBy(m.t, m.with, m.net.command, "homeapp.js")
		began := time.Now()
		if err := home.ask("pair", map[string]any{"address": address, "device": "", "code": strings.TrimSpace(code)}, nil); err != nil {
			return "", err
		}
		if _, err := v.shows("section", "est ajouté"); err != nil {
			return "", err
		}
		return seconds(time.Since(began)) + " from the pairing's begin", m.onward(v, "/first/mqtt")
	})
}

// english is interrupted: the vendor is not there yet, the accessory goes, another tab goes on, there is no script.
func (m *moving) english() {
	v := m.browser.visit("desk", looks{})
	click := func(at string) func() error { return func() error { return v.click(at) } }
	fill := func(at, text string) func() error {
		return func() error { return v.do("fill", map[string]any{"at": at, "text": text}) }
	}
	shows := func(at, text string) func() error {
		return func() error { _, err := v.shows(at, text); return err }
	}
	goes := func(path string) func() error {
		return func() error { return v.do("go", map[string]any{"url": m.browser.home + path}) }
	}
	mine := "#acc-" + form(m.relay.id)
	need(m.t, "a wrong token is refused at once; the vendor that is not there is told, and the step put off", func() (string, error) {
		return "", inOrder(
			fill("#password", pagePassword), fill("#again", pagePassword), click("button.main"), shows("h1", "Netatmo"),
			fill("#client", "client"), fill("#secret", "client-secret"), click("form:has(#client) button"), shows("main", "Sign in at Netatmo"),
			fill("#token", "no token {"), click("form:has(#token) button"), shows("#fault", "not one token"),
			fill("#token", string(m.cloud.Token())), click("form:has(#token) button"), shows("#standing", "put this step off"),
			func() error {
				_, err := until(40*time.Second, shows("#standing", "no home could be read"))
				return err
			},
			func() error { return m.fits(v, "vendor-away-desk-en") },
			goes("/first/accessories"))
	})
	plain := m.browser.visit("plain", looks{plain: true, phone: true, as: "desk"})
	promise(m.t, "without JavaScript accessories are looked for and found", func() (string, error) {
		if err := plain.do("go", map[string]any{"url": m.browser.home + "/first/accessories"}); err != nil {
			return "", err
		}
		if err := plain.click("section button"); err != nil {
			return "", err
		}
		took, err := until(20*time.Second, func() error { return plain.says("#found", "Relay of others") })
		plain.picture("first-accessories-plain-phone-en", true)
		return seconds(took), err
	})
	promise(m.t, "the other tab shows what this one has found", func() (string, error) { return v.shows(mine, "Relay of others") })
	promise(m.t, "one that belongs to another controller is told with what to do", func() (string, error) {
		other := "#acc-ae-5a-00-00-00-02"
		return "", inOrder(fill(other+"-code", "123-45-679"), click(other+" form button"), shows(other+"-state", "Remove it where it is"),
			func() error { return m.fits(v, "taken-desk-en") })
	})
	promise(m.t, "one that has gone meanwhile is told", func() (string, error) {
		m.relay.stop(syscall.SIGKILL)
		return "", inOrder(fill(mine+"-code", m.relay.code), click(mine+" form button"), shows(mine+"-state", "It is not there any more"))
	})
	promise(m.t, "a code is scanned by the camera, and pairs", func() (string, error) {
		m.serveRelay()
		err := inOrder(
			func() error { return v.do("sees", map[string]any{"text": "X-HM://0023ISYWYVEIL"}) }, // 031-45-154
			goes("/first/accessories"), click(mine+"-code"), click("#scan"),
			func() error {
				_, err := v.sees(fmt.Sprintf("document.querySelector('%s-code').value === 'X-HM://0023ISYWYVEIL'", mine))
				return err
			},
			func() error { return m.fits(v, "scanned-desk-en") },
			click(mine+" form button"))
		if err != nil {
			return "", err
		}
		return v.shows(mine+"-state", "Paired with this house")
	})
	promise(m.t, "the house reminds of what is left, and leads back to it", func() (string, error) {
		return "", inOrder(goes("/"), shows("#first-card", "Steps left"), func() error { return m.fits(v, "card-desk-en") }, click("#first-card a"), shows("h1", "Home"))
	})
	promise(m.t, "once the vendor is there, another token is taken and the only home's plan is copied", func() (string, error) {
		m.open()
		if err := inOrder(goes("/first/netatmo"), fill("#token", string(m.cloud.Token())), click("form:has(#token) button")); err != nil {
			return "", err
		}
		took, err := until(20*time.Second, shows("#standing", "The plan of Maison is copied")) // the vendor wants 5 s between requests
		return seconds(took), err
	})
	promise(m.t, "without JavaScript the rest is put off, back and forth, and the house is there", func() (string, error) {
		next := func(at string) func() error {
			return func() error {
				if err := plain.click("#moves button"); err != nil {
					return err
				}
				return plain.says("h1", at)
			}
		}
		return "", inOrder(
			func() error { return plain.do("go", map[string]any{"url": m.browser.home + "/first/ear"}) },
			next("Home app"), func() error { return plain.click("#moves a") }, func() error { return plain.says("h1", "Ear") },
			next("Home app"), next("MQTT"), next("Ready?"),
			func() error { return plain.click("section button") },
			func() error {
				_, err := until(30*time.Second, func() error { return plain.says("#report", "of 100") })
				plain.picture("first-check-plain-phone-en", true)
				return err
			},
			func() error { return plain.click("#moves button") },
			func() error { return plain.says("main", "Salon") },
			func() error { return plain.click("#first-card button") },
			func() error {
				if text, err := plain.text("#first-card"); err != nil || text != "" {
					return fmt.Errorf("it still reminds: %q, %v", text, err)
				}
				return nil
			})
	})
	promise(m.t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}
