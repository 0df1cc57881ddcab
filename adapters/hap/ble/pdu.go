package ble

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// opcode is what a request asks for (HAP R2 table 7-8).
type opcode byte

const (
	opSignature        opcode = 0x01
	opWrite            opcode = 0x02
	opRead             opcode = 0x03
	opTimedWrite       opcode = 0x04
	opExecuteWrite     opcode = 0x05
	opServiceSignature opcode = 0x06
	opConfigure        opcode = 0x07
	opProtocol         opcode = 0x08
)

// Status is how an accessory answered a request (HAP R2 table 7-37). It is an error unless it is
// StatusOK.
type Status byte

// Outcomes of a request.
const (
	StatusOK                  Status = 0
	StatusUnsupported         Status = 1
	StatusTooManyProcedures   Status = 2
	StatusNoAuthorization     Status = 3
	StatusNoSuchInstance      Status = 4
	StatusNotAuthenticated    Status = 5
	StatusInvalid             Status = 6
	mostBody                         = 16 << 10 // bytes; more is not believed
	controlResponse                  = 0x02
	controlContinuation              = 0x80
	controlKind                      = 0x0e // request or response
	requestHead, bodyHead            = 5, 2
	responseHead, furtherHead        = 3, 2
)

var statusWords = map[Status]string{
	StatusOK:                "done",
	StatusUnsupported:       "the request is not supported",
	StatusTooManyProcedures: "too much is under way",
	StatusNoAuthorization:   "refused for lack of authorisation",
	StatusNoSuchInstance:    "there is no such characteristic",
	StatusNotAuthenticated:  "refused: the session is not verified",
	StatusInvalid:           "the request is invalid",
}

// Error is the outcome in words.
func (s Status) Error() string {
	if words, ok := statusWords[s]; ok {
		return fmt.Sprintf("%s (status %d)", words, byte(s))
	}
	return fmt.Sprintf("status %d", byte(s))
}

// request is one PDU to the accessory.
type request struct {
	op   opcode
	tid  byte // transaction: the answer carries the same
	iid  uint16
	body []byte
}

// fragments are the pieces of a request, of at most size bytes each.
func (r request) fragments(size int) [][]byte {
	head := binary.LittleEndian.AppendUint16([]byte{0, byte(r.op), r.tid}, r.iid)
	if len(r.body) == 0 {
		return [][]byte{head}
	}
	head = binary.LittleEndian.AppendUint16(head, uint16(len(r.body)))
	first := min(len(r.body), size-len(head))
	all := [][]byte{append(head, r.body[:first]...)}
	for rest := r.body[first:]; len(rest) > 0; {
		n := min(len(rest), size-furtherHead)
		all = append(all, append([]byte{controlContinuation, r.tid}, rest[:n]...))
		rest = rest[n:]
	}
	return all
}

// response is one PDU from the accessory, while its pieces come in.
type response struct {
	status Status
	body   []byte
	want   int // length that was announced
}

// complete tells whether all pieces are there.
func (r response) complete() bool { return len(r.body) >= r.want }

// beginResponse reads the first piece of the answer to a transaction.
func beginResponse(tid byte, piece []byte) (response, error) {
	if len(piece) < responseHead {
		return response{}, fmt.Errorf("an answer of %d bytes is too short", len(piece))
	}
	if piece[0]&controlContinuation != 0 || piece[0]&controlKind != controlResponse {
		return response{}, fmt.Errorf("control byte %#02x does not begin an answer", piece[0])
	}
	if piece[1] != tid {
		return response{}, fmt.Errorf("the answer is to transaction %d instead of %d", piece[1], tid)
	}
	r := response{status: Status(piece[2])}
	rest := piece[responseHead:]
	if len(rest) == 0 {
		return r, nil
	}
	if len(rest) < bodyHead {
		return response{}, errors.New("an answer ends within the length of its body")
	}
	r.want = int(binary.LittleEndian.Uint16(rest))
	if r.want > mostBody {
		return response{}, fmt.Errorf("an answer of %d bytes is longer than %d", r.want, mostBody)
	}
	return r.with(rest[bodyHead:])
}

// further adds a piece.
func (r response) further(tid byte, piece []byte) (response, error) {
	if len(piece) <= furtherHead {
		return response{}, fmt.Errorf("a piece of %d bytes carries nothing", len(piece))
	}
	if piece[0]&controlContinuation == 0 || piece[1] != tid {
		return response{}, fmt.Errorf("bytes %#02x %#02x do not continue the answer to transaction %d", piece[0], piece[1], tid)
	}
	return r.with(piece[furtherHead:])
}

func (r response) with(more []byte) (response, error) {
	r.body = append(r.body, more...)
	if len(r.body) > r.want {
		return response{}, fmt.Errorf("an answer has %d bytes and announced %d", len(r.body), r.want)
	}
	return r, nil
}
