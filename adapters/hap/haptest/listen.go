package haptest

import (
	"net"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// listen opens the accessory's port: any for port 0, otherwise that one. One that it had before it gets again, unless
// another process has it for ten seconds.
func (a *Accessory) listen() (net.Listener, error) {
	if a.options.Network != nil {
		return a.options.Network.Listen(a.address)
	}
	host, port, err := net.SplitHostPort(a.address)
	fixed := err != nil || port != "0"
	if fixed && a.server == nil {
		return net.Listen("tcp", a.address)
	}
	var listener net.Listener
	err = loopback.Insist(func() (err error) {
		address := a.address
		if !fixed {
			address = loopback.Address(host)
		}
		listener, err = net.Listen("tcp", address)
		return err
	})
	return listener, err
}
