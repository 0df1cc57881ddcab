package peers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// startMosquitto runs an empty broker at that address, with more lines of configuration.
func startMosquitto(t *testing.T, address string, more ...string) *process {
	t.Helper()
	host, port, _ := net.SplitHostPort(address)
	config := filepath.Join(t.TempDir(), "mosquitto.conf")
	text := fmt.Sprintf("listener %s %s\nallow_anonymous true\npersistence false\nset_tcp_nodelay true\nmax_queued_messages 5000\n", port, host) +
		strings.Join(more, "\n") + "\n"
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, "mosquitto", exec.Command("mosquitto", "-c", config), func([]byte) {})
	if _, err := until(patience, func() error { return dial(address) }); err != nil {
		t.Fatalf("mosquitto: %v\n%s", err, p.lastWords(10))
	}
	return p
}

func dial(address string) error {
	c, err := net.DialTimeout("tcp", address, patience)
	if err == nil {
		c.Close()
	}
	return err
}

// heard is a message as mosquitto_sub tells of it.
type heard struct {
	topic, payload string
	retained       bool
	at             time.Time
}

// listener is a mosquitto_sub that runs.
type listener struct {
	*process
	subscribed chan struct{} // closed once it is
	agreed     sync.Once
	mu         sync.Mutex
	all        []heard
}

// listen subscribes to a filter, with more options of mosquitto_sub, and waits until the broker has agreed: what is published from
// then on is heard.
func listen(t *testing.T, broker, filter string, more ...string) *listener {
	t.Helper()
	host, port, _ := net.SplitHostPort(broker)
	l := &listener{subscribed: make(chan struct{})}
	// With -d it says what it does, among that when it is subscribed; without stdbuf it would keep that to itself.
	args := append([]string{"-oL", "mosquitto_sub", "-d", "-h", host, "-p", port, "-q", "1", "-t", filter, "-F", "%r %t %p"}, more...)
	l.process = startProcess(t, "mosquitto_sub", exec.Command("stdbuf", args...), l.hear)
	select {
	case <-l.subscribed:
	case <-l.done:
		t.Fatalf("mosquitto_sub ended: %s", l.lastWords(5))
	case <-time.After(patience):
		t.Fatalf("mosquitto_sub is not subscribed to %s after %s", filter, patience)
	}
	return l
}

func (l *listener) hear(line []byte) {
	if bytes.HasPrefix(line, []byte("Subscribed ")) {
		l.agreed.Do(func() { close(l.subscribed) }) // it subscribes anew after a broker's restart
	}
	parts := strings.SplitN(string(line), " ", 3)
	if len(parts) < 2 || parts[0] != "0" && parts[0] != "1" {
		return
	}
	parts = append(parts, "")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, heard{parts[1], parts[2], parts[0] == "1", time.Now()})
}

// heard returns what has come since then.
func (l *listener) heard(since time.Time) []heard {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, m := range l.all {
		if !m.at.Before(since) {
			return append([]heard(nil), l.all[i:]...)
		}
	}
	return nil
}

// newest is the last message on a topic.
func (l *listener) newest(topic string) (heard, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := len(l.all) - 1; i >= 0; i-- {
		if l.all[i].topic == topic {
			return l.all[i], true
		}
	}
	return heard{}, false
}

// await waits for a message on a topic, not older than since, that fits.
func (l *listener) await(limit time.Duration, since time.Time, topic string, fits func(payload string) bool) (heard, error) {
	var found heard
	var last string
	_, err := until(limit, func() error {
		for _, m := range l.heard(since) {
			if m.topic != topic {
				continue
			}
			if last = m.payload; fits(m.payload) {
				found = m
				return nil
			}
		}
		return fmt.Errorf("%w on %s; the last message there was %.400q", errNotYet, topic, last)
	})
	return found, err
}

// retained returns all retained messages that match a filter. A broker sends them before what is published afterwards.
func retained(t *testing.T, broker, filter string) map[string]string {
	t.Helper()
	const end = "peers/end"
	l := listen(t, broker, filter, "-t", end)
	defer l.stop(syscall.SIGTERM)
	err := publish(broker, end, "of what is retained")
	if err == nil {
		_, err = l.await(patience, time.Time{}, end, func(string) bool { return true })
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, m := range l.heard(time.Time{}) {
		if m.retained {
			all[m.topic] = m.payload
		}
	}
	return all
}

// publish runs mosquitto_pub.
func publish(broker, topic, payload string, more ...string) error {
	host, port, _ := net.SplitHostPort(broker)
	args := append([]string{"-h", host, "-p", port, "-q", "1", "-t", topic, "-m", payload}, more...)
	out, err := exec.Command("mosquitto_pub", args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("mosquitto_pub %s: %w: %s", topic, err, out)
	}
	return nil
}

// page is a device or a room as its topic shows it.
type page struct {
	Name, Model, Room, Via, Mode, Why string
	Reachable                         bool
	Temperature, Target               float64
	Until                             time.Time
	Phase, Kind, What, Verdict        string
	Evidence                          []string
	Readings                          map[string]struct {
		Value any
		From  string
	}
}

func readPage(payload string) page {
	var p page
	_ = json.Unmarshal([]byte(payload), &p) // what is no page has nothing that fits
	return p
}

// reading is what a page says of a quantity, as text.
func (p page) reading(quantity string) string {
	r, ok := p.Readings[quantity]
	if !ok {
		return "unknown"
	}
	return fmt.Sprint(r.Value)
}
