package homekit

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

const bridgeID = "AA:BB:CC:DD:EE:FF"

// record is what a host at that address is seen to announce.
func record(from, name, id string, addresses ...string) sighting {
	s := sighting{network: "eth0", name: name, id: id, port: 51826, from: netip.MustParseAddr(from)}
	for _, a := range addresses {
		s.addresses = append(s.addresses, netip.MustParseAddr(a))
	}
	return s
}

func TestJudge(t *testing.T) {
	eth, wifi := "eth0 192.0.2.2/24 fe80::2/64", "wlan0 198.51.100.2/24"
	well := record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.2", "fe80::2")
	elsewhere := record("198.51.100.2", "veilleuse", bridgeID, "198.51.100.2")
	elsewhere.network = "wlan0"
	wrongPort := well
	wrongPort.port = 5000
	for name, test := range map[string]struct {
		networks []string
		seen     []sighting
		want     string // part of what is said; "": nothing
		mend     bool
	}{
		"well":                       {[]string{eth}, []sighting{well, record("192.0.2.9", "relay", "11:22:33:44:55:66", "192.0.2.9")}, "", false},
		"well in lower case":         {[]string{eth}, []sighting{record("192.0.2.2", "veilleuse", strings.ToLower(bridgeID), "192.0.2.2")}, "", false},
		"gone":                       {[]string{eth}, nil, "does not come back on eth0", true},
		"gone on one of two":         {[]string{eth, wifi}, []sighting{well}, "does not come back on wlan0", true},
		"well on both":               {[]string{eth, wifi}, []sighting{well, elsewhere}, "", false},
		"an old address":             {[]string{eth}, []sighting{record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.77")}, "names 192.0.2.77, which is not", true},
		"one address too many":       {[]string{eth}, []sighting{record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.2", "172.17.0.1")}, "172.17.0.1", true},
		"no address":                 {[]string{eth}, []sighting{record("192.0.2.2", "veilleuse", bridgeID)}, "names no address", true},
		"another port":               {[]string{eth}, []sighting{wrongPort}, "port 5000 instead of 51826", true},
		"a copied card":              {[]string{eth}, []sighting{well, record("192.0.2.7", "veilleuse", bridgeID, "192.0.2.7")}, "another host, 192.0.2.7, announces the same HomeKit id", false},
		"a reflector repeats it":     {[]string{eth}, []sighting{well, record("192.0.2.1", "veilleuse", bridgeID, "192.0.2.2")}, "", false},
		"only a reflector tells it":  {[]string{eth}, []sighting{record("192.0.2.1", "veilleuse", bridgeID, "192.0.2.2")}, "does not come back", true},
		"a namesake":                 {[]string{eth}, []sighting{well, record("192.0.2.7", "veilleuse", "11:22:33:44:55:66", "192.0.2.7")}, "the same name", true},
		"renamed beside a namesake":  {[]string{eth}, []sighting{record("192.0.2.2", "veilleuse\\ 2", bridgeID, "192.0.2.2"), record("192.0.2.7", "veilleuse", "11:22:33:44:55:66", "192.0.2.7")}, "", false},
		"another bridge of this one": {[]string{eth}, []sighting{well, record("192.0.2.2", "veilleuse\\ 2", "11:22:33:44:55:66", "192.0.2.2")}, "", false},
	} {
		t.Run(name, func(t *testing.T) {
			got := judge(bridgeID, 51826, addresses(test.networks), test.networks, test.seen)
			if (got.what == "") != (test.want == "") || !strings.Contains(got.what, test.want) || got.mend != test.mend {
				t.Errorf("it says %+v", got)
			}
		})
	}
}

// fakeLAN is a LAN whose answers the test gives.
type fakeLAN struct {
	mu        sync.Mutex
	nets      []string
	seen      []sighting
	fault     error
	announced []time.Time
	stopped   int
	on        []string // of the last announcement
}

func (f *fakeLAN) set(change func(*fakeLAN)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fakeLAN) networks() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nets
}

func (f *fakeLAN) announce(_ Announcement, _ map[string]string, networks []string) (func(), <-chan error, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.announced, f.on = append(f.announced, time.Now()), networks
	return func() { f.set(func(f *fakeLAN) { f.stopped++ }) }, make(chan error), f.fault
}

func (f *fakeLAN) look(context.Context, []string) ([]sighting, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seen, f.fault
}

// watched is a record on a fake LAN, for tests whose clock is a fake, too.
type watched struct {
	*fakeLAN
	changed chan struct{}
	text    map[string]string
	trouble string
}

func watchRecord(t *testing.T) *watched {
	w := &watched{fakeLAN: &fakeLAN{nets: []string{"eth0 192.0.2.2/24"}}, changed: make(chan struct{}, 1), text: map[string]string{"sf": "1"}}
	w.seen = []sighting{record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.2")}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- DNSSD{Log: slog.New(slog.DiscardHandler), lan: w.fakeLAN}.Advertise(ctx, Announcement{
			Name: "Veilleuse", ID: bridgeID, Port: 51826, Changed: w.changed,
			TXT:  func() map[string]string { w.mu.Lock(); defer w.mu.Unlock(); return w.text },
			Seen: func(trouble string) { w.set(func(*fakeLAN) { w.trouble = trouble }) },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if w.stopped != len(w.announced) && w.fault == nil {
			t.Errorf("%d announcements, %d of them ended", len(w.announced), w.stopped)
		}
	})
	return w
}

// after lets time pass and tells how often the bridge was announced so far, and what is wrong with it.
func (w *watched) after(d time.Duration) (announced int, trouble string) {
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.announced), w.trouble
}

func TestRecordThatIsWellIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		if n, trouble := w.after(24 * time.Hour); n != 1 || trouble != "" {
			t.Errorf("in a day it was announced %d times: %s", n, trouble)
		}
	})
}

func TestRecordThatIsGoneIsAnnouncedAnewEverMoreSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(time.Minute)
		w.set(func(f *fakeLAN) { f.seen = nil })
		if n, trouble := w.after(10 * time.Minute); n < 4 || n > 8 || !strings.Contains(trouble, "does not come back") {
			t.Errorf("after ten minutes it was announced %d times: %q", n, trouble)
		}
		before, _ := w.after(0)
		if n, _ := w.after(10 * time.Hour); n-before < 50 || n-before > 70 {
			t.Errorf("in ten hours it was announced %d times, want about one in ten minutes", n-before)
		}
		w.set(func(f *fakeLAN) { f.seen = []sighting{record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.2")} })
		before, trouble := w.after(11 * time.Minute)
		if n, again := w.after(time.Hour); n != before || trouble != "" || again != "" {
			t.Errorf("back again it is announced %d times more: %q, %q", n-before, trouble, again)
		}
	})
}

func TestLostPacketIsNoTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(lookFirst - time.Second)
		seen := w.seen
		w.set(func(f *fakeLAN) { f.seen = nil })
		w.after(2 * time.Second)
		w.set(func(f *fakeLAN) { f.seen = seen })
		if n, trouble := w.after(time.Hour); n != 1 || trouble != "" {
			t.Errorf("announced %d times: %q", n, trouble)
		}
	})
}

func TestNewAddressAndInterfaceAreAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(time.Minute)
		for i, nets := range [][]string{
			{"eth0 192.0.2.3/24"},                          // the router gave another address
			{"eth0 192.0.2.3/24", "wlan0 198.51.100.2/24"}, // Wi-Fi came up
			{"wlan0 198.51.100.2/24"},                      // the cable was pulled
		} {
			w.set(func(f *fakeLAN) {
				f.nets, f.seen = nets, nil
				for _, n := range nets {
					s := record(addresses([]string{n})[0].String(), "veilleuse", bridgeID, addresses([]string{n})[0].String())
					s.network, _, _ = strings.Cut(n, " ")
					f.seen = append(f.seen, s)
				}
			})
			if n, _ := w.after(networksEvery + time.Second); n != i+2 || len(w.on) != len(nets) {
				t.Errorf("with %q it was announced %d times, lastly on %q", nets, n, w.on)
			}
		}
		w.set(func(f *fakeLAN) { f.nets, f.seen = nil, nil })
		if n, trouble := w.after(time.Hour); n != 4 || !strings.Contains(trouble, "no network") {
			t.Errorf("without a network it was announced %d times: %q", n, trouble)
		}
		w.set(func(f *fakeLAN) {
			f.nets, f.seen = []string{"eth0 192.0.2.2/24"}, []sighting{record("192.0.2.2", "veilleuse", bridgeID, "192.0.2.2")}
		})
		if n, trouble := w.after(time.Minute); n != 5 || trouble != "" {
			t.Errorf("back on the network it was announced %d times: %q", n, trouble)
		}
	})
}

func TestNetworkWithoutIPv4IsNotLookedAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.set(func(f *fakeLAN) { f.nets = []string{"eth0 192.0.2.2/24", "usb0 fe80::7/64"} })
		if n, trouble := w.after(time.Hour); n > 2 || trouble != "" || len(w.on) != 2 {
			t.Errorf("it was announced %d times, lastly on %q: %q", n, w.on, trouble)
		}
		w.set(func(f *fakeLAN) { f.nets, f.seen = []string{"usb0 fe80::7/64"}, nil })
		if n, trouble := w.after(time.Hour); n > 3 || !strings.Contains(trouble, "no IPv4 address") {
			t.Errorf("without any it was announced %d times: %q", n, trouble)
		}
	})
}

func TestDoubleIsToldAndNamesakeIsMended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(time.Minute)
		own := w.seen
		w.set(func(f *fakeLAN) { f.seen = append(own, record("192.0.2.7", "veilleuse", bridgeID, "192.0.2.7")) })
		if n, trouble := w.after(time.Hour); n != 1 || !strings.Contains(trouble, "192.0.2.7") {
			t.Errorf("beside its double it is announced %d times: %q", n, trouble)
		}
		w.set(func(f *fakeLAN) {
			f.seen = append(own, record("192.0.2.7", "veilleuse", "11:22:33:44:55:66", "192.0.2.7"))
		})
		if n, trouble := w.after(6 * time.Minute); n < 2 || !strings.Contains(trouble, "same name") {
			t.Errorf("beside a namesake it is announced %d times: %q", n, trouble)
		}
	})
}

func TestChangedRecordIsAnnouncedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(time.Minute)
		w.set(func(*fakeLAN) { w.text = map[string]string{"sf": "0"} })
		w.changed <- struct{}{}
		if n, _ := w.after(time.Millisecond); n != 2 {
			t.Errorf("paired, it was announced %d times", n)
		}
	})
}

func TestNetworkThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchRecord(t)
		w.after(time.Second)
		w.set(func(f *fakeLAN) { f.fault = errors.New("operation not permitted") })
		if n, trouble := w.after(time.Minute); n != 1 || !strings.Contains(trouble, "nobody could look") {
			t.Errorf("announced %d times: %q", n, trouble)
		}
		w.set(func(f *fakeLAN) { f.nets = []string{"eth0 192.0.2.3/24"} })
		if n, trouble := w.after(time.Hour); n < 5 || n > 15 || !strings.Contains(trouble, "could not be announced") {
			t.Errorf("announced %d times: %q, %v", n, trouble, w.announced)
		}
	})
}

// FuzzReadAnswer reads packets of anybody on the LAN.
func FuzzReadAnswer(f *testing.F) {
	m := new(dns.Msg)
	m.Response = true
	for _, line := range []string{
		"_hap._tcp.local. 120 IN PTR Veilleuse\\ 2._hap._tcp.local.",
		"Veilleuse\\ 2._hap._tcp.local. 120 IN SRV 0 0 51827 pi.local.",
		"Veilleuse\\ 2._hap._tcp.local. 120 IN TXT \"id=AA:BB:CC:DD:EE:FF\" \"sf=1\"",
		"pi.local. 120 IN A 192.0.2.2",
		"pi.local. 120 IN AAAA fe80::2",
	} {
		r, err := dns.NewRR(line)
		if err != nil {
			f.Fatal(err)
		}
		m.Answer = append(m.Answer, r)
	}
	packet, err := m.Pack()
	if err != nil {
		f.Fatal(err)
	}
	if got := readAnswer(packet); len(got) != 1 || got[0].id != bridgeID || got[0].port != 51827 || len(got[0].addresses) != 2 || !strings.HasPrefix(got[0].name, "veilleuse") {
		f.Fatalf("the record is read as %+v", got)
	}
	f.Add(packet)
	f.Add(packet[:20])
	f.Fuzz(func(t *testing.T, packet []byte) {
		for _, s := range readAnswer(packet) {
			if s.id == "" || s.port < 0 {
				t.Errorf("%+v is no instance", s)
			}
			judge(s.id, s.port, s.addresses, []string{"eth0 192.0.2.2/24"}, []sighting{s})
		}
	})
}
