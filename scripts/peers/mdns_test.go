package peers

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// network is a network namespace of the test's own. It ends with the process that holds it.
type network struct {
	t      *testing.T
	holder *process
}

func newNetwork(t *testing.T) network {
	t.Helper()
	n := network{t, startProcess(t, "network", exec.Command("unshare", "--net", "cat"), func([]byte) {})}
	_, err := until(patience, func() error {
		own, err := os.Readlink("/proc/thread-self/ns/net")
		theirs, errTheirs := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", n.holder.cmd.Process.Pid))
		if err == nil && errTheirs == nil && own == theirs {
			err = errNotYet // what is done in it now would be done outside
		}
		return errors.Join(err, errTheirs)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// inside is a command that runs in the network.
func (n network) inside(words ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{fmt.Sprintf("--net=/proc/%d/ns/net", n.holder.cmd.Process.Pid)}, words...)...)
}

// ip runs the tool of that name in the network.
func (n network) ip(words string) error {
	out, err := n.inside(append([]string{"ip"}, strings.Fields(words)...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("ip %s: %w: %s", words, err, out)
	}
	return nil
}

// Addresses for documentation (RFC 5737): of the house, of the house after the router has changed its mind, of a phone.
const (
	houseAddress = "192.0.2.2"
	movedAddress = "192.0.2.3"
	phoneAddress = "192.0.2.9"
)

// layLAN joins two networks by a cable.
func layLAN(near, far network) error {
	return errors.Join(
		near.ip("link set lo up"), far.ip("link set lo up"),
		near.ip("link add eth0 type veth peer name phone0"),
		near.ip(fmt.Sprintf("link set phone0 netns %d", far.holder.cmd.Process.Pid)),
		near.ip("addr add "+houseAddress+"/24 dev eth0"), near.ip("link set eth0 up"),
		far.ip("addr add "+phoneAddress+"/24 dev phone0"), far.ip("link set phone0 up"))
}

// startAvahi runs Debian's mDNS responder beside the program, on the same port and under the same host name.
func startAvahi(t *testing.T, n network) *process {
	t.Helper()
	folder := t.TempDir()
	config := folder + "/avahi.conf"
	if err := os.WriteFile(config, []byte("[server]\nenable-dbus=no\nuse-ipv6=no\n[publish]\npublish-workstation=yes\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	words := []string{"unshare", "--mount", "--propagation", "private", "sh", "-c", `mount -t tmpfs none /run && exec "$0" "$@"`,
		"avahi-daemon", "--no-drop-root", "--no-chroot", "--no-proc-title", "--no-rlimits", "-f", config}
	return startProcess(t, "avahi-daemon", n.inside(words...), func([]byte) {})
}

// record is how a phone sees a bridge.
type record struct {
	Addresses []string
	Port      int
	Text      map[string]string
}

// TestMDNS looks for the bridge from another host, while avahi serves the same multicast port on the bridge's.
func TestMDNS(t *testing.T) {
	with := needTools(t)
	near, far := newNetwork(t), newNetwork(t)
	need(t, "a LAN of two hosts is laid for this test alone", func() (string, error) { return "", layLAN(near, far) })
	avahi := startAvahi(t, near)
	h := newHouse(t, with, settings{homekit: "0.0.0.0:51826", inside: &near})
	h.start()
	phone := startStranger(t, "lan.py", far.inside(with.python(), "lan.py", phoneAddress))
	seen := func(address string) (string, error) {
		took, err := until(2*patience, func() error {
			found := map[string]record{}
			if err := phone.ask("look", map[string]any{"seconds": 2}, &found); err != nil {
				return err
			}
			r := found["Veilleuse._hap._tcp.local."]
			if len(found) != 1 || !slices.Equal(r.Addresses, []string{address}) || r.Port != 51826 || r.Text["sf"] != "1" || r.Text["ci"] != "2" {
				return fmt.Errorf("%w: it sees %+v", errNotYet, found)
			}
			return nil
		})
		return seconds(took), err
	}
	promise(t, "the library zeroconf finds the bridge from another host, with avahi beside it", func() (string, error) { return seen(houseAddress) })
	promise(t, "and what it finds answers", func() (string, error) {
		return "", phone.ask("call", map[string]any{"address": houseAddress, "port": 51826}, nil)
	})
	promise(t, "veilleuse doctor finds its own record", func() (string, error) { return h.doctorSays("mdns", "ok") })
	promise(t, "it is found at a new address", func() (string, error) {
		if err := errors.Join(near.ip("addr add "+movedAddress+"/24 dev eth0"), near.ip("addr del "+houseAddress+"/24 dev eth0"),
			near.ip("addr replace "+movedAddress+"/24 dev eth0")); err != nil {
			return "", err
		}
		return seen(movedAddress)
	})
	promise(t, "avahi served all the time", func() (string, error) {
		select {
		case <-avahi.done:
			return "", errors.New(avahi.lastWords(5))
		default:
			return "", nil
		}
	})
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", h.endsSoon)
}

// doctorSays waits until a check of veilleuse doctor has that result.
func (h *house) doctorSays(check, result string) (string, error) {
	took, err := until(patience, func() error {
		out, _ := h.verb("doctor", "--json") // it ends with 1 where the house would not survive, as this one would not
		var r struct {
			Checks []struct{ Name, Result, What string }
		}
		if err := json.Unmarshal([]byte(out), &r); err != nil {
			return fmt.Errorf("%w: %q", err, out)
		}
		for _, c := range r.Checks {
			if c.Name == check && c.Result == result {
				return nil
			}
			if c.Name == check {
				return fmt.Errorf("%w: it says %s: %s", errNotYet, c.Result, c.What)
			}
		}
		return fmt.Errorf("there is no check %q", check)
	})
	return seconds(took), err
}
