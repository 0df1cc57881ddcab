package homekit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/brutella/dnssd"
	"github.com/miekg/dns"
	"golang.org/x/net/ipv4"
)

// machine is the LAN as this machine sees it.
type machine struct{}

// announce lets github.com/brutella/dnssd answer, which is kept on a short lead: it never gets a context with a
// deadline, which makes it spin, and each announcement has a responder and a map of its own.
func (machine) announce(what Announcement, text map[string]string, networks []string) (func(), <-chan error, error) {
	var names []string
	for _, n := range networks {
		name, _, _ := strings.Cut(n, " ")
		names = append(names, name)
	}
	service, err := dnssd.NewService(dnssd.Config{Name: what.Name, Type: "_hap._tcp", Port: what.Port, Text: text, Ifaces: names})
	if err != nil {
		return nil, nil, fmt.Errorf("announce %s: %w", what.Name, err)
	}
	responder, err := dnssd.NewResponder()
	if err != nil {
		return nil, nil, fmt.Errorf("open multicast: %w", err)
	}
	if _, err := responder.Add(service); err != nil {
		return nil, nil, fmt.Errorf("announce %s: %w", what.Name, err)
	}
	own, cancel := context.WithCancel(context.Background())
	ended, gone := make(chan error, 1), make(chan struct{})
	go func() { ended <- responder.Respond(own); close(gone) }()
	stop := func() {
		cancel()
		select {
		case <-gone:
		case <-time.After(stopSoon): // its goodbye may be stuck on a dead network; it ends by itself then
		}
	}
	return stop, ended, nil
}

// stopSoon is how long the goodbye on the network may take.
const stopSoon = 500 * time.Millisecond

const (
	lookTime    = 1500 * time.Millisecond // accessories wait up to 120 ms before they answer
	answersMost = 512                     // of one look
	packetMost  = 9000                    // bytes of one answer (RFC 6762 17)
)

// group is where multicast DNS is spoken (RFC 6762 3).
var group = &net.UDPAddr{IP: net.IPv4(224, 0, 0, 251), Port: 5353}

// look asks on each network from a port of its own, so that the answers come to us alone (RFC 6762 6.7), our own
// responder's among them.
func (machine) look(ctx context.Context, networks []string) ([]sighting, error) {
	var all []sighting
	var faults []error
	for _, n := range networks {
		name, _, _ := strings.Cut(n, " ")
		seen, err := lookOn(ctx, name, addresses([]string{n}))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", name, err))
		}
		all = append(all, seen...)
	}
	return all, errors.Join(faults...)
}

func lookOn(ctx context.Context, name string, own []netip.Addr) ([]sighting, error) {
	device, err := net.InterfaceByName(name)
	if err != nil {
		return nil, err
	}
	var source netip.Addr
	for _, a := range own {
		if a.Is4() {
			source = a
			break
		}
	}
	if !source.IsValid() {
		return nil, errors.New("it has no IPv4 address")
	}
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(source, 0)))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	if err := ask(conn, device); err != nil {
		return nil, err
	}
	return answers(conn, name)
}

// ask sends the question who announces HomeKit accessories.
func ask(conn *net.UDPConn, device *net.Interface) error {
	p := ipv4.NewPacketConn(conn)
	if err := errors.Join(p.SetMulticastInterface(device), p.SetMulticastTTL(255), p.SetMulticastLoopback(true)); err != nil {
		return fmt.Errorf("prepare multicast: %w", err)
	}
	question := new(dns.Msg)
	question.SetQuestion("_hap._tcp.local.", dns.TypePTR)
	question.RecursionDesired = false
	packet, err := question.Pack()
	if err != nil {
		return fmt.Errorf("write the question: %w", err)
	}
	if _, err := conn.WriteTo(packet, group); err != nil {
		return fmt.Errorf("ask by multicast: %w", err)
	}
	return nil
}

// answers reads what comes until the time is over.
func answers(conn *net.UDPConn, network string) ([]sighting, error) {
	if err := conn.SetReadDeadline(time.Now().Add(lookTime)); err != nil {
		return nil, err
	}
	buffer := make([]byte, packetMost)
	var all []sighting
	for range answersMost {
		n, from, err := conn.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return all, nil // the time is over
		}
		for _, s := range readAnswer(buffer[:n]) {
			s.network, s.from = network, from.Addr().Unmap()
			all = append(all, s)
		}
	}
	return all, nil
}

// readAnswer reads the instances that one packet tells of. One without a TXT record says nothing yet.
func readAnswer(packet []byte) []sighting {
	var m dns.Msg
	if m.Unpack(packet) != nil || !m.Response {
		return nil
	}
	records := append(append(m.Answer, m.Ns...), m.Extra...)
	var all []sighting
	for _, r := range records {
		srv, ok := r.(*dns.SRV)
		if !ok {
			continue
		}
		s := sighting{name: instance(srv.Hdr.Name), port: int(srv.Port)}
		for _, other := range records {
			switch other := other.(type) {
			case *dns.TXT:
				if strings.EqualFold(other.Hdr.Name, srv.Hdr.Name) {
					s.id = idOf(other.Txt)
				}
			case *dns.A:
				if a, ok := netip.AddrFromSlice(other.A); ok && strings.EqualFold(other.Hdr.Name, srv.Target) {
					s.addresses = append(s.addresses, a.Unmap())
				}
			case *dns.AAAA:
				if a, ok := netip.AddrFromSlice(other.AAAA); ok && strings.EqualFold(other.Hdr.Name, srv.Target) {
					s.addresses = append(s.addresses, a)
				}
			}
		}
		if s.id != "" {
			all = append(all, s)
		}
	}
	return all
}

// instance is the first label of a service's name, in lower case; its escapes stay, as it is only compared.
func instance(name string) string {
	labels := dns.SplitDomainName(name)
	if len(labels) == 0 {
		return ""
	}
	return strings.ToLower(labels[0])
}

// idOf finds the HomeKit id in a TXT record.
func idOf(text []string) string {
	for _, entry := range text {
		if key, value, ok := strings.Cut(entry, "="); ok && strings.EqualFold(key, "id") {
			return strings.TrimRight(value, "\x00 ")
		}
	}
	return ""
}
