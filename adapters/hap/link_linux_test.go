package hap

import (
	"net"
	"syscall"
	"testing"
	"time"
)

// TestLinkNoticesDeadDevices looks at what the kernel was told: a device that lost its power ends the session within
// 35 s, and not after two hours.
func TestLinkNoticesDeadDevices(t *testing.T) {
	l, err := Dial(nil).link(within(t, 20*time.Second), newTestAccessory(t).address())
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	raw, err := l.channel.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for _, option := range []struct {
		name               string
		level, which, want int
	}{
		{"on", syscall.SOL_SOCKET, syscall.SO_KEEPALIVE, 1},
		{"idle seconds", syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE, 20},
		{"seconds between probes", syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL, 5},
		{"probes", syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT, 3},
	} {
		var got int
		var fault error
		err := raw.Control(func(fd uintptr) { got, fault = syscall.GetsockoptInt(int(fd), option.level, option.which) })
		if err != nil || fault != nil || got != option.want {
			t.Errorf("keep-alive %s is %d, want %d: %v, %v", option.name, got, option.want, err, fault)
		}
	}
}
