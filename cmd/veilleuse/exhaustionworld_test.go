package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/sys/unix"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// ownDisk is a small file system of its own, in a file, and where it is mounted. That takes root and mkfs.ext4.
func ownDisk(t *testing.T) (folder, device string) {
	t.Helper()
	if !*soakDisks {
		t.Skip("scripts/soak runs it: it mounts a disk of its own")
	}
	if os.Getuid() != 0 {
		t.Skip("SKIPPED: only root can mount a disk of its own")
	}
	if _, err := exec.LookPath("mkfs.ext4"); err != nil {
		t.Skip("SKIPPED: mkfs.ext4 is not installed")
	}
	image := filepath.Join(t.TempDir(), "disk")
	folder = filepath.Join(t.TempDir(), "mounted")
	err := errors.Join(os.Mkdir(folder, 0o700), os.WriteFile(image, nil, 0o600), os.Truncate(image, 24<<20))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop,errors=remount-ro", image, folder}} {
		if said, err := exec.Command(c[0], c[1:]...).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED: %s: %v: %s", c[0], err, said)
		}
	}
	t.Cleanup(func() {
		if said, err := exec.Command("umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %s", said)
		}
	})
	said, err := exec.Command("findmnt", "-no", "SOURCE", folder).Output()
	if err != nil {
		t.Fatal(err)
	}
	return folder, filepath.Base(strings.TrimSpace(string(said)))
}

// allow lets the daemon have so many descriptors from now on.
func (s *strain) allow(most uint64) {
	s.t.Helper()
	var limit unix.Rlimit // whose Max only root may raise
	if err := unix.Prlimit(s.process.command.Process.Pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		s.t.Fatal(err)
	}
	limit.Cur = min(most, limit.Max)
	if err := unix.Prlimit(s.process.command.Process.Pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		s.t.Fatal(err)
	}
}

// crowd has so many strangers connect at each port, who say a byte a second there.
func (s *strain) crowd(each int) {
	s.t.Helper()
	begin := map[string]string{s.page: "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", s.homeKit: "POST /pair-verify HTTP/1.1\r\nX-Slow: ", s.mqtt: "\x10\xff\x01\x00\x04MQTT\x04\x02\x00\x3c\x00\xf0"}
	for _, at := range s.ports() {
		for range each {
			conn, err := dial(at)
			if err != nil {
				continue // the backlog is full: nobody accepts
			}
			s.strangers = append(s.strangers, conn)
			fmt.Fprint(conn, cmp.Or(begin[at], begin[s.page]))
		}
	}
	strangers := s.strangers
	ctx, cancel := context.WithCancel(context.Background())
	s.t.Cleanup(cancel)
	go func() {
		for ctx.Err() == nil {
			for _, conn := range strangers {
				conn.Write([]byte("x"))
			}
			wait(ctx, time.Second)
		}
	}()
}

// disperse has the strangers hang up.
func (s *strain) disperse() {
	for _, conn := range s.strangers {
		conn.Close()
	}
	s.strangers = nil
}

// homeAppComes opens a session of the Home app and reads everything.
func homeAppComes(ctx context.Context, w *soakWorld) error {
	session, err := hap.Connect(ctx, w.homeKit, w.people.pairing, func([]hap.Reading) {})
	if err != nil {
		return err
	}
	_, err = session.Accessories(ctx)
	return errors.Join(err, session.Close())
}

// clientComes connects to MQTT and waits for the first message.
func clientComes(w *soakWorld) error {
	client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + w.mqtt).SetClientID("newcomer").SetAutoReconnect(false))
	if token := client.Connect(); !token.WaitTimeout(figurePatience) || token.Error() != nil {
		return fmt.Errorf("connect: %w", token.Error())
	}
	defer client.Disconnect(20)
	got := make(chan bool, 1)
	client.Subscribe("veilleuse/status", 0, func(paho.Client, paho.Message) { got <- true })
	select {
	case <-got:
		return nil
	case <-time.After(figurePatience):
		return errors.New("no message comes")
	}
}

// flood has others send as much as they can, to every face, until it is stopped.
func (s *strain) flood() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	again := func(many int, what func(i int)) {
		for i := range many {
			all.Go(func() {
				for ctx.Err() == nil {
					what(i)
				}
			})
		}
	}
	send := func(at, text string) {
		conn, err := dial(at)
		if err != nil {
			return
		}
		defer conn.Close()
		conn.SetDeadline(time.Now().Add(time.Second))
		io.WriteString(conn, text)
		io.Copy(io.Discard, conn)
	}
	large := strings.Repeat("x", 60<<10)
	form := "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15\r\n\r\npassword=guess!"
	again(4, func(int) { send(s.page, form) })
	again(2, func(int) { send(s.page, "GET /"+large) })
	again(2, func(int) {
		send(filepath.Join(s.state, "control.sock"), "POST /login HTTP/1.1\r\nHost: control\r\nContent-Length: 61440\r\n\r\n"+large)
	})
	again(2, func(int) { send(s.homeKit, "POST /pair-setup HTTP/1.1\r\nContent-Length: 61440\r\n\r\n"+large) })
	all.Go(func() { _ = clientsStall(ctx, s.soakWorld, rand.New(rand.NewPCG(1, 1)), time.Hour) })
	for i := range 3 {
		client := paho.NewClient(paho.NewClientOptions().AddBroker("tcp://" + s.mqtt).SetClientID(fmt.Sprint("flood", i)).SetWriteTimeout(time.Second))
		client.Connect().WaitTimeout(5 * time.Second)
		again(1, func(int) {
			for n := range 100 {
				client.Publish(fmt.Sprintf("flood/%d/%d", i, n), 0, n%2 == 0, large).WaitTimeout(time.Second)
			}
		})
		s.t.Cleanup(func() { client.Disconnect(0) })
	}
	return func() { cancel(); all.Wait() }
}

// served holds that people are served who come now: at the page, with the Home app, over MQTT, with a verb.
func (s *strain) served() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	machine, began := gatewaytest.WatchStandstill(s.t), time.Now()
	for _, f := range []struct {
		name string
		do   func() error
	}{
		{"page", func() error {
			_, err := s.pageState(ctx)
			return err
		}},
		{"Home app", func() error { return homeAppComes(ctx, s.soakWorld) }},
		{"MQTT", func() error { return clientComes(s.soakWorld) }},
		{"verb", func() error { _, err := s.status(ctx); return err }},
	} {
		if err := f.do(); err != nil {
			s.t.Errorf("nobody is served by the %s: %v", f.name, err)
		}
	}
	took, still := time.Since(began), machine.SoFar()
	s.t.Logf("page, Home app, MQTT and a verb were served within %.0f ms in all", milliseconds(took))
	if took-still > servedWithin {
		s.t.Errorf("they were served after %v only, in %v of which the machine stood still", took, still)
	}
}

// confine puts a process into a cgroup with so much memory, and reports whether that can be had here.
func confine(t *testing.T, pid, most int) bool {
	t.Helper()
	for _, way := range []struct{ root, file string }{{"/sys/fs/cgroup", "memory.max"}, {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}} {
		group := filepath.Join(way.root, fmt.Sprintf("veilleuse-test-%d", pid))
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		write := func(file string, n int) error {
			f, err := os.OpenFile(filepath.Join(group, file), os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(f, n)
			return errors.Join(err, f.Close())
		}
		err := errors.Join(write(way.file, most), write("cgroup.procs", pid))
		if err == nil {
			t.Cleanup(func() { // a group that holds a process cannot go, and this one lives until the cleanups before
				if err := errors.Join(os.WriteFile(filepath.Join(way.root, "cgroup.procs"), fmt.Append(nil, pid), 0), os.Remove(group)); err != nil {
					t.Logf("the cgroup stays behind: %v", err)
				}
			})
			return true
		}
		os.Remove(group)
	}
	t.Log("SKIPPED in part: no cgroup can be had here; the memory is measured, but not held")
	return false
}
