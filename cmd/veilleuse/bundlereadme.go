package main

import (
	"strings"
	"time"
)

// bundleReadme says to whoever opens a bundle what is in it and what is not.
func bundleReadme(now time.Time, names, runs bool, missing error) string {
	var out strings.Builder
	out.WriteString("What somebody needs to help with a Veilleuse, as of " + now.UTC().Format(time.RFC3339) + ".\n\n" + bundleContents)
	if !runs {
		out.WriteString("\nThe daemon did not run: this is what was saved, there is no doctor.json, and the log is empty.\n")
	}
	if names {
		out.WriteString("\nThe names of home, rooms and devices were kept, as was asked for.\n")
	}
	if missing != nil {
		out.WriteString("\nNot every file with a secret could be read, so what is in it was not looked for: " + missing.Error() + "\n")
	}
	return out.String()
}

const bundleContents = `system.txt    version, kernel, board, memory, clock, goroutines, disk, whether
              the database is whole, counters of the broker inside
metrics.txt   what /metrics says
log.txt       the last lines of the log, 400 at most
config.json   the configuration; what you put in words is replaced
status.json   what veilleuse status --json says
outages.json  the outages with their reasons and decisions
doctor.json   what veilleuse doctor --json says

Not in it: tokens, passwords, keys, setup codes (all that this house knows was
looked for, as it is and in hexadecimal, base64 and URL form), sound, pictures.

Replaced by pseudonyms, the same ones in every bundle of this house: names of
home, rooms, devices, schedules and zones (room-1f2e3d), ids, addresses of
hardware, computers (lan-..., internet-...) and people, what the configuration
says in words (text-...). Times, temperatures and who is in charge are as they
were: they tell when somebody was at home.

A name that was changed or removed lately may still stand in the log: look
through it before you show it to others.
`
