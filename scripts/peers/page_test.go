package peers

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// The house as a browser knows it, and what people say there.
const (
	pageHost     = "veilleuse.local"
	pagePassword = "correct horse battery"
)

// browser is Chromium with its visitors.
type browser struct {
	t    *testing.T
	home string // http://host:port
	shot string // folder of the screenshots
	*stranger
}

// visitor is somebody with a screen and a language.
type visitor struct {
	*browser
	name   string
	french bool
}

func startBrowser(t *testing.T, with tools, h *house) *browser {
	t.Helper()
	return startBrowserBy(t, with, h, "browser.js")
}

// startBrowserBy starts the browser with the script that drives it.
func startBrowserBy(t *testing.T, with tools, h *house, script string) *browser {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(h.page)
	b := &browser{t: t, home: "http://" + pageHost + ":" + port, shot: artefacts(t), stranger: startNode(t, with, script)}
	var version string
	if err := b.ask("launch", map[string]any{"program": program, "host": pageHost}, &version); err != nil {
		t.Fatal(err)
	}
	say(t, "Chromium %s looks at %s; screenshots are kept in %s", version, b.home, b.shot)
	return b
}

// artefacts is a folder that outlives the test.
func artefacts(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("VEILLEUSE_ARTEFACTS")
	if folder == "" {
		folder = filepath.Join(os.Getenv("VEILLEUSE_PEERS"), "artefacts")
	}
	folder = filepath.Join(folder, "page")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

// looks is how a visitor looks at the house.
type looks struct {
	french, phone, dark, plain bool // plain: without JavaScript
	as                         string
}

func (b *browser) visit(name string, l looks) *visitor {
	b.t.Helper()
	width, height, locale := 1280, 800, "en-GB"
	if l.phone {
		width, height = 390, 844
	}
	if l.french {
		locale = "fr-FR"
	}
	v := &visitor{b, name, l.french}
	if err := b.ask("open", map[string]any{"visitor": name, "home": b.home, "width": width, "height": height, "locale": locale, "dark": l.dark, "plain": l.plain, "as": l.as}, nil); err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (v *visitor) do(verb string, with map[string]any) error {
	with["visitor"] = v.name
	return v.ask(verb, with, nil)
}

func (v *visitor) click(at string) error { return v.do("click", map[string]any{"at": at}) }
func (v *visitor) keys(keys string) error {
	return v.do("type", map[string]any{"keys": keys})
}

// text is what stands somewhere.
func (v *visitor) text(at string) (string, error) {
	var text string
	err := v.ask("text", map[string]any{"visitor": v.name, "at": at}, &text)
	return text, err
}

// says waits until words stand somewhere: a page that a click leads to is there a moment later.
func (v *visitor) says(at string, wants ...string) error {
	_, err := until(patience, func() error { return v.saysNow(at, wants...) })
	return err
}

// saysNow checks what stands somewhere at this moment.
func (v *visitor) saysNow(at string, wants ...string) error {
	text, err := v.text(at)
	for _, want := range wants {
		if err == nil && !strings.Contains(strings.ToLower(text), strings.ToLower(want)) {
			err = fmt.Errorf("%s does not say %q, but %.300q", at, want, text)
		}
	}
	return err
}

// sees waits until an expression is true in the page, and returns after how long.
func (v *visitor) sees(script string) (string, error) {
	var took int
	err := v.ask("until", map[string]any{"visitor": v.name, "script": script, "limit": patience.Milliseconds()}, &took)
	return seconds(time.Duration(took) * time.Millisecond), err
}

// picture keeps what is on the screen, or with whole the whole page.
func (v *visitor) picture(name string, whole bool) {
	if err := v.do("shot", map[string]any{"file": filepath.Join(v.shot, name+".png"), "whole": whole}); err != nil {
		v.t.Error(err)
	}
}

// sound reports what is wrong with a page: scripts that broke, what the policy has stopped, requests to strangers, and what
// axe finds serious.
func (v *visitor) sound() (string, error) {
	var all []string
	for _, verb := range []string{"faults", "strangers", "look"} {
		var found []string
		if err := v.ask(verb, map[string]any{"visitor": v.name}, &found); err != nil {
			return "", err
		}
		all = append(all, found...)
	}
	if len(all) > 0 {
		return "", fmt.Errorf("%s", strings.Join(all, "; "))
	}
	return "", nil
}

// TestPage has people look at the house in a browser and steer it from there.
func TestPage(t *testing.T) {
	needTools(t)
	m := startMessages(t, "")
	b := startBrowser(t, m.house.with, m.house)
	first := m.firstVisit(b)
	m.seen(b, first)
	m.steered(first)
	m.alarmed(b, first)
	m.plain(b)
	m.reconnects(first)
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

// firstVisit sets the password with the keyboard alone, on a phone, in French.
func (m *messages) firstVisit(b *browser) *visitor {
	v := b.visit("phone", looks{french: true, phone: true})
	need(m.t, "the first visit sets the password, by the keyboard alone, under a name in .local", func() (string, error) {
		if err := v.says("main", "Bienvenue", "Choisissez le mot de passe"); err != nil {
			return "", err
		}
		v.picture("welcome-phone-fr", false)
		if err := v.keys("too short<Tab>other<Enter>"); err != nil {
			return "", err
		}
		if err := v.do("fill", map[string]any{"at": "#password", "text": ""}); err != nil {
			return "", err
		}
		if err := v.keys(pagePassword + "<Tab>" + pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		_, err := v.sees(`location.pathname === '/' && document.querySelectorAll('.room').length > 2`)
		return "", err
	})
	promise(m.t, "somebody else is asked for it, and let in by it alone", func() (string, error) {
		o := b.visit("guest", looks{dark: true})
		if err := o.says("main", "Sign in"); err != nil {
			return "", err
		}
		if _, err := o.sound(); err != nil {
			return "", err
		}
		o.picture("sign-in-desk-dark-en", false)
		if err := o.keys("wrong password<Enter>"); err != nil {
			return "", err
		}
		if _, err := o.sees(`document.body.innerText.includes('That is not the password')`); err != nil {
			return "", err
		}
		if err := o.keys(pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		if _, err := o.sees(`location.pathname === '/' && document.querySelectorAll('.room').length > 2`); err != nil {
			return "", err
		}
		return "", o.do("close", map[string]any{})
	})
	return v
}

// seen looks at the house on both screens, in both languages, by day and by night.
func (m *messages) seen(b *browser, v *visitor) {
	promise(m.t, "the house is seen in French", func() (string, error) {
		if _, err := v.sees(`!document.querySelector('main [lang=en]')`); err != nil {
			return "", fmt.Errorf("a reason is not French: %w", err)
		}
		if err := m.relay.set("Bedroom", "CurrentTemperature", 16.5); err != nil { // what was read before may be minutes old
			return "", err
		}
		return "", v.says("main", "Netatmo est aux commandes", "Salon", "Consigne", "Si Netatmo tombait maintenant", "Appareils", "HomeKit", "Landing smoke", "à l’instant")
	})
	promise(m.t, "and in English", func() (string, error) {
		e := b.visit("desk", looks{as: "phone"})
		if err := e.says("main", "Netatmo is in charge", "Salon", "Target", "If Netatmo failed now", "Devices", "Landing smoke"); err != nil {
			return "", err
		}
		return "", e.do("close", map[string]any{})
	})
	for _, look := range []looks{{phone: true}, {phone: true, french: true, dark: true}, {french: true}, {dark: true}} {
		name := fmt.Sprintf("house-%s-%s-%s", word(look.phone, "phone", "desk"), word(look.dark, "dark", "light"), word(look.french, "fr", "en"))
		promise(m.t, "no serious fault by axe, no request to strangers, nothing wider than the screen: "+name, func() (string, error) {
			look.as = "phone"
			o := b.visit(name, look)
			if _, err := o.sees(`document.documentElement.classList.contains('live') && document.querySelector('.room')`); err != nil {
				return "", err
			}
			if err := o.do("run", map[string]any{"script": "document.querySelectorAll('details').forEach(d => d.open = true)"}); err != nil {
				return "", err
			}
			o.picture(name+"-open", true)
			if err := o.do("run", map[string]any{"script": "document.querySelectorAll('details').forEach(d => d.open = false)"}); err != nil {
				return "", err
			}
			o.picture(name, true)
			var wide float64
			if err := o.ask("run", map[string]any{"visitor": name, "script": "document.documentElement.scrollWidth - innerWidth"}, &wide); err != nil || wide > 0 {
				return "", fmt.Errorf("%v px too wide, %v", wide, err)
			}
			if _, err := o.sound(); err != nil {
				return "", err
			}
			var paint float64
			err := o.ask("run", map[string]any{"visitor": name, "script": "performance.getEntriesByName('first-contentful-paint')[0].startTime"}, &paint)
			if err := o.do("close", map[string]any{}); err != nil {
				return "", err
			}
			return fmt.Sprintf("first paint after %.0f ms", paint), err
		})
	}
}

func word(yes bool, this, that string) string {
	if yes {
		return this
	}
	return that
}

// steered changes a target on the page, and looks on as others do.
func (m *messages) steered(v *visitor) {
	m.t.Helper()
	id := "room-" + strings.Split(m.livingRoom(), "/")[2]
	goal := fmt.Sprintf(`document.querySelector('#%s output').dataset.target`, id)
	began := time.Now()
	promise(m.t, "a target changed on the page by two touches is shown at once, is on MQTT, and the cloud is told", func() (string, error) {
		var before string
		if err := v.ask("run", map[string]any{"visitor": v.name, "script": goal}, &before); err != nil {
			return "", err
		}
		var was float64
		if _, err := fmt.Sscan(before, &was); err != nil {
			return "", err
		}
		began = time.Now()
		plus := fmt.Sprintf("#%s .step:last-child", id)
		for range 2 {
			if err := v.click(plus); err != nil {
				return "", err
			}
		}
		shown := strings.ReplaceAll(fmt.Sprint(was+1), ".", ",")
		if err := v.saysNow("#"+id+" output", shown); err != nil {
			return "", fmt.Errorf("not shown at once: %w", err)
		}
		got, err := m.sub.await(patience, began, m.livingRoom(), func(payload string) bool { return readPage(payload).Target == was+1 })
		if err != nil {
			return "", err
		}
		if _, err := v.sees(fmt.Sprintf("%s === '%v' && !document.querySelector('#%s [aria-busy]')", goal, was+1, id)); err != nil {
			return "", err
		}
		_, err = until(patience, func() error {
			if r := m.cloud.Room(netatmotest.LivingRoom); r.Target != was+1 || r.Mode != "manual" {
				return fmt.Errorf("%w: the cloud has %+v", errNotYet, r)
			}
			return nil
		})
		return seconds(got.at.Sub(began)) + ", of which 600 ms wait for the next touch", err
	})
	promise(m.t, "a target changed over MQTT is seen live", func() (string, error) {
		if err := publish(m.house.mqtt, m.livingRoom()+"/set", `{"target":18.5}`); err != nil {
			return "", err
		}
		return v.sees(fmt.Sprintf("%s === '18.5'", goal))
	})
	promise(m.t, "a target for a time is set in the room's form, and a bad one is refused next to it", func() (string, error) {
		if err := v.click("#" + id + " summary"); err != nil {
			return "", err
		}
		number := "#" + id + "-target"
		set := "#" + id + " .exact .main"
		if err := v.do("run", map[string]any{"script": fmt.Sprintf(`document.querySelector('%s').removeAttribute('max')`, number)}); err != nil {
			return "", err
		}
		if err := v.do("fill", map[string]any{"at": number, "text": "99"}); err != nil {
			return "", err
		}
		if err := v.click(set); err != nil {
			return "", err
		}
		if _, err := v.sees(fmt.Sprintf(`document.querySelector('#%s .refusal').textContent.includes('au-dessus du maximum')`, id)); err != nil {
			return "", err
		}
		v.picture("refused-phone-fr", false)
		if err := v.do("fill", map[string]any{"at": number, "text": "20.5"}); err != nil {
			return "", err
		}
		if err := v.do("choose", map[string]any{"at": "#" + id + "-for", "value": "2h"}); err != nil {
			return "", err
		}
		began := time.Now()
		if err := v.click(set); err != nil {
			return "", err
		}
		_, err := m.sub.await(patience, began, m.livingRoom(), func(payload string) bool {
			p := readPage(payload)
			return p.Target == 20.5 && time.Until(p.Until).Round(time.Hour) == 2*time.Hour
		})
		if err != nil {
			return "", err
		}
		return v.sees(fmt.Sprintf(`%s === '20.5' && document.querySelector('#%s .refusal').textContent === ''`, goal, id))
	})
	promise(m.t, "away and back by the keyboard alone", func() (string, error) {
		if err := v.do("run", map[string]any{"script": `document.querySelector('#home [name=mode][value=away]').focus()`}); err != nil {
			return "", err
		}
		began := time.Now()
		if err := v.keys("<Enter>"); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelector('#home [name=mode][value=away]').getAttribute('aria-pressed') === 'true' && document.activeElement.value === 'away'`); err != nil {
			return "", err
		}
		if _, err := m.sub.await(patience, began, "veilleuse/event", func(payload string) bool { return strings.Contains(payload, "mode away") }); err != nil {
			return "", err
		}
		if err := v.do("run", map[string]any{"script": `document.querySelector('#home [name=mode][value=schedule]').focus()`}); err != nil {
			return "", err
		}
		if err := v.keys("<Enter>"); err != nil {
			return "", err
		}
		_, err := m.sub.await(patience, began, "veilleuse/event", func(payload string) bool { return strings.Contains(payload, "mode schedule") })
		return "", err
	})
}

// alarmed lets a smoke sensor see smoke, and answers on the page.
func (m *messages) alarmed(b *browser, v *visitor) {
	desk := b.visit("watcher", looks{as: "phone", dark: true})
	if err := desk.do("go", map[string]any{"url": desk.home + "/pictures"}); err != nil { // an alarm stands above them, too
		m.t.Error(err)
	}
	for _, one := range []*visitor{v, desk} { // a page that is not connected is not counted
		if _, err := one.sees(`typeof page === 'number' && page > 0`); err != nil {
			m.t.Error(err)
		}
	}
	promise(m.t, "a touch lets the page sound", func() (string, error) {
		if err := v.click("#sound"); err != nil {
			return "", err
		}
		return v.sees(`document.querySelector('#sound.ready') !== null`)
	})
	began := time.Now()
	promise(m.t, "smoke fills the page, with its place, a blinking title and the focus on the answer", func() (string, error) {
		began = time.Now()
		if err := m.relay.set("Landing smoke", "SmokeDetected", 1); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelector('.siren')`); err != nil {
			return "", err
		}
		took := seconds(time.Since(began))
		if err := v.says(".siren", "ALARME", "Fumée", "Landing smoke", "Je m’en occupe"); err != nil {
			return "", err
		}
		_, err := v.sees(`document.activeElement.id === 'acknowledge' && document.title.includes('ALARME') && document.querySelector('footer').inert`)
		return took, err
	})
	promise(m.t, "that two pages show it counts as delivered, with their number", func() (string, error) {
		// Pages get 1.5 s to show it before they are counted; one that is slower is counted in the next round, two minutes later.
		got, err := m.sub.await(2*time.Minute+patience, began, "veilleuse/alarm", func(payload string) bool { return delivered(payload) == "by 2 pages" })
		return fmt.Sprintf("%s, %s after the smoke", delivered(got.payload), seconds(got.at.Sub(began))), err
	})
	promise(m.t, "no serious fault by axe in an alarm", func() (string, error) {
		v.picture("alarm-phone-fr", false)
		desk.picture("alarm-desk-dark-en", false)
		return v.sound()
	})
	promise(m.t, "acknowledged from the page by one key, it is answered everywhere", func() (string, error) {
		began := time.Now()
		if err := v.keys("<Enter>"); err != nil {
			return "", err
		}
		got, err := m.sub.await(patience, began, "veilleuse/alarm", func(payload string) bool { return strings.Contains(payload, `"answered_by":"page"`) })
		if err != nil {
			return "", err
		}
		for _, page := range []*visitor{v, desk} {
			if _, err := page.sees(`!document.querySelector('.siren') && document.querySelector('.notice-sounding')`); err != nil {
				return "", err
			}
		}
		return seconds(got.at.Sub(began)), nil
	})
	promise(m.t, "the sirens are silenced from the page, and its end is seen", func() (string, error) {
		v.picture("answered-phone-fr", false)
		if err := v.click(".notice [name=hush]"); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelector('.notice-hushed')`); err != nil {
			return "", err
		}
		if err := m.relay.set("Landing smoke", "SmokeDetected", 0); err != nil {
			return "", err
		}
		return v.sees(`document.querySelector('.notice-cleared')`)
	})
	_ = desk.do("close", map[string]any{})
}

// delivered is by whom the alarm's delivery to pages was confirmed.
func delivered(payload string) string {
	var a struct {
		Told []struct{ Path, By, Delivered string }
	}
	_ = json.Unmarshal([]byte(payload), &a)
	for _, t := range a.Told {
		if t.Path == "page" && t.Delivered != "" {
			return t.By
		}
	}
	return ""
}

// plain does what is essential without JavaScript.
func (m *messages) plain(b *browser) {
	v := b.visit("plain", looks{plain: true, phone: true})
	room := "room-" + strings.Split(m.livingRoom(), "/")[2]
	wish := func(what string, act func() error, topic string, fits func(string) bool) {
		promise(m.t, "without JavaScript: "+what, func() (string, error) {
			began := time.Now()
			if err := act(); err != nil {
				return "", err
			}
			_, err := m.sub.await(patience, began, topic, fits)
			return "", err
		})
	}
	need(m.t, "without JavaScript: signing in", func() (string, error) {
		if err := v.do("fill", map[string]any{"at": "#password", "text": pagePassword}); err != nil {
			return "", err
		}
		if err := v.click("button.main"); err != nil {
			return "", err
		}
		return "", v.says("main", "Netatmo is in charge", "Salon")
	})
	wish("a target", func() error {
		if err := v.click("#" + room + " .step:first-of-type"); err != nil {
			return err
		}
		return v.says("#"+room, "by hand")
	}, m.livingRoom(), func(payload string) bool { return readPage(payload).Mode == "manual" })
	wish("away", func() error { return v.click("#home [name=mode][value=away]") }, "veilleuse/event", func(p string) bool { return strings.Contains(p, "mode away") })
	wish("the schedule again", func() error { return v.click("#home [name=mode][value=schedule]") }, "veilleuse/event", func(p string) bool { return strings.Contains(p, "mode schedule") })
	wish("an alarm is seen and acknowledged", func() error {
		if err := m.relay.set("Landing smoke", "SmokeDetected", 1); err != nil {
			return err
		}
		_, err := until(patience, func() error {
			if err := v.do("go", map[string]any{"url": v.home + "/"}); err != nil {
				return err
			}
			return v.saysNow("main", "ALARM", "Landing smoke", "I am seeing to it")
		})
		if err != nil {
			return err
		}
		v.picture("alarm-plain-phone-en", true)
		if err := v.click("[name=acknowledge]"); err != nil {
			return err
		}
		return v.says("#alarm", "answered", "from page")
	}, "veilleuse/alarm", func(payload string) bool { return strings.Contains(payload, `"answered_by":"page"`) })
	promise(m.t, "without JavaScript: what somebody else has done meanwhile is refused, with the reason next to the thing", func() (string, error) {
		began := time.Now()
		if err := publish(m.house.mqtt, "veilleuse/alarm/set", `{"hush":true}`); err != nil {
			return "", err
		}
		if _, err := m.sub.await(patience, began, "veilleuse/alarm", func(p string) bool { return strings.Contains(p, `"phase":"hushed"`) }); err != nil {
			return "", err
		}
		if err := v.click("[name=hush]"); err != nil { // the page still has the button
			return "", err
		}
		if err := v.says("#alarm .refusal", "no alarm sounds"); err != nil {
			return "", err
		}
		v.picture("refused-plain-phone-en", false)
		return "", m.relay.set("Landing smoke", "SmokeDetected", 0)
	})
	promise(m.t, "without JavaScript: signing out", func() (string, error) {
		if err := v.click("footer button"); err != nil {
			return "", err
		}
		return "", v.says("main", "Sign in")
	})
}

// reconnects lets a connection die without a word, and restarts the daemon under an open page.
func (m *messages) reconnects(v *visitor) {
	promise(m.t, "a page that has heard nothing for 45 s makes another connection", func() (string, error) {
		if err := v.do("run", map[string]any{"script": "source.close(); heard = Date.now() - 45000; page = 0"}); err != nil {
			return "", err
		}
		return v.sees(`page > 0 && source.readyState === EventSource.OPEN && document.querySelector('#lost').hidden`)
	})
	promise(m.t, "a page says that it is not connected, and is live again after a restart, still signed in", func() (string, error) {
		m.house.end()
		if _, err := v.sees(`!document.querySelector('#lost').hidden`); err != nil {
			return "", err
		}
		m.house.start()
		began := time.Now()
		if _, err := until(patience, func() error {
			_, err := v.sees(`document.querySelector('#lost').hidden && document.querySelectorAll('.room').length > 2`)
			return err
		}); err != nil {
			return "", err
		}
		return seconds(time.Since(began)), v.says("main", "Salon")
	})
}
