package peers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// command is a command inside of the network, as exec.Command is one outside.
func (n network) command(name string, args ...string) *exec.Cmd {
	return n.inside(append([]string{name}, args...)...)
}

// listen opens a loopback port inside of the network for the test itself.
func (n network) listen() (listener net.Listener, err error) {
	entered := n.from(func() { listener, err = net.Listen("tcp", "127.0.0.1:0") })
	return listener, errors.Join(entered, err)
}

// from does something inside of the network. A socket stays where it was opened; the thread that opened it goes no further.
func (n network) from(do func()) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == os.Getpid() { // the first thread never ends: another goes, as this one is held
			err = n.from(do)
			runtime.UnlockOSThread()
			return
		}
		// It is never unlocked: the thread ends with this function.
		space, openErr := os.Open(fmt.Sprintf("/proc/%d/ns/net", n.holder.cmd.Process.Pid))
		if err = openErr; err != nil {
			return
		}
		defer space.Close()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			do()
		}
	}()
	<-done
	return err
}
