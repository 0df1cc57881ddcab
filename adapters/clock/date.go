package clock

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	dateError  = 5 * time.Second // of a Date header; two that agree lie no further apart
	dateLimit  = 5 * time.Second // real time, for all web servers together
	headerSize = 16 << 10        // bytes of an answer that are read at most
	manyDates  = 8               // servers that are asked at most
)

// DefaultDates are web servers of operators who have nothing to do with each other: those that witness
// for the internet, too.
func DefaultDates() []string { return []string{"debian.org", "wikipedia.org", "1.1.1.1", "9.9.9.9"} }

// dated is what one verified web server says the time is.
type dated struct {
	host string
	date time.Time // whole seconds, cut off
	wall time.Time // our clock when it was said
}

// askDates asks every server for its Date header and returns what can be made of the answers: if two or
// more agree, and they are more than half, one proven sighting; a single answer is worth an unproven
// one. The doubt says in words why nothing can be made of them.
func askDates(ctx context.Context, servers []string, roots *x509.CertPool, source func() Machine, floor time.Time) ([]Sighting, string) {
	ctx, cancel := context.WithTimeout(ctx, dateLimit)
	defer cancel()
	answers := make([]*dated, len(servers))
	var all sync.WaitGroup
	for i, server := range servers {
		all.Go(func() {
			if d, err := askDate(ctx, server, roots, source); err == nil {
				answers[i] = &d
			}
		})
	}
	all.Wait()
	var heard []dated
	for _, d := range answers {
		if d != nil {
			heard = append(heard, *d)
		}
	}
	return weighDates(heard, floor)
}

// weighDates is the judgement of askDates. It is pure.
func weighDates(heard []dated, floor time.Time) (sightings []Sighting, doubt string) {
	heard = slices.DeleteFunc(heard, func(d dated) bool { return d.date.Before(floor) })
	best := []dated{}
	for _, d := range heard {
		agree := slices.DeleteFunc(slices.Clone(heard), func(o dated) bool { return o.ahead() < d.ahead() || o.ahead()-d.ahead() > dateError })
		if len(agree) > len(best) {
			best = agree
		}
	}
	switch {
	case len(heard) == 0:
		return nil, ""
	case len(heard) == 1:
		return []Sighting{{From: heard[0].host, Ahead: heard[0].ahead(), Error: dateError}}, ""
	case len(best) == len(heard) && operators(best) < 2:
		return nil, fmt.Sprintf("only web servers of one operator, %s, say what time it is", operator(best[0].host))
	case operators(best) < 2 || 2*len(best) <= len(heard):
		other := heard[slices.IndexFunc(heard, func(d dated) bool { return !slices.Contains(best, d) })]
		return nil, fmt.Sprintf("web servers contradict each other about the time: %s says %s, %s says %s",
			best[0].host, date(best[0].date), other.host, date(other.date))
	}
	least, most := best[0].ahead(), best[0].ahead()
	for _, d := range best {
		least, most = min(least, d.ahead()), max(most, d.ahead())
	}
	return []Sighting{{From: best[0].host + " and " + best[1].host, Ahead: (least + most) / 2, Error: dateError, Proven: true}}, ""
}

// ahead is how far the server is ahead of our clock. Its Date has lost half a second on average.
func (d dated) ahead() time.Duration { return d.date.Sub(d.wall) + time.Second/2 }

// operators counts who runs the servers.
func operators(all []dated) int {
	names := map[string]bool{}
	for _, d := range all {
		names[operator(d.host)] = true
	}
	return len(names)
}

// addresses are who runs the well-known hosts that go by an address.
var addresses = map[string]string{
	"1.1.1.1": "cloudflare.com", "1.0.0.1": "cloudflare.com", "9.9.9.9": "quad9.net", "149.112.112.112": "quad9.net",
	"8.8.8.8": "dns.google", "8.8.4.4": "dns.google",
}

// operator is who runs a host, as far as its name tells: the last two labels of it. That takes two
// strangers below co.uk for one, which errs on the safe side.
func operator(host string) string {
	if known, ok := addresses[host]; ok {
		return known
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return host
	}
	labels := strings.Split(strings.ToLower(strings.TrimSuffix(host, ".")), ".")
	return strings.Join(labels[max(0, len(labels)-2):], ".")
}

// askDate asks one web server what time it is. Its certificate is judged at the time that it says, not
// at ours, which may be the one that is wrong: whoever wants to tell us a wrong time needs a certificate
// that was valid then, in the names of two operators.
func askDate(ctx context.Context, server string, roots *x509.CertPool, source func() Machine) (dated, error) {
	host, address, err := webServer(server)
	if err != nil {
		return dated{}, err
	}
	client := dateClient(host)
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, "https://"+address+"/", nil)
	if err != nil {
		return dated{}, fmt.Errorf("ask %s for the time: %w", server, err)
	}
	request.Header.Set("User-Agent", "veilleuse")
	began := source()
	answer, err := client.Do(request)
	if err != nil {
		return dated{}, fmt.Errorf("ask %s for the time: %w", server, err)
	}
	answer.Body.Close()
	took := source().Boot - began.Boot
	said, err := http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return dated{}, fmt.Errorf("%s says no time: %w", server, err)
	}
	if err := verify(answer.TLS, host, roots, said); err != nil {
		return dated{}, fmt.Errorf("%s has not proved who it is: %w", server, err)
	}
	if took > dateError {
		return dated{}, fmt.Errorf("%s answered too late to be of use", server)
	}
	return dated{host: host, date: said, wall: began.Wall.Add(took)}, nil
}

// dateClient follows no redirect, keeps no connection and uses no proxy. That the certificate is not
// verified during the handshake is made up for by verify, before anything is believed; the question
// itself tells nothing to nobody.
func dateClient(host string) *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig:        &tls.Config{InsecureSkipVerify: true, ServerName: host, MinVersion: tls.VersionTLS12},
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: headerSize,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// verify holds that the server's certificate was issued for that host by somebody trusted and was valid
// at that time.
func verify(state *tls.ConnectionState, host string, roots *x509.CertPool, at time.Time) error {
	if state == nil || len(state.PeerCertificates) == 0 {
		return errors.New("it showed no certificate")
	}
	others := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: others, CurrentTime: at})
	return err
}

// webServer reads a name or an address, with a port or without.
func webServer(text string) (host, address string, err error) {
	host, port := text, "443"
	if h, p, err := net.SplitHostPort(text); err == nil {
		host, port = h, p
	}
	host = strings.Trim(host, "[]")
	address = net.JoinHostPort(host, port)
	if u, err := url.Parse("https://" + address + "/"); err != nil || host == "" || port == "" || u.Host != address || strings.ContainsAny(host, "/ ") {
		return "", "", fmt.Errorf("%q is not a web server; expected one as in debian.org or 192.0.2.1:8443", text)
	}
	return host, address, nil
}

// checkDates says every fault in a list of web servers.
func checkDates(servers []string) error {
	var hosts []dated
	for i, s := range servers {
		host, _, err := webServer(s)
		if err != nil {
			return fmt.Errorf("dates[%d]: %w", i, err)
		}
		hosts = append(hosts, dated{host: host})
	}
	switch {
	case len(servers) > manyDates:
		return fmt.Errorf("dates: %d servers are too many, name at most %d", len(servers), manyDates)
	case len(servers) > 0 && operators(hosts) < 2:
		return fmt.Errorf("dates: %s has no second operator beside it; two have to agree, or name none", servers[0])
	}
	return nil
}
