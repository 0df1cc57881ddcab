package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// printDoctor writes the answer for people: first the verdict, then what to mend, then the rest.
func printDoctor(out io.Writer, r doctorReport) {
	fold(out, "", "Would this house survive an outage of Netatmo's cloud tonight?")
	fold(out, "", r.Verdict)
	fmt.Fprintf(out, "Score: %d of 100.\n", r.Score)
	printFindings(out, "To mend", gap, r)
	printFindings(out, "Worth a look", warn, r)
	if len(r.Rooms) > 0 {
		fmt.Fprintln(out, "\nRooms in an outage:")
		for _, room := range r.Rooms {
			printPath(out, room.Name, room.Path, room.Served, room.finding)
		}
	}
	if len(r.Devices) > 0 {
		fmt.Fprintln(out, "\nDevices in an outage:")
		for _, d := range r.Devices {
			printPath(out, d.Name, d.Path, d.Served, d.finding)
		}
	}
	fmt.Fprintln(out, "\nWell:")
	for _, c := range r.Checks {
		if c.Result == well {
			fold(out, "  ", fmt.Sprintf("%s  %s", pad(c.Name, 10), c.What))
		}
	}
}

// printPath writes the line of one room or device: the path that would serve it.
func printPath(out io.Writer, name string, path way, served bool, f finding) {
	what := "see above"
	if f.Result == well {
		what = f.What
	}
	fold(out, "  ", fmt.Sprintf("%s  %s  %s", pad(name, 20), pad(wayWords(path, served), 10), what))
}

// printFindings lists what is not well, each with what to do. What several devices have in common is said
// once, and a room only where its devices do not say it.
func printFindings(out io.Writer, title string, want result, r doctorReport) {
	all := gather(want, r)
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s:\n", title)
	for _, e := range all {
		fold(out, "  ", strings.Join(e.names, ", ")+": "+e.What)
		if e.Do != "" {
			fold(out, "     ", "-> "+e.Do)
		}
	}
}

// entry is a finding, and everything that it was found of.
type entry struct {
	names []string
	finding
}

// gather joins the findings of one kind.
func gather(want result, r doctorReport) []entry {
	var all []entry
	add := func(name string, f finding) {
		if f.Result != want {
			return
		}
		for i := range all {
			if all[i].Do == f.Do && all[i].What == f.What {
				all[i].names = append(all[i].names, name)
				return
			}
		}
		all = append(all, entry{[]string{name}, f})
	}
	told := map[string]bool{}
	for _, d := range r.Devices {
		told[d.What], told[d.Name+": "+d.What] = true, true
	}
	for _, room := range r.Rooms {
		if !told[room.What] {
			add(room.Name, room.finding)
		}
	}
	for _, d := range r.Devices {
		name := d.Name
		if d.Room != "" && d.Room != d.Name {
			name += " (" + d.Room + ")"
		}
		add(name, d.finding)
	}
	for _, c := range r.Checks {
		add(c.Name, c.finding)
	}
	return all
}

func wayWords(w way, served bool) string {
	switch {
	case w == overLAN && served:
		return "LAN"
	case w == overLAN:
		return "LAN, but"
	case w == byItself && served:
		return "by itself"
	case w == byItself:
		return "by itself?"
	}
	return "nothing"
}

// pad fills a name up to a width, or cuts it.
func pad(s string, width int) string {
	n := utf8.RuneCountInString(s)
	if n > width {
		return string([]rune(s)[:width-1]) + "…"
	}
	return s + strings.Repeat(" ", width-n)
}
