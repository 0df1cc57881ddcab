package mqtttest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// Ports that no usual system hands out by itself (Linux does from 32768, others from 49152). One of
// those may belong to another process by the time that a broker that was stopped wants it back.
const (
	firstPort = 20_000
	ports     = 12_000
)

// drawn is an address of loopback at a port that may well be free.
func drawn() string { return fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(ports)) }

// insist calls open until its port is not taken, or has been for ten seconds.
func insist(open func() error) error {
	deadline := time.Now().Add(10 * time.Second)
	for {
		err := open()
		if !errors.Is(err, syscall.EADDRINUSE) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
