package web

import (
	"context"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// First is what the first run asks of the house: the functions behind the verbs login, discover, pair, listen, code and doctor.
// All are needed but Learn, which is nil where no microphone is configured. Errors are sentences for the person.
type First struct {
	// Stand tells how far the house is. It is asked about once a second while a page is open, and looks at nothing outside.
	Stand func() (FirstStand, error)
	// Application keeps the person's own application at the vendor.
	Application func(id, secret string) error
	// Authorize is the vendor's page on which a person allows the access; the browser comes back to redirect with state.
	Authorize func(redirect, state string) (string, error)
	// Exchange trades the code of such a return for a sign-in, and keeps it.
	Exchange func(ctx context.Context, code, redirect string) error
	// Token keeps a sign-in that the vendor's developer page has generated: its JSON, or the refresh token alone.
	Token func(pasted string) error
	// Choose says which of the account's homes is meant.
	Choose func(home string) error
	// Discover looks for accessories on the LAN and over Bluetooth, for some seconds.
	Discover func(context.Context) ([]FirstAccessory, error)
	// CheckCode says what is wrong with the spelling of a setup code.
	CheckCode func(code string) error
	// Pair pairs an accessory, which may take half a minute.
	Pair func(context.Context, FirstPairing) FirstPaired
	// Learn has the ear learn the voice of a detector while its test button is held, for 75 s at most, and says what was learnt.
	Learn func(ctx context.Context, name, kind, room string) (string, error)
	// Diagnose asks whether the house would survive an outage tonight, for some seconds.
	Diagnose func(context.Context, gateway.State) FirstReport
}

// FirstStand is how far the house is, as GET /api/first tells it. No secret is in it but the code for the Home app.
type FirstStand struct {
	// Application says who named the application at the vendor: file (the configuration), page, or nobody ("").
	Application string `json:"application"`
	SignedIn    bool   `json:"signed_in"`
	// Asked says that the vendor was asked since the last sign-in, Fault why it gave no home, in words.
	Asked     bool          `json:"asked"`
	Fault     string        `json:"fault,omitempty"`
	Homes     []FirstHome   `json:"homes,omitempty"`
	HomeOpen  bool          `json:"home_open"`  // one of them is to be chosen
	HomeFixed bool          `json:"home_fixed"` // the configuration names it
	Paired    int           `json:"paired"`     // accessories
	Ear       FirstEar      `json:"ear"`
	Bridges   []FirstBridge `json:"bridges"`
	Broker    FirstBroker   `json:"broker"`
}

// FirstHome is a home of the account.
type FirstHome struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Rooms   int    `json:"rooms"`
	Devices int    `json:"devices"`
}

// FirstEar is the microphone, and the detectors whose voices it has learnt.
type FirstEar struct {
	Microphone string   `json:"microphone,omitempty"`
	Room       string   `json:"room,omitempty"`
	Learnt     []string `json:"learnt,omitempty"`
}

// FirstBridge is a bridge for the Home app.
type FirstBridge struct {
	Name        string `json:"name"`
	Code        string `json:"code"`
	URI         string `json:"uri"` // content of its QR code
	Controllers int    `json:"controllers"`
}

// FirstBroker is where the house is on MQTT.
type FirstBroker struct {
	Inside bool   `json:"inside"` // it is our own
	Listen string `json:"listen"` // host:port, or the address of another broker
	LAN    bool   `json:"lan"`    // other machines reach the one inside
	TLS    bool   `json:"tls"`
	Users  string `json:"users_file,omitempty"`
	Base   string `json:"base"`
}

// FirstAccessory is an accessory that was found, or is paired.
type FirstAccessory struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Model   string `json:"model,omitempty"`
	Address string `json:"address"`
	Via     string `json:"via"`    // lan or bluetooth
	Paired  string `json:"paired"` // here, elsewhere, no
}

// FirstPairing is what a person says of an accessory: its id or its address, the code on its label, and where it stands.
type FirstPairing struct{ ID, Code, Address, Room string }

// FirstPaired is what came of a pairing.
type FirstPaired struct {
	// Kind is "" if it is paired, code if the code is not the accessory's, taken if it belongs to another controller, absent if it
	// is not there, else failed.
	Kind  string   `json:"kind"`
	Says  string   `json:"says"`            // in words
	Steps []string `json:"steps,omitempty"` // what a person can do about one that is taken
}

// FirstReport is the answer to whether the house would survive an outage tonight.
type FirstReport struct {
	At       time.Time `json:"at"`
	Survives bool      `json:"survives"`
	Score    int       `json:"score"` // 0 to 100
	Says     string    `json:"says"`
	Missing  []Gap     `json:"missing,omitempty"` // what an outage would miss
	Look     []Gap     `json:"look,omitempty"`    // what would do, but not as well as it could
}
