// Package loopback finds ports that a fake server can leave and take again, as a device does that is
// switched off and on.
package loopback

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Ports that no usual system hands out by itself (Linux does from 32768 if it was not told otherwise, others from 49152). One
// of those may belong to another process by the time that a server that was off wants it back.
const (
	firstPort   = 20_000
	beyondPorts = 32_000
	fewestPorts = 2_000 // below the system's own; where it hands out nearly all, there is no better choice than the usual
)

// patience is how long another process may sit on a port that is wanted.
const patience = 10 * time.Second

// Address returns the host with a port that may well be free.
func Address(host string) string {
	text, _ := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range") // none where there is no Linux
	first, beyond := between(string(text))
	return net.JoinHostPort(host, strconv.Itoa(first+rand.IntN(beyond-first)))
}

// between is from which port on, and below which, servers have theirs on a system that hands out that range by itself.
func between(handedOut string) (first, beyond int) {
	own := beyondPorts
	if _, err := fmt.Sscan(handedOut, &own); err != nil || own < 2*fewestPorts {
		return firstPort, beyondPorts
	}
	beyond = min(own, beyondPorts)
	if beyond < firstPort+fewestPorts {
		return beyond / 2, beyond
	}
	return firstPort, beyond
}

// Insist calls open until its port is not taken, or has been for ten seconds. An error of another kind
// is returned at once.
func Insist(open func() error) error {
	deadline := time.Now().Add(patience)
	for {
		err := open()
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// Squat takes a port as another process would, for a moment.
func Squat(address string) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("squat on %s: %w", address, err)
	}
	time.AfterFunc(100*time.Millisecond, func() { l.Close() })
	return nil
}
