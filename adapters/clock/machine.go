package clock

import (
	"io/fs"
	"strconv"
	"strings"
	"time"
)

// Files that say something about the clock.
const (
	syncFlag   = "run/systemd/timesync/synchronized" // systemd-timesyncd touches it each time a server answers
	rtcFolder  = "sys/class/rtc"
	routeTable = "proc/self/net/route"
)

const (
	// flagFresh is how old the flag may be for the clock to count as kept in step: three times the
	// longest pause between two questions of systemd-timesyncd (PollIntervalMaxSec, 2048 s).
	flagFresh = 3 * 2048 * time.Second
	// kernelDrift is how fast the kernel lets its own error bound grow.
	kernelDrift = 500e-6
	// rtcAgrees is how far a hardware clock may be from the wall clock that was set from it. One without
	// battery shows 1970; one that runs in local time is off by hours.
	rtcAgrees = time.Minute
)

// readFiles completes a Machine by what files below root say.
func readFiles(root fs.FS, m Machine) Machine {
	if info, err := fs.Stat(root, syncFlag); err == nil {
		m.Confirmed = info.ModTime()
		if age := m.Wall.Sub(m.Confirmed); !m.Synced && age >= 0 && age < flagFresh {
			m.Synced, m.Error = true, serverError+time.Duration(float64(age)*kernelDrift)
		}
	}
	clocks, _ := fs.ReadDir(root, rtcFolder)
	for _, c := range clocks {
		m.RTC = m.RTC || setTheClock(root, rtcFolder+"/"+c.Name(), m.Wall)
	}
	return m
}

// setTheClock reports whether the kernel set the wall clock from that hardware clock at boot and the
// two still agree.
func setTheClock(root fs.FS, folder string, wall time.Time) bool {
	if text, err := fs.ReadFile(root, folder+"/hctosys"); err != nil || strings.TrimSpace(string(text)) != "1" {
		return false
	}
	text, err := fs.ReadFile(root, folder+"/since_epoch")
	if err != nil {
		return true
	}
	seconds, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return err == nil && wall.Sub(time.Unix(seconds, 0)).Abs() <= rtcAgrees
}
