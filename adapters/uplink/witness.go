package uplink

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// kind is what a witness is asked for. The kinds fail for different reasons, so each kind has one vote.
type kind string

const (
	aName kind = "name"
	aDoor kind = "connection"
	aPage kind = "page"
)

// witness is an independent host that says whether the internet is there.
type witness struct {
	text string // as configured, without the expected text
	kind kind
	host string
	port uint16
	path string
	want string // text of the page; "": status 204
}

func parseWitness(text string) (witness, error) {
	address, want, _ := strings.Cut(strings.TrimSpace(text), " ")
	w := witness{text: address, want: strings.TrimSpace(want)}
	if strings.Contains(address, "://") {
		return w.page(address)
	}
	if host, port, err := net.SplitHostPort(address); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 || host == "" {
			return w, fmt.Errorf("%q is not host:port; expected one as in 1.1.1.1:443", address)
		}
		w.kind, w.host, w.port = aDoor, host, uint16(n)
		return w, nil
	}
	if _, err := netip.ParseAddr(address); err == nil {
		return w, fmt.Errorf("%q lacks a port; expected one as in 1.1.1.1:443", address)
	}
	if !isName(address) {
		return w, fmt.Errorf("%q is no witness; expected a name, a host:port, or a page as in http://example.org/ok.txt success", text)
	}
	w.kind, w.host = aName, address
	return w, nil
}

func (w witness) page(address string) (witness, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" || u.Hostname() == "" {
		return w, fmt.Errorf("%q cannot be a witness; a page must begin with http://, for only such a one shows a portal", address)
	}
	w.kind, w.host, w.port, w.path = aPage, u.Hostname(), 80, u.Path
	if u.Port() != "" {
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil || n == 0 {
			return w, fmt.Errorf("%q is not a port", u.Port())
		}
		w.port = uint16(n)
	}
	return w, nil
}

func isName(text string) bool {
	for _, r := range text {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' {
			return false
		}
	}
	return strings.Contains(text, ".") && !strings.HasPrefix(text, ".") && len(text) <= 253
}

// hearAll asks all witnesses at once.
func (c climber) hearAll(ctx context.Context) []vote {
	votes := make([]vote, len(c.witnesses))
	var all sync.WaitGroup
	for i, w := range c.witnesses {
		all.Go(func() { votes[i] = c.hear(ctx, w) })
	}
	all.Wait()
	return votes
}

func (c climber) hear(ctx context.Context, w witness) vote {
	began := time.Now()
	v := vote{of: w}
	switch w.kind {
	case aName:
		c.hearName(ctx, &v)
	case aDoor:
		if conn := c.reach(ctx, &v); conn != nil {
			conn.Close()
			v.yes, v.detail = true, "accepts a connection"
		}
	case aPage:
		c.hearPage(ctx, &v)
	}
	v.took = time.Since(began)
	return v
}

func (c climber) hearName(ctx context.Context, v *vote) {
	answers := askAll(ctx, c.resolvers, v.of.host, c.stage())
	for _, l := range answers {
		if l.outcome == found && len(usable(l.addresses, c.loopback)) > 0 {
			v.servers = append(v.servers, l.server)
		}
	}
	v.yes, v.detail = len(v.servers) > 0, string(decisive(answers).outcome)
	if !v.yes && decisive(answers).outcome == found {
		v.private, v.detail = true, "has no public address"
	}
}

// reach connects to a witness, or says in v why not.
func (c climber) reach(ctx context.Context, v *vote) net.Conn {
	addresses := c.locate(ctx, v)
	if len(addresses) == 0 {
		return nil
	}
	conn, stop := c.dial.connect(ctx, targets(addresses, v.of.port), c.stage())
	dials := stop(0)
	if conn == nil {
		v.detail = string(dials[0].failure)
	}
	return conn
}

// locate finds the addresses of a witness. A page may stand at a private address, for there a portal
// shows itself; not so for a vendor on this machine, who has no business outside it.
func (c climber) locate(ctx context.Context, v *vote) []netip.Addr {
	if a, err := netip.ParseAddr(v.of.host); err == nil {
		return []netip.Addr{a}
	}
	d := decisive(askAll(ctx, c.resolvers, v.of.host, c.stage()))
	var good []netip.Addr
	for _, a := range d.addresses {
		if refused(a, c.loopback) == "" || v.of.kind == aPage && a.IsPrivate() && !c.loopback {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		v.abstain, v.detail = true, "its name "+string(d.outcome)
		if d.outcome == found {
			v.detail = "its name has no public address"
		}
	}
	return good
}

func (c climber) hearPage(ctx context.Context, v *vote) {
	conn := c.reach(ctx, v)
	if conn == nil {
		return
	}
	defer conn.Close()
	host := v.of.host
	if v.of.port != 80 {
		host = net.JoinHostPort(host, strconv.Itoa(int(v.of.port)))
	}
	response, body, err := get(ctx, conn, "http", host, v.of.path)
	v.judgePage(response, string(body), err)
}

// judgePage compares a page with what it must be. An error of the page's own server is no portal.
func (v *vote) judgePage(response *http.Response, body string, err error) {
	body = strings.TrimSpace(body)
	switch {
	case response == nil:
		v.detail = string(failureOf(err))
	case v.of.want == "" && response.StatusCode == http.StatusNoContent,
		v.of.want != "" && response.StatusCode == http.StatusOK && body == v.of.want:
		v.yes, v.detail = true, "is as it should be"
	case response.StatusCode >= 300 && response.StatusCode < 400:
		v.altered, v.detail = true, "is redirected"
		if to := elsewhere(response, v.of.host); to != "" {
			v.detail += " to " + to
		}
	case response.StatusCode == http.StatusNetworkAuthenticationRequired:
		v.altered, v.detail = true, "wants a sign-in (status 511)"
	case response.StatusCode < 300:
		v.altered, v.detail = err == nil, "is not what it should be"
	default:
		v.detail = fmt.Sprintf("answers with status %d", response.StatusCode)
	}
}

// compareTrust says whether the certificates of witnesses can be verified on this machine. It tells a
// forged certificate of the vendor from a broken store of authorities.
func (c climber) compareTrust(ctx context.Context) gateway.Answer {
	answers := make([]gateway.Answer, len(c.witnesses))
	var all sync.WaitGroup
	for i, w := range c.witnesses {
		if w.kind == aDoor {
			all.Go(func() { answers[i] = c.trusts(ctx, w) })
		}
	}
	all.Wait()
	best := gateway.NotKnown
	for _, a := range answers {
		if a == gateway.Yes {
			return gateway.Yes
		}
		if a == gateway.No {
			best = gateway.No
		}
	}
	return best
}

func (c climber) trusts(ctx context.Context, w witness) gateway.Answer {
	ctx, cancel := context.WithTimeout(ctx, c.stage())
	defer cancel()
	conn := c.reach(ctx, &vote{of: w})
	if conn == nil {
		return gateway.NotKnown
	}
	defer conn.Close()
	secured := tls.Client(conn, &tls.Config{ServerName: w.host, InsecureSkipVerify: true})
	if secured.HandshakeContext(ctx) != nil {
		return gateway.NotKnown
	}
	var h handshake
	if h.judge(secured.ConnectionState().PeerCertificates, w.host, c.roots, c.now); h.trusted {
		return gateway.Yes
	}
	return gateway.No
}
