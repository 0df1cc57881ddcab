package haptest

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"syscall"
	"time"
)

// Ports that no usual system hands out by itself (Linux does from 32768, others from 49152). One of those may belong to
// another process by the time that an accessory that was stopped wants it back.
const (
	firstPort = 20_000
	ports     = 12_000
)

// listen opens the accessory's port: any for port 0, otherwise that one. One that it had before it gets again, unless
// another process has it for ten seconds.
func (a *Accessory) listen() (net.Listener, error) {
	address := a.address
	host, port, err := net.SplitHostPort(address)
	fixed := err != nil || port != "0"
	deadline := time.Now().Add(10 * time.Second)
	for {
		if !fixed {
			address = net.JoinHostPort(host, strconv.Itoa(firstPort+rand.IntN(ports)))
		}
		listener, err := net.Listen("tcp", address)
		isFirst := fixed && a.server == nil
		if !errors.Is(err, syscall.EADDRINUSE) || isFirst || time.Now().After(deadline) {
			return listener, err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
