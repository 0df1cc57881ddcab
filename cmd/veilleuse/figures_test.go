package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

const (
	starts    = 9                // of which the median is told
	hourTakes = 36 * time.Second // for the events of an hour, one a minute and device
	settles   = 45 * time.Second // for the decisions of the start to be on disk
	idles     = time.Minute
)

// TestFigures measures the daemon as a process of its own, between simulated devices, a simulated
// cloud, an MQTT client and a Home app, and prints a table. scripts/figures runs it; it asserts
// nothing but that all of it works, because machines differ.
func TestFigures(t *testing.T) {
	binary := os.Getenv("VEILLEUSE_BINARY")
	if binary == "" {
		t.Skip("scripts/figures names the binary to measure in VEILLEUSE_BINARY")
	}
	t.Logf("ready after %.0f ms (median of %d starts, 60 devices)", readyAfter(t, binary), starts)
	var daemons []*daemon
	for _, count := range []int{20, 60, 140} {
		d := prepare(t, binary, count)
		d.start()
		d.eyes = observe(t, d.mqtt, d.homeKit, d.code(), count)
		daemons = append(daemons, d)
	}
	passAnHour(t, daemons)
	time.Sleep(settles)
	var before []usage
	for _, d := range daemons {
		before = append(before, d.usage())
	}
	time.Sleep(idles)
	fmt.Println("| devices | resident | private | idle CPU | idle wake-ups | written while idle |")
	fmt.Println("| --- | --- | --- | --- | --- | --- |")
	for i, d := range daemons {
		now := d.usage()
		seconds := idles.Seconds()
		fmt.Printf("| %d | %.1f MB | %.1f MB | %.4f %% | %.2f/s | %d bytes |\n", len(d.fake.motion),
			now.resident/1000, now.private/1000, 100*(now.cpu-before[i].cpu).Seconds()/seconds,
			float64(now.sleeps-before[i].sleeps)/seconds, now.written-before[i].written)
	}
	last, first := daemons[2], daemons[0]
	perDevice := (last.usage().private - first.usage().private) / float64(len(last.fake.motion)-len(first.fake.motion))
	fmt.Printf("\nEach further device: %.1f kB of private memory.\n", perDevice)
}

// readyAfter is the median time in ms from the start of the process until both the Home app and MQTT are
// answered.
func readyAfter(t *testing.T, binary string) float64 {
	d := prepare(t, binary, 60)
	var all []time.Duration
	for range starts {
		began := time.Now()
		d.start()
		all = append(all, time.Since(began))
		time.Sleep(100 * time.Millisecond)
		d.stop()
	}
	slices.Sort(all)
	return milliseconds(all[len(all)/2])
}

// passAnHour lets as many events happen at each house as in an hour with one a minute from each device.
func passAnHour(t *testing.T, daemons []*daemon) {
	const every = 10 * time.Millisecond
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	steps := int(hourTakes / every)
	for step := range steps {
		<-ticker.C
		for _, d := range daemons {
			d.eyes.drain()
			count := len(d.fake.motion)
			for n := step * count * 60 / steps; n < (step+1)*count*60/steps; n++ {
				if err := d.fake.move(n % count); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// daemon is a process to be measured, and what it is surrounded by.
type daemon struct {
	t             *testing.T
	binary        string
	config        string // file
	mqtt, homeKit string // addresses
	fake          *sensors
	eyes          *observers
	process       *exec.Cmd
}

// prepare writes the configuration, signs in and pairs, all with the verbs that people use.
func prepare(t *testing.T, binary string, count int) *daemon {
	t.Helper()
	folder := t.TempDir()
	d := &daemon{t: t, binary: binary, config: filepath.Join(folder, "veilleuse.yaml"),
		mqtt: freeAddress(t), homeKit: freeAddress(t), fake: startSensors(t, count)}
	home := netatmotest.House()
	for i := range home.Modules {
		home.Modules[i].Key, home.Modules[i].Local = "", ""
	}
	cloud := netatmotest.New(netatmotest.Options{Home: home})
	web := httptest.NewServer(cloud)
	t.Cleanup(web.Close)
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret, token := write("secret", "client-secret\n"), write("token.json", string(cloud.Token()))
	write("veilleuse.yaml", fmt.Sprintf(`state: %s
netatmo: {url: %q, client_id: client, client_secret_file: %s}
homekit: {listen: %q}
mqtt: {listen: %q}
web: {listen: %q}
`, filepath.Join(folder, "state"), web.URL, secret, d.homeKit, d.mqtt, freeAddress(t)))
	d.verb("login", "--token", token)
	d.verb("pair", "--address", d.fake.bridge.Address(), d.fake.bridge.ID(), d.fake.bridge.Code())
	return d
}

// freeAddress is an address of this machine where nobody listens now, nor will before it is used: it lies below the
// ports that the system gives to those who ask for any.
func freeAddress(t *testing.T) string {
	t.Helper()
	const tries = 100
	for range tries {
		address := loopback.Address("127.0.0.1")
		if listener, err := net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

// verb runs the program and returns what it says.
func (d *daemon) verb(args ...string) []byte {
	d.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), figurePatience)
	defer cancel()
	command := exec.CommandContext(ctx, d.binary, append(args, "-c", d.config)...)
	said, err := command.Output()
	if err != nil {
		d.t.Fatalf("veilleuse %s: %v", strings.Join(args, " "), err)
	}
	return said
}

func (d *daemon) code() string {
	d.t.Helper()
	var report codeReport
	if err := json.Unmarshal(d.verb("code", "--json"), &report); err != nil {
		d.t.Fatal(err)
	}
	return report.Code
}

// start returns when MQTT and HomeKit are both served.
func (d *daemon) start() {
	d.t.Helper()
	d.process = exec.Command(d.binary, "run", "-c", d.config)
	if err := d.process.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(d.stop)
	// CONNECT of MQTT 3.1.1, and a request that HomeKit answers before any pairing.
	d.answered(d.mqtt, "\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05probe")
	d.answered(d.homeKit, "GET /accessories HTTP/1.1\r\nHost: bridge\r\n\r\n")
}

// answered waits until somebody at the address answers a question.
func (d *daemon) answered(address, question string) {
	d.t.Helper()
	for late := time.Now().Add(figurePatience); time.Now().Before(late); time.Sleep(time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			continue
		}
		conn.SetDeadline(late)
		_, err = conn.Write([]byte(question))
		if err == nil {
			_, err = conn.Read(make([]byte, 1))
		}
		conn.Close()
		if err == nil {
			return
		}
	}
	d.t.Fatalf("nobody answers at %s", address)
}

func (d *daemon) stop() {
	if d.process == nil {
		return
	}
	d.process.Process.Signal(syscall.SIGTERM)
	d.process.Wait()
	d.process = nil
}

// usage is what a process has used so far.
type usage struct {
	resident, private float64 // kB
	cpu               time.Duration
	sleeps            int // of all its threads
	written           int // bytes to disk
}

func (d *daemon) usage() usage {
	d.t.Helper()
	folder := fmt.Sprintf("/proc/%d", d.process.Process.Pid)
	u := usage{resident: float64(figure(d.t, folder+"/status", "VmRSS:")), private: float64(figure(d.t, folder+"/status", "RssAnon:")),
		written: figure(d.t, folder+"/io", "write_bytes:")}
	threads, _ := filepath.Glob(folder + "/task/*")
	for _, thread := range threads {
		u.sleeps += figure(d.t, thread+"/status", "voluntary_ctxt_switches:")
		text, err := os.ReadFile(thread + "/schedstat")
		if err != nil {
			d.t.Fatal(err)
		}
		spent, _ := strconv.Atoi(strings.Fields(string(text))[0])
		u.cpu += time.Duration(spent) // Linux, sched-stats: nanoseconds
	}
	return u
}

// figure reads the number after a word at the beginning of a line.
func figure(t *testing.T, path, word string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == word {
			n, err := strconv.Atoi(fields[1])
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("%s has no %s", path, word)
	return 0
}
