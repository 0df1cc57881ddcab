package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// systemFiles say what machine this is, where the service may read them.
var systemFiles = []string{"/sys/firmware/devicetree/base/model", "/etc/os-release", "/sys/class/thermal/thermal_zone0/temp",
	"/sys/devices/platform/soc/soc:firmware/get_throttled"}

// longestFact bounds what is taken of one of them, in bytes.
const longestFact = 1 << 10

// systemFacts is what program and machine this is, how the disk stands, and whether the database is whole.
func (h *house) systemFacts() string {
	version, commit := version()
	var disk syscall.Statfs_t
	wrong := syscall.Statfs(h.config.State, &disk)
	size, faults := h.store.Inspect()
	var broker any = "elsewhere"
	if h.broker != nil {
		broker = h.broker.Counts()
	}
	facts := fmt.Sprintf("program: %s, commit %s, %s %s/%s, %d goroutines\nmachine: %d processors, clock %s, %s\n"+
		"disk of the state folder: %+v %v\nwritten since the start: %+v\ndatabase: %d bytes, faults now: %q, damage at the start: %q\nbroker: %+v\n",
		version, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumGoroutine(), runtime.NumCPU(), time.Now().Format(time.RFC3339), machineFacts(),
		disk, wrong, h.stored(), size, faults, h.store.Damage(), broker)
	for _, name := range systemFiles {
		if text, err := os.ReadFile(name); err == nil {
			facts += name + ": " + strings.Trim(string(text[:min(len(text), longestFact)]), "\x00\n ") + "\n"
		}
	}
	return facts
}
