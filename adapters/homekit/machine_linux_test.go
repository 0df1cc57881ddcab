package homekit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleVariable tells this test program, run again in a network of its own, which part of TestRecordOnALAN it plays.
const roleVariable = "VEILLEUSE_MDNS_ROLE"

// TestRecordOnALAN announces a bridge on a real network with its own multicast: two network namespaces joined by a cable,
// which exist for this test alone. In one is the bridge, in the other a neighbour who announces the same id, and then
// falls silent. The cable gets another address, is pulled and put back.
func TestRecordOnALAN(t *testing.T) {
	switch os.Getenv(roleVariable) {
	case "bridge":
		aloneOnALAN(t)
		return
	case "neighbour":
		neighbour(t)
		return
	}
	if testing.Short() {
		t.Skip("this waits for most of a minute: go test without -short runs it")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("ip, of Debian's iproute2, is not here: nobody can lay a cable between two networks")
	}
	cmd := inNetworkOfItsOwn(t, "bridge")
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	err := cmd.Start()
	t.Parallel() // it waits more than it works: the other tests run meanwhile
	if err == nil {
		err = cmd.Wait()
	}
	out := said.Bytes()
	if strings.Contains(string(out), cannotLay) || len(out) == 0 && err != nil {
		t.Skipf("this machine lets nobody make networks: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// cannotLay is what the test says where the kernel forbids it.
const cannotLay = "no cable can be laid here"

// inNetworkOfItsOwn runs this test again as root of a network namespace, and of a user namespace where we are not root.
func inNetworkOfItsOwn(t *testing.T, role string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRecordOnALAN$", "-test.v")
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	return cmd
}

// ip runs the tool of that name.
func ip(t *testing.T, words string) {
	t.Helper()
	if out, err := exec.Command("ip", strings.Fields(words)...).CombinedOutput(); err != nil {
		t.Fatalf("%s: ip %s: %v %s", cannotLay, words, err, out)
	}
}

// aloneOnALAN is the part of the bridge, in an empty network.
func aloneOnALAN(t *testing.T) {
	ip(t, "link set lo up")
	ip(t, "link add eth0 type veth peer name far0")
	ip(t, "addr add 192.0.2.2/24 dev eth0")
	other := startNeighbour(t)
	ip(t, fmt.Sprintf("link set far0 netns %d", other.cmd.Process.Pid))
	ip(t, "link set eth0 up")
	other.say("begin")

	troubles := make(chan string, 100)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- DNSSD{Log: slog.New(slog.DiscardHandler)}.Advertise(ctx, Announcement{
			Name: "Veilleuse 2", ID: bridgeID, Port: 51827, TXT: func() map[string]string { return map[string]string{"id": bridgeID, "sf": "1"} },
			Seen: func(trouble string) { troubles <- trouble },
		})
	}()
	expect := func(what, part string) {
		t.Helper()
		began := time.Now()
		for timeout := time.After(2 * time.Minute); ; {
			select {
			case trouble := <-troubles:
				if trouble == part || part != "" && strings.Contains(trouble, part) {
					fmt.Printf("%s: %.1f s\n", what, time.Since(began).Seconds())
					return
				}
			case <-timeout:
				t.Fatalf("%s was not noticed", what)
			}
		}
	}
	expect("the record is found after the start", "")
	beside(t)
	ip(t, "addr add 192.0.2.3/24 dev eth0")
	ip(t, "addr del 192.0.2.2/24 dev eth0")
	ip(t, "addr replace 192.0.2.3/24 dev eth0") // the kernel takes it away with the first of its network
	expect("it is found at the new address", "")
	see(t, "192.0.2.3")
	ip(t, "link set eth0 down")
	expect("a pulled cable is noticed", "no network")
	ip(t, "link set eth0 up")
	ip(t, "addr replace 192.0.2.3/24 dev eth0")
	expect("it is found once the cable is back", "")
	other.say("announce")
	other.hear("announced")
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	announcedUntil(t, Announcement{Name: "Veilleuse 2", Port: 51827}, bridgeID, func(networks []string, seen []sighting) bool {
		got := judge(bridgeID, 51827, addresses(networks), networks, seen)
		if !strings.Contains(got.what, "192.0.2.9") {
			return false
		}
		fmt.Println("a double on another host is seen:", got.what)
		return true
	})
	other.say("end")
}

// beside announces the first bridge of the house next to the second: neither takes the other for a stranger.
func beside(t *testing.T) {
	t.Helper()
	const firstID = "AA:BB:CC:00:00:01"
	announcedUntil(t, Announcement{Name: "Veilleuse", Port: 51826}, firstID, func(_ []string, seen []sighting) bool {
		names := map[string]string{}
		for _, s := range seen {
			names[s.id] = s.name
		}
		return names[firstID] == "veilleuse" && names[bridgeID] == `veilleuse\ 2`
	})
}

// announcedUntil announces a bridge for as long as it takes until what is seen on the LAN is as it should be.
func announcedUntil(t *testing.T, what Announcement, id string, so func(networks []string, seen []sighting) bool) {
	t.Helper()
	networks := machine{}.networks()
	stop, _, err := machine{}.announce(what, map[string]string{"id": id}, networks)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	for deadline := time.Now().Add(20 * time.Second); ; {
		seen, err := machine{}.look(t.Context(), networks)
		if err != nil {
			t.Fatal(err)
		}
		if so(networks, seen) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: seen is %+v", what.Name, seen)
		}
	}
}

// see waits until the bridge's record is all that is seen, with that address.
func see(t *testing.T, address string) {
	t.Helper()
	networks := machine{}.networks()
	for late := time.Now().Add(20 * time.Second); ; {
		seen, err := machine{}.look(t.Context(), networks)
		if err == nil && len(seen) == 1 && seen[0].id == bridgeID && len(seen[0].addresses) > 0 && seen[0].addresses[0].String() == address {
			return
		}
		if err != nil || time.Now().After(late) {
			t.Fatalf("on %q the record is %+v (%v)", networks, seen, err)
		}
	}
}

// otherEnd is the process at the other end of the cable.
type otherEnd struct {
	t   *testing.T
	cmd *exec.Cmd
	in  *bufio.Writer
	out *bufio.Scanner
}

func startNeighbour(t *testing.T) *otherEnd {
	t.Helper()
	cmd := inNetworkOfItsOwn(t, "neighbour")
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil || errIn != nil || errOut != nil {
		t.Fatal(cannotLay, err, errIn, errOut)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	return &otherEnd{t, cmd, bufio.NewWriter(in), bufio.NewScanner(out)}
}

func (o *otherEnd) say(word string) {
	o.t.Helper()
	fmt.Fprintln(o.in, word)
	if err := o.in.Flush(); err != nil {
		o.t.Fatal(err)
	}
}

func (o *otherEnd) hear(word string) {
	o.t.Helper()
	for o.out.Scan() {
		if o.out.Text() == word {
			return
		}
	}
	o.t.Fatalf("the neighbour never said %q", word)
}

// neighbour is another host, which at a word announces what is not its own.
func neighbour(t *testing.T) {
	words := bufio.NewScanner(os.Stdin)
	for words.Scan() {
		switch words.Text() {
		case "begin":
			ip(t, "link set lo up")
			ip(t, "addr add 192.0.2.9/24 dev far0")
			ip(t, "link set far0 up")
		case "announce":
			stop, _, err := machine{}.announce(Announcement{Name: "Veilleuse", Port: 51827}, map[string]string{"id": bridgeID}, machine{}.networks())
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
				if seen, _ := (machine{}).look(t.Context(), machine{}.networks()); len(seen) > 0 {
					break
				}
			}
			fmt.Println("announced")
		case "end":
			return
		}
	}
	if _, err := net.InterfaceByName("far0"); err != nil {
		t.Log("the cable is gone")
	}
}
