package hap

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestPathsAndMethods(t *testing.T) {
	s := startServer(t, house(1), nil)
	plain, session := s.dial(), s.admin()
	tests := []struct {
		method, target      string
		unverified, allowed int
	}{
		{http.MethodGet, "/accessories", 470, 200},
		{http.MethodGet, "/characteristics?id=2.10", 470, 200},
		{http.MethodPut, "/characteristics", 470, 400},
		{http.MethodPut, "/prepare", 470, 400},
		{http.MethodPost, "/pairings", 470, 200},
		{http.MethodPost, "/resource", 470, 400},
		{http.MethodPost, "/accessories", 470, 405},
		{http.MethodGet, "/pairings", 470, 405},
		{http.MethodGet, "/pair-setup", 405, 405},
		{http.MethodGet, "/pair-verify", 405, 405},
		{http.MethodGet, "/identify", 405, 405},
		{http.MethodPost, "/identify", 400, 400},
		{http.MethodGet, "/", 404, 404},
		{http.MethodGet, "/accessories/", 404, 404},
		{http.MethodDelete, "/nothing", 404, 404},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.target, func(t *testing.T) {
			if got := plain.do(test.method, test.target, ""); got.status != test.unverified {
				t.Errorf("in plain text: status %d, want %d", got.status, test.unverified)
			}
			if got := session.do(test.method, test.target, ""); got.status != test.allowed {
				t.Errorf("in a session: status %d, want %d", got.status, test.allowed)
			}
		})
	}
	if got := plain.get("/accessories"); !strings.Contains(string(got.body), "-70401") {
		t.Errorf("the refusal says %s", got.body)
	}
}

func TestServeAccessories(t *testing.T) {
	list := house(3)
	s := startServer(t, list, nil)
	answer := s.admin().get("/accessories")
	want, err := EncodeAccessories(list)
	if err != nil {
		t.Fatal(err)
	}
	if answer.status != http.StatusOK || answer.header.Get("Content-Type") != contentJSON || !sameJSON(t, answer.body, want) {
		t.Errorf("got %d %s\n%s\nwant\n%s", answer.status, answer.header, answer.body, want)
	}
}

func TestServeIdentify(t *testing.T) {
	identified := make(chan struct{}, 1)
	s := startServer(t, house(1), func(o *ServerOptions) { o.Identify = func(context.Context) { identified <- struct{}{} } })
	c := s.dial()
	if answer := c.do(http.MethodPost, "/identify", ""); answer.status != http.StatusNoContent {
		t.Errorf("status %d", answer.status)
	}
	<-identified
	s.pair("admin", true)
	if answer := c.do(http.MethodPost, "/identify", ""); answer.status != http.StatusBadRequest || len(identified) > 0 {
		t.Errorf("once paired: status %d, %d calls", answer.status, len(identified))
	}
	silent := startServer(t, house(1), nil).dial()
	if answer := silent.do(http.MethodPost, "/identify", ""); answer.status != http.StatusNoContent {
		t.Errorf("without a callback: status %d", answer.status)
	}
}

func TestResource(t *testing.T) {
	picture := strings.Repeat("\xff\xd8picture", 8000)
	s := startServer(t, house(1), func(o *ServerOptions) {
		o.Snapshot = func(ctx context.Context, wanted SnapshotRequest) ([]byte, error) {
			if _, bounded := ctx.Deadline(); !bounded {
				return nil, errors.New("no deadline")
			}
			if wanted != (SnapshotRequest{AID: 2, Width: 640, Height: 360}) && wanted.AID != BridgeAID {
				return nil, fmt.Errorf("no camera for %+v", wanted)
			}
			return []byte(picture), nil
		}
	})
	c := s.admin()
	tests := []struct {
		name, body string
		status     int
		kind, want string
	}{
		{"picture", `{"resource-type":"image","image-width":640,"image-height":360,"aid":2}`, 200, "image/jpeg", picture},
		{"of the device itself", `{"resource-type":"image","image-width":640,"image-height":360}`, 200, "image/jpeg", picture},
		{"no such camera", `{"resource-type":"image","image-width":640,"image-height":360,"aid":3}`, 207, contentJSON, `{"status":-70402}`},
		{"no picture", `{"resource-type":"sound","aid":2}`, 400, contentJSON, `{"status":-70410}`},
		{"no JSON", `picture, please`, 400, contentJSON, `{"status":-70410}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := c.do(http.MethodPost, "/resource", test.body)
			if got.status != test.status || got.header.Get("Content-Type") != test.kind || string(got.body) != test.want {
				t.Errorf("got %d %s %.60q", got.status, got.header, got.body)
			}
		})
	}
	bare := startServer(t, house(1), nil).admin()
	if answer := bare.do(http.MethodPost, "/resource", `{"resource-type":"image","aid":2}`); answer.status != http.StatusNotFound {
		t.Errorf("without cameras: status %d", answer.status)
	}
}
