package hap

import (
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"slices"
	"testing"
)

// newLooseConnection is a connection of the server that no goroutine serves.
func newLooseConnection(t testing.TB, s *Server, controller string) *connection {
	t.Helper()
	near, far := net.Pipe()
	t.Cleanup(func() { near.Close(); far.Close() })
	c := newConnection(s, near)
	c.controller, c.dialogue.controller = controller, controller
	return c
}

// FuzzRequests sends whatever it likes to every path, as a stranger and as an admin.
func FuzzRequests(f *testing.F) {
	seeds := []struct{ method, path, query, body string }{
		{"GET", "/accessories", "", ""},
		{"GET", "/characteristics", "id=2.10,2.22,9.9&meta=1&perms=1&type=1&ev=1", ""},
		{"GET", "/characteristics", "id=18446744073709551615.1", ""},
		{"PUT", "/characteristics", "", `{"characteristics":[{"aid":2,"iid":11,"value":21.5,"ev":true,"r":1}]}`},
		{"PUT", "/characteristics", "", `{"characteristics":[{"aid":2,"iid":13,"value":1}],"pid":7}`},
		{"PUT", "/characteristics", "", `{"characteristics":[{"aid":2,"iid":15,"value":"\ud800"},{"aid":2,"iid":14,"value":"AQID"}]}`},
		{"PUT", "/prepare", "", `{"ttl":1000,"pid":7}`},
		{"POST", "/resource", "", `{"resource-type":"image","image-width":640,"image-height":360,"aid":2}`},
		{"POST", "/identify", "", ""},
		{"POST", "/pairings", "", string(tlvOf(1, Item{TagMethod, []byte{methodListPairings}}).Encode())},
		{"POST", "/pairings", "", string(tlvOf(1, Item{TagMethod, []byte{methodAddPairing}}, Item{TagIdentifier, []byte("x")}, Item{TagPublicKey, make([]byte, 32)}).Encode())},
		{"POST", "/pairings", "", string(tlvOf(1, Item{TagMethod, []byte{methodRemovePairing}}, Item{TagIdentifier, []byte("admin")}).Encode())},
		{"POST", "/pair-setup", "", string(tlvOf(1, Item{TagMethod, []byte{0}}).Encode())},
		{"POST", "/pair-setup", "", string(tlvOf(3, Item{TagPublicKey, []byte{5}}, Item{TagProof, []byte{1}}).Encode())},
		{"POST", "/pair-verify", "", string(tlvOf(1, Item{TagPublicKey, make([]byte, 32)}).Encode())},
		{"POST", "/pair-verify", "", string(tlvOf(3, Item{TagEncryptedData, make([]byte, 48)}).Encode())},
	}
	for _, seed := range seeds {
		f.Add(seed.method, seed.path, seed.query, []byte(seed.body))
	}
	statuses := []int{200, 204, 207, 400, 404, 405, statusUnverified}
	f.Fuzz(func(t *testing.T, method, path, query string, body []byte) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		s := newIdleServer(t)
		for _, controller := range []string{"", "admin"} {
			c := newLooseConnection(t, s, controller)
			_, closed := verifiedPaths[path]
			a := c.dispatch(t.Context(), request{method: method, path: path, query: values, header: http.Header{}, body: body})
			if !slices.Contains(statuses, a.status) {
				t.Fatalf("status %d", a.status)
			}
			if controller == "" && closed && a.status != statusUnverified {
				t.Fatalf("a stranger got status %d from %s", a.status, path)
			}
			checkBody(t, a)
		}
		checkValues(t, s.database.Load())
	})
}

// newIdleServer is a paired server that does not listen.
func newIdleServer(t *testing.T) *Server {
	t.Helper()
	store := newMemoryStore()
	identity, err := LoadServerIdentity(store)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewServer(ServerOptions{Identity: identity, Store: store})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.SetAccessories(house(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.door.pairer.add(newPairing(t, "admin", true)); err != nil {
		t.Fatal(err)
	}
	return s
}

// checkBody holds what every answer must keep.
func checkBody(t *testing.T, a answer) {
	t.Helper()
	if a.status == http.StatusNoContent && len(a.body) > 0 {
		t.Fatal("an answer without content has some")
	}
	if a.contentType == contentPairing {
		if _, err := DecodeTLV(a.body); err != nil {
			t.Fatal(err)
		}
	}
	if a.contentType != contentJSON {
		return
	}
	var body struct {
		Characteristics []struct{ Status *Status }
	}
	if err := json.Unmarshal(a.body, &body); err != nil {
		t.Fatalf("%s: %v", a.body, err)
	}
	for _, entry := range body.Characteristics {
		if a.status == http.StatusMultiStatus && entry.Status == nil {
			t.Fatalf("an entry without status: %s", a.body)
		}
	}
}

// checkValues holds that no request can bring a value into the database that does not belong there.
func checkValues(t *testing.T, d *database) {
	t.Helper()
	if _, err := DecodeAccessories(d.encode()); err != nil {
		t.Fatal(err)
	}
	for _, p := range d.readable {
		if value := p.known(); value != nil && p.how != press {
			if normal, err := p.meta.normalise(value); err != nil || string(normal) != string(value) {
				t.Fatalf("%s is %s, error %v", p.id, value, err)
			}
		}
	}
}
