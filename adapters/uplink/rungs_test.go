package uplink

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/miekg/dns"

	"github.com/veilleuse/veilleuse/gateway"
)

const (
	routeHead = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
	onlyLAN   = routeHead + "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
	wifiAndTo = routeHead + "wlan0\t00000000\t0102A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n" +
		"eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n"
	tunnel   = routeHead + "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0\n"
	rejected = routeHead + "*\t00000000\t00000000\t0200\t0\t0\t0\t00000000\t0\t0\t0\n"
	sixth    = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe80000000000000021122fffe334455 00000064 00000001 00000000 00000003     eth0\n" +
		"00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
	lonely6 = "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
)

func TestReadLink(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name string
		root fstest.MapFS
		want Link
	}{
		{"no such tables", fstest.MapFS{}, Link{}},
		{"cable before Wi-Fi", fstest.MapFS{routes4: file(wifiAndTo), "sys/class/net/eth0/carrier": file("1\n")},
			Link{Known: true, Interface: "eth0", Carrier: true, Route: true, Gateway: netip.MustParseAddr("192.168.1.1")}},
		{"cable pulled, route still there", fstest.MapFS{routes4: file(wifiAndTo), "sys/class/net/eth0/carrier": file("0\n")},
			Link{Known: true, Interface: "eth0", Route: true, Gateway: netip.MustParseAddr("192.168.1.1")}},
		{"tunnel without a gateway", fstest.MapFS{routes4: file(tunnel), "sys/class/net/tun0/operstate": file("unknown\n")},
			Link{Known: true, Interface: "tun0", Carrier: true, Route: true}},
		{"IPv6 only", fstest.MapFS{routes4: file(onlyLAN), routes6: file(sixth), "sys/class/net/eth0/carrier": file("1\n")},
			Link{Known: true, Interface: "eth0", Carrier: true, Route: true, Gateway: netip.MustParseAddr("fe80::211:22ff:fe33:4455%eth0")}},
		{"link without a router", fstest.MapFS{routes4: file(onlyLAN), routes6: file(lonely6), "sys/class/net/eth0/carrier": file("1\n"),
			"sys/class/net/lo/carrier": file("1\n")}, Link{Known: true, Interface: "eth0", Carrier: true}},
		{"a route that rejects", fstest.MapFS{routes4: file(rejected)}, Link{Known: true}},
		{"nothing but itself", fstest.MapFS{routes4: file(routeHead), routes6: file(lonely6), "sys/class/net/lo/carrier": file("1\n"),
			"sys/class/net/wlan0/carrier": file("0\n")}, Link{Known: true}},
	} {
		if got := readLink(c.root); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestRouter(t *testing.T) {
	const table = "IP address       HW type     Flags       HW address            Mask     Device\n" +
		"192.168.1.1      0x1         0x2         aa:bb:cc:dd:ee:ff     *        eth0\n" +
		"192.168.1.9      0x1         0x0         00:00:00:00:00:00     *        eth0\n"
	for host, want := range map[string]gateway.Answer{"192.168.1.1": gateway.Yes, "192.168.1.9": gateway.No, "192.168.1.8": gateway.NotKnown} {
		if got := neighbour([]byte(table), netip.MustParseAddr(host)); got != want {
			t.Errorf("neighbour %s: %q, want %q", host, got, want)
		}
	}
	for _, c := range []struct {
		name      string
		failures  []failure
		connected bool
		neighbour gateway.Answer
		want      gateway.Answer
	}{
		{"serves names", nil, true, gateway.NotKnown, gateway.Yes},
		{"refuses", []failure{silent, denied, silent}, false, gateway.NotKnown, gateway.Yes},
		{"no neighbour there", []failure{unreachable, unreachable}, false, gateway.No, gateway.No},
		{"drops packets, but is a neighbour", []failure{silent, silent}, false, gateway.Yes, gateway.Yes},
		{"silent, and the neighbour entry failed", []failure{silent, silent}, false, gateway.No, gateway.No},
		{"silent, and nobody knows", []failure{silent}, false, gateway.NotKnown, gateway.NotKnown},
	} {
		var dials []dial
		for _, f := range c.failures {
			dials = append(dials, dial{failure: f})
		}
		if got := routerSays(dials, c.connected, c.neighbour); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// network is the real one.
var network = dialer(new(net.Dialer).DialContext)

func TestAskRouterOnRealSockets(t *testing.T) {
	none := func() []byte { return nil }
	here := Link{Known: true, Gateway: netip.MustParseAddr("127.0.0.1")} // refuses at least one of the ports
	if got := network.askRouter(t.Context(), here, 10*time.Second, none); got != gateway.Yes {
		t.Errorf("a router that refuses connections: %q, want yes", got)
	}
	if got := network.askRouter(t.Context(), Link{Router: gateway.No, Gateway: here.Gateway}, time.Second, none); got != gateway.No {
		t.Errorf("what the link says of the router is not believed: %q", got)
	}
	if got := network.askRouter(t.Context(), Link{}, time.Second, none); got != gateway.NotKnown {
		t.Errorf("a link without router: %q, want not known", got)
	}
}

func TestResolverFiles(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	for _, c := range []struct {
		name string
		root fstest.MapFS
		want []string
	}{
		{"router", fstest.MapFS{resolvConf: file("# made by NetworkManager\nsearch lan\nnameserver 192.168.1.1\nnameserver fe80::1%eth0\noptions edns0\n")},
			[]string{"192.168.1.1:53", "[fe80::1%eth0]:53"}},
		{"behind the stub", fstest.MapFS{resolvConf: file("nameserver 127.0.0.53\n"), resolvConfReal: file("nameserver 10.0.0.1\n")}, []string{"10.0.0.1:53"}},
		{"stub alone", fstest.MapFS{resolvConf: file("nameserver 127.0.0.53\n")}, []string{"127.0.0.53:53"}},
		{"no file", fstest.MapFS{}, []string{"127.0.0.1:53"}},
		{"nonsense", fstest.MapFS{resolvConf: file("nameserver router\nnameserver\n\x00")}, []string{"127.0.0.1:53"}},
		{"too many", fstest.MapFS{resolvConf: file(strings.Repeat("nameserver 1.2.3.4\n", 9))}, []string{"1.2.3.4:53", "1.2.3.4:53", "1.2.3.4:53"}},
	} {
		if got := readResolvers(c.root); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSearchDomains(t *testing.T) {
	for text, want := range map[string][]string{
		"search fritz.box\nnameserver 192.168.178.1\n": {"fritz.box"}, "domain home\nsearch lan home.arpa\n": {"lan", "home.arpa"},
		"": nil, "search\n": nil, "#search evil\n": nil, "search a b c d e f g h\n": {"a", "b", "c", "d", "e", "f"},
	} {
		if got := searchDomains(fstest.MapFS{resolvConf: {Data: []byte(text)}}); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
	if got := searchDomains(fstest.MapFS{}); got != nil {
		t.Errorf("without the file: %q", got)
	}
}

func TestRefusedAddresses(t *testing.T) {
	for text, why := range map[string]string{
		"20.50.2.1": "", "2603:1020::1": "", "64:ff9b::1432:201": "",
		"0.0.0.0": "no address at all", "::": "no address at all", "127.0.0.1": "this machine itself", "::1": "this machine itself",
		"::ffff:127.0.0.1": "this machine itself", "::ffff:10.0.0.1": "a private address",
		"10.1.2.3": "a private address", "172.31.0.1": "a private address", "192.168.1.1": "a private address", "fd12::1": "a private address",
		"169.254.79.219": "a link-local address", "fe80::1%eth0": "a link-local address",
		"100.64.0.1": "an address of the provider's own network", "198.18.0.7": "an address for measurements",
		"192.0.2.1": "an address for examples", "2001:db8::1": "an address for examples",
		"224.0.0.1": "a group or reserved address", "255.255.255.255": "a group or reserved address", "ff02::1": "a group address",
		"64:ff9b::a00:1": "a private address", "2002:a00:1::1": "a tunnel address", "100::1": "not a public address",
	} {
		if got := refused(netip.MustParseAddr(text), false); got != why {
			t.Errorf("%s: refused as %q, want %q", text, got, why)
		}
	}
	for text, ok := range map[string]bool{"127.0.0.1": true, "::1": true, "0.0.0.0": false, "192.168.1.1": false} {
		if got := refused(netip.MustParseAddr(text), true) == ""; got != ok {
			t.Errorf("on loopback %s: allowed %v, want %v", text, got, ok)
		}
	}
}

func TestParseWitness(t *testing.T) {
	for text, want := range map[string]witness{
		"debian.org":              {text: "debian.org", kind: aName, host: "debian.org"},
		"1.1.1.1:443":             {text: "1.1.1.1:443", kind: aDoor, host: "1.1.1.1", port: 443},
		"[2620:fe::9]:443":        {text: "[2620:fe::9]:443", kind: aDoor, host: "2620:fe::9", port: 443},
		"dns.quad9.net:443":       {text: "dns.quad9.net:443", kind: aDoor, host: "dns.quad9.net", port: 443},
		"http://x.example/ok yes": {text: "http://x.example/ok", kind: aPage, host: "x.example", port: 80, path: "/ok", want: "yes"},
		"http://x.example:81/204": {text: "http://x.example:81/204", kind: aPage, host: "x.example", port: 81, path: "/204"},
	} {
		got, err := parseWitness(text)
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "1.1.1.1", "debian", "a b", "x.example:0", "x.example:https", "https://x.example/ yes", "http:///x", "http://x.example:99999/", "ü.example", ".org"} {
		if w, err := parseWitness(text); err == nil {
			t.Errorf("%q is taken as %+v", text, w)
		}
	}
}

func answerOf(status int, header, body string) (*http.Response, string) {
	raw := "HTTP/1.1 " + http.StatusText(status) + "\r\n"
	raw = strings.Replace(raw, "HTTP/1.1 ", "HTTP/1.1 "+itoa(status)+" ", 1) + header + "\r\n"
	response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw+body)), nil)
	if err != nil {
		panic(err)
	}
	return response, body
}

func itoa(n int) string {
	return string([]byte{byte('0' + n/100), byte('0' + n/10%10), byte('0' + n%10)})
}

func TestJudgePage(t *testing.T) {
	for _, c := range []struct {
		name, want   string
		status       int
		header, body string
		yes, altered bool
	}{
		{"the text", "success", 200, "", "success\n", true, false},
		{"another text", "success", 200, "", "<html>sign in", false, true},
		{"no content as wanted", "", 204, "", "", true, false},
		{"a page in place of no content", "", 200, "", "<html>", false, true},
		{"a redirect", "success", 302, "Location: http://portal.lan/\r\n", "", false, true},
		{"network authentication required", "success", 511, "", "", false, true},
		{"its own server is sick", "success", 503, "", "<html>", false, false},
		{"gone", "success", 404, "", "<html>", false, false},
	} {
		v := vote{of: witness{kind: aPage, host: "page.example", want: c.want}}
		response, body := answerOf(c.status, c.header, c.body)
		v.judgePage(response, body, nil)
		if v.yes != c.yes || v.altered != c.altered || v.detail == "" {
			t.Errorf("%s: yes %v altered %v (%s), want %v %v", c.name, v.yes, v.altered, v.detail, c.yes, c.altered)
		}
	}
	var v vote
	if v.judgePage(nil, "", io.EOF); v.yes || v.altered {
		t.Errorf("no answer: %+v", v)
	}
}

func TestReadReply(t *testing.T) {
	for _, c := range []struct {
		name   string
		status int
		header string
		body   string
		err    error
		want   reply
	}{
		{"the vendor's error", 403, "", `{"error":{"code":1,"message":"Access token is missing"}}`, nil,
			reply{content: refusal, code: 1, message: "Access token is missing"}},
		{"the vendor's word", 400, "", `{"error":"invalid_grant"}`, nil, reply{content: refusal, message: "invalid_grant"}},
		{"JSON without error", 200, "", `{"body":{}}`, nil, reply{content: jsonText}},
		{"no home", 200, "", `{"status":"ok","body":{"homes":[]}}`, nil, reply{content: noHomes}},
		{"a home", 200, "", `{"status":"ok","body":{"homes":[{"id":"x"}]}}`, nil, reply{content: jsonText}},
		{"homes that are no list", 200, "", `{"status":"ok","body":{"homes":7}}`, nil, reply{content: jsonText}},
		{"JSON list", 200, "", `[1]`, nil, reply{content: jsonText}},
		{"error is null", 200, "", `{"error":null}`, nil, reply{content: jsonText}},
		{"HTML", 503, "Content-Type: text/html\r\n", `<html>`, nil, reply{content: page}},
		{"HTML that says it is JSON", 200, "Content-Type: application/json\r\n", ` <!DOCTYPE html>`, nil, reply{content: page}},
		{"nothing", 200, "", "", nil, reply{content: nothing}},
		{"half of it", 200, "", `{"body":{"ho`, nil, reply{content: cut}},
		{"half of it, said so", 200, "", `{"body":{}}`, io.ErrUnexpectedEOF, reply{content: cut, inBody: true}},
		{"text", 200, "", "hello", nil, reply{content: otherText}},
		{"redirect elsewhere", 302, "Location: http://portal.lan/x\r\n", "", nil, reply{content: nothing, elsewhere: "portal.lan"}},
		{"redirect to itself", 302, "Location: /x\r\n", "", nil, reply{content: nothing}},
		{"seconds to wait", 503, "Retry-After: 120\r\n", "", nil, reply{content: nothing, retryAfter: 2 * time.Minute}},
		{"date to wait for", 503, "Retry-After: Wed, 29 Oct 2025 17:05:00 GMT\r\n", "", nil, reply{content: nothing, retryAfter: 5 * time.Minute}},
		{"date in the past", 503, "Retry-After: Wed, 29 Oct 2025 10:05:00 GMT\r\n", "", nil, reply{content: nothing}},
		{"no number", 503, "Retry-After: soon\r\n", "", nil, reply{content: nothing}},
		{"its clock", 403, "Date: Wed, 29 Oct 2025 16:00:00 GMT\r\n", `{"error":"x"}`, nil,
			reply{content: refusal, message: "x", date: instant.Add(-time.Hour)}},
		{"a message that would break the line", 400, "", `{"error":{"code":2,"message":"a\nb` + strings.Repeat("é", 100) + `"}}`, nil,
			reply{content: refusal, code: 2, message: "a b" + strings.Repeat("é", 77) + "..."}},
	} {
		response, _ := answerOf(c.status, c.header, c.body)
		got := readReply(response, []byte(c.body), c.err, "api.netatmo.com", instant)
		c.want.asked, c.want.status = true, c.status
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestFailureOf(t *testing.T) {
	op := func(e error) error { return &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", e)} }
	for _, c := range []struct {
		err  error
		want failure
	}{
		{nil, none}, {op(syscall.ECONNREFUSED), denied}, {op(syscall.ENETUNREACH), unreachable}, {op(syscall.EHOSTUNREACH), unreachable},
		{op(syscall.ECONNRESET), reset}, {op(syscall.EPIPE), reset}, {io.EOF, closed}, {io.ErrUnexpectedEOF, closed},
		{op(syscall.EMFILE), starved}, {op(syscall.EPERM), starved}, {os.ErrDeadlineExceeded, silent}, {op(syscall.ETIMEDOUT), silent},
		{errors.New("malformed HTTP response"), garbled},
	} {
		if got := failureOf(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}

func FuzzReply(f *testing.F) {
	f.Add(403, "Retry-After: 9\r\nLocation: http://a/\r\n", `{"error":{"code":1,"message":"Access token is missing"}}`)
	f.Add(200, "Content-Type: text/html\r\n", "<html>")
	f.Add(302, "Location: http://[::1%25]/\r\n", `{"error":"x"`)
	f.Fuzz(func(t *testing.T, status int, header, body string) {
		status = 100 + (status%500+500)%500
		raw := "HTTP/1.1 " + itoa(status) + " x\r\n" + header + "\r\n" + body
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader(raw)), nil)
		if err != nil {
			return
		}
		r := readReply(response, []byte(body), nil, "api.netatmo.com", instant)
		if r.retryAfter < 0 || !r.asked || r.content == "" {
			t.Errorf("%+v", r)
		}
		checkWords(t, seen(replies(r)), classify(seen(replies(r))))
		checkWords(t, seen(plainHTTP, replies(r)), classify(seen(plainHTTP, replies(r))))
	})
}

func FuzzAnswer(f *testing.F) {
	good := new(dns.Msg).SetQuestion("api.netatmo.com.", dns.TypeA)
	good.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: "api.netatmo.com.", Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(20, 50, 2, 1)}}
	packed, err := good.Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(packed)
	f.Add(packed[:20])
	f.Fuzz(func(t *testing.T, data []byte) {
		var m dns.Msg
		if m.Unpack(data) != nil {
			return
		}
		l := readAnswer(&m)
		if (l.outcome == found) != (len(l.addresses) > 0) || len(l.addresses) > maxAddresses {
			t.Errorf("%+v", l)
		}
		l.server = "192.168.1.1:53"
		saw := seen(allUp, func(o *observation) { o.names = []lookup{l}; noConnection()(o) })
		checkWords(t, saw, classify(saw))
	})
}

func FuzzTables(f *testing.F) {
	f.Add(wifiAndTo, sixth, "nameserver 1.2.3.4\n")
	f.Add(rejected, lonely6, "nameserver ::1%x\n")
	f.Fuzz(func(t *testing.T, four, six, resolv string) {
		file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
		l := readLink(fstest.MapFS{routes4: file(four), routes6: file(six)})
		if !l.Known || l.Gateway.IsValid() && !l.Route {
			t.Errorf("%+v", l)
		}
		if list := readResolvers(fstest.MapFS{resolvConf: file(resolv)}); len(list) == 0 || len(list) > maxServers {
			t.Errorf("%q", list)
		}
		if list := searchDomains(fstest.MapFS{resolvConf: file(resolv)}); len(list) > maxDomains {
			t.Errorf("%q", list)
		}
		if w, err := parseWitness(resolv); err == nil && (w.kind == "" || w.host == "") {
			t.Errorf("%+v", w)
		}
	})
}

func FuzzPage(f *testing.F) {
	f.Add(200, "", "success\n", "success")
	f.Add(302, "Location: http://portal.lan/\r\n", "", "success")
	f.Add(204, "", "", "")
	f.Fuzz(func(t *testing.T, status int, header, body, want string) {
		status = 100 + (status%500+500)%500
		response, err := http.ReadResponse(bufio.NewReader(strings.NewReader("HTTP/1.1 "+itoa(status)+" x\r\n"+header+"\r\n"+body)), nil)
		if err != nil {
			return
		}
		v := vote{of: witness{kind: aPage, text: "http://page.example/ok", host: "page.example", want: want}}
		v.judgePage(response, body, nil)
		if v.yes && v.altered || v.detail == "" {
			t.Errorf("%+v", v)
		}
		checkWords(t, seen(func(o *observation) { o.votes = []vote{v}; o.reply = reply{asked: true, status: 503, content: page} }),
			classify(seen(func(o *observation) { o.votes = []vote{v}; o.reply = reply{asked: true, status: 503, content: page} })))
	})
}
