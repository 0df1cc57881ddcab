package peers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

// keeping is a house with people who steer and keep it from a browser, with a Home app and MQTT looking on.
type keeping struct {
	*messages
	browser *browser
	phone   *visitor // French, signed in
	home    bridge   // hap-controller
	room    string   // the living room's part of the page
}

const backupWords = "pilot light and night light"

// TestCarePage has people act on the house and keep it from a browser, and an outage seen on an open page.
func TestCarePage(t *testing.T) {
	needTools(t)
	m := startMessages(t, "")
	k := &keeping{messages: m, room: "room-" + strings.Split(m.livingRoom(), "/")[2]}
	k.browser = startBrowserBy(t, m.house.with, m.house, "care.js")
	k.arrive()
	k.everybodySees()
	k.goesWrong()
	k.drill()
	lost := k.cut()
	k.keeps()
	k.moves()
	k.drillReport()
	k.outage(lost)
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", m.house.endsSoon)
}

func (k *keeping) ask(v *visitor, verb string, with map[string]any, into any) error {
	with["visitor"] = v.name
	return v.ask(verb, with, into)
}

// arrive pairs a Home app and signs in.
func (k *keeping) arrive() {
	k.home = bridge{t: k.t, house: k.house, relay: k.relay, home: startHomeApp(k.t, k.house.with), shows: []string{"Salon"}}
	need(k.t, "veilleuse code gives code and address", func() (_ string, err error) {
		k.home.code, k.home.address, err = k.house.code()
		return "", err
	})
	k.home.firstController()
	k.phone = k.browser.visit("keeper", looks{french: true, phone: true})
	need(k.t, "the first visit sets the password", func() (string, error) {
		if err := k.phone.keys(pagePassword + "<Tab>" + pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		return k.phone.sees(`location.pathname === '/' && document.querySelectorAll('.room').length > 2`)
	})
}

// everybodySees changes a target on the page, which another tab, the Home app and MQTT see.
func (k *keeping) everybodySees() {
	goal := fmt.Sprintf(`document.querySelector('#%s output').dataset.target`, k.room)
	promise(k.t, "a target changed on the page by the keyboard alone is seen by another tab, hap-controller and mosquitto_sub", func() (string, error) {
		if err := k.ask(k.phone, "tab", map[string]any{"as": "second tab", "url": k.browser.home + "/"}, nil); err != nil {
			return "", err
		}
		second := &visitor{k.browser, "second tab", true}
		id, _, err := k.home.database.find("Salon", targetTemperature)
		if err != nil {
			return "", err
		}
		var before string
		if err := k.ask(k.phone, "run", map[string]any{"script": goal}, &before); err != nil {
			return "", err
		}
		var was float64
		if _, err := fmt.Sscan(before, &was); err != nil {
			return "", err
		}
		var presses int
		if err := k.ask(k.phone, "reach", map[string]any{"at": "#" + k.room + " .step:last-child"}, &presses); err != nil {
			return "", err
		}
		began := time.Now()
		if err := k.phone.keys("<Enter>"); err != nil {
			return "", err
		}
		shown := strings.ReplaceAll(fmt.Sprint(was+0.5), ".", ",")
		if err := k.phone.saysNow("#"+k.room+" output", shown); err != nil {
			return "", fmt.Errorf("not shown at once: %w", err)
		}
		topic, err := k.sub.await(patience, began, k.livingRoom(), func(payload string) bool { return readPage(payload).Target == was+0.5 })
		if err != nil {
			return "", err
		}
		event, err := k.home.home.event(patience, id, was+0.5)
		if err != nil {
			return "", err
		}
		if _, err := second.sees(fmt.Sprintf("%s === '%v'", goal, was+0.5)); err != nil {
			return "", err
		}
		return fmt.Sprintf("%d times Tab; MQTT after %s, hap-controller after %s, both with the 600 ms that wait for another touch", presses, seconds(topic.at.Sub(began)), seconds(event.At.Sub(began))), second.do("close tab", map[string]any{})
	})
}

// goesWrong lets things go wrong while people act.
func (k *keeping) goesWrong() {
	k.cutOff()
	k.signedOut()
	k.goneAndBack()
}

// cutOff wishes something while the house cannot be reached.
func (k *keeping) cutOff() {
	v := k.phone
	promise(k.t, "a wish that does not reach the house goes back, with the reason next to it", func() (string, error) {
		text, err := v.text("#" + k.room + " output")
		if err != nil {
			return "", err
		}
		if err := k.ask(v, "away", map[string]any{"yes": true}, nil); err != nil {
			return "", err
		}
		if err := v.click("#" + k.room + " .step:last-child"); err != nil {
			return "", err
		}
		took, err := v.sees(fmt.Sprintf(`document.querySelector('#%s [data-refusal]').textContent.includes('pas reçu') && document.querySelector('#%s output').innerText.trim() === '%s'`,
			k.room, k.room, strings.TrimSpace(text)))
		v.picture("not-reached-phone-fr", false)
		if offErr := k.ask(v, "away", map[string]any{"yes": false}, nil); err == nil {
			err = offErr
		}
		return took, err
	})
}

// signedOut wishes something after the sign-in has ended, and finds the house again after the cut.
func (k *keeping) signedOut() {
	v := k.phone
	promise(k.t, "somebody whose sign-in is over signs in where they stand, and what they wished comes true", func() (string, error) {
		if _, err := until(patience, func() error {
			_, err := v.sees(`document.querySelector('#lost').hidden`)
			return err
		}); err != nil {
			return "", err
		}
		number := "#" + k.room + "-target"
		if err := v.click("#" + k.room + " summary"); err != nil {
			return "", err
		}
		if err := v.do("fill", map[string]any{"at": number, "text": "22.5"}); err != nil {
			return "", err
		}
		if _, err := k.house.verbWith(pagePassword+"\n", "password"); err != nil { // which signs everybody out
			return "", err
		}
		if _, err := v.sees(`document.querySelector('#again').open`); err != nil {
			return "", err
		}
		v.picture("sign-in-again-phone-fr", false)
		if err := v.keys("not the password<Enter>"); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelector('#again').innerText.includes('Ce n’est pas le mot de passe')`); err != nil {
			return "", err
		}
		if err := v.keys(pagePassword + "<Enter>"); err != nil {
			return "", err
		}
		if _, err := v.sees(fmt.Sprintf(`!document.querySelector('#again').open && document.querySelector('%s').value === '22.5'`, number)); err != nil {
			return "", err
		}
		began := time.Now()
		if err := v.click("#" + k.room + " .exact .main"); err != nil {
			return "", err
		}
		_, err := k.sub.await(patience, began, k.livingRoom(), func(payload string) bool { return readPage(payload).Target == 22.5 })
		return "", err
	})
}

// goneAndBack leaves the house's page and comes back by the browser's button, after something has changed.
func (k *keeping) goneAndBack() {
	v := k.phone
	promise(k.t, "somebody who leaves and goes back sees the house as it is now, and nothing is asked twice", func() (string, error) {
		if err := v.do("go", map[string]any{"url": v.home + "/outages"}); err != nil {
			return "", err
		}
		began := time.Now()
		if err := publish(k.house.mqtt, k.livingRoom()+"/set", `{"target":17.5}`); err != nil {
			return "", err
		}
		if _, err := k.sub.await(patience, began, k.livingRoom(), func(payload string) bool { return readPage(payload).Target == 17.5 }); err != nil {
			return "", err
		}
		if err := v.do("back", map[string]any{}); err != nil {
			return "", err
		}
		if _, err := v.sees(fmt.Sprintf(`location.pathname === '/' && document.querySelector('#%s output').dataset.target === '17.5' && document.documentElement.classList.contains('live')`, k.room)); err != nil {
			return "", err
		}
		time.Sleep(time.Second)
		return "", k.targetIs(17.5)
	})
}

// drill plays an outage by the keyboard.
func (k *keeping) drill() {
	promise(k.t, "a drill is begun by the keyboard alone, seen at once, leads to its report, and is ended once by who clicks twice", func() (string, error) {
		v := k.phone
		if err := k.ask(v, "reach", map[string]any{"at": "#extras summary"}, nil); err != nil {
			return "", err
		}
		if err := v.keys("<Enter>"); err != nil {
			return "", err
		}
		if err := k.ask(v, "reach", map[string]any{"at": "[name=drill]"}, nil); err != nil {
			return "", err
		}
		if err := v.keys("<Enter>"); err != nil {
			return "", err
		}
		took, err := v.sees(`document.querySelector('.phase-local') && document.querySelector('.see a[href="/outages/1"]')`)
		if err != nil {
			return "", err
		}
		v.picture("drill-phone-fr", false)
		began := time.Now()
		if err := v.do("click twice", map[string]any{"at": "[name=drill][value=false]"}); err != nil {
			return "", err
		}
		if _, err = k.sub.await(patience, began, "veilleuse/authority", func(payload string) bool { return readPage(payload).Phase != "local" }); err != nil {
			return "", err
		}
		_, err = v.sees(`!document.querySelector('.phase-local') && !document.querySelector('#home [aria-busy]') && document.querySelector('[data-refusal=home]').textContent === ''`)
		return took, err
	})
}

// cut takes the cloud away once the drill is over; what follows goes on meanwhile.
func (k *keeping) cut() time.Time {
	need(k.t, "the drill is handed back", func() (string, error) {
		began := time.Now()
		_, err := until(5*time.Minute, func() error {
			s, err := k.house.status()
			if err == nil && s.Authority.Phase != "watching" {
				err = fmt.Errorf("%w: %s", errNotYet, s.Authority.Why)
			}
			return err
		})
		return seconds(time.Since(began)), err
	})
	k.cloud.Break(netatmotest.Fault{Kind: netatmotest.Refused})
	say(k.t, "the cloud is cut")
	return time.Now()
}

// keeps does on the page what keeps the house.
func (k *keeping) keeps() {
	for _, look := range []looks{{french: true, phone: true}, {}, {dark: true, phone: true}} {
		name := fmt.Sprintf("care-%s-%s-%s", word(look.phone, "phone", "desk"), word(look.dark, "dark", "light"), word(look.french, "fr", "en"))
		promise(k.t, "no serious fault by axe, no request to strangers, nothing wider than the screen: "+name, func() (string, error) {
			look.as = k.phone.name
			return "", k.looksWell(name, "/care", look)
		})
	}
	promise(k.t, "the page lists the accessory, and asks it who may control it", func() (string, error) {
		v := k.phone
		if err := v.do("go", map[string]any{"url": v.home + "/care"}); err != nil {
			return "", err
		}
		if err := v.says("#pairings", k.relay.id, "Nos propres ponts"); err != nil {
			return "", err
		}
		if err := v.click(`#pairings a[href^="/care/pairings/"]`); err != nil {
			return "", err
		}
		if _, err := v.sees(`document.querySelector('#pairings').innerText.includes('cette Veilleuse')`); err != nil {
			return "", err
		}
		v.picture("pairings-phone-fr", true)
		var faults []string // of this page; the refused sign-in before it is no fault
		if err := k.ask(v, "look", map[string]any{}, &faults); err != nil || len(faults) > 0 {
			return "", fmt.Errorf("%v %v", faults, err)
		}
		return "", nil
	})
	promise(k.t, "the password is changed by who knows it; a wrong one is refused next to it", func() (string, error) {
		v := k.phone
		change := func(old string) error {
			for field, text := range map[string]string{"password": old, "new": pagePassword + "!", "again": pagePassword + "!"} {
				if err := v.do("fill", map[string]any{"at": "#password-" + field, "text": text}); err != nil {
					return err
				}
			}
			return v.click("#password button")
		}
		if err := change("a wrong password"); err != nil {
			return "", err
		}
		if err := v.says("#password", "Ce n’est pas le mot de passe"); err != nil {
			return "", err
		}
		if err := change(pagePassword); err != nil {
			return "", err
		}
		return "", v.says("#password", "un nouveau mot de passe")
	})
}

// looksWell looks at a page of the house as somebody else who is signed in.
func (k *keeping) looksWell(name, path string, look looks) error {
	o := k.browser.visit(name, look)
	if err := o.do("go", map[string]any{"url": o.home + path}); err != nil {
		return err
	}
	o.picture(name, true)
	var wide float64
	if err := o.ask("run", map[string]any{"visitor": name, "script": "document.documentElement.scrollWidth - innerWidth"}, &wide); err != nil || wide > 0 {
		return fmt.Errorf("%v px too wide, %v", wide, err)
	}
	if _, err := o.sound(); err != nil {
		return err
	}
	return o.do("close", map[string]any{})
}
