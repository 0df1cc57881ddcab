package web

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// by is where people act, in the words of every decision.
const by = "page"

// answerWithin is how long a wish waits for what the house decides about it. It is decided within milliseconds; a wish for
// what is so already is decided by nobody.
const answerWithin = time.Second

// granted is the answer to a wish.
type granted struct {
	Granted bool   `json:"granted"`
	What    string `json:"what,omitempty"` // what was decided, in the house's words; absent: it was so already
	Why     string `json:"why,omitempty"`  // the reason, of a refusal too
}

// apiWish takes a wish as JSON: the same object that MQTT takes on the topic of that name and /set.
func (a *Adapter) apiWish(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("a wish has at most %d bytes", wishBody))
		return
	}
	g := a.wish(r.Context(), r.PathValue("to"), body)
	status := http.StatusOK
	if !g.Granted {
		status = http.StatusUnprocessableEntity
	}
	said := ""
	if languageOf(r) == french {
		said = plainFrench(g.Why)
	}
	answer(w, status, struct {
		granted
		Said string `json:"said,omitempty"` // Why in the language of the browser; absent: it is English, or has no other form
	}{g, said})
}

// answer writes a value as JSON.
func answer(w http.ResponseWriter, status int, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "the answer cannot be written: "+err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(text, '\n'))
}

// apiState answers how the house stands.
func (a *Adapter) apiState(w http.ResponseWriter, _ *http.Request) {
	s := a.newest.Load()
	if s == nil {
		refuse(w, http.StatusServiceUnavailable, justStarted)
		return
	}
	answer(w, http.StatusOK, a.view(*s))
}

const justStarted = "the house has only just started; ask again"

// wish puts one wish to the house and waits for what is decided. One after the other, so that each finds its own decision.
func (a *Adapter) wish(ctx context.Context, to string, body []byte) granted {
	select {
	case a.wishing <- struct{}{}:
		defer func() { <-a.wishing }()
	case <-ctx.Done():
		return granted{Why: "nobody waited for the answer"}
	}
	s, port := a.newest.Load(), a.port.Load()
	if s == nil || port == nil || a.options.Wish == nil {
		return granted{Why: justStarted}
	}
	ask, err := a.options.Wish(*s, a.now(), to, body)
	if err != nil {
		return granted{Why: err.Error()}
	}
	port.Post(gateway.Wish{By: by, Ask: ask})
	return a.decided(ctx, s.Decided)
}

// decided waits for the decision about a wish from here that follows the one of that number.
func (a *Adapter) decided(ctx context.Context, after uint64) granted {
	one := a.live.watch()
	defer a.live.unwatch(one)
	late := time.NewTimer(a.answers)
	defer late.Stop()
	for {
		if s := a.newest.Load(); s != nil {
			for _, d := range s.Decisions {
				if g, about := answerOf(d); about && d.Number > after {
					return g
				}
			}
		}
		select {
		case <-one:
		case <-late.C:
			return granted{Granted: true}
		case <-ctx.Done():
			return granted{Why: "the house has the wish, but nobody waited for the answer"}
		}
	}
}

// answerOf is what a decision says to somebody who has wished something here; false: it is about something else.
func answerOf(d gateway.Decision) (granted, bool) {
	if what, refused := strings.CutPrefix(d.What, by+": "); refused && d.Kind == "refused" {
		return granted{What: what, Why: d.Why}, true
	}
	return granted{Granted: true, What: d.What, Why: d.Why}, d.Kind != "refused" && strings.Contains(d.Why, "in "+by)
}

// do takes a wish from a form, for a browser without JavaScript. Granted, it leads back to the thing; refused, the page shows
// the reason next to it.
func (a *Adapter) do(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		refuse(w, http.StatusRequestEntityTooLarge, "the form is not readable: "+err.Error())
		return
	}
	to := r.PostForm.Get("to")
	body, err := wishOf(r.PostForm)
	g := granted{}
	if err != nil {
		g.Why = err.Error()
	} else {
		g = a.wish(r.Context(), to, body)
	}
	if g.Granted {
		http.Redirect(w, r, "/#"+url.PathEscape(anchor(to)), http.StatusSeeOther)
		return
	}
	a.show(w, r, http.StatusUnprocessableEntity, &refusal{to, g.Why})
}

// refusal is a wish that was not granted, as the page shows it.
type refusal struct{ to, why string }

// anchor is the id of the thing in the page that a wish is for.
func anchor(to string) string { return strings.ReplaceAll(to, "/", "-") }

// wishOf makes the JSON object of a wish from a form's fields, all but "to". Empty fields say nothing.
func wishOf(form url.Values) ([]byte, error) {
	wish := map[string]any{}
	for key, values := range form {
		if key == "to" || values[0] == "" {
			continue
		}
		if len(values) > 1 {
			return nil, fmt.Errorf("%q is there twice", key)
		}
		switch n, err := strconv.ParseFloat(strings.ReplaceAll(values[0], ",", "."), 64); {
		case key == "target" && err != nil:
			return nil, fmt.Errorf("%q is not a temperature in °C", values[0])
		case key == "target":
			wish[key] = n
		case values[0] == "true" || values[0] == "false":
			wish[key] = values[0] == "true"
		default:
			wish[key] = values[0]
		}
	}
	body, err := json.Marshal(wish)
	if err != nil {
		return nil, fmt.Errorf("the wish cannot be read: %w", err)
	}
	return body, nil
}
