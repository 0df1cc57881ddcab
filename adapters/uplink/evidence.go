package uplink

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// slow is a connection time worth a line: clients wait about that long before they turn from IPv6 to
// IPv4 (RFC 8305).
const slow = 250 * time.Millisecond

// evidence lists what was seen, one fact each, from the lowest rung up.
func evidence(o observation) []string {
	var list []string
	add := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	if why := o.void(); why != "" {
		add("self: %s", why)
	}
	for _, text := range linkFacts(o) {
		add("link: %s", text)
	}
	for _, l := range slices.Concat(o.names, o.second) {
		add("name: %s %s, says %s (%s)", o.host, lookupText(l), server(l), span(l.took))
	}
	for _, d := range o.dials {
		if text := dialText(d); text != "" {
			add("connection: %s", text)
		}
	}
	if text := familyText(o.dials); text != "" {
		add("connection: %s", text)
	}
	for _, text := range shakeFacts(o) {
		add("certificate: %s", text)
	}
	if o.reply.known() {
		add("API: %s", replyText(o))
	}
	if o.weak != "" {
		add("witness: %s", o.weak)
	}
	for _, v := range o.votes {
		add("witness: %s %s %s (%s)", v.of.kind, v.of.text, v.detail, span(v.took))
	}
	return list
}

func linkFacts(o observation) []string {
	if !o.link.Known {
		return nil
	}
	var list []string
	switch {
	case o.link.Route && o.link.Carrier:
		list = append(list, "default route through "+o.link.Interface)
	case o.link.Route:
		list = append(list, o.link.Interface+" has no carrier")
	case o.link.Carrier:
		list = append(list, o.link.Interface+" has a carrier, but there is no default route")
	default:
		list = append(list, "no interface has a carrier")
	}
	switch o.router {
	case gateway.Yes:
		list = append(list, "the router answers")
	case gateway.No:
		list = append(list, "the router does not answer")
	}
	return list
}

func lookupText(l lookup) string {
	if l.outcome != found {
		return string(l.outcome)
	}
	var list []string
	for _, a := range l.addresses {
		list = append(list, a.String())
	}
	return "is " + strings.Join(list, " ")
}

func dialText(d dial) string {
	switch {
	case d.pending:
		return ""
	case d.failure != none:
		return fmt.Sprintf("%s %s (%s)", d.to, d.failure, span(d.took))
	case d.took >= slow:
		return fmt.Sprintf("%s answered slowly (%s)", d.to, span(d.took))
	default:
		return fmt.Sprintf("%s answered (%s)", d.to, span(d.took))
	}
}

// familyText notes that one IP family is dead while the other lives. Clients get around that by
// themselves, so it is no fault of the vendor and changes no verdict.
func familyText(dials []dial) string {
	works, waits := map[bool]bool{}, map[bool]time.Duration{}
	for _, d := range dials {
		six := d.to.Addr().Is6()
		switch {
		case d.failure == none && !d.pending:
			works[six] = true
		case d.pending || d.failure == silent:
			waits[six] = max(waits[six], d.took)
		}
	}
	switch {
	case works[false] && !works[true] && waits[true] >= slow:
		return fmt.Sprintf("IPv6 did not answer for %s, IPv4 did", span(waits[true]))
	case works[true] && !works[false] && waits[false] >= slow:
		return fmt.Sprintf("IPv4 did not answer for %s, IPv6 did", span(waits[false]))
	}
	return ""
}

func shakeFacts(o observation) []string {
	h := o.shake
	switch {
	case !h.tried:
		return nil
	case h.plain:
		return []string{fmt.Sprintf("plain HTTP where TLS was expected (%s)", span(h.took))}
	case h.alert != "":
		return []string{fmt.Sprintf("refused with %q (%s)", clean(h.alert), span(h.took))}
	case h.failure != none:
		return []string{fmt.Sprintf("the handshake %s (%s)", h.failure, span(h.took))}
	}
	list := []string{fmt.Sprintf("for %s by %s, %s to %s (%s)", clean(h.subject), clean(h.issuer), day(h.notBefore), day(h.notAfter), span(h.took))}
	if !h.trusted {
		list = append(list, "no known authority stands behind it")
	}
	if !h.named {
		list = append(list, "it is not made out for "+o.host)
	}
	if h.expired {
		list = append(list, "it has expired, by our clock "+day(o.now))
	}
	if h.future {
		list = append(list, "it is not yet valid, by our clock "+day(o.now))
	}
	switch o.sameTLS {
	case gateway.Yes:
		list = append(list, "those of other hosts can be verified here")
	case gateway.No:
		list = append(list, "those of other hosts cannot be verified here either")
	}
	return list
}

func replyText(o observation) string {
	r := o.reply
	text := fmt.Sprintf("status %d with %s", r.status, r.content)
	switch {
	case r.blank():
		return "not asked, for our quota allows no request for " + span(r.spared)
	case r.byCall:
		return "a call of ours was answered " + span(r.remembered) + " ago; not asked again"
	case r.failure != none && r.inBody:
		text = fmt.Sprintf("status %d, then it %s", r.status, r.failure)
	case r.failure != none:
		text = "it " + string(r.failure)
	case r.message != "":
		text += fmt.Sprintf(" %d %q", r.code, r.message)
	}
	if r.elsewhere != "" {
		text += ", leads to " + r.elsewhere
	}
	if r.retryAfter > 0 {
		text += ", asks to wait " + span(r.retryAfter)
	}
	if off := r.date.Sub(o.now).Abs(); !r.date.IsZero() && off > time.Minute {
		text += ", its clock is " + span(off) + " from ours"
	}
	if r.spared > 0 {
		return text + ", " + span(r.remembered) + " ago; not asked again, for our quota allows no request for " + span(r.spared)
	}
	if r.remembered > 0 {
		return text + ", " + span(r.remembered) + " ago; not asked again yet"
	}
	return text + " (" + span(r.took) + ")"
}

// server names a name server for people, without the usual port.
func server(l lookup) string {
	host, port, err := net.SplitHostPort(l.server)
	if err != nil || port != defaultPort {
		return l.server
	}
	return host
}

// span writes a duration as people do.
func span(d time.Duration) string {
	switch {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < 2*time.Hour:
		return fmt.Sprintf("%.0f min", d.Minutes())
	case d < 48*time.Hour:
		return fmt.Sprintf("%.0f h", d.Hours())
	default:
		return fmt.Sprintf("%.0f days", d.Hours()/24)
	}
}

func day(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }
