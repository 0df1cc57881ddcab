package peers

import (
	"bufio"
	"context"
	"encoding/hex"
	"encoding/json"
	"net"
	"path/filepath"
	"sync"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/hap"
	"github.com/veilleuse/veilleuse/adapters/hap/ble"
	"github.com/veilleuse/veilleuse/adapters/hap/ble/bletest"
)

// gattRequest is a line from aiohomeble.py.
type gattRequest struct {
	ID     int
	Do     string
	Handle string
	Value  string // hexadecimal digits
}

// serveGATT lets a program connect to the simulated accessory through a unix socket, line by line, in
// place of a radio. Each connection of the socket is one to the accessory.
func serveGATT(t *testing.T, a *bletest.Accessory) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatt")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	t.Cleanup(func() {
		listener.Close()
		a.Cut()
		running.Wait()
	})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() { gattConnection(t.Context(), conn, a) })
		}
	})
	return path
}

func gattConnection(ctx context.Context, conn net.Conn, a *bletest.Accessory) {
	defer conn.Close()
	p, err := a.Connect(ctx)
	if err != nil {
		return
	}
	defer p.Close()
	go func() {
		<-p.Done()
		conn.Close()
	}()
	var one sync.Mutex
	say := func(v any) {
		one.Lock()
		defer one.Unlock()
		_ = json.NewEncoder(conn).Encode(v)
	}
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		var r gattRequest
		if json.Unmarshal(lines.Bytes(), &r) != nil {
			return
		}
		answer, err := gattAnswer(ctx, p, r, func() { say(map[string]any{"notify": r.Handle}) })
		if err != nil {
			say(map[string]any{"id": r.ID, "error": err.Error()})
			continue
		}
		say(map[string]any{"id": r.ID, "answer": answer})
	}
}

func gattAnswer(ctx context.Context, p ble.Peripheral, r gattRequest, notified func()) (any, error) {
	switch r.Do {
	case "attributes":
		var all []map[string]any
		for _, a := range p.Attributes() {
			all = append(all, map[string]any{"handle": a.Handle, "service": a.Service, "kind": a.Kind.Long(), "within": a.Within.Long()})
		}
		return all, nil
	case "read":
		raw, err := p.Read(ctx, r.Handle)
		return hex.EncodeToString(raw), err
	case "descriptor":
		raw, err := p.Descriptor(ctx, r.Handle, hap.UUID("DC46F0FE-81D2-4616-B5D9-6ABDD796939A"))
		return hex.EncodeToString(raw), err
	case "notify":
		return nil, p.Notify(ctx, r.Handle, notified)
	}
	raw, err := hex.DecodeString(r.Value)
	if err != nil {
		return nil, err
	}
	return nil, p.Write(ctx, r.Handle, raw)
}
