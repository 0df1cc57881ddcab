package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
)

// foundAccessory is one HomeKit accessory on the LAN or on Bluetooth.
type foundAccessory struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Model   string `json:"model,omitempty"`
	Address string `json:"address"` // host:port, or that of its radio
	Via     string `json:"via"`     // lan or bluetooth
	Paired  string `json:"paired"`  // here, elsewhere, no
	Hint    string `json:"hint,omitempty"`
}

// discoverVerb lists the accessories that announce themselves on the LAN or over Bluetooth.
func discoverVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("discover").withJSON()
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	var found []foundAccessory
	err := o.ask(ctx, "GET", "/discover", nil, &found, func(h *house) (err error) {
		found, err = h.discover(ctx)
		return err
	})
	if err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, found)
	}
	if len(found) == 0 {
		fmt.Fprintln(c.out, "No HomeKit accessory announces itself. If one is there, multicast may not pass: name its address, veilleuse pair --address HOST:PORT ID CODE.")
		return nil
	}
	table := tabwriter.NewWriter(c.out, 2, 4, 2, ' ', 0)
	for _, a := range found {
		how := "free to pair: veilleuse pair " + a.ID + " CODE"
		switch a.Paired {
		case "here":
			how = "paired with this house"
		case "elsewhere":
			how = "paired elsewhere: " + a.Hint
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.ID, a.Name, a.Model, a.Via, a.Address, how)
	}
	return table.Flush()
}

// unpairVerb ends a pairing, at the accessory and here.
func unpairVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("unpair")
	rest, err := o.parse(args, 1)
	if err != nil {
		return err
	}
	var said string
	err = o.ask(ctx, "POST", "/unpair", rest[0], &said, func(h *house) (err error) {
		said, err = h.unpair(ctx, rest[0])
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(c.out, said)
	return nil
}

// ask does something in the running daemon, or without one in a house that is opened for it alone.
func (o *options) ask(ctx context.Context, method, path string, body, into any, alone func(*house) error) error {
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	err = askDaemon(ctx, config.State, method, path, body, into)
	if errors.Is(err, errNoDaemon) {
		return withHouse(config, alone)
	}
	return err
}
