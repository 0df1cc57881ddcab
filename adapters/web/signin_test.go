package web

import (
	"bytes"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

func TestFirstVisitSetsThePassword(t *testing.T) {
	vault := gatewaytest.NewVault()
	d := newDoor(t, Options{Vault: vault})
	if w := d.request("GET", "/", ""); w.Header().Get("Location") != "/welcome" {
		t.Errorf("a house without a password leads to %q", w.Header().Get("Location"))
	}
	for body, want := range map[string]string{
		"password=short&again=short":                                                            "8 to 256",
		"password=long+enough&again=long+enoujh":                                                "not the same",
		"password=" + strings.Repeat("x", 300) + "&again=" + strings.Repeat("x", 300):           "8 to 256",
		"password=" + url.QueryEscape("two\nlines") + "&again=" + url.QueryEscape("two\nlines"): "8 to 256",
		"": "8 to 256",
	} {
		if w := d.request("POST", "/welcome", body); w.Code != 422 || !strings.Contains(w.Body.String(), want) || d.lock.isSet() {
			t.Errorf("%.40q: %d, want the page to say %q", body, w.Code, want)
		}
	}
	w := d.request("POST", "/welcome", "password="+rightful+"&again="+rightful)
	if w.Code != 303 || w.Header().Get("Location") != "/" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	cookie := w.Header().Get("Set-Cookie")
	if !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || !strings.Contains(cookie, "Max-Age=") {
		t.Errorf("the cookie is %s", cookie)
	}
	if w := d.request("GET", "/", "", with(keyOf(w))); w.Code != 200 {
		t.Errorf("who has set it is not let in: %d", w.Code)
	}
	if w := d.request("POST", "/welcome", "password=another+one&again=another+one"); w.Header().Get("Location") != "/sign-in" {
		t.Errorf("a second first password: %d to %q", w.Code, w.Header().Get("Location"))
	}
	keys, _ := vault.List("")
	for _, key := range keys {
		kept, _ := vault.Get(key)
		if bytes.Contains(kept, []byte("correct")) || bytes.Contains(kept, []byte(keyOf(w))) {
			t.Errorf("a secret can be read: %s", kept)
		}
	}
	// A restart remembers both.
	again := newDoor(t, Options{Vault: vault})
	if w := again.request("GET", "/", "", with(keyOf(w))); w.Code != 200 {
		t.Errorf("a restart signs people out: %d", w.Code)
	}
	if w := again.request("POST", "/sign-in", "password="+rightful); w.Code != 303 || keyOf(w) == "" {
		t.Errorf("after a restart the password is not taken: %d", w.Code)
	}
	if w := again.request("POST", "/sign-in", "password=correct+horse+batterz"); w.Code != 403 || keyOf(w) != "" {
		t.Errorf("a wrong password: %d", w.Code)
	}
}

// Who asks for a page, by a bookmark, comes to it by way of the door, a wrong password included.
func TestTheSignInLeadsToThePageThatWasAskedFor(t *testing.T) {
	d := newDoor(t, Options{})
	if err := d.lock.first(rightful); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/care", "/outages/7", "/pictures", "/care/pairings/AA:BB", "/first/netatmo"} {
		door := d.request("GET", path, "").Header().Get("Location")
		form := d.request("GET", door, "")
		if hidden := `name="next" value="` + path + `"`; !strings.Contains(form.Body.String(), hidden) {
			t.Fatalf("%s leads to %s: %s", path, door, form.Body)
		}
		next := "&next=" + url.QueryEscape(path)
		if w := d.request("POST", "/sign-in", "password=wrong+password"+next); w.Code != 403 || !strings.Contains(w.Body.String(), `value="`+path+`"`) {
			t.Errorf("%s after a wrong password: %d %s", path, w.Code, w.Body)
		}
		w := d.request("POST", "/sign-in", "password="+rightful+next)
		if w.Code != 303 || w.Header().Get("Location") != path {
			t.Errorf("%s: %d to %q", path, w.Code, w.Header().Get("Location"))
		}
		if again := d.request("GET", door, "", with(keyOf(w))); again.Header().Get("Location") != path {
			t.Errorf("%s of who is signed in: to %q", path, again.Header().Get("Location"))
		}
	}
}

// Whoever makes the link to the door must not lead people away from their house, nor to what is no page.
func TestTheSignInLeadsNowhereElse(t *testing.T) {
	d := newDoor(t, Options{})
	if err := d.lock.first(rightful); err != nil {
		t.Fatal(err)
	}
	for _, next := range []string{"//evil", "///evil", "/\\evil", "\\\\evil", "/care\\evil", "https:", "https:evil", "https://evil/care", "http:/care", "javascript:alert(1)",
		"evil", "evil/care", "care", ".//evil", "/.//evil", "/care/../..//evil", "/care/..", "/pictures/../api/state", "/pictures//evil", "/%2fevil", "/%2Fevil", "/%5cevil", "%2f%2fevil", "/%09/evil",
		"/\t/evil", "/\n/evil", "/care\r\nLocation: //evil", "\x00//evil", " //evil", "/care?x=//evil", "/care#evil", "/care@evil", "/＠evil", "/／evil", "/api/state", "/api/backup", "/live", "/page.css",
		"/sign-out", "/do", "/sign-in", "/welcome", "/carelessly", "/evil", "/" + strings.Repeat("/", 300)} {
		w := d.request("POST", "/sign-in", "password="+rightful+"&next="+url.QueryEscape(next))
		if w.Code != 303 || w.Header().Get("Location") != "/" {
			t.Errorf("%.40q: %d to %q", next, w.Code, w.Header().Get("Location"))
		}
		door := d.request("GET", "/sign-in?next="+url.QueryEscape(next), "")
		if door.Code != 200 || strings.Contains(door.Body.String(), `name="next"`) {
			t.Errorf("%.40q is in the form", next)
		}
		if in := d.request("GET", "/sign-in?next="+url.QueryEscape(next), "", with(keyOf(w))); in.Header().Get("Location") != "/" {
			t.Errorf("%.40q of who is signed in: to %q", next, in.Header().Get("Location"))
		}
	}
}

func TestSignOutEndsTheSession(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	other := keyOf(d.request("POST", "/sign-in", "password="+rightful))
	if w := d.request("POST", "/sign-out", "", with(key)); w.Code != 303 {
		t.Fatalf("%d", w.Code)
	}
	if w := d.request("GET", "/api/state", "", with(key)); w.Code != 401 {
		t.Errorf("after signing out: %d", w.Code)
	}
	if w := d.request("GET", "/api/state", "", with(other)); w.Code != 200 {
		t.Errorf("another browser is signed out, too: %d", w.Code)
	}
}

func TestSetPasswordSignsEverybodyOut(t *testing.T) {
	d := newDoor(t, Options{})
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	if err := d.SetPassword("short"); err == nil || !d.sessions.signedIn(key, time.Now()) {
		t.Errorf("a password that is too short: %v", err)
	}
	if err := d.SetPassword("a new password"); err != nil {
		t.Fatal(err)
	}
	if d.sessions.signedIn(key, time.Now()) {
		t.Error("the old session goes on")
	}
	if w := d.request("POST", "/sign-in", "password="+rightful); w.Code != 403 {
		t.Errorf("the old password: %d", w.Code)
	}
	if w := d.request("POST", "/sign-in", "password=a+new+password"); w.Code != 303 {
		t.Errorf("the new password: %d", w.Code)
	}
	if err := d.SetPassword(""); err != nil || d.lock.isSet() {
		t.Errorf("the password is not forgotten: %v", err)
	}
}

// A disk that is full, or a record that is damaged, lets nobody in and takes nobody's place.
func TestVaultThatFails(t *testing.T) {
	vault := gatewaytest.NewVault()
	d := newDoor(t, Options{Vault: vault})
	vault.Break(syscall.ENOSPC)
	if w := d.request("POST", "/welcome", "password="+rightful+"&again="+rightful); w.Code != 303 || keyOf(w) != "" {
		t.Errorf("a vault that cannot be read: %d %s", w.Code, w.Body)
	}
	vault.Break(nil)
	vault.Put(passwordKey, "{damaged")
	if w := d.request("POST", "/sign-in", "password="+rightful); w.Code != 500 || keyOf(w) != "" {
		t.Errorf("a damaged password: %d", w.Code)
	}
	vault.Put(passwordKey, `{"passes":1,"memory_kib":8,"salt":"","key":""}`)
	if w := d.request("POST", "/sign-in", "password="+rightful); w.Code != 500 || keyOf(w) != "" {
		t.Errorf("an empty key: %d", w.Code)
	}
	if w := d.request("POST", "/welcome", "password="+rightful+"&again="+rightful); w.Header().Get("Location") != "/sign-in" {
		t.Errorf("a damaged password can be replaced by anybody: %d", w.Code)
	}
	vault.Put(sessionsKey, "[{]")
	if d.sessions.signedIn("x", time.Now()) {
		t.Error("damaged sessions let somebody in")
	}
}

func TestSessionsEndAndAreBounded(t *testing.T) {
	vault := gatewaytest.NewVault()
	s := &sessions{vault: vault}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	first, err := s.begin(now)
	if err != nil {
		t.Fatal(err)
	}
	for day := range 29 {
		if !s.signedIn(first, now.AddDate(0, 0, day)) {
			t.Fatalf("ended on day %d although it was used", day)
		}
	}
	if writes := vault.Sets(); writes > 30 {
		t.Errorf("%d writes for a month of use", writes)
	}
	if used := now.AddDate(0, 0, 28); s.signedIn(first, used.Add(sessionUnused+time.Hour)) || !s.signedIn(first, used.Add(-100*24*time.Hour)) {
		t.Error("unused for a month it goes on, or a clock that was set back ends it")
	}
	for day := 28; day < 420; day += 5 {
		if on := s.signedIn(first, now.AddDate(0, 0, day)); on != (day <= 365) {
			t.Fatalf("day %d: %v", day, on)
		}
	}
	later := now.AddDate(2, 0, 0)
	var tokens []string
	for i := range mostSessions + 3 {
		token, err := s.begin(later.Add(time.Duration(i) * time.Second))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	later = later.Add(time.Hour)
	if len(s.all) != mostSessions || s.signedIn(tokens[2], later) || !s.signedIn(tokens[3], later) || s.signedIn(first, later) {
		t.Errorf("%d sessions; the oldest is to give way", len(s.all))
	}
}

// Wrong passwords slow an address down more and more, others not at all, and a right one ends it.
func TestWrongPasswordsSlowDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p patience
		const guest = "192.168.1.66:4711"
		tried := 0
		for end := time.Now().Add(time.Hour); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if p.try(guest, time.Now()) == 0 {
				tried++
			}
		}
		if tried > 25 {
			t.Errorf("%d tries in an hour", tried)
		}
		time.Sleep(longestTogether)
		if wait := p.try("192.168.1.67:1", time.Now()); wait != 0 {
			t.Errorf("another address waits %v", wait)
		}
		time.Sleep(longestPause)
		if wait := p.try(guest, time.Now()); wait != 0 {
			t.Errorf("after %v it still waits %v", longestPause, wait)
		}
		p.right(guest)
		if wait := p.try(guest, time.Now()); wait != 0 {
			t.Errorf("after the right one it waits %v", wait)
		}
		for i := range 10_000 {
			p.try(fmt.Sprintf("[2001:db8:%x:%x::%x]:1", i>>8, i, i), time.Now())
		}
		if len(p.wrong) > mostAddresses {
			t.Errorf("%d addresses are remembered", len(p.wrong))
		}
	})
	if a, b := neighbourhood("[fd00:1:2:3::1]:1"), neighbourhood("[fd00:1:2:3:ffff::9]:2"); a != b || a != netip.MustParsePrefix("fd00:1:2:3::/64") {
		t.Errorf("%v and %v are one home", a, b)
	}
	if a, b := neighbourhood("[::ffff:10.0.0.1]:1"), neighbourhood("10.0.0.1:2"); a != b {
		t.Errorf("%v and %v are one machine", a, b)
	}
}

// A thousand guesses from all over the network, and the people of the house come in all the while.
func TestANetworkThatGuessesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p patience
		const phone = "192.168.1.20:1"
		if wait := p.try(phone, time.Now()); wait != 0 {
			t.Fatalf("the phone waits %v", wait)
		}
		p.right(phone)
		looked := 0
		for i := range 1000 {
			if p.try(fmt.Sprintf("192.168.1.%d:1", 21+i%230), time.Now()) == 0 {
				looked++
			}
			if i%100 == 0 {
				if wait := p.try(phone, time.Now()); wait != 0 {
					t.Errorf("after %d guesses of others the phone waits %v", i, wait)
				}
				p.right(phone)
			}
			time.Sleep(600 * time.Millisecond)
		}
		if looked > 20 || looked < freeTogether {
			t.Errorf("%d of 1000 guesses are looked at in ten minutes", looked)
		}
		time.Sleep(forgetWrong + time.Second)
		for i := range 4 * freeTogether { // a family that signs in for the first time
			someone := fmt.Sprintf("192.168.3.%d:1", i)
			if wait := p.try(someone, time.Now()); wait != 0 {
				t.Errorf("member %d waits %v", i, wait)
			}
			p.right(someone)
		}
		for i := range freeTogether {
			if wait := p.try(fmt.Sprintf("192.168.2.%d:1", i), time.Now()); wait != 0 {
				t.Errorf("an hour later number %d waits %v", i, wait)
			}
		}
	})
}

func TestManyWrongPasswordsAreRefusedUnread(t *testing.T) {
	d := newDoor(t, Options{})
	d.request("POST", "/welcome", "password="+rightful+"&again="+rightful)
	var codes []int
	for range 6 {
		codes = append(codes, d.request("POST", "/sign-in", "password=wrong+password").Code)
	}
	if fmt.Sprint(codes) != "[403 403 403 429 429 429]" {
		t.Errorf("%v", codes)
	}
	w := d.request("POST", "/sign-in", "password="+rightful)
	if w.Code != 429 || w.Header().Get("Retry-After") == "" || keyOf(w) != "" {
		t.Errorf("the right one meanwhile: %d", w.Code)
	}
	if w := d.request("POST", "/sign-in", "password="+rightful, from("192.168.1.99:1")); w.Code != 303 {
		t.Errorf("from elsewhere: %d", w.Code)
	}
}
