package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
)

// pairHomeVerb shows what the Home app needs to be paired again. With --reset the bridges forget every controller first
// and get new identities and codes.
func pairHomeVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("pair-home").withJSON()
	reset, yes := o.set.Bool("reset", false, ""), o.set.Bool("yes", false, "")
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	switch {
	case *yes && !*reset:
		return usageError{errors.New("--yes belongs to --reset")}
	case *reset:
		return o.resetHome(ctx, c, *yes)
	}
	var r codeReport
	err := o.ask(ctx, "GET", "/code", nil, &r, func(h *house) (err error) {
		r, err = h.code()
		return err
	})
	if err != nil {
		return err
	}
	if !o.json {
		fmt.Fprintln(c.out, pairAdvice(r))
	}
	return o.sayCodes(c.out, r)
}

// pairAdvice says what to do before the code is of use: a bridge that has a controller takes no second one by its code.
func pairAdvice(r codeReport) string {
	paired := r.Controllers
	for _, b := range r.More {
		paired += b.Controllers
	}
	if paired == 0 {
		return "Nobody is paired: add the bridge in the Home app.\n"
	}
	return "The Home app is paired already, so that this code is refused. Invite other people and devices in the Home app.\n" +
		"If it has lost the bridge, remove the bridge there. If that does not help: veilleuse pair-home --reset.\n"
}

// resetHome forgets every controller, once a person has said that this is meant.
func (o *options) resetHome(ctx context.Context, c console, yes bool) error {
	if !yes {
		fmt.Fprint(c.err, "Every phone, home hub and program that is paired with the bridge is forgotten, and there is a new code.\n"+
			"The Home app is not told: remove the old bridge there; its rooms, names and automations go with it.\nType yes to go on: ")
		answer, _ := bufio.NewReader(c.in).ReadString('\n') // whatever is no yes is a no
		if strings.TrimSpace(answer) != "yes" {
			return errors.New("nothing was changed")
		}
	}
	var r codeReport
	err := o.ask(ctx, "POST", "/pair-home", nil, &r, func(h *house) (err error) {
		r, err = h.resetHome(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if !o.json {
		fmt.Fprint(c.out, "All controllers are forgotten. In the Home app remove the old bridge, then add the new one.\n\n")
	}
	return o.sayCodes(c.out, r)
}
