package clock

import (
	"encoding/binary"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// unsynced is the error bound at which the kernel calls its clock unsynchronised (NTP_PHASE_LIMIT).
const unsynced = 16 * time.Second

// systemSource reads this machine's clocks.
func systemSource() func() Machine {
	root := os.DirFS("/")
	return func() Machine {
		m := Machine{Wall: time.Now().Round(0), Boot: sinceBoot()}
		var kernel unix.Timex
		// A sandbox may forbid the call, though it only reads; the files say enough then.
		if state, err := unix.Adjtimex(&kernel); err == nil && state != unix.TIME_ERROR && kernel.Status&unix.STA_UNSYNC == 0 {
			m.Error = time.Duration(kernel.Maxerror) * time.Microsecond
			m.Synced = m.Error < unsynced
		}
		return readFiles(root, m)
	}
}

// systemGlance reads the two clocks that tell whether the wall clock was moved, and no files: a
// hardware clock takes milliseconds to answer.
func systemGlance() func() Machine {
	return func() Machine { return Machine{Wall: time.Now().Round(0), Boot: sinceBoot()} }
}

func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

// systemRouter is the router's address, "" if there is none: many serve time.
func systemRouter() string {
	table, _ := os.ReadFile("/" + routeTable)
	return routerIn(string(table))
}

// routerIn finds the router in the kernel's table, whose addresses are hexadecimal numbers in the
// machine's own byte order.
func routerIn(table string) string {
	for line := range strings.Lines(table) {
		f := strings.Fields(line)
		if len(f) < 8 || f[1] != "00000000" || f[7] != "00000000" || f[2] == "00000000" {
			continue
		}
		if number, err := strconv.ParseUint(f[2], 16, 32); err == nil {
			var raw [4]byte
			binary.NativeEndian.PutUint32(raw[:], uint32(number))
			return netip.AddrFrom4(raw).String()
		}
	}
	return ""
}
