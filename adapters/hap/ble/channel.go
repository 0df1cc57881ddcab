package ble

import (
	"context"
	"crypto/cipher"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/veilleuse/veilleuse/adapters/hap"
)

const (
	answerTime = 10 * time.Second // for one request: HAP R2 7.2.3 gives a procedure ten
	sealExtra  = 16               // bytes of authentication of each piece in a session
	mostPieces = mostBody / 16
)

// channel sends requests through a connection and reads their answers: open, until it is sealed. An
// error in the middle of a request leaves the counters of the two ends apart, and so ends the connection.
type channel struct {
	peripheral Peripheral
	out, in    cipher.AEAD // nil: open
	outCounter uint64
	inCounter  uint64
}

// seal seals all that follows.
func (c *channel) seal(keys hap.SessionKeys) {
	c.out, c.in = keys.ToAccessory.AEAD(), keys.ToController.AEAD()
}

// ask sends a request to a characteristic and returns the body of the answer. An answer other than
// StatusOK is that Status.
func (c *channel) ask(ctx context.Context, handle string, r request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	r.tid = byte(1 + rand.N(255))
	answer, err := c.roundTrip(ctx, handle, r)
	if err != nil {
		c.peripheral.Close()
		return nil, fmt.Errorf("request %d to characteristic %d: %w", r.op, r.iid, err)
	}
	if answer.status != StatusOK {
		return nil, fmt.Errorf("request %d to characteristic %d: %w", r.op, r.iid, answer.status)
	}
	return answer.body, nil
}

func (c *channel) roundTrip(ctx context.Context, handle string, r request) (response, error) {
	size := fragmentSize(c.peripheral)
	if c.out != nil {
		size -= sealExtra
	}
	for _, piece := range r.fragments(size) {
		if c.out != nil {
			piece = c.out.Seal(nil, hap.CounterNonce(c.outCounter), piece, nil)
			c.outCounter++
		}
		if err := c.peripheral.Write(ctx, handle, piece); err != nil {
			return response{}, err
		}
	}
	piece, err := c.read(ctx, handle)
	if err != nil {
		return response{}, err
	}
	answer, err := beginResponse(r.tid, piece)
	for pieces := 0; err == nil && !answer.complete(); pieces++ {
		if pieces > mostPieces {
			return response{}, fmt.Errorf("the answer does not end")
		}
		if piece, err = c.read(ctx, handle); err == nil {
			answer, err = answer.further(r.tid, piece)
		}
	}
	return answer, err
}

// read reads one piece.
func (c *channel) read(ctx context.Context, handle string) ([]byte, error) {
	piece, err := c.peripheral.Read(ctx, handle)
	if err != nil || c.in == nil {
		return piece, err
	}
	plain, err := c.in.Open(nil, hap.CounterNonce(c.inCounter), piece, nil)
	if err != nil {
		return nil, fmt.Errorf("open the answer: %w", err)
	}
	c.inCounter++
	return plain, nil
}

// exchange carries pairing messages through a characteristic (HAP R2 7.3.5.9 and 5.14: a message that
// is too long comes in parts, each asked for by an empty one).
func (c *channel) exchange(handle string, iid uint16) hap.Exchange {
	return func(ctx context.Context, message hap.TLV) (hap.TLV, error) {
		var whole []byte
		for range mostPieces {
			answer, err := c.pairingPart(ctx, handle, iid, message)
			if err != nil {
				return nil, err
			}
			switch {
			case answer.Has(pairingLastFragment):
				return hap.DecodeTLV(append(whole, answer.Get(pairingLastFragment)...))
			case !answer.Has(pairingFragment):
				return answer, nil
			}
			whole = append(whole, answer.Get(pairingFragment)...)
			message = hap.TLV{{Tag: pairingFragment}}
		}
		return nil, fmt.Errorf("a pairing message does not end")
	}
}

func (c *channel) pairingPart(ctx context.Context, handle string, iid uint16, message hap.TLV) (hap.TLV, error) {
	body := hap.TLV{{Tag: paramReturnResponse, Value: []byte{1}}, {Tag: paramValue, Value: message.Encode()}}
	answer, err := c.ask(ctx, handle, request{op: opWrite, iid: iid, body: body.Encode()})
	if err != nil {
		return nil, err
	}
	items, err := hap.DecodeTLV(answer)
	if err != nil {
		return nil, fmt.Errorf("read the answer to a pairing message: %w", err)
	}
	return hap.DecodeTLV(items.Get(paramValue))
}
