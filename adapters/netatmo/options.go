package netatmo

import (
	"context"
	"crypto/x509"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings and collaborators of the adapter.
type Options struct {
	URL          string // of the API, see [CheckURL]; "": DefaultURL
	ClientID     string // of the person's own application at the vendor; "": the adapter idles
	ClientSecret string
	Home         string // id of the home to serve; "": the only one that has devices
	// BudgetPerHour is how many requests may go to the vendor in an hour, people's commands
	// included; 0: DefaultBudget. A fifth is kept for people's commands.
	BudgetPerHour int
	// Purse pays for the requests, in place of one with BudgetPerHour: others who ask the vendor can
	// share it. nil: one of the adapter's own.
	Purse *Purse
	Vault gateway.Vault // holds the tokens; nil: the adapter idles
	// Deadline bounds one request as a whole, in real time; 0: 20 s. A house whose clock runs fast
	// needs a shorter one.
	Deadline time.Duration
	// Cameras is told, from the adapter's goroutine, how a camera can be reached on the LAN, each
	// time that changes. nil: nobody wants to know.
	Cameras func(CameraAccess)
	Log     *slog.Logger // nil: slog.Default()

	// The rest is for a simulated world. Roots are the authorities that prove who the vendor is; nil:
	// the system's. Resolver finds names; nil: the system's. AllowLoopback lets a name lead to this
	// machine. Dial connects in place of the network, with no look at the address.
	Roots         *x509.CertPool
	Resolver      *net.Resolver
	AllowLoopback bool
	Dial          func(ctx context.Context, network, address string) (net.Conn, error)

	luck   func() float64 // uniform in [0, 1); nil: the real one
	chosen string         // the home that a person chose on the page, or toBeChosen; Home outranks it
}

// DefaultBudget is how many requests an hour are spent at most unless the options say otherwise: a
// quarter of what the vendor allows a user.
const DefaultBudget = 120

// CameraAccess is how a camera can be reached on the LAN. It prints without its secret.
type CameraAccess struct {
	Device   gateway.DeviceID
	Name     string
	Model    string // NACamera, NOC or NPC
	Key      string // secret: the first part of every path of the camera's own HTTP
	LocalURL string // http://address/key, secret for the key in it; "" while not known
	IsLocal  bool   // the vendor thinks that we are in the same LAN; often wrong, openHAB#14617
}

// String names the camera only.
func (c CameraAccess) String() string { return "camera " + string(c.Device) }

// GoString names the camera only.
func (c CameraAccess) GoString() string { return c.String() }

// LogValue names the camera only.
func (c CameraAccess) LogValue() slog.Value { return slog.StringValue(c.String()) }

// Adapter serves one home of one account.
type Adapter struct {
	options  Options
	standing atomic.Pointer[Standing]
	hastened chan struct{} // has room for one
}

// New returns an adapter to be attached as gateway.CloudAdapter.
func New(o Options) *Adapter {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.luck == nil {
		o.luck = rand.Float64
	}
	return &Adapter{options: o, hastened: make(chan struct{}, 1)}
}

func (o Options) purse() *Purse {
	if o.Purse != nil {
		return o.Purse
	}
	return NewPurse(o.BudgetPerHour)
}
