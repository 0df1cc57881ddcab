package hap

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// loadTime is how long the tests under load go on: long enough to find the races of others, or a minute when asked to.
func loadTime() time.Duration {
	if os.Getenv("VEILLEUSE_LONG") != "" {
		return time.Minute
	}
	return 3 * time.Second
}

// everything lists all that gives events.
func everything(list []Accessory) []CharacteristicID {
	var ids []CharacteristicID
	for _, accessory := range list {
		for _, service := range accessory.Services {
			for _, c := range service.Characteristics {
				if c.Has(PermEvents) {
					ids = append(ids, CharacteristicID{accessory.AID, c.IID})
				}
			}
		}
	}
	return ids
}

// readAll reads the accessories again and again until done, and answers how often.
func (c *strictClient) readAll(done <-chan struct{}, pause time.Duration) (reads int, err error) {
	for {
		answer, err := c.try(http.MethodGet, "/accessories", "", "")
		if err != nil {
			return reads, err
		}
		if list, err := DecodeAccessories(answer.body); err != nil || len(list) == 0 {
			return reads, fmt.Errorf("status %d, %d accessories: %w", answer.status, len(list), err)
		}
		reads++
		select {
		case <-done:
			return reads, nil
		case <-time.After(pause):
		}
	}
}

// Defects 1 and 2: a full bridge, eight sessions subscribed to everything and reading everything, thirty changes a second.
func TestFullBridgeUnderLoad(t *testing.T) {
	list := house(AccessoriesMax - 1)
	s := startServer(t, list, nil)
	done := make(chan struct{})
	var running sync.WaitGroup
	var mu sync.Mutex
	reads, events := 0, 0
	for range 8 {
		c := s.admin()
		c.subscribe(everything(list)...)
		running.Go(func() {
			n, err := c.readAll(done, 200*time.Millisecond)
			if err != nil {
				t.Errorf("a session broke after %d reads: %v", n, err)
			}
			mu.Lock()
			defer mu.Unlock()
			reads, events = reads+n, events+len(c.events)
		})
	}
	changes := 0
	for end := time.Now().Add(loadTime()); time.Now().Before(end); changes++ {
		aid := 2 + rand.IntN(AccessoriesMax-1)
		s.set(fmt.Sprintf("%d.10=%.1f", aid, 15+rand.Float64()*10), fmt.Sprintf("%d.20=%t", aid, changes%2 == 0))
		time.Sleep(time.Second / 30)
	}
	close(done)
	running.Wait()
	t.Logf("%d changes, %d reads of everything, %d event messages", changes, reads, events)
	if reads < 8 || events == 0 {
		t.Errorf("%d reads and %d events: that was no load", reads, events)
	}
}

// Values may be set from any goroutine, as fast as they come. Each controller sees them in order, with the last one last.
func TestValuesFromManyGoroutines(t *testing.T) {
	const setters, rounds, last = 4, 500, 1_000_000
	s := startServer(t, house(setters), nil)
	var listeners []*strictClient
	for range 3 {
		c := s.admin()
		c.subscribe(everything(house(setters))...)
		listeners = append(listeners, c)
	}
	var setting sync.WaitGroup
	for i := range setters {
		setting.Go(func() {
			aid := i + 2
			for n := range rounds {
				s.set(fmt.Sprintf("%d.26=%d", aid, n+1), fmt.Sprintf("%d.20=%t", aid, n%2 == 0), fmt.Sprintf("2.10=%d", n%50))
			}
			s.set(fmt.Sprintf("%d.26=%d", aid, last))
		})
	}
	setting.Wait()
	for _, c := range listeners {
		newest := map[uint64]uint64{}
		finished := 0
		for finished < setters {
			for word := range strings.FieldsSeq(c.event()) {
				var aid, iid, value uint64
				if _, err := fmt.Sscanf(word, "%d.%d=%d", &aid, &iid, &value); err != nil || iid != iidConsumption {
					continue
				}
				if value <= newest[aid] {
					t.Fatalf("accessory %d: %d came after %d", aid, value, newest[aid])
				}
				newest[aid] = value
				if value == last {
					finished++
				}
			}
		}
	}
}

// Defect 11: a controller that stops reading holds up nobody, costs bounded memory, and is dropped.
func TestControllerThatStopsReading(t *testing.T) {
	list := house(AccessoriesMax - 1)
	s := startServer(t, list, func(o *ServerOptions) { o.SendTimeout = 500 * time.Millisecond })
	stuck, lively := s.connect(s.pair("stuck", true)), s.connect(s.pair("lively", true))
	stuck.subscribe(everything(list)...)
	lively.subscribe(CharacteristicID{2, iidSmoke})
	// It asks for more than any socket buffer holds and takes nothing of it.
	for range 400 {
		request := requestBytes(http.MethodGet, "/accessories", "x", "", nil)
		if err := stuck.link.channel.send(request); err != nil {
			break // the server has dropped it already
		}
	}
	for round := 1; ; round++ {
		for aid := 2; aid <= AccessoriesMax; aid++ {
			s.set(fmt.Sprintf("%d.10=%d", aid, round%50), fmt.Sprintf("%d.22=0", aid))
		}
		s.set(fmt.Sprintf("2.28=%d", round%2))
		if got, want := lively.event(), fmt.Sprintf("2.28=%d", round%2); got != want {
			t.Fatalf("round %d: the lively one heard %q, want %q", round, got, want)
		}
		waiting, alive := s.waiting("stuck")
		if !alive {
			break
		}
		if most := len(everything(list)) + pressesMax; waiting > most {
			t.Fatalf("%d events wait for the stuck one, more than %d", waiting, most)
		}
	}
	if answer := lively.get("/characteristics?id=2.28"); answer.status != http.StatusOK {
		t.Errorf("status %d", answer.status)
	}
}

// waiting counts what waits for a controller, and tells whether it is connected at all.
func (s *testServer) waiting(controller string) (events int, connected bool) {
	s.Server.mu.Lock()
	defer s.Server.mu.Unlock()
	for c := range s.connections {
		if c.controller == controller {
			c.queue.mu.Lock()
			defer c.queue.mu.Unlock()
			return len(c.queue.ordinary.order) + len(c.queue.urgent.order) + len(c.queue.presses), true
		}
	}
	return 0, false
}

// Defect 10: connections and what they subscribed to are gone when they are gone.
func TestThreeHundredReconnections(t *testing.T) {
	list := house(5)
	s := startServer(t, list, nil)
	pairing := s.pair("phone", true)
	before := runtime.NumGoroutine()
	for range 300 {
		c := s.connect(pairing)
		c.subscribe(everything(list)...)
		s.set("2.20=true", "2.20=false")
		c.close()
	}
	eventually(t, "nothing is left of them", func() bool {
		connections, subscriptions := s.open()
		return connections == 0 && subscriptions == 0 && runtime.NumGoroutine() <= before+2
	})
}

// verifyAndAsk sends the last message of pair-verify and the first request of the session in one packet.
func (c *strictClient) verifyAndAsk(pairing Pairing, target string) (response, error) {
	own, err := newCurveKey()
	if err != nil {
		return response{}, err
	}
	exchange := c.link.exchange("/pair-verify")
	m2, err := ask(context.Background(), exchange, tlvOf(1, Item{TagPublicKey, own.PublicKey().Bytes()}))
	if err != nil {
		return response{}, err
	}
	secret, err := verifyAccessory(pairing, own, m2)
	if err != nil {
		return response{}, err
	}
	sealed := sealVerifyIdentity(nonceVerifyM3, secret, own.PublicKey().Bytes(), m2.Get(TagPublicKey), pairing.Controller.ID, pairing.Controller.Key)
	packet := requestBytes(http.MethodPost, "/pair-verify", "x", contentPairing, tlvOf(3, Item{TagEncryptedData, sealed}).Encode())
	keys := sessionKeys(secret)
	packet, next := appendFrames(packet, keys.ToAccessory.AEAD(), 0, requestBytes(http.MethodGet, target, "x", "", nil))
	if _, err := c.link.channel.conn.Write(packet); err != nil {
		return response{}, err
	}
	m4, err := c.receive()
	if err != nil {
		return response{}, fmt.Errorf("M4: %w", err)
	}
	if items, err := DecodeTLV(m4.body); err != nil || checkState(items, 4) != nil {
		return response{}, fmt.Errorf("M4 is %q: %w", m4.body, err)
	}
	if err := c.link.channel.encrypt(keys.ToController, keys.ToAccessory); err != nil {
		return response{}, err
	}
	c.link.channel.counter = next
	return c.answer()
}

// Defect 3: M4 leaves in plain text, and what comes after M3 is read as frames, however close it follows.
func TestFirstRequestInThePacketOfTheLastPairingMessage(t *testing.T) {
	s := startServer(t, house(1), nil)
	pairing := s.pair("phone", true)
	for i := range 300 {
		c := s.dial()
		answer, err := c.verifyAndAsk(pairing, "/characteristics?id=2.10")
		if err != nil || answer.status != http.StatusOK {
			t.Fatalf("connection %d: status %d, error %v", i, answer.status, err)
		}
		if answer := c.get("/characteristics?id=2.11"); answer.status != http.StatusOK {
			t.Fatalf("connection %d: second answer %d", i, answer.status)
		}
		c.close()
	}
}

// Defect 4: frames may have any size, and messages may span or share them.
func TestFramesOfEverySizeAndGrouping(t *testing.T) {
	s := startServer(t, house(1), nil)
	c := s.admin()
	random := rand.New(rand.NewPCG(1, 2))
	padded := func(size int) []byte {
		head := "GET /characteristics?id=2.10 HTTP/1.1\r\nHost: x\r\nX-Padding: "
		return []byte(head + strings.Repeat("x", size-len(head)-4) + "\r\n\r\n")
	}
	var sizes []int
	for size := 1000; size < 1050; size++ {
		sizes = append(sizes, size)
	}
	for n := 1; n <= 4; n++ {
		sizes = append(sizes, 1024*n-1, 1024*n, 1024*n+1)
	}
	for _, size := range sizes {
		if err := c.link.channel.send(padded(size)); err != nil {
			t.Fatal(err)
		}
		if answer, err := c.answer(); err != nil || answer.status != http.StatusOK {
			t.Fatalf("a request of %d bytes: status %d, error %v", size, answer.status, err)
		}
	}
	for round := range 100 {
		requests := 1 + random.IntN(5)
		var plain []byte
		for range requests {
			plain = append(plain, padded(100+random.IntN(2000))...)
		}
		if err := c.sendInPieces(plain, random); err != nil {
			t.Fatal(err)
		}
		for range requests {
			if answer, err := c.answer(); err != nil || answer.status != http.StatusOK {
				t.Fatalf("round %d: status %d, error %v", round, answer.status, err)
			}
		}
	}
}

// sendInPieces seals the bytes into frames of random sizes, empty ones too, and writes them in random pieces.
func (c *strictClient) sendInPieces(plain []byte, random *rand.Rand) error {
	channel := c.link.channel
	var wire []byte
	for len(plain) > 0 {
		size := min(random.IntN(frameMax+1), len(plain))
		head := binary.LittleEndian.AppendUint16(nil, uint16(size))
		wire = channel.seal.Seal(append(wire, head...), CounterNonce(channel.counter), plain[:size], head)
		channel.counter++
		plain = plain[size:]
	}
	for len(wire) > 0 {
		size := min(1+random.IntN(1500), len(wire))
		if _, err := channel.conn.Write(wire[:size]); err != nil {
			return err
		}
		wire = wire[size:]
	}
	return nil
}

// Accessories come and go while controllers read, write, subscribe and listen.
func TestAccessoriesComeAndGoUnderLoad(t *testing.T) {
	s := startServer(t, house(20), nil)
	done := make(chan struct{})
	var running sync.WaitGroup
	for range 4 {
		c := s.admin()
		running.Go(func() {
			if _, err := c.readAll(done, 5*time.Millisecond); err != nil {
				t.Errorf("a reader broke: %v", err)
			}
		})
	}
	writer := s.admin()
	running.Go(func() {
		for n := 0; ; n++ {
			body := fmt.Sprintf(`{"characteristics":[{"aid":%d,"iid":11,"value":%d,"ev":%t},{"aid":2,"iid":28,"ev":true}]}`, 2+n%20, 10+n%20, n%3 > 0)
			answer, err := writer.try(http.MethodPut, "/characteristics", contentJSON, body)
			if err != nil || answer.status != http.StatusNoContent && answer.status != http.StatusMultiStatus {
				t.Errorf("the writer broke: status %d, error %v", answer.status, err)
				return
			}
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	running.Go(func() {
		for n := 0; ; n++ {
			// An accessory that just went is no fault here.
			_ = s.SetValues([]Value{{CharacteristicID{uint64(2 + n%20), iidCurrent}, NumberValue(float64(n % 50))},
				{CharacteristicID{2, iidSmoke}, NumberValue(float64(n % 2))}})
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
	for n := range 40 {
		if err := s.SetAccessories(house(1 + n%20)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(loadTime() / 100)
	}
	close(done)
	running.Wait()
	if got := s.TXT()["c#"]; got != "41" {
		t.Errorf("c#=%s after 40 changes", got)
	}
}
