package web

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	_ "time/tzdata"

	"github.com/veilleuse/veilleuse/gateway"
	"github.com/veilleuse/veilleuse/rules"
	"github.com/veilleuse/veilleuse/rules/story"
)

// storyWords are what stories put into the mouths of devices, servers and people, in fewer words than these have.
const storyWords = `
[reason]
Netatmo answers {number} | Netatmo répond {number}
Netatmo's name {outcome} | le nom de Netatmo {outcome}
no connection | pas de connexion
no answer | pas de réponse
no answer in {length} | pas de réponse en {length}
no route | pas de chemin
no host outside answers | aucun serveur extérieur ne répond
503 | 503
homestatus: 429 | homestatus : 429
webhook_deactivation | webhook_deactivation
{count} | {count}
a time server on the LAN | un serveur de temps du réseau local
restored after a power cut | repris après une coupure de courant
its firmware ignores on_time | son micrologiciel ignore on_time
OFF mode can only be applied on thermostat room | le mode OFF n’existe que dans une pièce à thermostat
MQTT broker is not there | le serveur MQTT n’est pas là
told so | prévenu
nobody is no smoke or carbon monoxide detector that is known here | nobody n’est pas un détecteur connu ici
NaN °C for Bath | NaN °C pour Bath
the home's mode party | mode du logement : party
the router answers, the internet does not | le routeur répond, internet non
[who]
control | veilleuse drill
[proof]
by told so | par un programme
`

// Whatever happens in the stories that tell how the house decides, a French page says why in French.
func TestStoriesAreToldInFrench(t *testing.T) {
	files, err := filepath.Glob("../../rules/testdata/*.story")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d stories: %v", len(files), err)
	}
	told := map[piece]string{} // story by sentence
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		s, err := story.Read(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		check := func(_ gateway.State, _ gateway.Event, after gateway.State, commands []gateway.Command) error {
			for _, said := range sentences(after, commands) {
				if _, known := told[said]; !known && said.text != "" {
					told[said] = filepath.Base(file)
				}
			}
			return nil
		}
		if err := s.Play(rules.Step, check, io.Discard); err != nil {
			t.Fatal(err)
		}
	}
	words := newTranslator(unpacked(theReasons)[theReasons] + storyWords)
	for said, file := range told {
		if shown, ok := words.french(said.class, said.text); !ok {
			t.Errorf("%s: %q has no French as %s", file, said.text, said.class)
		} else if testing.Verbose() {
			t.Logf("%s\n\t%s", said.text, shown)
		}
	}
	t.Logf("%d sentences", len(told))
	if len(told) < 500 {
		t.Errorf("only %d sentences were told: the test looks in the wrong place", len(told))
	}
}

// piece is what is said, of a class of the table.
type piece struct{ class, text string }

// sentences are what a page may say of a State, and what commands go out with.
func sentences(s gateway.State, commands []gateway.Command) []piece {
	var all []piece
	say := func(class string, texts ...string) {
		for _, text := range texts {
			all = append(all, piece{class, text})
		}
	}
	say("reason", s.Authority.Why, s.Cloud.Why, s.Clock.Why)
	say("reason", s.Cloud.Evidence...)
	for _, d := range s.Decisions[max(0, len(s.Decisions)-3):] {
		say("reason", d.What, d.Why)
	}
	for _, r := range s.Rooms.All() {
		say("reason", r.Target.Why)
	}
	for _, d := range s.Devices.All() {
		for _, f := range d.Faces {
			say("reason", f.Why)
		}
	}
	for _, a := range s.Alarms {
		say("reason", a.Why)
		say("who", a.By)
		for _, d := range a.Told {
			say("path", d.Path)
			say("reason", d.Err)
			say("proof", d.By)
		}
	}
	for _, o := range s.Outages {
		say("reason", o.HandedBack...)
	}
	for _, c := range commands {
		say("reason", c.Why)
	}
	return all
}
