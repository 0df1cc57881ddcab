package web

import (
	"net/http"
	"strings"
	"testing"
)

func inFrenchPlease(r *http.Request) { r.Header.Set("Accept-Language", "fr-FR, en;q=0.5") }

// A refusal is French for a browser that is, and English for programs and in the words of the contract.
func TestRefusalsAreInTheLanguageOfTheBrowser(t *testing.T) {
	d := newDoor(t, Options{}) // which takes no wishes yet
	key := keyOf(d.request("POST", "/welcome", "password="+rightful+"&again="+rightful))
	s := cottage()
	d.newest.Store(&s)
	const why, said = "the house has only just started; ask again", "la maison vient de démarrer ; redemandez"
	for _, c := range []struct {
		name, method, path, body string
		french                   bool
		want                     string
	}{
		{"a form", "POST", "/do", "to=room/1&target=31", true, said},
		{"a form in English", "POST", "/do", "to=room/1&target=31", false, why},
		{"a call", "POST", "/api/wish/room/1", `{"target":31}`, true, `"why":"` + why + `","said":"` + said},
		{"a call of a program", "POST", "/api/wish/room/1", `{"target":31}`, false, why + `"}`},
		{"no page", "GET", "/elsewhere", "", true, "il n’y a rien ici"},
		{"no page in English", "GET", "/elsewhere", "", false, "there is nothing here"},
		{"no call", "GET", "/api/elsewhere", "", true, "there is nothing here"},
		{"the wrong way", "POST", "/", "x=y", true, "ici, seul GET reçoit une réponse"},
	} {
		change := func(*http.Request) {}
		if c.french {
			change = inFrenchPlease
		}
		w := d.request(c.method, c.path, c.body, with(key), change)
		if body := strings.ReplaceAll(w.Body.String(), nbsp, " "); w.Code/100 != 4 || !strings.Contains(body, c.want) {
			t.Errorf("%s: %d, %q is not in %.300s", c.name, w.Code, c.want, body[:min(300, len(body))])
		}
	}
	if w := d.request("GET", "/", "", inFrenchPlease, from(outside)); !strings.Contains(w.Body.String(), "ne se montre qu’au réseau du domicile") || w.Header().Get("Content-Language") != "fr" {
		t.Errorf("from outside: %s", w.Body)
	}
	strange := func(r *http.Request) { r.Host = "evil.example" }
	if w := d.request("GET", "/", "", inFrenchPlease, strange); !strings.Contains(w.Body.String(), "n’est pas un nom de cette machine") {
		t.Errorf("under a strange name: %s", w.Body)
	}
}
