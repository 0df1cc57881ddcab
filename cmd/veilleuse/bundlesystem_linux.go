package main

import (
	"bytes"
	"fmt"

	"golang.org/x/sys/unix"
)

// machineFacts asks the kernel, for /proc is closed to the service. Memory is counted in units of Unit bytes.
func machineFacts() string {
	var name unix.Utsname
	var machine unix.Sysinfo_t
	_, _ = unix.Uname(&name), unix.Sysinfo(&machine) // what does not answer says nothing
	return fmt.Sprintf("kernel %s %+v", bytes.TrimRight(name.Release[:], "\x00"), machine)
}
