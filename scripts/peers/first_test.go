package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// chalet is a second home of the account.
const chalet = `{"id":"60c000000000000000000009","name":"Chalet","timezone":"Europe/Paris","rooms":[{"id":"9","name":"Séjour","type":"livingroom"}]}`

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
	promise(m.t, "the whole first run takes under ten minutes, by the keyboard alone", func() (string, error) {
		took := time.Since(began)
		if took > 10*time.Minute {
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
				_, err := until(patience, func() error { return m.keeps(v, "ear.name", "Palier") })
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
		took, err := until(3*patience, func() error { _, err := v.shows("#voices", "est reconnu à sa voix"); return err })
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

// atDesk is the family that is interrupted: somebody at a desk, and a phone without JavaScript that is signed in as well.
type atDesk struct {
	*moving
	v, plain *visitor
	mine     string // where the relay stands in the page
}

func (d *atDesk) click(at string) func() error { return func() error { return d.v.click(at) } }

func (d *atDesk) fill(at, text string) func() error {
	return func() error { return d.v.do("fill", map[string]any{"at": at, "text": text}) }
}

func (d *atDesk) shows(at, text string) func() error {
	return func() error { _, err := d.v.shows(at, text); return err }
}

func (d *atDesk) goes(path string) func() error {
	return func() error { return d.v.do("go", map[string]any{"url": d.browser.home + path}) }
}

// english is interrupted: the vendor is not there yet, the accessory goes, another tab goes on, there is no script.
func (m *moving) english() {
	d := &atDesk{moving: m, v: m.browser.visit("desk", looks{}), mine: "#acc-" + form(m.relay.id)}
	d.signsInTooEarly()
	d.plain = m.browser.visit("plain", looks{plain: true, phone: true, as: "desk"})
	d.pairsAllTheSame()
	d.comesToTheEnd()
	promise(m.t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// signsInTooEarly gives a wrong token, then the right one, to a vendor who is not there.
func (d *atDesk) signsInTooEarly() {
	need(d.t, "a wrong token is refused at once; the vendor that is not there is told, and the step put off", func() (string, error) {
		return "", inOrder(
			d.fill("#password", pagePassword), d.fill("#again", pagePassword), d.click("button.main"), d.shows("h1", "Netatmo"),
			d.fill("#client", "client"), d.fill("#secret", "client-secret"), d.click("form:has(#client) button"), d.shows("main", "Sign in at Netatmo"),
			d.fill("#token", "no token {"), d.click("form:has(#token) button"), d.shows("#fault", "not one token"),
			d.fill("#token", string(d.cloud.Token())), d.click("form:has(#token) button"), d.shows("#standing", "put this step off"),
			func() error {
				_, err := until(2*patience, d.shows("#standing", "no home could be read"))
				return err
			},
			func() error { return d.fits(d.v, "vendor-away-desk-en") },
			d.goes("/first/accessories"))
	})
}

// pairsAllTheSame pairs the relay, after one that belongs to somebody else, and although it goes away in between.
func (d *atDesk) pairsAllTheSame() {
	promise(d.t, "without JavaScript accessories are looked for and found", func() (string, error) {
		if err := d.plain.do("go", map[string]any{"url": d.browser.home + "/first/accessories"}); err != nil {
			return "", err
		}
		if err := d.plain.click("section button"); err != nil {
			return "", err
		}
		took, err := until(patience, func() error { return d.plain.saysNow("#found", "Relay of others") })
		d.plain.picture("first-accessories-plain-phone-en", true)
		return seconds(took), err
	})
	promise(d.t, "the other tab shows what this one has found", func() (string, error) { return d.v.shows(d.mine, "Relay of others") })
	promise(d.t, "one that belongs to another controller is told with what to do", func() (string, error) {
		other := "#acc-ae-5a-00-00-00-02"
		return "", inOrder(d.fill(other+"-code", "123-45-679"), d.click(other+" form button"), d.shows(other+"-state", "Remove it where it is"),
			func() error { return d.fits(d.v, "taken-desk-en") })
	})
	promise(d.t, "one that has gone meanwhile is told", func() (string, error) {
		d.relay.stop(syscall.SIGKILL)
		return "", inOrder(d.fill(d.mine+"-code", d.relay.code), d.click(d.mine+" form button"), d.shows(d.mine+"-state", "It is not there any more"))
	})
	promise(d.t, "a code is scanned by the camera, and pairs", func() (string, error) {
		d.serveRelay()
		err := inOrder(
			func() error { return d.v.do("sees", map[string]any{"text": "X-HM://0023ISYWYVEIL"}) }, // 031-45-154
			d.goes("/first/accessories"), d.click(d.mine+"-code"), d.click("#scan"),
			func() error {
				_, err := d.v.sees(fmt.Sprintf("document.querySelector('%s-code').value === 'X-HM://0023ISYWYVEIL'", d.mine))
				return err
			},
			func() error { return d.fits(d.v, "scanned-desk-en") },
			d.click(d.mine+" form button"))
		if err != nil {
			return "", err
		}
		return d.v.shows(d.mine+"-state", "Paired with this house")
	})
}

// comesToTheEnd signs in once the vendor is there, and puts the rest off without JavaScript.
func (d *atDesk) comesToTheEnd() {
	promise(d.t, "the house reminds of what is left, and leads back to it", func() (string, error) {
		return "", inOrder(d.goes("/"), d.shows("#first-card", "Steps left"), func() error { return d.fits(d.v, "card-desk-en") }, d.click("#first-card a"), d.shows("h1", "Home"))
	})
	promise(d.t, "once the vendor is there, another token is taken and the only home's plan is copied", func() (string, error) {
		d.open()
		if err := inOrder(d.goes("/first/netatmo"), d.fill("#token", string(d.cloud.Token())), d.click("form:has(#token) button")); err != nil {
			return "", err
		}
		took, err := until(patience, d.shows("#standing", "The plan of Maison is copied")) // the vendor wants 5 s between requests
		return seconds(took), err
	})
	promise(d.t, "without JavaScript the rest is put off, back and forth, and the house is there", func() (string, error) {
		next := func(at string) func() error {
			return func() error {
				if err := d.plain.click("#moves button"); err != nil {
					return err
				}
				return d.plain.says("h1", at)
			}
		}
		return "", inOrder(
			func() error { return d.plain.do("go", map[string]any{"url": d.browser.home + "/first/ear"}) },
			next("Home app"), func() error { return d.plain.click("#moves a") }, func() error { return d.plain.says("h1", "Ear") },
			next("Home app"), next("MQTT"), next("Ready?"),
			func() error { return d.plain.click("section button") },
			func() error {
				_, err := until(patience, func() error { return d.plain.saysNow("#report", "of 100") })
				d.plain.picture("first-check-plain-phone-en", true)
				return err
			},
			func() error { return d.plain.click("#moves button") },
			func() error { return d.plain.says("main", "Salon") },
			func() error { return d.plain.click("#first-card button") },
			func() error {
				_, err := until(patience, func() error {
					if text, err := d.plain.text("#first-card"); err != nil || text != "" {
						return fmt.Errorf("it still reminds: %q, %v", text, err)
					}
					return nil
				})
				return err
			},
			func() error { return d.plain.says("main", "Salon") })
	})
}
