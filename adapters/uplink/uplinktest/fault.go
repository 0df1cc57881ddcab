package uplinktest

// Fault is one way in which the way to the vendor breaks. Its text is fit for the name of a test.
type Fault string

// Faults of the name server, for the vendor's name unless said otherwise.
const (
	NXDomain     Fault = "NXDOMAIN"
	EmptyAnswer  Fault = "empty DNS answer"
	ServFail     Fault = "SERVFAIL"
	NameRefused  Fault = "DNS refused"
	NameSilent   Fault = "DNS silent"
	ResolverDead Fault = "name server dead" // for every name
	NamesFail    Fault = "SERVFAIL for every name"
	NamesSilent  Fault = "DNS silent for every name"
	ZeroAddress  Fault = "DNS answer 0.0.0.0"
	PrivateName  Fault = "DNS answer private"
)

// Faults of the connection.
const (
	Refused   Fault = "connection refused"
	BlackHole Fault = "SYN black hole"
	Reset     Fault = "RST after accept"
	Hangup    Fault = "FIN in handshake"
	SixHole   Fault = "IPv6 black hole" // IPv4 is fine
)

// Faults of TLS. They need an Edge that speaks it.
const (
	TLSSilent   Fault = "TLS silent"
	WrongName   Fault = "certificate for another name"
	UnknownCA   Fault = "certificate of unknown origin"
	Expired     Fault = "certificate expired"
	NotYetValid Fault = "certificate not yet valid"
	TLSAlert    Fault = "TLS alert"
	PlainHTTP   Fault = "plain HTTP on the TLS port"
)

// Faults of HTTP.
const (
	Redirect    Fault = "302 elsewhere"
	Status500   Fault = "500 with HTML"
	Status502   Fault = "502 with HTML"
	Status503   Fault = "503 with HTML"
	Status504   Fault = "504 with HTML"
	RetryAfter  Fault = "503 with Retry-After"
	HTML200     Fault = "200 with HTML"
	Empty200    Fault = "200 with nothing"
	Truncated   Fault = "200 truncated"
	SlowHeaders Fault = "slow headers"
	Dribble     Fault = "dribbling body"
	QuotaUsed   Fault = "429 quota used up"
)

// Faults of the whole world.
const (
	InternetDown Fault = "internet down"                         // nothing behind the router answers
	Portal       Fault = "captive portal that lets DNS through"  // vendor: foreign certificate; page: redirect
	PortalDNS    Fault = "captive portal that answers all names" // with its own private address
	SickPage     Fault = "portal check altered"
)

type layer int

const (
	names layer = iota + 1
	connection
	certificate
	http1
	world
)

// layers says which part of the world a fault belongs to.
var layers = map[Fault]layer{
	NXDomain: names, EmptyAnswer: names, ServFail: names, NameRefused: names, NameSilent: names,
	ResolverDead: names, NamesFail: names, NamesSilent: names, ZeroAddress: names, PrivateName: names,
	Refused: connection, BlackHole: connection, Reset: connection, Hangup: connection,
	TLSSilent: connection, PlainHTTP: connection,
	WrongName: certificate, UnknownCA: certificate, Expired: certificate, NotYetValid: certificate, TLSAlert: certificate,
	Redirect: http1, Status500: http1, Status502: http1, Status503: http1, Status504: http1, RetryAfter: http1,
	HTML200: http1, Empty200: http1, Truncated: http1, SlowHeaders: http1, Dribble: http1, QuotaUsed: http1,
	InternetDown: world, SixHole: world, Portal: world, PortalDNS: world, SickPage: world,
}
