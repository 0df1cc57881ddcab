package clock

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"time"
)

// packetSize is the size of an NTP packet without extensions (RFC 5905, 7.3).
const packetSize = 48

// Limits beyond which an answer is no good.
const (
	longestTrip  = time.Second
	longestChain = 1500 * time.Millisecond // root distance, MAXDIST of RFC 5905
)

// epoch is where NTP counts from. Its 32 bits of seconds run over in 2036.
var epoch = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)

// query asks one time server. The question holds a random number in place of our time, so that nobody
// who does not see it can forge the answer and nobody learns what our clock shows.
func query(ctx context.Context, server string, source func() Machine, floor time.Time) (Sighting, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "udp", server)
	if err != nil {
		return Sighting{}, fmt.Errorf("ask time server %s: %w", server, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	question := make([]byte, packetSize)
	question[0] = 4<<3 | 3 // version 4, client
	rand.Read(question[40:])
	sent, began := source().Wall, time.Now()
	if _, err := conn.Write(question); err != nil {
		return Sighting{}, fmt.Errorf("ask time server %s: %w", server, err)
	}
	answer := make([]byte, 512)
	n, err := conn.Read(answer)
	if err != nil {
		return Sighting{}, fmt.Errorf("hear time server %s: %w", server, err)
	}
	s, err := readAnswer(answer[:n], question[40:], sent, time.Since(began), floor)
	if err != nil {
		return Sighting{}, fmt.Errorf("time server %s: %w", server, err)
	}
	s.From = "the time server " + server
	return s, nil
}

// readAnswer reads an answer that came trip after it was asked for at sent, with that random number.
func readAnswer(p, number []byte, sent time.Time, trip time.Duration, floor time.Time) (Sighting, error) {
	if len(p) < packetSize {
		return Sighting{}, errors.New("the answer is too short")
	}
	leap, version, mode, stratum := p[0]>>6, p[0]>>3&7, p[0]&7, p[1]
	switch {
	case mode != 4 || version < 3 || version > 4:
		return Sighting{}, errors.New("this is not a server's answer")
	case !bytes.Equal(p[24:32], number):
		return Sighting{}, errors.New("this answers somebody else's question")
	case stratum == 0:
		return Sighting{}, fmt.Errorf("it does not want to be asked (%q)", p[12:16])
	case leap == 3 || stratum > 15:
		return Sighting{}, errors.New("it does not know the time itself")
	case bytes.Equal(p[40:48], make([]byte, 8)):
		return Sighting{}, errors.New("it does not say the time")
	}
	heard, said := instant(p[32:40], floor), instant(p[40:48], floor)
	inside := said.Sub(heard)
	chain := short(p[4:8])/2 + short(p[8:12])
	if inside < 0 || trip < inside || trip-inside > longestTrip || chain > longestChain {
		return Sighting{}, errors.New("its answer is too inexact to be of use")
	}
	ahead := (heard.Sub(sent) + said.Sub(sent.Add(trip))) / 2
	return Sighting{Ahead: ahead, Error: (trip-inside)/2 + chain}, nil
}

// instant reads an NTP timestamp. Of all the times that it can mean, 136 years apart, it means the
// first that is not long before the floor.
func instant(p []byte, floor time.Time) time.Time {
	const era = 1 << 32
	pivot := floor.AddDate(-1, 0, 0).Unix() - epoch.Unix()
	seconds := int64(binary.BigEndian.Uint32(p))
	if seconds < pivot {
		seconds += (pivot - seconds + era - 1) / era * era
	}
	fraction := int64(binary.BigEndian.Uint32(p[4:])) * int64(time.Second) >> 32
	return time.Unix(epoch.Unix()+seconds, fraction).UTC()
}

// short reads a duration of 16 bits of seconds and 16 of fraction.
func short(p []byte) time.Duration {
	return time.Duration(int64(binary.BigEndian.Uint32(p)) * int64(time.Second) >> 16)
}
