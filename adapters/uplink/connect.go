package uplink

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// perFamily is how many addresses of each IP family are tried at once.
const perFamily = 2

// dialed is a finished attempt to connect.
type dialed struct {
	index int
	conn  net.Conn
	dial
}

// dialer makes one connection.
type dialer func(ctx context.Context, network, address string) (net.Conn, error)

// connect tries several addresses at once and returns the first connection. stop gives the attempts
// still pending until patience since the beginning has passed, ends them, and returns how all went.
func (d dialer) connect(ctx context.Context, to []netip.AddrPort, limit time.Duration) (conn net.Conn, stop func(patience time.Duration) []dial) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	began := time.Now()
	done := make(chan dialed, len(to))
	all := make([]dial, len(to))
	for i, address := range to {
		all[i] = dial{to: address, pending: true}
		go func() { done <- d.one(ctx, i, address) }()
	}
	open := len(to)
	for open > 0 && conn == nil {
		got := <-done
		open--
		all[got.index], conn = got.dial, got.conn
	}
	return conn, func(patience time.Duration) []dial {
		defer cancel()
		enough := time.AfterFunc(patience-time.Since(began), cancel)
		defer enough.Stop()
		for ; open > 0; open-- {
			got := <-done
			if got.conn != nil {
				got.conn.Close()
			}
			if got.failure == silent && got.took < limit { // not its fault: we did not wait longer
				got.pending, got.failure = true, none
			}
			all[got.index] = got.dial
		}
		return all
	}
}

func (d dialer) one(ctx context.Context, index int, to netip.AddrPort) dialed {
	began := time.Now()
	conn, err := d(ctx, "tcp", to.String())
	return dialed{index: index, conn: conn, dial: dial{to: to, failure: failureOf(err), took: time.Since(began)}}
}

// failureOf says in one word how a socket failed.
func failureOf(err error) failure {
	var network net.Error
	switch {
	case err == nil:
		return none
	case anyOf(err, syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.EPERM, syscall.EAFNOSUPPORT):
		return starved
	case anyOf(err, syscall.ECONNREFUSED):
		return denied
	case anyOf(err, syscall.ENETUNREACH, syscall.EHOSTUNREACH, syscall.ENETDOWN, syscall.EADDRNOTAVAIL,
		syscall.EACCES): // the last is what a router's "prohibited" becomes in IPv6
		return unreachable
	case anyOf(err, syscall.ECONNRESET, syscall.EPIPE, syscall.ECONNABORTED):
		return reset
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return closed
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded),
		errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return silent
	default:
		return garbled
	}
}

func anyOf(err error, numbers ...syscall.Errno) bool {
	for _, n := range numbers {
		if errors.Is(err, n) {
			return true
		}
	}
	return false
}

// targets are the addresses to dial: those of each family that come first.
func targets(addresses []netip.Addr, port uint16) []netip.AddrPort {
	var list []netip.AddrPort
	four, six := 0, 0
	for _, a := range addresses {
		count := &four
		if a.Is6() {
			count = &six
		}
		if *count < perFamily {
			*count++
			list = append(list, netip.AddrPortFrom(a, port))
		}
	}
	return list
}

// routerPorts are those that home routers answer on, if only to refuse.
var routerPorts = []uint16{53, 80, 443}

// askRouter says whether the router is alive. A refusal is a sign of life; so is a neighbour entry
// that holds although we just spoke to it.
func (d dialer) askRouter(ctx context.Context, l Link, limit time.Duration, arp func() []byte) gateway.Answer {
	if l.Router != gateway.NotKnown || !l.Gateway.IsValid() {
		return l.Router
	}
	var to []netip.AddrPort
	for _, port := range routerPorts {
		to = append(to, netip.AddrPortFrom(l.Gateway, port))
	}
	conn, stop := d.connect(ctx, to, limit)
	if conn != nil {
		conn.Close()
	}
	return routerSays(stop(0), conn != nil, neighbour(arp(), l.Gateway))
}

// routerSays weighs what the attempts showed and what the neighbour table says.
func routerSays(dials []dial, connected bool, neighbour gateway.Answer) gateway.Answer {
	gone := len(dials) > 0
	for _, d := range dials {
		if d.failure == denied || d.failure == reset {
			return gateway.Yes
		}
		gone = gone && d.failure == unreachable
	}
	switch {
	case connected:
		return gateway.Yes
	case gone:
		return gateway.No
	default:
		return neighbour
	}
}
