package systemd

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// Manager is the service manager that has started this program. The zero value is nobody.
type Manager struct {
	Socket   string        // its datagram socket: a path, or @name for one without a file; empty: it is told nothing
	Watchdog time.Duration // after so long without a sign of life it starts the program anew; 0: never
}

// FromEnvironment reads who is to be told, as sd_notify(3) and sd_watchdog_enabled(3) describe it, and takes it
// out of the environment: a program that we start must not speak in our name. An error names the variable that
// makes no sense; the Manager is then what is left without it.
func FromEnvironment() (Manager, error) {
	socket, watchdog, process := os.Getenv("NOTIFY_SOCKET"), os.Getenv("WATCHDOG_USEC"), os.Getenv("WATCHDOG_PID")
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"} {
		os.Unsetenv(name) // fails for impossible names only
	}
	if socket == "" {
		return Manager{}, nil
	}
	if len(socket) < 2 || socket[0] != '/' && socket[0] != '@' {
		return Manager{}, fmt.Errorf("NOTIFY_SOCKET is %.80q: it has to be a path or @name; the service manager is told nothing", socket)
	}
	m := Manager{Socket: socket}
	if watchdog == "" || process != "" && process != strconv.Itoa(os.Getpid()) {
		return m, nil
	}
	microseconds, err := strconv.ParseInt(watchdog, 10, 64)
	if err != nil || microseconds <= 0 || microseconds > int64(longestWatchdog/time.Microsecond) {
		return m, fmt.Errorf("WATCHDOG_USEC is %.80q: it has to be microseconds, a day at most; no signs of life are given", watchdog)
	}
	m.Watchdog = time.Duration(microseconds) * time.Microsecond
	return m, nil
}

// Bounds of what a manager may ask and take.
const (
	longestWatchdog = 24 * time.Hour
	sendTime        = time.Second // it may be busy, but a message never holds us up for long
)

// send hands over one message: variables, one a line.
func (m Manager) send(message string) error {
	socket, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: m.Socket, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("reach the service manager: %w", err)
	}
	defer socket.Close()
	if err := socket.SetWriteDeadline(time.Now().Add(sendTime)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	if _, err := socket.Write([]byte(message)); err != nil {
		return fmt.Errorf("tell the service manager: %w", err)
	}
	return nil
}
