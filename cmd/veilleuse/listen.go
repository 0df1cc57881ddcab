package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/ear"
	"github.com/veilleuse/veilleuse/gateway"
)

// listening is what the verbs can ask of the ear.
type listening interface {
	listen(ctx context.Context, seconds int) (ear.Hearing, error)
	learn(context.Context, ear.Wanted) (learnReport, error)
	forget(name string) (string, error)
	signatures() ([]ear.Signature, error)
}

// learnReport is what was learnt, and what the person ought to know.
type learnReport struct {
	Signature ear.Signature `json:"signature"`
	Device    string        `json:"device"`
	Mind      []string      `json:"mind"`
}

// longestListen is the longest a verb listens, in seconds: less than the control socket's patience.
const longestListen = 100

// listenVerb says what the ear hears, in the room or in a recording, and lets it learn and forget.
func listenVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("listen").withJSON()
	var wanted ear.Wanted
	seconds := o.set.Int("seconds", 10, "")
	file, forget := o.set.String("file", "", ""), o.set.String("forget", "", "")
	o.set.StringVar(&wanted.Name, "learn", "", "")
	o.set.StringVar(&wanted.Room, "room", "", "")
	kind := o.set.String("kind", "", "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	wanted.Kind = gateway.Quantity(*kind)
	asked := 0
	for _, s := range []string{*file, *forget, wanted.Name} {
		if s != "" {
			asked++
		}
	}
	switch {
	case asked > 1:
		return usageError{errors.New("--learn, --file and --forget do not go together")}
	case (wanted.Room != "" || wanted.Kind != "") && wanted.Name == "":
		return usageError{errors.New("--room and --kind belong to --learn NAME")}
	case wanted.Kind != "" && wanted.Kind != gateway.Smoke && wanted.Kind != gateway.CO:
		return usageError{fmt.Errorf("--kind is smoke or co, not %q", *kind)}
	case *seconds < 1 || *seconds > longestListen:
		return usageError{fmt.Errorf("--seconds is 1 to %d, not %d", longestListen, *seconds)}
	case wanted.Name != "":
		return o.learn(ctx, c, wanted)
	case *forget != "":
		return o.forget(ctx, c, *forget)
	case *file != "":
		return o.listenTo(ctx, c, *file)
	}
	return o.listen(ctx, c, *seconds)
}

func (o *options) listen(ctx context.Context, c console, seconds int) error {
	fmt.Fprintf(c.err, "listening for %d s ...\n", seconds)
	var h ear.Hearing
	err := o.ask(ctx, "POST", "/listen", seconds, &h, func(house *house) (err error) {
		h, err = house.listen(ctx, seconds)
		return err
	})
	if err != nil {
		return err
	}
	return o.say(c, h)
}

// listenTo looks into a recording here, as the daemon may not read what a person can. It knows the learnt
// signatures if there is a way to ask for them.
func (o *options) listenTo(ctx context.Context, c console, file string) error {
	f, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	defer f.Close()
	var learnt []ear.Signature
	err = o.ask(ctx, "GET", "/signatures", nil, &learnt, func(house *house) (err error) {
		learnt, err = house.signatures()
		return err
	})
	if err != nil {
		fmt.Fprintf(c.err, "only the general patterns are looked for: %v\n", err)
	}
	h, err := ear.HearStream(f, learnt)
	if err != nil {
		return fmt.Errorf("--file %s: %w", file, err)
	}
	return o.say(c, h)
}

func (o *options) say(c console, h ear.Hearing) error {
	if o.json {
		return writeJSON(c.out, h)
	}
	fmt.Fprint(c.out, hearingWords(h))
	return nil
}

// hearingWords is what was heard, for people.
func hearingWords(h ear.Hearing) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%.1f s were listened to; the last second had %.0f dBFS\n", h.Seconds, h.Level)
	if h.Fault != "" {
		fmt.Fprintf(&b, "the microphone is of no use: %s\n", h.Fault)
	}
	if h.Tone > 0 {
		fmt.Fprintf(&b, "a tone of about %.0f Hz stood out for %.0f %% of the time\n", h.Tone, 100*h.ToneShare)
	} else {
		b.WriteString("no tone stood out between 2.4 and 4.2 kHz\n")
	}
	for _, v := range h.Heard {
		fmt.Fprintf(&b, "%s is heard (%s): %s at %.0f Hz, certain after %.1f s\n", v.Name, kindName(v.Kind), v.Cadence, v.Frequency, v.After)
	}
	if len(h.Heard) == 0 {
		b.WriteString("no siren is heard\n")
	}
	return b.String()
}

func kindName(k gateway.Quantity) string {
	if k == gateway.CO {
		return "carbon monoxide"
	}
	return "smoke"
}

func (o *options) learn(ctx context.Context, c console, w ear.Wanted) error {
	fmt.Fprintf(c.err, "hold the test button of %s pressed now, for 15 s; until %.0f s from now a siren raises no alarm ...\n", w.Name, ear.Patience.Seconds()+15)
	var r learnReport
	err := o.ask(ctx, "POST", "/learn", w, &r, func(h *house) (err error) {
		r, err = h.learn(ctx, w)
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, r)
	}
	fmt.Fprintln(c.out, learntWords(r))
	for _, m := range r.Mind {
		fmt.Fprintf(c.out, "mind: %s\n", m)
	}
	return nil
}

// learntWords is what was learnt, for people.
func learntWords(r learnReport) string {
	s := r.Signature
	return fmt.Sprintf("%s is learnt as a %s alarm: %s at %.0f Hz, %.0f dBFS here; its device is %s", s.Name, kindName(s.Kind), s.Cadence, s.Frequency, s.Level, r.Device)
}

func (o *options) forget(ctx context.Context, c console, name string) error {
	var said string
	err := o.ask(ctx, "POST", "/forget", name, &said, func(h *house) (err error) {
		said, err = h.forget(name)
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, map[string]string{"forgotten": name})
	}
	fmt.Fprintln(c.out, said)
	return nil
}

// listenRoutes are those of the control socket for the ear.
func (c *control) listenRoutes(mux *http.ServeMux) {
	mux.HandleFunc("POST /listen", answer(func(r *http.Request) (any, error) {
		var seconds int
		if err := json.NewDecoder(r.Body).Decode(&seconds); err != nil || seconds < 1 || seconds > longestListen {
			return nil, fmt.Errorf("the request is not readable: expected 1 to %d seconds", longestListen)
		}
		return c.house.listen(r.Context(), seconds)
	}))
	mux.HandleFunc("POST /learn", answer(func(r *http.Request) (any, error) {
		var w ear.Wanted
		if err := json.NewDecoder(r.Body).Decode(&w); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		return c.house.learn(r.Context(), w)
	}))
	mux.HandleFunc("POST /forget", answer(func(r *http.Request) (any, error) {
		var name string
		if err := json.NewDecoder(r.Body).Decode(&name); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		return c.house.forget(name)
	}))
	mux.HandleFunc("GET /signatures", answer(func(r *http.Request) (any, error) { return c.house.signatures() }))
}

// listen is what the ear hears in the next seconds.
func (h *house) listen(ctx context.Context, seconds int) (ear.Hearing, error) {
	return h.ear.Hear(ctx, time.Duration(seconds)*time.Second)
}

// learn has the ear learn a detector's voice.
func (h *house) learn(ctx context.Context, w ear.Wanted) (learnReport, error) {
	s, mind, err := h.ear.Learn(ctx, w)
	return learnReport{s, string(s.Device()), mind}, err
}

// forget has the ear forget one.
func (h *house) forget(name string) (string, error) {
	return fmt.Sprintf("%s is forgotten", name), h.ear.Forget(name)
}

// signatures are those that were learnt.
func (h *house) signatures() ([]ear.Signature, error) {
	all, _, err := h.ear.Learnt()
	return all, err
}
