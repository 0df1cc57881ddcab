package peers

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The load under which a subscriber does not read: a broker's buffers and the kernel's are full of it
// after a few seconds.
const (
	loadTopic    = "peers/load"
	loadPerBeat  = 25
	loadBeat     = 50 * time.Millisecond
	loadSize     = 2000 // bytes
	stalledTime  = 12 * time.Second
	longestDelay = 2 * time.Second
)

// stalled lets one subscriber stop reading while much is published.
func (m *messages) stalled() {
	address := m.house.mqtt
	promise(m.t, "a subscriber that stops reading delays nobody by more than 2 s", func() (string, error) {
		silent, err := subscribeAndStall(address)
		if err != nil {
			return "", err
		}
		defer silent.Close()
		others := listen(m.t, address, loadTopic)
		sent := make(chan error, 1)
		counts := make(chan int, 1)
		go func() {
			n, err := publishLoad(m.t, address)
			counts <- n
			sent <- err
		}()
		house, err := m.slowestChange(stalledTime)
		if err := errors.Join(err, <-sent); err != nil {
			return "", err
		}
		worst, n, err := slowestMessage(others, <-counts)
		if err == nil && max(worst, house) > longestDelay {
			err = errors.New("too long")
		}
		if err != nil {
			err = fmt.Errorf("%w: the house's own topics took up to %s, %d messages of another client up to %s", err, seconds(house), n, seconds(worst))
		}
		return fmt.Sprintf("the house's own topics took up to %s, %d messages of another client up to %s", seconds(house), n, seconds(worst)), err
	})
}

// subscribeAndStall is a client that subscribes to everything at QoS 1, with a small window, and reads
// no further than the answer.
func subscribeAndStall(address string) (net.Conn, error) {
	small := net.Dialer{Timeout: patience, Control: func(_, _ string, raw syscall.RawConn) error {
		var failure error
		err := raw.Control(func(fd uintptr) {
			failure = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096)
		})
		return errors.Join(err, failure)
	}}
	conn, err := small.DialContext(context.Background(), "tcp", address)
	if err != nil {
		return nil, err
	}
	connect := "\x00\x04MQTT\x04\x02\x00\x00" + field("stalled") // MQTT 3.1.1, clean session, no keep-alive
	subscribe := "\x00\x01" + field("#") + "\x01"
	_ = conn.SetDeadline(time.Now().Add(patience))
	_, err = conn.Write([]byte("\x10" + string(rune(len(connect))) + connect + "\x82" + string(rune(len(subscribe))) + subscribe))
	answers := make([]byte, 4+5) // CONNACK and SUBACK
	if err == nil {
		_, err = io.ReadFull(conn, answers)
	}
	if err == nil && (answers[0] != 0x20 || answers[3] != 0 || answers[4] != 0x90) {
		err = fmt.Errorf("the broker answers % x", answers)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("subscribe by hand: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, nil
}

// field is a text as MQTT writes it.
func field(text string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(len(text)))) + text
}

// publishLoad feeds mosquitto_pub with messages that carry the time, and says how many there were.
func publishLoad(t *testing.T, address string) (int, error) {
	host, port, _ := net.SplitHostPort(address)
	ctx, cancel := context.WithTimeout(t.Context(), stalledTime+patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mosquitto_pub", "-h", host, "-p", port, "-q", "1", "-t", loadTopic, "-l")
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return 0, err
	}
	lines := bufio.NewWriter(in)
	rest := strings.Repeat("x", loadSize)
	n := 0
	for end := time.Now().Add(stalledTime); time.Now().Before(end); time.Sleep(loadBeat) {
		for range loadPerBeat {
			fmt.Fprintln(lines, time.Now().UnixNano(), rest)
			n++
		}
		if err := lines.Flush(); err != nil {
			return n, fmt.Errorf("mosquitto_pub: %w", err)
		}
	}
	in.Close()
	return n, cmd.Wait()
}

// slowestMessage waits for all messages of the load at another subscriber and returns the worst delay.
func slowestMessage(l *listener, sent int) (worst time.Duration, n int, err error) {
	_, err = until(patience, func() error {
		if n := len(l.heard(time.Time{})); n < sent {
			return fmt.Errorf("%w: %d of %d messages have come", errNotYet, n, sent)
		}
		return nil
	})
	for _, m := range l.heard(time.Time{}) {
		stamp, _, _ := strings.Cut(m.payload, " ")
		at, bad := strconv.ParseInt(stamp, 10, 64)
		if bad != nil {
			return worst, n, bad
		}
		worst, n = max(worst, m.at.Sub(time.Unix(0, at))), n+1
	}
	return worst, n, err
}

// slowestChange changes a device again and again and returns how long its topic took at most.
func (m *messages) slowestChange(length time.Duration) (time.Duration, error) {
	topic, err := m.house.topic("Study")
	if err != nil {
		return 0, err
	}
	worst := time.Duration(0)
	for i, end := 0, time.Now().Add(length); time.Now().Before(end); i++ {
		began, value := time.Now(), 12+float64(i%10)/2
		if err := m.relay.set("Study", "CurrentTemperature", value); err != nil {
			return worst, err
		}
		got, err := m.sub.await(patience, began, topic, func(payload string) bool {
			return readPage(payload).reading("temperature") == fmt.Sprint(value)
		})
		if err != nil {
			return worst, err
		}
		worst = max(worst, got.at.Sub(began))
		time.Sleep(200 * time.Millisecond)
	}
	return worst, nil
}
