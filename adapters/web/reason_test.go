package web

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	notes "github.com/veilleuse/veilleuse/firmware-notes"
	"github.com/veilleuse/veilleuse/gateway"
)

// The sentences as houses have said them, in the French that families read.
func TestReasonsInFrench(t *testing.T) {
	for english, want := range map[string]string{
		"Netatmo answers 503 with HTML since 16:41; it fails since 15:50; your internet works: 2 of 3 witnesses answered":           "Netatmo répond 503 avec du HTML depuis 16:41 ; la panne dure depuis 15:50 ; votre internet fonctionne : 2 témoins sur 3 ont répondu",
		"Netatmo takes the request and does not answer in time; your internet works: 0 of 1 witness answered":                       "Netatmo prend la requête et ne répond pas à temps ; votre internet fonctionne : l’unique témoin n’a pas répondu",
		"Netatmo says that our quota is used up and asks to wait 12 min since 09:05; it is no outage, and commands go over the LAN": "Netatmo dit que notre quota est épuisé et demande d’attendre 12 min depuis 09:05 ; ce n’est pas une panne, et les commandes passent par le réseau local",
		"Netatmo wants fewer requests: homestatus: 429 code 26 User usage reached, and asks to wait 30 s since 17:06":               "Netatmo demande moins de requêtes : homestatus : 429, code 26 <en>User usage reached</en>, et demande d’attendre 30 s depuis 17:06",
		"The router answers, the internet does not: the name server is silent, and 0 of 3 witnesses answered":                       "Le routeur répond, internet non : le serveur de noms est muet, et aucun des 3 témoins n’a répondu",
		"Your name server 192.168.1.1 says that api.netatmo.com does not exist (NXDOMAIN), but 9.9.9.9 finds it":                    "Votre serveur de noms 192.168.1.1 dit que api.netatmo.com n’existe pas (NXDOMAIN), mais 9.9.9.9 le trouve",
		"API: status 503 with HTML (1.2 s)": "API : statut 503 avec du HTML (1,2 s)",
		"API: status 403 with the vendor's JSON error 2 \"Invalid access token\", its clock is 3 min from ours (80 ms)":                                            "API : statut 403 avec son erreur JSON : 2 « <en>Invalid access token</en> », son horloge s’écarte de la nôtre de 3 min (80 ms)",
		"name: api.netatmo.com is 51.124.1.2 51.124.1.3, says 192.168.1.1 (12 ms)":                                                                                 "nom : api.netatmo.com est 51.124.1.2 51.124.1.3, dit 192.168.1.1 (12 ms)",
		"connection: 51.124.1.2:443 answered (25 ms)":                                                                                                              "connexion : 51.124.1.2:443 a répondu (25 ms)",
		"certificate: for *.netatmo.com by DigiCert Inc, 2025-03-01 00:00 to 2026-03-30 23:59 (60 ms)":                                                             "certificat : pour *.netatmo.com, par DigiCert Inc, du 2025-03-01 00:00 au 2026-03-30 23:59 (60 ms)",
		"witness: page http://detectportal.firefox.com/success.txt is as it should be (40 ms)":                                                                     "témoin : page http://detectportal.firefox.com/success.txt est comme il faut (40 ms)",
		"witness: connection 1.1.1.1:443 did not answer (3.0 s)":                                                                                                   "témoin : connexion 1.1.1.1:443 n’a pas répondu (3,0 s)",
		"Netatmo is gone: the house is run from here":                                                                                                              "Netatmo est injoignable : Veilleuse prend le relais",
		"the sign-in at Netatmo ends at 18:05 and cannot be renewed: the house is run from here":                                                                   "la connexion à Netatmo expire à 18:05 et ne peut pas être renouvelée : Veilleuse prend le relais",
		"schedule Semaine, zone Confort+ (soir)":                                                                                                                   "planning Semaine, plage Confort+ (soir)",
		"set in the thermostat until Thu 30 Oct 18:00, then schedule":                                                                                              "réglé via le thermostat jusqu’à jeu. 30 oct. 18:00, puis planning",
		"Chambre d’amis: Vanne 2 is set to 17.5 °C":                                                                                                                "Chambre d’amis : Vanne 2 passe à 17,5 °C",
		"drill: Salon: Thermostat is set to 20 °C":                                                                                                                 "exercice : Salon : Thermostat passe à 20 °C",
		"carbon monoxide ALARM: Détecteur CO in Chaufferie":                                                                                                        "ALERTE monoxyde de carbone : Détecteur CO (Chaufferie)",
		"nobody has answered for 90 s: smoke alarm: Détecteur in Palier says smoke":                                                                                "personne n’a répondu depuis 90 s : alarme fumée : Détecteur (Palier) signale : fumée",
		"31 °C is above the maximum of 28 °C in veilleuse.yaml home.maximum":                                                                                       "31 °C, c’est au-dessus du maximum de 28 °C (home.maximum dans veilleuse.yaml)",
		"Fenêtre in Salon (open), Porte (not heard); see to it, or leave it out by a wish with bypass":                                                             "Fenêtre (Salon) (ouvert), Porte (non entendu) ; remédiez-y, ou laissez-le de côté",
		"over HomeKit, heard 3 min ago; its battery is low":                                                                                                        "par HomeKit, entendu il y a 3 min ; sa pile est faible",
		"Vanne 2: nobody reaches it; what it does by itself is unknown":                                                                                            "Vanne 2 : personne ne parvient à le joindre ; ce qu’il fait de lui-même est inconnu",
		"pair its relay with the code that came with it: veilleuse pair 12:34:56:78:9a:bc CODE (Netatmo Relay)":                                                    "appairez son relais avec le code fourni : veilleuse pair 12:34:56:78:9a:bc CODE (Netatmo Relay)",
		"the MQTT broker did not take it: dial tcp 127.0.0.1:1883: connect: connection refused":                                                                    "le serveur MQTT ne l’a pas pris : <en>dial tcp 127.0.0.1:1883: connect: connection refused</en>",
		"No: 3 of 5 heated rooms and 2 of 4 alarms would be served.":                                                                                               "Non : 3 pièces chauffées sur 5 et 2 alarmes sur 4 continueraient.",
		"the time of day is a guess (nobody has confirmed the clock since this machine started): no slot would change by schedule, rooms would hold 19 °C at most": "l’heure n’est que supposée (personne n’a confirmé l’heure depuis le démarrage de cette machine) : aucun créneau ne changerait selon le planning, les pièces garderaient 19 °C au plus",
		"1 of 3 paired accessories do not answer: Relay (connection refused)":                                                                                      "accessoires appairés sans réponse : 1 sur 3 : <en>Relay</en> (connexion refusée)",
		"the newest backup is 4 days old":                                                                                                                          "la dernière sauvegarde date de 4 jours",
		"Relay of others answers over accessory":                                                                                                                   "Relay of others répond via HomeKit",
		"the device is busy (-70403)":                                                                                                                              "l’appareil est occupé (-70403)",
		"Palier is learnt as a smoke alarm: temporal-3 (three pulses of half a second, the smoke pattern) at 3100 Hz, -23 dBFS here; its device is ear/palier; mind: it sounds just like Hall: the ear cannot tell one from the other": "Palier est appris comme alarme fumée : temporal-3 (trois impulsions d’une demi-seconde, le motif de la fumée) à 3100 Hz, -23 dBFS ici ; son appareil est ear/palier ; attention : il sonne tout comme Hall, l’oreille ne les distingue pas",
		"AA:BB is no longer paired with this house; we were its last admin, so it has forgotten x and y, too":                                                                                                                          "AA:BB n’est plus appairé avec cette maison ; nous étions son dernier administrateur, il a donc aussi oublié x and y",
		"Relay (AA:BB:CC:00:00:01) wants to be left alone: try again in 5 s":                                                                                                                                                           "Relay (AA:BB:CC:00:00:01) demande un répit : réessayez dans 5 s",
		"this is not one token: copy the refresh token alone, or the whole JSON from { to }":                                                                                                                                           "ce n’est pas un jeton seul : copiez le refresh token, ou tout le JSON de { à }",
		"debian.org and wikipedia.org say that the clock is 3 min behind":                                                                                                                                                              "debian.org et wikipedia.org disent que l’horloge retarde de 3 min",
	} {
		got, ok := newTranslator(unpacked(theReasons)[theReasons]).french("reason", english)
		got = strings.NewReplacer(foreignBegins, "<en>", foreignEnds, "</en>", nbsp, " ").Replace(got)
		if !ok || got != want {
			t.Errorf("%s\n got %s\nwant %s", english, got, want)
		}
	}
}

// What no phrase is for stays English as a whole, also where a part of it is known: nothing is half translated.
func TestWhatHasNoFrenchStaysEnglish(t *testing.T) {
	words := newTranslator(unpacked(theReasons)[theReasons])
	for _, text := range []string{
		"", " ", "the moon is full", "the moon is full: Netatmo answers", "Netatmo answers; the moon is full", "the moon is full since 16:41", "somebody sings: Vanne is set to 17 °C",
		"a dog was opened and it sees motion", "Salon: the moon is full", "Netatmo answers 503 with cheese", "schedule \x02evil\x03, zone x", "schedule \xff\xfe, zone x", "schedule Semaine",
		"set in Home app until soon, then schedule", strings.Repeat("Netatmo answers; ", 500),
	}[:14] {
		if text == "schedule Semaine" {
			continue // that is one
		}
		if said, ok := words.french("reason", text); ok {
			t.Errorf("%q became %q", text, said)
		}
	}
	p := &sheet{in: french}
	if got := p.reason("the <moon> is full"); got != `<span lang="en">the &lt;moon&gt; is full</span>` {
		t.Errorf("%s", got)
	}
	if got := p.reason(`schedule <b>, zone "x"`); got != `planning &lt;b&gt;, plage &#34;x&#34;` {
		t.Errorf("%s", got)
	}
	if got := (&sheet{}).reason("Netatmo <answers>"); got != "Netatmo &lt;answers&gt;" {
		t.Errorf("%s", got)
	}
}

// No sentence takes long, whatever a stranger's server or a name has put into it.
func TestTranslationIsBounded(t *testing.T) {
	for _, text := range []string{strings.Repeat("; ", 900), strings.Repeat("a: ", 600), strings.Repeat("Netatmo answers; ", 110) + "x", strings.Repeat("(a), ", 300), strings.Repeat("drill: ", 250),
		strings.Repeat(" since 16:41", 150), strings.Repeat(" or a (b)", 200), "x" + strings.Repeat(" and x", 300), strings.Repeat("API: status 503, its clock is 3 min from ours", 40)} {
		r := parsing{phrases: translators().phrases, seen: map[string]string{}}
		for _, class := range []string{"reason", "troubles", "pairs", "reply"} {
			r.read(class, text[:min(len(text), longestReason)], 0)
		}
		if r.tries > mostTries+1000 {
			t.Errorf("%.40q took %d tries", text, r.tries)
		}
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	words := newTranslator(unpacked(theReasons)[theReasons])
	for i := range 3 * mostKept {
		words.french("reason", strings.Repeat("x", i))
	}
	if len(words.known) > mostKept {
		t.Errorf("%d texts are remembered", len(words.known))
	}
}

// The packed files are those that people edit.
func TestPackedFilesAreThoseOfTheTree(t *testing.T) {
	names, err := filepath.Glob("static/*")
	names = append(names, theReasons, "first.html")
	files := unpacked("")
	if err != nil || len(names) != len(files) || len(names) < 10 {
		t.Errorf("%d files, %d packed, %v", len(names), len(files), err)
	}
	for _, name := range names {
		if text, err := os.ReadFile(name); err != nil || string(text) != files[name] {
			t.Errorf("%s was changed: run go generate ./adapters/web (%v)", name, err)
		}
	}
}

// Every line of the table is a phrase with French in it, whose gaps have a class, and is written as French is.
func TestTableOfReasonsIsWhole(t *testing.T) {
	text := unpacked(theReasons)[theReasons]
	classes := readPhrases(text)
	used := map[string]bool{"timeword": true, "lengthword": true, "reason": true, "who": true, "path": true, "proof": true, "adapter": true}
	seen := map[piece]bool{}
	class := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		english, inFrench, isPhrase := strings.Cut(line, " | ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case strings.HasPrefix(line, "["):
			if class = strings.Trim(line, "[]"); isPlain(class) {
				t.Errorf("%s is a class without a list", class)
			}
			continue
		case !isPhrase || strings.TrimSpace(english) == "" || strings.TrimSpace(inFrench) == "":
			t.Errorf("[%s] %q is no phrase", class, line)
			continue
		case seen[piece{class, english}]:
			t.Errorf("[%s] %q stands there twice", class, english)
		}
		seen[piece{class, english}] = true
		f := phraseOf(english, inFrench)
		for i, g := range f.gaps {
			used[g.class] = true
			if !isPlain(g.class) && len(classes[g.class]) == 0 {
				t.Errorf("[%s] %q has a gap of no class", class, english)
			}
			if g.name == g.class && slices.ContainsFunc(f.gaps[:i], func(o gap) bool { return o.name == g.name }) {
				t.Errorf("[%s] %q has the gap %s twice", class, english, g.name)
			}
		}
		for _, s := range f.french {
			if strings.ContainsAny(s.words, "{}") && !strings.Contains(english, s.words[max(0, strings.Index(s.words, "{")):][:2]) {
				t.Errorf("[%s] %q has a gap that the English has not", class, inFrench)
			}
		}
		for bad, why := range map[string]string{"'": "the apostrophe is ’", "  ": "two spaces", "oe": "œ", "...": "…"} {
			if strings.Contains(strings.TrimLeft(inFrench, " "), bad) && !strings.Contains(english, bad) && !(bad == "oe" && !regexp.MustCompile(`c?oeu|noeud`).MatchString(inFrench)) {
				t.Errorf("[%s] %q: %s", class, inFrench, why)
			}
		}
		if regexp.MustCompile(`[^ {«][;:!?](\s|$)`).MatchString(strings.NewReplacer("https://", "", "veilleuse.yaml", "", "siren: true", "", `token": "…"`, "", "synchronized: yes", "", "witnesses: []", "").Replace(inFrench)) {
			t.Errorf("[%s] %q: a space is missing before ; : ! or ?", class, inFrench)
		}
	}
	for name := range classes {
		if !used[name] {
			t.Errorf("nobody asks for [%s]", name)
		}
	}
}

// What devices do by themselves is told in French, too.
func TestFirmwareNotesInFrench(t *testing.T) {
	all, err := notes.Read()
	if err != nil {
		t.Fatal(err)
	}
	pages, err := filepath.Glob("../../firmware-notes/*.md")
	if err != nil {
		t.Fatal(err)
	}
	words, seen := newTranslator(unpacked(theReasons)[theReasons]), 0
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		model := regexp.MustCompile(`(?m)^models: \[?([^],\n]+)`).FindSubmatch(text)
		if model == nil {
			continue // the README
		}
		note, known := all.For(string(model[1]))
		if !known {
			t.Errorf("%s: no note of %s", page, model[1])
		}
		seen++
		if does := strings.TrimSuffix(note.WithoutCloud.Does, "."); does != "" {
			if _, ok := words.french("alone", does); !ok {
				t.Errorf("%s: %q has no French", note.Name, does)
			}
		}
		if best := note.BestPath(); best.Via == notes.MQTT {
			if _, ok := words.french("reason", best.Note); !ok {
				t.Errorf("%s: %q has no French", note.Name, best.Note)
			}
		}
	}
	if seen < 20 {
		t.Errorf("only %d notes", seen)
	}
}

// Every state that the page names has a name in both languages.
func TestStatesHaveNames(t *testing.T) {
	for _, v := range []gateway.Verdict{gateway.VerdictUnknown, gateway.VerdictOK, gateway.VerdictCloudDown, gateway.VerdictDegraded, gateway.VerdictInternetDown, gateway.VerdictLANDown, gateway.VerdictResolver,
		gateway.VerdictHijack, gateway.VerdictCaptive, gateway.VerdictAuthRevoked, gateway.VerdictRateLimited, gateway.VerdictClockWrong, gateway.VerdictSelf} {
		if _, ok := textOf("verdict." + string(v)); !ok {
			t.Errorf("the verdict %s has no name", v)
		}
	}
	for _, m := range []gateway.RoomMode{gateway.RoomSchedule, gateway.RoomManual, gateway.RoomMax, gateway.RoomAway, gateway.RoomFrost, gateway.RoomHold} {
		if _, ok := textOf("room." + string(m)); !ok {
			t.Errorf("the mode %s has no name", m)
		}
	}
}

func FuzzReason(f *testing.F) {
	for _, text := range []string{"Netatmo answers 503 with HTML since 16:41; your internet works: 2 of 3 witnesses answered", "Bath: NRV v1 is set to 21.5 °C", "{reason}", "schedule {name}, zone \x02"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := parsing{phrases: translators().phrases, seen: map[string]string{}}
		said, ok := r.read("reason", text[:min(len(text), longestReason)], 0)
		if ok != (said != "") || r.tries > mostTries+1000 {
			t.Fatalf("%q became %q after %d tries", text, said, r.tries)
		}
		if html := string((&sheet{in: french}).reason(text)); strings.ContainsAny(strings.NewReplacer(`<span lang="en">`, "", "</span>", "").Replace(html), `<>"`) {
			t.Fatalf("%q became %s", text, html)
		}
	})
}

func BenchmarkReason(b *testing.B) {
	for b.Loop() {
		r := parsing{phrases: translators().phrases, seen: map[string]string{}}
		r.read("reason", "the return is broken off: Netatmo answers 504 with HTML since 20:07; it fails since 16:41; your internet works: 3 of 3 witnesses answered", 0)
	}
}

func BenchmarkReadPhrases(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		readPhrases(unpacked(theReasons)[theReasons])
	}
}
