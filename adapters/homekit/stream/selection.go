package stream

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

// Order is what a viewer wants of its stream.
type Order byte

// Orders.
const (
	End         Order = 0
	Start       Order = 1
	Suspend     Order = 2
	Resume      Order = 3
	Reconfigure Order = 4
)

// Selection is what a viewer writes to SelectedRTPStreamConfiguration. What it does not say is 0.
type Selection struct {
	Session     string // 16 bytes
	Order       Order
	Width       int // pixels
	Height      int // pixels
	PayloadType byte
	PacketSize  int           // bytes of a packet at most
	Interval    time.Duration // between two reports
}

// Limits of what a viewer may select.
const (
	largestPacket  = 1378 // bytes within UDP; HAP R14 11.8 for IPv4
	largestPacket6 = 1228 // the same for IPv6
	smallestPacket = 256
	shortestReport = 500 * time.Millisecond
	longestReport  = 10 * time.Second
)

// ReadSelection reads what a viewer writes to SelectedRTPStreamConfiguration.
func ReadSelection(value []byte) (Selection, error) {
	outer, err := hap.DecodeTLV(value)
	if err != nil {
		return Selection{}, fmt.Errorf("read the viewer's selection: %w", err)
	}
	control, err := hap.DecodeTLV(outer.Get(1))
	if err != nil {
		return Selection{}, fmt.Errorf("read the viewer's order: %w", err)
	}
	order, ok := control.Byte(2)
	s := Selection{Session: string(control.Get(1)), Order: Order(order)}
	if !ok || s.Order > Reconfigure || len(s.Session) != sessionSize {
		return Selection{}, errors.New("the viewer's selection has no order for a session")
	}
	if err := s.readVideo(outer.Get(2)); err != nil {
		return Selection{}, fmt.Errorf("read the viewer's selection: %w", err)
	}
	if s.Order == Start && s.PayloadType == 0 {
		return Selection{}, errors.New("the viewer's selection has no payload type")
	}
	return s, nil
}

func (s *Selection) readVideo(value []byte) error {
	video, err := hap.DecodeTLV(value)
	if err != nil {
		return err
	}
	if codec, ok := video.Byte(1); ok && codec != 0 {
		return errors.New("it is not H.264")
	}
	attributes, err := hap.DecodeTLV(video.Get(3))
	if err != nil {
		return err
	}
	width, _ := attributes.Number(1)
	height, _ := attributes.Number(2)
	s.Width, s.Height = int(min(width, math.MaxUint16)), int(min(height, math.MaxUint16))
	rtp, err := hap.DecodeTLV(video.Get(4))
	if err != nil {
		return err
	}
	return s.readRTP(rtp)
}

// readRTP reads how packets are to be. Payload types that look like a report are refused, for both share
// a port (RFC 5761 4).
func (s *Selection) readRTP(items hap.TLV) error {
	if kind, ok := items.Byte(1); ok {
		if kind == 0 || kind > 127 || kind >= 64 && kind < 96 {
			return fmt.Errorf("%d is no payload type for it", kind)
		}
		s.PayloadType = kind
	}
	if size, ok := items.Number(5); ok && size > 0 {
		s.PacketSize = int(min(max(size, smallestPacket), largestPacket))
	}
	if bits, ok := items.Number(4); ok {
		seconds := float64(math.Float32frombits(uint32(bits)))
		if seconds > 0 { // which what is no number is not
			s.Interval = min(max(time.Duration(min(seconds, longestReport.Seconds())*float64(time.Second)), shortestReport), longestReport)
		}
	}
	return nil
}
