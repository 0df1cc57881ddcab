// Package systemdtest is the service manager's end of sd_notify(3), for tests.
package systemdtest

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Manager hears what a service tells its manager. It never waits, so that it can be asked within a bubble of
// testing/synctest.
type Manager struct {
	Socket string // for NOTIFY_SOCKET
	file   int
}

// Listen makes a manager with a socket that is a file.
func Listen(t testing.TB) *Manager {
	t.Helper()
	folder, err := os.MkdirTemp("", "notify") // short: a socket's path has 107 bytes at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	return ListenAt(t, filepath.Join(folder, "socket"))
}

// ListenAt makes a manager at a path, or at an @name that has no file.
func ListenAt(t testing.TB, socket string) *Manager {
	t.Helper()
	file, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err == nil {
		syscall.CloseOnExec(file)
		t.Cleanup(func() {
			syscall.Close(file)
			os.Remove(socket) // an @name has no file
		})
		err = syscall.Bind(file, &syscall.SockaddrUnix{Name: socket})
	}
	if err != nil {
		t.Fatalf("listen at %s: %v", socket, err)
	}
	return &Manager{Socket: socket, file: file}
}

// Told is what was told since it was asked last, a message each, variables in lines.
func (m *Manager) Told() []string {
	var told []string
	buffer := make([]byte, 64<<10)
	for {
		n, _, err := syscall.Recvfrom(m.file, buffer, syscall.MSG_DONTWAIT)
		if err != nil {
			return told
		}
		told = append(told, string(buffer[:n]))
	}
}

// Count is how many of the messages have that variable.
func Count(messages []string, variable string) int {
	n := 0
	for _, m := range messages {
		for line := range strings.SplitSeq(m, "\n") {
			if line == variable || strings.HasSuffix(variable, "=") && strings.HasPrefix(line, variable) {
				n++
			}
		}
	}
	return n
}
