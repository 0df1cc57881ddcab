package powercut

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// beTheMachine is the first process of the virtual machine: it mounts the disk, looks at what is left on it, and lives
// until the power fails. It says everything over the serial line.
func beTheMachine() {
	serial, err := prepare()
	if serial == nil {
		fmt.Println(wordFailed, err) // the kernel's own console, if it has one
		halt()
	}
	fmt.Fprintln(serial, wordBoot)
	if err == nil {
		err = mountDisk()
	}
	if err == nil {
		err = startOnACopy(serial)
	}
	if err != nil {
		fmt.Fprintln(serial, wordFailed, oneLine(err))
		halt()
	}
	live(stateOnDisk, acknowledgedBefore(), serial)
	halt()
}

const stateOnDisk = "/disk/state"

// upEmulated is upWithin for a processor that is emulated, a tenth as fast, on a machine that has other things to do.
const upEmulated = time.Minute

// halt waits for the power to go: the first process must not end.
func halt() {
	for {
		time.Sleep(time.Hour)
	}
}

func prepare() (io.Writer, error) {
	for _, m := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"tmpfs", "/tmp"}} {
		if err := unix.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return nil, fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	serial, err := os.OpenFile("/dev/ttyS0", os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	for _, name := range modules {
		if err := load(name); err != nil {
			return serial, fmt.Errorf("load the module %s: %w", name, err)
		}
	}
	return serial, loopbackUp()
}

func load(name string) error {
	module, err := os.Open(filepath.Join("/modules", name+".ko"))
	if err != nil {
		return err
	}
	defer module.Close()
	return unix.FinitModule(int(module.Fd()), "", 0)
}

// loopbackUp lets the program listen on 127.0.0.1; there is no other network.
func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, lo)
}

// mountDisk mounts the disk as Raspberry Pi OS mounts its card: "defaults,noatime".
func mountDisk() (err error) {
	for range 100 { // the disk comes a moment after its driver
		if _, err = os.Stat("/dev/vda"); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err == nil {
		err = unix.Mount("/dev/vda", "/disk", "ext4", unix.MS_NOATIME, "")
	}
	if err != nil {
		return fmt.Errorf("mount the disk: %w", err)
	}
	return os.MkdirAll(stateOnDisk, 0o700)
}

// startOnACopy starts the program on a copy of what is left, so that the life goes on as it was. The folder itself was
// made before anything was acknowledged.
func startOnACopy(serial io.Writer) error {
	folder := "/tmp/house"
	if err := os.MkdirAll(filepath.Join(folder, "state"), 0o700); err != nil {
		return err
	}
	if err := copyOf(stateOnDisk, filepath.Join(folder, "state")); err != nil {
		return err
	}
	ready, damage, err := startDaemon("/veilleuse", folder, upEmulated)
	if damage != "" {
		fmt.Fprintln(serial, wordDamaged, damage)
	}
	if err != nil {
		fmt.Fprintln(serial, wordHangs, oneLine(err))
	}
	fmt.Fprintln(serial, wordReady, ready.Milliseconds())
	return os.RemoveAll(folder)
}
