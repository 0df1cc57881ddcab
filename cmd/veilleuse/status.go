package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// statusVerb asks the running daemon how the house stands.
func statusVerb(ctx context.Context, c console, args []string) error {
	o := newOptions("status").withJSON()
	if _, err := o.parse(args, 0); err != nil {
		return err
	}
	config, _, err := loadConfig(o.config)
	if err != nil {
		return err
	}
	var r statusReport
	if err := askDaemon(ctx, config.State, "GET", "/status", nil, &r); err != nil {
		return err
	}
	if o.json {
		return writeJSON(c.out, r)
	}
	printStatus(c.out, r)
	return nil
}

func writeJSON(out io.Writer, v any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// printStatus writes a status for people: first who is in charge and why, then alarms, rooms, devices.
func printStatus(out io.Writer, r statusReport) {
	fmt.Fprintf(out, "%s since %s: %s\n", r.Authority.Phase, clockOf(r.Authority.Since), r.Authority.Why)
	fmt.Fprintf(out, "Netatmo: %s since %s: %s\n", r.Cloud.Verdict, clockOf(r.Cloud.Since), r.Cloud.Why)
	for _, e := range r.Cloud.Evidence {
		fmt.Fprintf(out, "  - %s\n", e)
	}
	fmt.Fprintf(out, "alarm: %s", r.Alarm.Phase)
	if r.Alarm.Why != "" {
		fmt.Fprintf(out, " since %s: %s", clockOf(r.Alarm.Since), r.Alarm.Why)
	}
	printAlarms(out, r)
	printGuard(out, r.Guard)
	fmt.Fprintf(out, "\nclock: %s%s (%s)\n", r.Clock.Trust, boundOf(r.Clock.BoundS), r.Clock.Why)
	fmt.Fprintf(out, "requests to Netatmo: %d in the last hour of %d allowed\n", r.Budget.SpentLastHour, r.Budget.PerHour)
	printDisk(out, r)
	printRolledBack(out, r.Upgrade)
	printOutages(out, r)
	printRooms(out, r.Rooms)
	printDevices(out, r.Devices)
	for _, a := range r.Adapters {
		if !a.Up {
			fmt.Fprintf(out, "%s does not run: %s\n", a.Name, a.Why)
		}
	}
	printBridges(out, r.Bridges)
	fmt.Fprintln(out, "\nlately:")
	for _, d := range r.Decisions {
		fmt.Fprintf(out, "  %s  %s: %s (%s)\n", clockOf(d.At), d.Kind, d.What, d.Why)
	}
}

// printBridges says what people have to do about the bridges to the Home app, and nothing where nothing is to be done. A
// house with one bridge and no Home app has none; one with several is not whole until each is paired.
func printBridges(out io.Writer, all []bridgeReport) {
	for _, b := range all {
		if b.Controllers == 0 && len(all) > 1 {
			fmt.Fprintf(out, "Home app: %s is paired with nobody; veilleuse code shows its code\n", b.Name)
		}
		if b.Announced != "" {
			fmt.Fprintf(out, "Home app: phones may not find %s: %s\n", b.Name, b.Announced)
		}
	}
}

// boundOf says how far off the clock may be.
func boundOf(seconds int) string {
	switch {
	case seconds == 0:
		return ""
	case seconds < 120:
		return fmt.Sprintf(", within %d s", seconds)
	}
	return fmt.Sprintf(", within %d min", (seconds+59)/60)
}

func printRooms(out io.Writer, rooms []roomReport) {
	fmt.Fprintln(out, "\nrooms:")
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	for _, r := range rooms {
		temperature, target := "?", "none"
		if r.Temperature != nil {
			temperature = r.Temperature.Value.String() + " °C"
		}
		if r.Target != nil {
			target = r.Target.String() + " °C"
		}
		fmt.Fprintf(table, "  %s\t%s\ttarget %s\t%s\n", r.Name, temperature, target, r.Why)
	}
	table.Flush()
}

func printDevices(out io.Writer, devices []deviceReport) {
	fmt.Fprintln(out, "\ndevices:")
	table := tabwriter.NewWriter(out, 2, 4, 2, ' ', 0)
	for _, d := range devices {
		path := "via " + d.Via
		if !d.Reachable {
			path = "does not answer"
			if d.Why != "" {
				path += ": " + d.Why
			}
		}
		var readings []string
		for _, m := range d.Readings {
			readings = append(readings, fmt.Sprintf("%s %v (%s)", m.Quantity, m.Value, ageOf(m.AgeS)))
		}
		fmt.Fprintf(table, "  %s\t%s\t%s\t%s\n", d.Name, d.Model, path, strings.Join(readings, ", "))
	}
	table.Flush()
}

func clockOf(t time.Time) string {
	if t.IsZero() {
		return "the start"
	}
	return t.Local().Format("2 Jan 15:04:05")
}

func ageOf(seconds int) string {
	age := time.Duration(max(seconds, 0)) * time.Second
	switch {
	case age < 2*time.Minute:
		return fmt.Sprintf("%d s", seconds)
	case age < 2*time.Hour:
		return fmt.Sprintf("%d min", int(age.Minutes()))
	case age < 48*time.Hour:
		return fmt.Sprintf("%d h", int(age.Hours()))
	}
	return fmt.Sprintf("%d days", int(age.Hours()/24))
}
