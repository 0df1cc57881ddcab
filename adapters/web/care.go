package web

import (
	"context"
	"time"
)

// Care is what keeps the house: each is the same that a verb does. A func that is nil cannot be done here. Errors are one
// sentence for people; those below are said in the page's language.
type Care struct {
	// Sealed reports whether the house has a key of its own, with which backups are encrypted.
	Sealed func() bool
	// Pack returns the file of a backup as of now: encrypted with the house's own key, else with the passphrase, else in clear.
	Pack func(now time.Time, passphrase string) (file []byte, sealed bool, err error)
	// Keep makes a backup in the usual places, and says where.
	Keep func(now time.Time) (where string, err error)
	// Upload keeps the file of a backup for a while, at most one, and returns its name.
	Upload func(file []byte) (id string)
	// Look opens the file of that name and checks every record of it. It changes nothing.
	Look func(id, passphrase string) (Restorable, error)
	// Restore makes ready to bring the house back from the file that Look has opened. Calling what it returns ends the house, which
	// starts again as it was then.
	Restore func(id string) (begin func(), err error)
	// Pairings lists the accessories that are paired with us, and who is paired with our own bridges.
	Pairings func() (Pairings, error)
	// Controllers asks an accessory who may control it.
	Controllers func(ctx context.Context, id string) ([]Controller, error)
	// Remove has an accessory forget another controller.
	Remove func(ctx context.Context, id, controller string) error
	// Unpair ends a pairing at both ends, and says what came of it.
	Unpair func(ctx context.Context, id string) (said string, err error)
	// Share makes an accessory know another controller.
	Share func(ctx context.Context, s Share) (Shared, error)
	// Bundle is what a person in need sends to those who can help, without secrets.
	Bundle func(now time.Time) (name string, content []byte, err error)
}

// Fault is something that went wrong for which the page has words in both languages: the key of its text.
type Fault string

// Error is the text in English.
func (f Fault) Error() string {
	both, _ := textOf(string(f))
	return both[english]
}

// What can be wrong with a backup that is uploaded, and with what is asked for.
const (
	ErrNotBackup   Fault = "care.notbackup"
	ErrDamaged     Fault = "care.damaged"
	ErrNewer       Fault = "care.newer"
	ErrNeedsKey    Fault = "care.needskey"
	ErrWrongKey    Fault = "care.wrongkey"
	ErrUploadGone  Fault = "care.uploadgone"
	errNotHere     Fault = "care.nothere"
	errNoFile      Fault = "care.nofile"
	errTooLarge    Fault = "care.toolarge"
	errUploading   Fault = "care.uploading"
	errNotSure     Fault = "care.notsure"
	errWrongSecret Fault = "password.wrong"
	errPatience    Fault = "password.wait"
	errNotSame     Fault = "password.differs"
	errBounds      Fault = "password.bounds"
)

// Restorable is what is in a backup, beside what is here.
type Restorable struct {
	ID      string         `json:"id"`
	Made    time.Time      `json:"made"`
	Dated   bool           `json:"dated"`   // the clock could be believed when it was made
	Program string         `json:"program"` // version of the program that made it
	Sealed  bool           `json:"sealed"`  // it was encrypted
	Records int            `json:"records"`
	There   Contents       `json:"backup"`
	Here    Contents       `json:"here"`
	Files   []RestoredFile `json:"files,omitempty"`
}

// Contents is what a house knows.
type Contents struct {
	Home        string `json:"home,omitempty"`
	Bridge      string `json:"bridge"` // HomeKit id of the first of our own
	Controllers int    `json:"controllers"`
	Accessories int    `json:"accessories"`
	SignedIn    bool   `json:"signed_in"` // at Netatmo
	Rooms       int    `json:"rooms"`
	Devices     int    `json:"devices"`
	Outages     int    `json:"outages"`
	Decisions   int    `json:"decisions"`
	State       int    `json:"state_version"`
}

// RestoredFile is a file of the configuration in a backup.
type RestoredFile struct {
	Path string `json:"path"`
	Role string `json:"role,omitempty"` // the key that names it; absent: the configuration itself
	Fate string `json:"fate"`           // same, new, beside: the one here stays, and the other is put beside it
}

// Pairings are the accessories that are paired with us, and those who are paired with our own bridges.
type Pairings struct {
	Accessories []PairedAccessory `json:"accessories"`
	Bridges     []OwnBridge       `json:"bridges"`
}

// PairedAccessory is an accessory that is paired with us.
type PairedAccessory struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Model     string    `json:"model,omitempty"`
	Address   string    `json:"address,omitempty"`
	Bluetooth bool      `json:"bluetooth,omitempty"`
	Room      string    `json:"room,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Devices   []string  `json:"devices,omitempty"`
}

// OwnBridge is one of our own bridges towards the Home app.
type OwnBridge struct {
	ID          string       `json:"id"`
	Name        string       `json:"name"`
	Controllers []Controller `json:"controllers"`
}

// Controller is one who may control an accessory, as the page and veilleuse pairings --json tell it.
type Controller struct {
	ID    string `json:"id"`
	Key   string `json:"key,omitempty"` // hexadecimal digits
	Admin bool   `json:"admin"`
	Own   bool   `json:"own"` // it is this Veilleuse
}

// Share is a controller that an accessory is to know, as it comes from the page and from veilleuse share.
type Share struct {
	ID         string `json:"id"`
	Controller string `json:"controller"`
	Key        string `json:"key"` // hexadecimal digits, or base64
	Admin      bool   `json:"admin"`
}

// Shared is what the other controller needs to know, by the names that aiohomekit and hap-controller give it; veilleuse share
// --json says the same.
type Shared struct {
	AccessoryPairingID string `json:"AccessoryPairingID"`
	AccessoryLTPK      string `json:"AccessoryLTPK"` // hexadecimal digits
	AccessoryIP        string `json:"AccessoryIP,omitempty"`
	AccessoryPort      int    `json:"AccessoryPort,omitempty"`
	AccessoryAddress   string `json:"AccessoryAddress,omitempty"` // of its radio
	Connection         string `json:"Connection"`                 // IP or BLE
	Name               string `json:"name"`
}
