package netatmo

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/gateway"
)

func TestCheckURL(t *testing.T) {
	for in, want := range map[string]string{
		"":                         "https://api.netatmo.com",
		"https://api.netatmo.com/": "https://api.netatmo.com",
		"http://127.0.0.1:8080":    "http://127.0.0.1:8080",
		"http://localhost:1/fake/": "http://localhost:1/fake",
		"http://[::1]:80":          "http://[::1]:80",
	} {
		if got, err := CheckURL(in); err != nil || got.String() != want {
			t.Errorf("%q: %v, error %v", in, got, err)
		}
	}
	for in, want := range map[string]string{
		"http://api.netatmo.com":     "unprotected",
		"http://192.168.1.2":         "unprotected",
		"http://127.0.0.1.evil.test": "unprotected",
		"ftp://127.0.0.1":            "unprotected",
		"api.netatmo.com":            "not an address",
		"https://":                   "not an address",
		"https://u:p@api.test":       "more than a host",
		"https://api.test?x=1":       "more than a host",
		"https://a b":                "not an address",
	} {
		if _, err := CheckURL(in); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%q: error %v, want one with %q", in, err, want)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for _, c := range []struct {
		address string
		public  bool
	}{
		{"20.107.8.45", true}, {"2603:1020:201::5", true},
		{"0.0.0.0", false}, {"0.1.2.3", false}, {"127.0.0.1", false}, {"127.9.9.9", false}, {"::", false}, {"::1", false},
		{"10.1.2.3", false}, {"172.16.0.1", false}, {"192.168.1.1", false}, {"fd00::1", false}, {"fc00::1", false},
		{"169.254.79.219", false}, {"fe80::1", false}, {"fe80::1%eth0", false}, {"100.64.0.1", false},
		{"224.0.0.1", false}, {"ff02::1", false}, {"255.255.255.255", false}, {"240.0.0.1", false},
		{"::ffff:127.0.0.1", false}, {"::ffff:192.168.1.1", false}, {"::ffff:20.107.8.45", true},
		{"64:ff9b::7f00:1", false}, {"64:ff9b::146b:82d", true}, {"2002:7f00:1::", false}, {"2002:c0a8:101::1", false},
		{"192.0.2.7", false}, {"198.18.0.1", false}, {"203.0.113.9", false}, {"2001:db8::1", false}, {"fec0::1", false},
	} {
		if got := isPublic(netip.MustParseAddr(c.address)); got != c.public {
			t.Errorf("%s is public: %v", c.address, got)
		}
	}
}

// An ad blocker answers 0.0.0.0, and then a connection reaches this very machine.
func TestNameThatPointsHere(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	reached := make(chan struct{}, 1)
	go func() {
		if c, err := listener.Accept(); err == nil {
			c.Close()
			reached <- struct{}{}
		}
	}()
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"0.0.0.0", "10.0.0.1", "169.254.79.219", "[::]"} {
		w, err := newWeb(Options{URL: "https://" + host + ":" + port})
		if err != nil {
			t.Fatal(err)
		}
		r := w.do(t.Context(), call{name: "homesdata", path: "/", plane: gateway.PlaneRead}, "ACCESS")
		w.close()
		_, f := judge(call{plane: gateway.PlaneRead}, r, "")
		var wrong wrongAddress
		if !errors.As(r.err, &wrong) || f.verdict != gateway.VerdictHijack {
			t.Errorf("%s: error %v, judged %s", host, r.err, f.verdict)
		}
	}
	select {
	case <-reached:
		t.Error("a connection was made")
	default:
	}
}

func TestDialControls(t *testing.T) {
	if err := publicOnly("tcp4", "20.107.8.45:443", nil); err != nil {
		t.Error(err)
	}
	for _, address := range []string{"192.168.1.1:443", "[fe80::1%eth0]:443", "0.0.0.0:443", "nonsense"} {
		if publicOnly("tcp", address, nil) == nil {
			t.Errorf("%s is dialled for the vendor", address)
		}
	}
	if err := loopbackOnly("tcp4", "127.0.0.1:80", nil); err != nil {
		t.Error(err)
	}
	if loopbackOnly("tcp4", "20.107.8.45:80", nil) == nil {
		t.Error("a vendor on loopback is dialled on the internet")
	}
}
