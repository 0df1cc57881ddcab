package peers

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
)

// relay is the bridge of accessories that hap-nodejs serves.
type relay struct {
	t       *testing.T
	with    tools
	folder  string
	id      string
	code    string
	address string
	*stranger
}

// startRelay serves the accessories of accessories.js on a free port.
func startRelay(t *testing.T, with tools) *relay {
	t.Helper()
	r := &relay{t: t, with: with, folder: t.TempDir(), id: "AE:5A:00:00:00:01", code: "031-45-154", address: freeAddress(t)}
	r.start()
	return r
}

// start serves at the same address, with the pairings of before.
func (r *relay) start() {
	r.t.Helper()
	_, port, _ := net.SplitHostPort(r.address)
	r.stranger = startNode(r.t, r.with, "accessories.js", port, r.folder, r.id, r.code)
	if err := r.ask("serve", nil, nil); err != nil {
		r.t.Fatal(err)
	}
}

// set is what happens at a device.
func (r *relay) set(accessory, characteristic string, value any) error {
	return r.ask("set", map[string]any{"accessory": accessory, "characteristic": characteristic, "value": value}, nil)
}

// get is what a device shows.
func (r *relay) get(accessory, characteristic string) (value any, err error) {
	err = r.ask("get", map[string]any{"accessory": accessory, "characteristic": characteristic}, &value)
	return value, err
}

// shows checks what a device shows.
func (r *relay) shows(accessory, characteristic string, want any) error {
	got, err := r.get(accessory, characteristic)
	if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
		err = fmt.Errorf("%s of %s is %v, want %v", characteristic, accessory, got, want)
	}
	return err
}

// written waits until a controller writes to a device.
func (r *relay) written(limit time.Duration, accessory, characteristic string, want any) (news, error) {
	var others []string
	n, err := r.await(limit, func(n news) bool {
		if n.News != "write" {
			return false
		}
		others = append(others, fmt.Sprintf("%s of %s = %v", n.Characteristic, n.Accessory, n.Value))
		return n.Accessory == accessory && n.Characteristic == characteristic && fmt.Sprint(n.Value) == fmt.Sprint(want)
	})
	if err != nil {
		err = fmt.Errorf("%s of %s = %v was not written: %w; other writes: [%s]", characteristic, accessory, want, err, strings.Join(others, ", "))
	}
	return n, err
}
