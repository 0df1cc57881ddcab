package main

import (
	"io"

	"golang.org/x/sys/unix"
)

// personAt tells whether a person types what is read: /dev/null, which services read, is a device as well, but no
// terminal.
func personAt(in io.Reader) bool {
	asked, ok := in.(typed)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(asked.file.Fd()), unix.TCGETS)
	return err == nil
}
