package powercut

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMachine lets the store live in a virtual machine, emulated by QEMU: Debian's kernel, ext4 as on a Pi, and a disk
// of ours with a cache that forgets. The power fails at random moments, also during the start. The machine that starts
// next says what it misses of what was acknowledged, starts the program itself on a copy, and lives on.
func TestMachine(t *testing.T) {
	m := needMachine(t)
	random := rand.New(rand.NewPCG(*seed, 29))
	r := result{harness: "virtual machine whose disk forgets"}
	acknowledged, hit := 0, 0
	var boots []time.Duration
	for trial := range *cuts + 1 { // each start looks at what the power cut before it has left
		r.trials = trial
		p := somePower(random)
		if trial == *cuts {
			p = enoughPower()
		}
		s, boot, lost := m.liveAndCut(t, p, acknowledged, random)
		acknowledged = max(acknowledged, s.acknowledged)
		r.add(s)
		tell(t, r, s)
		boots = append(boots, boot)
		if lost > 0 {
			hit++
		}
		if len(s.lost)+len(s.wrong) > 0 || s.failed != "" {
			m.format(t) // what comes after would say nothing new
			acknowledged = 0
		}
	}
	slices.Sort(boots)
	t.Logf("%d of %d cuts cost the disk something; the kernel hands over after %s, at most %s", hit, len(boots),
		boots[len(boots)/2].Round(time.Millisecond), boots[len(boots)-1].Round(time.Millisecond))
	if hit == 0 && *cuts >= 10 {
		t.Error("no power cut has ever cost the disk anything: this shows nothing")
	}
	r.judge(t, 3**cuts)
}

// machine is what a virtual machine is made of.
type machine struct {
	kernel, initramfs string
	disk              *volatileDisk
}

func needMachine(t *testing.T) *machine {
	t.Helper()
	program, kernel := needTools(t), os.Getenv("VEILLEUSE_KERNEL")
	if kernel == "" {
		t.Skip("no kernel is here: scripts/crash brings it and QEMU")
	}
	found, err := filepath.Glob(filepath.Join(kernel, "boot", "vmlinuz-*"))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s has %d kernels", kernel, len(found))
	}
	m := &machine{kernel: found[0], initramfs: filepath.Join(t.TempDir(), "initramfs")}
	if err := packInitramfs(m.initramfs, program, kernel); err != nil {
		t.Fatal(err)
	}
	m.format(t)
	return m
}

// diskSize is enough for a journal and a house.
const diskSize = 64 << 20

// format puts a new disk into the machine, formatted as Raspberry Pi OS does: blocks of 4 KiB, a journal.
func (m *machine) format(t *testing.T) {
	t.Helper()
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(image, diskSize); err != nil {
		t.Fatal(err)
	}
	make := exec.Command("mkfs.ext4", "-q", "-b", "4096", "-E", "lazy_itable_init=0,lazy_journal_init=0", image)
	make.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/sbin:/usr/sbin")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	data, err := os.ReadFile(image)
	if err != nil {
		t.Fatal(err)
	}
	os.Remove(image)
	m.disk = &volatileDisk{durable: data}
}

// bootWithin is how long an emulated kernel may take on a busy machine.
const bootWithin = 2 * time.Minute

// liveAndCut is one life in the machine, from switching it on to the power cut. It returns what was said, when the
// kernel had started, and how many sectors the disk has lost.
func (m *machine) liveAndCut(t *testing.T, p *power, acknowledged int, random *rand.Rand) (s story, boot time.Duration, lost int) {
	t.Helper()
	d := &volatileDisk{seen: slices.Clone(m.disk.durable), durable: m.disk.durable, lies: *lies > 0, power: p}
	m.disk = d
	socket := filepath.Join(t.TempDir(), "disk")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if c, err := listener.Accept(); err == nil {
			_ = d.serve(c) // it ends with the power
			c.Close()
		}
	}()
	began := time.Now()
	qemu, lines, trouble := m.switchOn(t, socket, acknowledged)
	if s.awaitBoot(lines) {
		boot = time.Since(began)
		s.await(lines, p, bootWithin)
	} else {
		s.failed = "the machine did not start: " + trouble.String()
	}
	lost = d.cutPower(random)
	if err := qemu.Process.Kill(); err != nil {
		t.Error(err)
	}
	close(p.over)
	s.end(lines)
	_ = qemu.Wait() // it was killed
	return s, boot, lost
}

// switchOn starts the emulator. What the machine says comes over its serial line.
func (m *machine) switchOn(t *testing.T, socket string, acknowledged int) (*exec.Cmd, <-chan string, *bytes.Buffer) {
	t.Helper()
	words := fmt.Sprintf("console=ttyS0 quiet loglevel=1 panic=-1 random.trust_cpu=on %s=%d", acknowledgedVariable, acknowledged)
	qemu := exec.Command("qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-m", "256", "-nodefaults", "-no-reboot", "-display", "none",
		"-serial", "stdio", "-kernel", m.kernel, "-initrd", m.initramfs, "-append", words,
		"-drive", "if=virtio,format=raw,cache=writeback,file=nbd+unix:///?socket="+socket)
	trouble := &bytes.Buffer{}
	qemu.Stderr = trouble
	return qemu, startTalking(t, qemu), trouble
}

// awaitBoot hears lines until the machine's kernel has started us.
func (s *story) awaitBoot(lines <-chan string) bool {
	limit := time.After(bootWithin)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				return false
			}
			if strings.TrimSpace(line) == wordBoot {
				return true
			}
			s.hear(line)
		case <-limit:
			return false
		}
	}
}
