package uplink

import (
	"fmt"
	"net/netip"
	"strings"
)

// Warnings says, each in one sentence, what in the options makes a verdict worth less than it could be.
// None of them keeps the prober from running. Options that Check refuses have none.
func (o Options) Warnings() []string {
	s, err := o.settings()
	if err != nil {
		return nil
	}
	if text := s.weakness(); text != "" {
		return []string{"witnesses: " + text}
	}
	return nil
}

// weakness says why the witnesses prove little; "" if they prove enough.
func (s settings) weakness() string {
	if len(s.witnesses) == 0 {
		return "none is named, so that a dead internet and a dead cloud look alike"
	}
	if len(s.witnesses) == 1 {
		return fmt.Sprintf("there is only %s: if that fails, your internet seems to be down", s.witnesses[0].text)
	}
	first := operator(s.witnesses[0].host)
	for _, w := range s.witnesses[1:] {
		if operator(w.host) != first {
			return ""
		}
	}
	return fmt.Sprintf("all of them are run by one operator (%s): if that fails, your internet seems to be down", first)
}

// operators are those of hosts that do not look as if they belonged together.
var operators = map[string]string{
	"1.1.1.1": "cloudflare.com", "1.0.0.1": "cloudflare.com", "2606:4700:4700::1111": "cloudflare.com",
	"2606:4700:4700::1001": "cloudflare.com", "one.one.one.one": "cloudflare.com",
	"8.8.8.8": "google.com", "8.8.4.4": "google.com", "2001:4860:4860::8888": "google.com", "2001:4860:4860::8844": "google.com",
	"dns.google": "google.com", "connectivitycheck.gstatic.com": "google.com", "www.gstatic.com": "google.com",
	"9.9.9.9": "quad9.net", "149.112.112.112": "quad9.net", "2620:fe::fe": "quad9.net", "2620:fe::9": "quad9.net",
}

// operator is a guess at who runs a host: the domain it stands in, or the network.
func operator(host string) string {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if known, ok := operators[host]; ok {
		return known
	}
	if a, err := netip.ParseAddr(host); err == nil {
		bits := 48
		if a.Unmap().Is4() {
			bits = 24
		}
		network, err := a.Unmap().WithZone("").Prefix(bits)
		if err != nil {
			return host
		}
		return network.String()
	}
	parts := strings.Split(host, ".")
	keep := 2
	if n := len(parts); n > 2 && len(parts[n-1]) == 2 && len(parts[n-2]) <= 3 { // example.co.uk
		keep = 3
	}
	return strings.Join(parts[max(0, len(parts)-keep):], ".")
}
