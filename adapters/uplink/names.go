package uplink

import (
	"bufio"
	"bytes"
	"context"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	maxServers   = 3 // the C library's own limit
	maxAddresses = 8
	stub         = "127.0.0.53" // of systemd-resolved, which hides who really answers
)

// Where the system names its name servers; the second has those behind the stub.
const (
	resolvConf     = "etc/resolv.conf"
	resolvConfReal = "run/systemd/resolve/resolv.conf"
)

// systemResolvers reads the system's name servers as "address:53".
func systemResolvers() []string { return readResolvers(os.DirFS("/")) }

// readResolvers reads them below a root of the file system. Where none is named there is one on this
// machine, by the C library's rule.
func readResolvers(root fs.FS) []string {
	text, _ := fs.ReadFile(root, resolvConf)
	list := parseResolvers(text)
	if len(list) == 0 {
		return []string{"127.0.0.1:" + defaultPort}
	}
	if len(list) == 1 && strings.HasPrefix(list[0], stub+":") {
		text, _ = fs.ReadFile(root, resolvConfReal)
		if behind := parseResolvers(text); len(behind) > 0 {
			return behind
		}
	}
	return list
}

func parseResolvers(text []byte) []string {
	var list []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() && len(list) < maxServers {
		f := strings.Fields(lines.Text())
		if len(f) < 2 || f[0] != "nameserver" {
			continue
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			list = append(list, net.JoinHostPort(a.String(), defaultPort))
		}
	}
	return list
}

// maxDomains bounds the domains of the network, as the C library once did.
const maxDomains = 6

// SearchDomains are the domains that the network, by its router, gives to names without one, as in fritz.box; read anew at each
// call, for the network may come later than the program.
func SearchDomains() []string { return searchDomains(os.DirFS("/")) }

// searchDomains reads them below a root of the file system. Of several lines the last counts (resolv.conf(5)).
func searchDomains(root fs.FS) []string {
	text, _ := fs.ReadFile(root, resolvConf)
	var list []string
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		if f := strings.Fields(lines.Text()); len(f) > 1 && (f[0] == "search" || f[0] == "domain") {
			list = f[1:min(len(f), 1+maxDomains)]
		}
	}
	return list
}

// askAll asks every server for a name at once and returns the answers in the servers' order.
func askAll(ctx context.Context, servers []string, name string, limit time.Duration) []lookup {
	answers := make([]lookup, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() { answers[i] = ask(ctx, server, name, limit) })
	}
	all.Wait()
	return answers
}

// ask asks one server for the IPv4 and the IPv6 addresses of a name.
func ask(ctx context.Context, server, name string, limit time.Duration) lookup {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var four, six lookup
	var both sync.WaitGroup
	both.Go(func() { four = exchange(ctx, server, name, dns.TypeA, limit/2) })
	both.Go(func() { six = exchange(ctx, server, name, dns.TypeAAAA, limit/2) })
	both.Wait()
	l := merge(four, six)
	l.server, l.took = server, time.Since(began)
	return l
}

// merge makes one answer of two. Servers that stumble over IPv6 alone are common; the IPv4 answer
// speaks unless only IPv6 has addresses.
func merge(four, six lookup) lookup {
	if four.outcome != found && six.outcome == found {
		return six
	}
	if six.outcome == found {
		four.addresses = append(four.addresses, six.addresses...)
	}
	return four
}

// exchange asks one question by UDP, once more when nothing came within wait, and by TCP when the
// answer did not fit.
func exchange(ctx context.Context, server, name string, kind uint16, wait time.Duration) lookup {
	question := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	reply, err := exchangeOver(ctx, "udp", server, question, wait)
	if failureOf(err) == silent && ctx.Err() == nil {
		reply, err = exchangeOver(ctx, "udp", server, question, wait)
	}
	if err == nil && reply.Truncated {
		reply, err = exchangeOver(ctx, "tcp", server, question, wait)
	}
	if err != nil {
		return lookup{outcome: noReply(err)}
	}
	return readAnswer(reply)
}

func exchangeOver(ctx context.Context, network, server string, question *dns.Msg, wait time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, network, server)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	client := dns.Client{Net: network, Timeout: wait}
	reply, _, err := client.ExchangeWithConnContext(ctx, question, &dns.Conn{Conn: conn})
	return reply, err
}

// noReply says what it means that a server gave no answer to read.
func noReply(err error) outcome {
	switch failureOf(err) {
	case denied:
		return noServer
	case unreachable:
		return noWay
	case starved:
		return notTried
	case silent:
		return noAnswer
	default:
		return oddCode
	}
}

// readAnswer reads the code and the addresses of a reply.
func readAnswer(reply *dns.Msg) lookup {
	switch reply.Rcode {
	case dns.RcodeSuccess:
	case dns.RcodeNameError:
		return lookup{outcome: missing}
	case dns.RcodeServerFailure:
		return lookup{outcome: servfail}
	case dns.RcodeRefused:
		return lookup{outcome: notServed}
	default:
		return lookup{outcome: oddCode}
	}
	l := lookup{outcome: empty}
	for _, record := range reply.Answer {
		var raw net.IP
		switch r := record.(type) {
		case *dns.A:
			raw = r.A
		case *dns.AAAA:
			raw = r.AAAA
		}
		if a, ok := netip.AddrFromSlice(raw); ok && len(l.addresses) < maxAddresses {
			l.outcome = found
			l.addresses = append(l.addresses, a.Unmap())
		}
	}
	return l
}

// decisive returns the answer that a client of this system ends up with: the first that says
// something for certain, for a client asks the next server only if one fails; else the most telling
// of the failures.
func decisive(all []lookup) lookup {
	for _, l := range all {
		if l.outcome == found || l.outcome == missing || l.outcome == empty {
			return l
		}
	}
	for _, telling := range []outcome{servfail, notServed, oddCode, noAnswer, noServer, noWay, notTried} {
		for _, l := range all {
			if l.outcome == telling {
				return l
			}
		}
	}
	return lookup{outcome: noWay}
}

// usable returns the addresses that may be dialled.
func usable(all []netip.Addr, loopback bool) []netip.Addr {
	var good []netip.Addr
	for _, a := range all {
		if refused(a, loopback) == "" {
			good = append(good, a)
		}
	}
	return good
}
