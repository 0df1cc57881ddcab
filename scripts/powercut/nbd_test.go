package powercut

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// The network block device as QEMU asks for it, with the old handshake, in which nothing is negotiated
// (https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md). Numbers are big-endian.
const (
	nbdMagic      = 0x4e42444d41474943 // "NBDMAGIC"
	nbdOld        = 0x00420281861253
	nbdRequest    = 0x25609513
	nbdReply      = 0x67446698
	nbdHasFlags   = 1 << 0
	nbdCanFlush   = 1 << 2
	nbdCanFUA     = 1 << 3
	nbdFUA        = 1 << 0 // of a command: it is to be on the disk before the answer
	nbdRead       = 0
	nbdWrite      = 1
	nbdDisconnect = 2
	nbdFlush      = 3
	nbdRefused    = 22 // EINVAL
	largestPiece  = 32 << 20
)

// volatileDisk is a block device with a cache that does not survive a power cut. It is served over a socket.
type volatileDisk struct {
	mu      sync.Mutex // guards the fields below
	seen    []byte     // as the machine sees it
	durable []byte
	pending []extent // written and not flushed, in order
	power   *power
	lies    bool
}

type extent struct {
	at   int
	data []byte
}

// serve answers one machine until it or the power goes.
func (d *volatileDisk) serve(c net.Conn) error {
	hello := binary.BigEndian.AppendUint64(nil, nbdMagic)
	hello = binary.BigEndian.AppendUint64(hello, nbdOld)
	hello = binary.BigEndian.AppendUint64(hello, uint64(len(d.seen)))
	hello = binary.BigEndian.AppendUint32(hello, nbdHasFlags|nbdCanFlush|nbdCanFUA)
	if _, err := c.Write(append(hello, make([]byte, 124)...)); err != nil {
		return err
	}
	for {
		answer, err := d.answer(c)
		if errors.Is(err, errNoPower) {
			<-d.power.over // there is no answer, not even an error: a machine that could do anything about it would be alive
		}
		if err != nil {
			return err
		}
		if _, err := c.Write(answer); err != nil {
			return err
		}
	}
}

// command is what a machine asks of the disk.
type command struct {
	flags, kind uint16
	handle      uint64
	at          uint64
	size        uint32
	data        []byte
}

func readCommand(r io.Reader) (command, error) {
	var head struct {
		Magic       uint32
		Flags, Kind uint16
		Handle, At  uint64
		Size        uint32
	}
	if err := binary.Read(r, binary.BigEndian, &head); err != nil {
		return command{}, err
	}
	if head.Magic != nbdRequest || head.Size > largestPiece {
		return command{}, fmt.Errorf("this is no request: %+v", head)
	}
	c := command{head.Flags, head.Kind, head.Handle, head.At, head.Size, nil}
	if c.kind == nbdWrite {
		c.data = make([]byte, c.size)
		if _, err := io.ReadFull(r, c.data); err != nil {
			return command{}, err
		}
	}
	return c, nil
}

var errNoPower = errors.New("the power is off")

func (d *volatileDisk) answer(r io.Reader) ([]byte, error) {
	c, err := readCommand(r)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.power.off {
		return nil, errNoPower
	}
	reply := binary.BigEndian.AppendUint32(nil, nbdReply)
	fits := c.at+uint64(c.size) <= uint64(len(d.seen))
	switch {
	case c.kind == nbdDisconnect:
		return nil, io.EOF
	case c.kind == nbdFlush:
		d.flush()
		d.power.change()
	case c.kind == nbdRead && fits:
		reply = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(reply, 0), c.handle)
		return append(reply, d.seen[c.at:][:c.size]...), nil
	case c.kind == nbdWrite && fits:
		copy(d.seen[c.at:], c.data)
		d.pending = append(d.pending, extent{int(c.at), c.data})
		if c.flags&nbdFUA != 0 {
			d.flush()
		}
		d.power.change()
	default:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(reply, nbdRefused), c.handle), nil
	}
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(reply, 0), c.handle), nil
}

// flush makes durable what was written; or the disk lies.
func (d *volatileDisk) flush() {
	if d.lies {
		return
	}
	for _, e := range d.pending {
		copy(d.durable[e.at:], e.data)
	}
	d.pending = nil
}

// cutPower takes the power away. Of what was not flushed each sector is on the disk or not, so that what was written
// later may be there without what was written before. It returns how many sectors were lost.
func (d *volatileDisk) cutPower(random *rand.Rand) (lost int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.power.fail()
	survives := aHalf(random)
	for _, e := range d.pending {
		for from := 0; from < len(e.data); from += sector {
			if survives() {
				copy(d.durable[e.at+from:], e.data[from:min(from+sector, len(e.data))])
			} else {
				lost++
			}
		}
	}
	return lost
}

func TestTheVolatileDiskKeepsWhatWasFlushed(t *testing.T) {
	const size = 1 << 20
	random := rand.New(rand.NewPCG(1, 2))
	d := &volatileDisk{seen: make([]byte, size), durable: make([]byte, size), power: enoughPower()}
	here, there := net.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- d.serve(there) }()
	if _, err := io.ReadFull(here, make([]byte, 152)); err != nil {
		t.Fatal(err)
	}
	ask := func(flags, kind uint16, at, length int, data []byte) []byte {
		t.Helper()
		c := binary.BigEndian.AppendUint32(nil, nbdRequest)
		c = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(c, flags), kind)
		c = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(c, 77), uint64(at))
		c = append(binary.BigEndian.AppendUint32(c, uint32(length)), data...)
		if _, err := here.Write(c); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 16)
		if kind == nbdRead {
			answer = make([]byte, 16+length)
		}
		if _, err := io.ReadFull(here, answer); err != nil {
			t.Fatal(err)
		}
		if got := binary.BigEndian.Uint32(answer[4:]); got != 0 || binary.BigEndian.Uint64(answer[8:]) != 77 {
			t.Fatalf("answered with error %d", got)
		}
		return answer[16:]
	}
	fill := func(with byte) []byte {
		data := make([]byte, 64*sector)
		for i := range data {
			data[i] = with
		}
		return data
	}
	ask(0, nbdWrite, 0, 64*sector, fill(1))
	ask(0, nbdFlush, 0, 0, nil)
	ask(nbdFUA, nbdWrite, 64*sector, 64*sector, fill(2))
	ask(0, nbdWrite, 0, 64*sector, fill(3))
	if got := ask(0, nbdRead, 0, sector, nil); got[0] != 3 {
		t.Errorf("read is %d, written was 3", got[0])
	}
	lost := d.cutPower(random)
	news, old := 0, 0
	for at := 0; at < 64*sector; at += sector {
		switch d.durable[at] {
		case 3:
			news++
		case 1:
			old++
		}
	}
	if news == 0 || old == 0 || news+old != 64 || lost != old {
		t.Errorf("of 64 sectors %d are new, %d old, %d lost", news, old, lost)
	}
	if d.durable[64*sector] != 2 {
		t.Error("what was to be on the disk before the answer is not")
	}
	close(d.power.over)
	c := binary.BigEndian.AppendUint32(nil, nbdRequest)
	if _, err := here.Write(append(c, make([]byte, 24)...)); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; !errors.Is(err, errNoPower) {
		t.Errorf("without power it says %v", err)
	}
}
