package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/adapters/store"
	"github.com/veilleuse/veilleuse/adapters/web"
	"github.com/veilleuse/veilleuse/gateway"
)

// bundlePart is one file of a bundle.
type bundlePart struct{ name, text string }

// Bounds of a bundle.
const (
	mostBundle     = 5 << 20 // bytes, packed
	mostPart       = 2 << 20 // bytes of one part as it is before
	bundlePatience = 20 * time.Second
)

// bundle makes the file that somebody who asks for help may show to everybody. It takes up to 20 s, since it listens on the
// LAN as the doctor does. An error says in one sentence why there is none.
func (h *house) bundle(now time.Time) (name string, content []byte, err error) {
	return h.bundleFor(now, false)
}

// bundleFor is bundle, with the names of home, rooms and devices if they are wanted.
func (h *house) bundleFor(now time.Time, names bool) (name string, content []byte, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), bundlePatience)
	defer cancel()
	s, runs, err := h.newest()
	if err != nil {
		return "", nil, err
	}
	facts := h.bundleFacts(ctx, runs)
	m := h.maskOf(s, facts, names)
	parts := h.bundleParts(s, m)
	if runs {
		parts = append(parts, jsonPart("doctor.json", diagnose(s, h.notes(), facts)))
	}
	known, missing := h.secrets()
	parts = append([]bundlePart{{"README.txt", bundleReadme(now, names, runs, missing)}}, parts...)
	if err := leaks(parts, known); err != nil { // a token begins with an id that is about to be replaced
		return "", nil, err
	}
	for _, p := range parts {
		m.fields(p)
	}
	for i := range parts {
		parts[i].text = m.masked(parts[i].text)
	}
	if err := leaks(parts, append(known, m.seen...)); err != nil {
		return "", nil, err
	}
	content, err = tarOf(parts, now)
	if err == nil && len(content) > mostBundle {
		err = fmt.Errorf("the bundle would have %d bytes, and %d are the most", len(content), mostBundle)
	}
	return "veilleuse-bundle-" + now.UTC().Format("2006-01-02-1504") + ".tar.gz", content, err
}

// newest is the State of the house that runs, or what is saved of one that does not.
func (h *house) newest() (s gateway.State, runs bool, err error) {
	if s := h.control.newest.Load(); s != nil {
		return *s, true, nil
	}
	s, err = h.firstState(h.config)
	return s, false, err
}

// bundleFacts is what the doctor knows beside the State. A house that does not run is not looked for on the LAN.
func (h *house) bundleFacts(ctx context.Context, runs bool) doctorFacts {
	if runs {
		return h.doctorFacts(ctx)
	}
	paired, _ := h.accessory.Paired() // why they cannot be read, status says
	return doctorFacts{Paired: paired}
}

// bundleParts are the files of a bundle before anything is taken out of them.
func (h *house) bundleParts(s gateway.State, m *mask) []bundlePart {
	status, outages := h.report(s), web.Outages(s)
	status.Decisions = m.present(status.Decisions)
	for i := range outages {
		outages[i].Decisions = m.present(outages[i].Decisions)
	}
	return []bundlePart{
		{"system.txt", h.systemFacts()},
		{"metrics.txt", string(h.page.Figures())},
		{"log.txt", m.presentLines(h.said.text())},
		jsonPart("config.json", h.config),
		jsonPart("status.json", status),
		jsonPart("outages.json", outages),
	}
}

func jsonPart(name string, value any) bundlePart {
	var text strings.Builder
	if err := writeJSON(&text, value); err != nil { // it is made of plain data
		text.WriteString(err.Error())
	}
	return bundlePart{name, text.String()}
}

// packedBundle is the answer of a daemon that is asked for a bundle.
type packedBundle struct {
	Name string `json:"name"`
	File []byte `json:"file"`
}

func (h *house) packBundle(now time.Time, names bool) (packedBundle, error) {
	name, file, err := h.bundleFor(now, names)
	return packedBundle{name, file}, err
}

// bundleRoutes are what the verb bundle asks a running daemon.
func (c *control) bundleRoutes(mux *http.ServeMux, port gateway.Port) {
	mux.HandleFunc("GET /bundle", answer(func(r *http.Request) (any, error) {
		if c.newest.Load() == nil {
			return nil, errJustStarted
		}
		return c.house.packBundle(port.Now(), r.URL.RawQuery == bundleNames)
	}))
}

// bundleNames asks for a bundle with names in it.
const bundleNames = "names"

// bundleVerb makes a bundle and writes it into a file that its owner alone can read.
func bundleVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("bundle")
	names := o.set.Bool("names", false, "keep the names of home, rooms and devices")
	rest, err := o.parseUpTo(args, 1)
	if err != nil {
		return err
	}
	path := "/bundle"
	if *names {
		path += "?" + bundleNames
	}
	var made packedBundle
	err = o.ask(ctx, "GET", path, nil, &made, func(h *house) (err error) {
		made, err = h.packBundle(time.Now(), *names)
		return err
	})
	if err != nil {
		return err
	}
	file := made.Name
	if len(rest) > 0 {
		file = rest[0]
	}
	if file == "-" {
		_, err := c.out.Write(made.File)
		return err
	}
	if err := store.ReplaceFile(file, made.File); err != nil {
		return fmt.Errorf("write the bundle: %w; name another FILE, or - for standard output", err)
	}
	fmt.Fprintf(c.out, "%s holds what others need to help (%d bytes), its README.txt says what; look through it before you show it\n", file, len(made.File))
	return nil
}
