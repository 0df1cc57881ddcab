package uplinktest

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/miekg/dns"
	"github.com/veilleuse/veilleuse/gateway/gatewaytest/loopback"
)

// Resolver is a name server on loopback, by UDP and TCP.
type Resolver struct {
	address string
	mu      sync.Mutex
	hosts   map[string][]netip.Addr
	faults  map[string]Fault // by name; "" for all names
	asked   map[string]int
	servers []*dns.Server
	running sync.WaitGroup
}

// NewResolver starts a name server that knows no name yet.
func NewResolver() (*Resolver, error) {
	r := &Resolver{hosts: map[string][]netip.Addr{}, faults: map[string]Fault{}, asked: map[string]int{}}
	if err := loopback.Insist(func() error {
		r.address = loopback.Address("127.0.0.1")
		return r.start()
	}); err != nil {
		return nil, err
	}
	return r, nil
}

// Address is where it listens, "127.0.0.1:port".
func (r *Resolver) Address() string { return r.address }

// Host makes a name known, or replaces what is known of it.
func (r *Resolver) Host(name string, addresses ...netip.Addr) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.hosts[key(name)] = addresses
}

// Asked returns how often a name was asked for.
func (r *Resolver) Asked(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked[key(name)]
}

// Break gives a name a fault, every name for "". An empty fault mends it. ResolverDead stops the
// server, whatever the name.
func (r *Resolver) Break(name string, f Fault) error {
	r.mu.Lock()
	r.faults[key(name)] = f
	if name == "" {
		r.faults[""] = f
	}
	dead := r.servers == nil
	r.mu.Unlock()
	switch {
	case f == ResolverDead && !dead:
		r.stop()
	case f != ResolverDead && dead:
		return loopback.Insist(r.start)
	}
	return nil
}

// Close stops the server and waits until it has ended.
func (r *Resolver) Close() { r.stop() }

// start serves at the address, whose port must be free for both UDP and TCP.
func (r *Resolver) start() error {
	udp, err := net.ListenPacket("udp", r.address)
	if err != nil {
		return fmt.Errorf("start name server: %w", err)
	}
	tcp, err := net.Listen("tcp", r.address)
	if err != nil {
		udp.Close()
		return fmt.Errorf("start name server: %w", err)
	}
	r.serve(udp, tcp)
	return nil
}

func (r *Resolver) serve(udp net.PacketConn, tcp net.Listener) {
	for _, s := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		started := make(chan struct{})
		s.Handler = dns.HandlerFunc(r.answer)
		s.NotifyStartedFunc = func() { close(started) }
		r.running.Go(func() { s.ActivateAndServe() })
		<-started
		r.mu.Lock()
		r.servers = append(r.servers, s)
		r.mu.Unlock()
	}
}

func (r *Resolver) stop() {
	r.mu.Lock()
	servers := r.servers
	r.servers = nil
	r.mu.Unlock()
	for _, s := range servers {
		s.Shutdown()
	}
	r.running.Wait()
}

func (r *Resolver) answer(w dns.ResponseWriter, question *dns.Msg) {
	if len(question.Question) != 1 {
		return
	}
	name, kind := key(question.Question[0].Name), question.Question[0].Qtype
	addresses, f := r.look(name)
	reply := new(dns.Msg).SetReply(question)
	reply.RecursionAvailable = true
	switch f {
	case NameSilent, NamesSilent:
		return
	case NXDomain:
		reply.Rcode = dns.RcodeNameError
	case ServFail, NamesFail:
		reply.Rcode = dns.RcodeServerFailure
	case NameRefused:
		reply.Rcode = dns.RcodeRefused
	case EmptyAnswer:
	default:
		if addresses == nil {
			reply.Rcode = dns.RcodeNameError
		}
		fill(reply, question.Question[0].Name, kind, addresses)
	}
	w.WriteMsg(reply)
}

// look returns what is known of a name, faults applied.
func (r *Resolver) look(name string) ([]netip.Addr, Fault) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[name]++
	f := r.faults[""]
	if f == "" {
		f = r.faults[name]
	}
	switch f {
	case ZeroAddress:
		return []netip.Addr{netip.IPv4Unspecified()}, f
	case PrivateName, PortalDNS:
		return []netip.Addr{netip.MustParseAddr("192.168.77.1")}, f
	}
	return r.hosts[name], f
}

func fill(reply *dns.Msg, name string, kind uint16, addresses []netip.Addr) {
	for _, a := range addresses {
		head := dns.RR_Header{Name: name, Class: dns.ClassINET, Rrtype: kind, Ttl: 1}
		switch {
		case kind == dns.TypeA && a.Is4():
			reply.Answer = append(reply.Answer, &dns.A{Hdr: head, A: a.AsSlice()})
		case kind == dns.TypeAAAA && a.Is6():
			reply.Answer = append(reply.Answer, &dns.AAAA{Hdr: head, AAAA: a.AsSlice()})
		}
	}
}

func key(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
