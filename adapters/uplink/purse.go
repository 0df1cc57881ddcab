package uplink

import (
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Purse pays for the requests to the vendor's API; one serves all who ask the vendor. All times are
// the house's, and the methods may be called from any goroutine.
type Purse interface {
	// Probe spends one request and returns 0, or spends none and returns for how long none may go.
	Probe(now time.Time) time.Duration
	// Heed takes what the vendor said: whether our quota is used up, and for how long it wants to be
	// left alone, 0 if it does not say.
	Heed(now time.Time, limited bool, asked time.Duration)
	// Budget says what was spent.
	Budget(now time.Time) gateway.Budget
}
