package uplink

import (
	"net/netip"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// observation is all that one climb saw. It is plain data: what it means is decided by classify alone.
type observation struct {
	host   string
	secure bool          // the vendor is spoken to over TLS
	local  bool          // the vendor may be on this machine
	now    time.Time     // the house's time when the climb began
	trust  gateway.Trust // how far that time can be believed
	link   Link          // looked at only when the climb does not succeed
	router gateway.Answer

	names   []lookup // the vendor's name, by name server in the system's order; empty: no name was needed
	second  []lookup // the same outside the home, asked when the home's deny that it exists
	dials   []dial
	shake   handshake
	reply   reply
	votes   []vote
	weak    string         // why the witnesses prove little; "" if they prove enough, or were not needed
	sameTLS gateway.Answer // can certificates of witnesses be verified; asked when the vendor's cannot
	own     own
	took    time.Duration
}

// failure is how a stage failed, in the words used towards people.
type failure string

const (
	none        failure = ""
	denied      failure = "refused"
	silent      failure = "did not answer"
	reset       failure = "was cut off"
	closed      failure = "was closed"
	unreachable failure = "cannot be reached from here"
	starved     failure = "could not be tried" // by this machine: no file descriptors, not allowed
	garbled     failure = "made no sense"
)

// outcome is what a name server answered.
type outcome string

const (
	found     outcome = "has addresses"
	missing   outcome = "does not exist (NXDOMAIN)"
	empty     outcome = "has no address (empty answer)"
	servfail  outcome = "could not be looked up (SERVFAIL)"
	notServed outcome = "is not served to us (REFUSED)"
	oddCode   outcome = "got a strange answer"
	noAnswer  outcome = "got no answer"
	noServer  outcome = "could not be looked up: nobody serves names there"
	noWay     outcome = "could not be looked up: there is no way to that name server"
	notTried  outcome = "could not be looked up: this machine does not allow it"
)

// lookup is one name server's answer for one name.
type lookup struct {
	server    string
	outcome   outcome
	addresses []netip.Addr // at most maxAddresses
	took      time.Duration
}

// dial is one attempt to connect.
type dial struct {
	to      netip.AddrPort
	failure failure // none: connected, or still pending
	pending bool    // undecided when the climb ended
	took    time.Duration
}

// handshake is what TLS showed. The certificate is judged by hand so that its faults are told apart.
type handshake struct {
	tried     bool
	failure   failure // none: the handshake was completed, whatever the certificate
	alert     string  // the other side's own words when it refused
	plain     bool    // the other side spoke plain HTTP
	noRoots   bool    // this machine has no certificate authorities to judge by
	trusted   bool    // the chain leads to a known authority, at some time at least
	named     bool    // it is made out for the vendor
	expired   bool    // by the house's time
	future    bool    // by the house's time
	subject   string  // whom it was made out for
	issuer    string
	notBefore time.Time
	notAfter  time.Time
	took      time.Duration
}

// verified reports whether the vendor has proved who it is.
func (h handshake) verified() bool {
	return h.tried && h.failure == none && h.trusted && h.named && !h.expired && !h.future
}

// content is what a body looks like.
type content string

const (
	refusal   content = "the vendor's JSON error" // what a healthy API answers to a caller without token
	jsonText  content = "JSON"
	noHomes   content = "a list of homes that is empty"
	page      content = "HTML"
	nothing   content = "nothing"
	cut       content = "a truncated answer"
	otherText content = "neither JSON nor HTML"
)

// reply is what the API answered to one GET without credential.
type reply struct {
	asked      bool
	failure    failure
	inBody     bool // it failed after the status line and the headers
	status     int
	content    content
	code       int    // of the vendor's JSON error, 0 if none
	message    string // of the vendor's JSON error
	elsewhere  string // host that a redirect leads to
	retryAfter time.Duration
	date       time.Time // the server's own clock
	took       time.Duration
	remembered time.Duration // > 0: this is an earlier answer, of that age, and asked is false
	spared     time.Duration // > 0: it was not asked because no request may go for so long
	byCall     bool          // a call with our credential was answered: by whom and how is not known here
}

// limited reports whether the vendor says that our quota is used up, or that we ask too much at once.
func (r reply) limited() bool { return r.status == 429 || r.code == codeUsage }

// blank reports whether nothing is known of the API but that it was not asked.
func (r reply) blank() bool { return r.spared > 0 && r.status == 0 && r.failure == none }

// healthy reports whether the API answered as it does on a good day.
func (r reply) healthy() bool {
	if r.failure != none || r.limited() || r.status >= 500 {
		return false
	}
	return r.content == refusal && r.status >= 400 || r.content == jsonText && r.status == 200
}

// known reports whether there is an answer to judge, fresh or remembered.
func (r reply) known() bool { return r.asked || r.remembered > 0 }

// vote is what one witness said.
type vote struct {
	of      witness
	yes     bool
	abstain bool     // it could not be asked because its name was not found
	altered bool     // somebody else answered in its place: a portal
	private bool     // for a name: it was found, but not at a public address
	servers []string // for a name: the name servers that found it
	detail  string   // for people
	took    time.Duration
}

// own is how the prober itself fared.
type own struct {
	late    time.Duration // longest time for which this process was kept from running
	step    time.Duration // how far the wall clock was moved since the last climb
	starved bool
}
