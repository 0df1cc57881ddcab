package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// drillAsker is who asks, for people; drillMark begins the words of whatever is decided in a drill.
const (
	drillAsker = "veilleuse drill"
	drillMark  = "drill: "
)

// drillRequest asks for a drill, or for the end of one.
type drillRequest struct {
	ForS float64 `json:"for_s,omitempty"`
	End  bool    `json:"end,omitempty"`
}

// How often a drill is looked at, and every how many looks its doors are knocked at, in real time.
const (
	drillLooks  = 500 * time.Millisecond
	drillKnocks = 10
)

// drillSilence is how long the daemon may not answer before the drill is given up, and afterDrill how
// long a person who has pressed Ctrl-C waits for the house to be under Netatmo again; in real time.
const (
	drillSilence = 10 * time.Second
	afterDrill   = time.Minute
)

// drillVerb plays an outage on the real house and reports.
func drillVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("drill").withJSON()
	length := o.set.Duration("for", 10*time.Minute, "")
	stop := o.set.Bool("stop", false, "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var first drillView
	if *stop {
		if err := askDaemon(ctx, config.State, "POST", "/drill", drillRequest{End: true}, &first); err != nil {
			return err
		}
		if o.json {
			return writeJSON(c.out, first)
		}
		fmt.Fprintln(c.out, "The drill ends: Netatmo is read, then the house is under it again.")
		return nil
	}
	// Ctrl-C while this is under way must not leave a drill behind that nobody sees out.
	if err := askDaemon(context.WithoutCancel(ctx), config.State, "POST", "/drill", drillRequest{ForS: length.Seconds()}, &first); err != nil {
		return err
	}
	d := drilling{state: config.State, console: c, silent: o.json, watch: watchDrill(*length, first), seen: first.Decided}
	d.tell(fmt.Sprintf("A drill until %s: the house is run from here as if Netatmo were gone. Ctrl-C ends it.", clockOf(d.watch.until)))
	d.say(first.Decisions)
	failed := d.follow(ctx)
	report := d.watch.report()
	if o.json {
		err = writeJSON(c.out, report)
	} else {
		report.print(c.out)
	}
	if err = errors.Join(failed, err); err == nil && !report.Passed {
		return errNo
	}
	return err
}

// drilling is the verb while a drill goes on.
type drilling struct {
	state   string // folder of the daemon
	console console
	silent  bool // only the report is wanted
	watch   *drillWatch
	seen    uint64 // number of the last decision
}

// follow looks at the drill until it is over. Once ctx ends it ends the drill and sees that out, too.
func (d *drilling) follow(ctx context.Context) error {
	asking := context.WithoutCancel(ctx)
	interrupted := ctx.Done()
	var giveUp <-chan time.Time
	heard := time.Now()
	ticker := time.NewTicker(drillLooks)
	defer ticker.Stop()
	for looks := 0; ; looks++ {
		select {
		case <-interrupted:
			interrupted, giveUp = nil, time.After(afterDrill)
			d.tell("Ending the drill: Netatmo is read first.")
			var v drillView
			if err := askDaemon(asking, d.state, "POST", "/drill", drillRequest{End: true}, &v); err != nil && d.watch.ended.IsZero() {
				return fmt.Errorf("end the drill: %w; it ends by itself at %s", err, clockOf(d.watch.until))
			}
		case <-giveUp:
			return nil
		case <-ticker.C:
		}
		over, err := d.look(asking, looks%drillKnocks == 0)
		switch {
		case over:
			return nil
		case err == nil:
			heard = time.Now()
		case time.Since(heard) > drillSilence:
			return err
		}
	}
}

// look takes one look at the drill.
func (d *drilling) look(ctx context.Context, knocking bool) (over bool, err error) {
	var v drillView
	path := fmt.Sprintf("/drill?after=%d&knock=%t", d.seen, knocking)
	if err := askDaemon(ctx, d.state, "GET", path, nil, &v); err != nil {
		return false, err
	}
	d.seen = v.Decided
	d.watch.take(v)
	d.say(v.Decisions)
	return d.watch.over(v.At), nil
}

func (d *drilling) say(decisions []gateway.Decision) {
	for _, decision := range decisions {
		d.tell(fmt.Sprintf("%s  %s (%s)", clockOf(decision.At), decision.What, decision.Why))
	}
}

// tell writes a line, unless only the report is wanted.
func (d *drilling) tell(line string) {
	if !d.silent {
		fold(d.console.out, "", line)
	}
}

// wishPatience is how long the house may take to decide about a wish, in real time.
const wishPatience = 10 * time.Second

// drillRoutes answer the verb drill.
func (c *control) drillRoutes(mux *http.ServeMux, port gateway.Port) {
	mux.HandleFunc("GET /drill", answer(func(r *http.Request) (any, error) {
		after, err := strconv.ParseUint(r.FormValue("after"), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("after: %q is not the number of a decision", r.FormValue("after"))
		}
		return c.shown(func(ctx context.Context, s gateway.State) any {
			return c.house.drill(ctx, s, after, r.FormValue("knock") == "true")
		})(r)
	}))
	mux.HandleFunc("POST /drill", answer(func(r *http.Request) (any, error) {
		var ask drillRequest
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
			return nil, fmt.Errorf("the request is not readable: %w", err)
		}
		before := c.newest.Load()
		if before == nil {
			return nil, errJustStarted
		}
		s, err := c.wishDrill(r.Context(), port, ask, *before)
		if err != nil {
			return nil, err
		}
		return c.house.drill(r.Context(), s, before.Decided, false), nil
	}))
}

// wishDrill posts the wish and waits for what the house decides: a refusal is an error with its reason.
func (c *control) wishDrill(ctx context.Context, port gateway.Port, ask drillRequest, before gateway.State) (gateway.State, error) {
	var wish gateway.Ask = gateway.StartDrill{For: time.Duration(ask.ForS * float64(time.Second))}
	if ask.End {
		wish = gateway.EndDrill{}
	}
	port.Post(gateway.Wish{By: drillAsker, Ask: wish})
	ctx, cancel := context.WithTimeout(ctx, wishPatience)
	defer cancel()
	for {
		s := *c.newest.Load()
		for _, d := range s.Decisions {
			switch {
			case d.Number <= before.Decided:
			case d.Kind == "refused" && strings.Contains(d.What, drillAsker):
				return s, errors.New(d.Why)
			case d.Kind == "authority" && strings.HasPrefix(d.What, drillMark):
				return s, nil // it has begun or ended; perhaps somebody else has ended it by now
			}
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			return s, errors.New("the house has not decided about the drill; ask again")
		}
	}
}
