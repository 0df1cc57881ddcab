package uplinktest

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

// hole is a port that takes packets and never answers: a listener without room in its queue.
type hole struct {
	socket int
	queued []net.Conn
}

// dig opens a hole at an address. The kernel drops what does not fit into the full queue, as a
// broken path would.
func dig(at netip.AddrPort) (*hole, error) {
	family, name := socketName(at)
	socket, err := syscall.Socket(family, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("dig a hole: %w", err)
	}
	h := &hole{socket: socket}
	syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	if err := syscall.Bind(socket, name); err != nil {
		h.fillIn()
		return nil, fmt.Errorf("dig a hole at %s: %w", at, err)
	}
	if err := syscall.Listen(socket, 0); err != nil {
		h.fillIn()
		return nil, fmt.Errorf("dig a hole at %s: %w", at, err)
	}
	for range 8 {
		c, err := net.DialTimeout("tcp", at.String(), 150*time.Millisecond)
		if err != nil {
			return h, nil // the queue is full
		}
		h.queued = append(h.queued, c)
	}
	h.fillIn()
	return nil, fmt.Errorf("dig a hole at %s: the kernel goes on accepting", at)
}

func socketName(at netip.AddrPort) (family int, name syscall.Sockaddr) {
	if at.Addr().Is6() {
		return syscall.AF_INET6, &syscall.SockaddrInet6{Port: int(at.Port()), Addr: at.Addr().As16()}
	}
	return syscall.AF_INET, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}
}

func (h *hole) fillIn() {
	for _, c := range h.queued {
		c.Close()
	}
	syscall.Close(h.socket)
}
