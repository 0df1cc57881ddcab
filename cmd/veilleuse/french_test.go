package main

import (
	"html"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/uplink/uplinktest"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// family is somebody at home whose browser is French.
type family struct {
	t       *testing.T
	home    string
	browser *http.Client
}

func (l *lived) family(t *testing.T) family {
	t.Helper()
	jar, _ := cookiejar.New(nil) // without a list it cannot fail
	f := family{t, "http://" + l.house.page.Address(), &http.Client{Jar: jar}}
	if status, page := f.ask("POST", "/welcome", url.Values{"password": {"bonne nuit"}, "again": {"bonne nuit"}}); status != http.StatusOK {
		t.Fatalf("the first visit gives %d: %s", status, page)
	}
	return f
}

// ask asks for a page, or sends a form.
func (f family) ask(method, path string, form url.Values) (int, string) {
	f.t.Helper()
	request, err := http.NewRequest(method, f.home+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	request.Header.Set("Accept-Language", "fr-FR,fr;q=0.9")
	if method == "POST" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := f.browser.Do(request)
	if err != nil {
		f.t.Fatal(err)
	}
	defer answer.Body.Close()
	page, err := io.ReadAll(answer.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	if language := answer.Header.Get("Content-Language"); language != "fr" {
		f.t.Errorf("%s %s answers in %q", method, path, language)
	}
	return answer.StatusCode, string(page)
}

// shows asks for the house until it says all that is expected, and reads it: the page is shown a State a moment after whoever asks by
// the socket, and what belongs together may come one after the other.
func (f family) shows(when string, wants ...string) (page string) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		_, page = f.ask("GET", "/", nil)
		plain := inPlain(page)
		lacks := slices.ContainsFunc(wants, func(want string) bool { return !strings.Contains(plain, want) })
		if !lacks || time.Now().After(deadline) {
			f.reads(when, page, wants...)
			return page
		}
	}
}

// inPlain is a page without the marks of HTML and of typography.
func inPlain(page string) string {
	return strings.ReplaceAll(html.UnescapeString(ofOthers.ReplaceAllString(page, "")), "\u00a0", " ")
}

// reads looks whether a page is French: that it has no sentence marked as English, none of the words that every English sentence has,
// and what is expected.
func (f family) reads(when, page string, wants ...string) {
	f.t.Helper()
	page = ofOthers.ReplaceAllString(page, "")
	if at := strings.Index(page, `lang="en"`); at >= 0 {
		f.t.Errorf("%s: a reason is English: %.300s", when, page[at:])
	}
	if found := englishWords(page); len(found) > 0 {
		f.t.Errorf("%s: the page has the English words %q", when, found)
	}
	plain := inPlain(page)
	for _, want := range wants {
		if !strings.Contains(plain, want) {
			f.t.Errorf("%s: the page does not say %q", when, want)
		}
	}
}

var (
	ofOthers   = regexp.MustCompile(`«[\s\x{a0}\x{202f}]*<span lang="en">[^<]*</span>[\s\x{a0}\x{202f}]*»`) // what others said, in their words
	tags       = regexp.MustCompile(`<[^>]*>`)
	attributes = regexp.MustCompile(`(?:title|aria-label|placeholder|alt|data-(?:lost|full|failed|sound|silent|sounds|alarm))="([^"]*)"`)
	inEnglish  = regexp.MustCompile(`(?i)\b(the|is|was|are|were|has|have|not|and|with|until|since|because|asked|answers|answered|heard|set|house|room|alarm is|schedule|nobody|somebody|your|its|which)\b`)
)

// englishWords are those that stand in what a page shows or says aloud.
func englishWords(page string) []string {
	said := tags.ReplaceAllString(page, " ")
	for _, attribute := range attributes.FindAllStringSubmatch(page, -1) {
		said += " " + attribute[1]
	}
	found := inEnglish.FindAllString(strings.ReplaceAll(html.UnescapeString(said), "--room", ""), -1) // what to type is the same in every language
	slices.Sort(found)
	return slices.Compact(found)
}

// A family in France reads the whole page in its language: on a good day, in an outage, in an alarm, and when a wish is refused.
func TestPageIsFrenchForAFrenchFamily(t *testing.T) {
	l := live(t, true)
	l.ready(t)
	f := l.family(t)
	page := f.shows("on a good day", "Netatmo est aux commandes", "Si Netatmo tombait maintenant", "planning", "le plan", "nouvel appareil", "trouvé via Netatmo")

	room := regexp.MustCompile(`value="(room/[^"]+)"`).FindStringSubmatch(page)
	if room == nil {
		t.Fatal("there is no room that can be set")
	}
	for target, want := range map[string]string{"99": "99 °C, c’est au-dessus du maximum de 28 °C", "chaud": "« chaud » n’est pas une température en °C"} {
		status, refused := f.ask("POST", "/do", url.Values{"to": {room[1]}, "target": {target}})
		if f.reads("refused", refused, want); status != http.StatusUnprocessableEntity {
			t.Errorf("%s is answered with %d", target, status)
		}
	}
	f.ask("POST", "/do", url.Values{"to": {room[1]}, "target": {"21,5"}, "for": {"2h"}})
	f.shows("a wish", "demandé via la page", "réglé via la page jusqu’à")
	status, page := f.ask("GET", "/nirgends", nil)
	if f.reads("no page", page, "il n’y a rien ici"); status != http.StatusNotFound {
		t.Errorf("a page that is not there gives %d", status)
	}

	l.world.clock.SetRate(100)
	l.world.setLost(true)
	if err := l.world.internet.Break(uplinktest.Status503); err != nil {
		t.Fatal(err)
	}
	l.status(t, "the house in charge", func(r statusReport) bool { return r.Authority.Phase == gateway.Local })
	l.world.clock.SetRate(20)
	f.shows("in an outage", "Veilleuse a pris le relais", "Netatmo répond 503 avec du HTML depuis", "votre internet fonctionne", "Ce qui a été constaté", "Netatmo est injoignable : Veilleuse prend le relais")

	if err := l.world.house.SetCO(demoCO, 180, true); err != nil {
		t.Fatal(err)
	}
	l.status(t, "the alarm", func(r statusReport) bool { return r.Alarm.Phase == gateway.Sounding })
	f.shows("in an alarm", "ALERTE monoxyde de carbone", "signale : monoxyde de carbone", "le serveur MQTT intégré", "Je m’en occupe")
	f.ask("POST", "/do", url.Values{"to": {"alarm"}, "acknowledge": {"true"}})
	f.shows("answered", "prise en charge à", "depuis la page", "quelqu’un a pris note")
	if err := l.world.house.SetCO(demoCO, 0, false); err != nil {
		t.Fatal(err)
	}
	if err := mends(&demo{world: l.world}); err != nil {
		t.Fatal(err)
	}
	l.world.clock.SetRate(200)
	l.status(t, "the house handed back", func(r statusReport) bool { return r.Authority.Phase == gateway.Watching })
	f.shows("afterwards", "la maison est rendue à Netatmo", "il répond depuis")
	_, page = f.ask("POST", "/sign-out", nil)
	f.reads("at the door", page, "Se connecter")
	_, page = f.ask("POST", "/sign-in", url.Values{"password": {"wrong"}})
	f.reads("a wrong password", page, "Ce n’est pas le mot de passe")
}

// readInFrench shows a French family what an outage would find missing.
func readInFrench(t *testing.T, gaps []web.Gap) {
	t.Helper()
	listening := make(chan net.Addr, 1)
	page := web.New(web.Options{Listen: "127.0.0.1:0", Vault: gatewaytest.NewVault(), Log: slog.New(slog.DiscardHandler), Listening: func(at net.Addr) { listening <- at },
		Outlook: func(gateway.State) *web.Outlook { return &web.Outlook{Gaps: gaps} }})
	h := gatewaytest.Start(t, gateway.WebAdapter, page)
	defer h.Stop()
	<-listening
	f := (&lived{house: &house{page: page}}).family(t)
	shown := f.shows("the gaps", `class="do"`)
	for _, item := range regexp.MustCompile(`<li><strong>.*?</li>`).FindAllString(shown, -1) {
		f.reads("a gap", item)
	}
	if n := strings.Count(shown, `class="do"`); n < 10 || n < len(gaps)/2 {
		t.Errorf("of %d gaps %d say what to do", len(gaps), n)
	}
}
