package hap

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// snapshotTimeout is how long the Home app waits for a picture, less the way back.
const snapshotTimeout = 5 * time.Second

// handler answers one request.
type handler func(*connection, context.Context, request) answer

// openPaths are for everybody, and verifiedPaths for sessions only, by method (HAP R2 6.3 and table 5-1).
var (
	openPaths = map[string]map[string]handler{
		"/pair-setup":  {http.MethodPost: (*connection).pairSetup},
		"/pair-verify": {http.MethodPost: (*connection).pairVerify},
		"/identify":    {http.MethodPost: (*connection).identify},
	}
	verifiedPaths = map[string]map[string]handler{
		"/accessories": {http.MethodGet: (*connection).accessories},
		"/characteristics": {
			http.MethodGet: (*connection).readCharacteristics,
			http.MethodPut: (*connection).writeCharacteristics,
		},
		"/prepare":  {http.MethodPut: (*connection).prepare},
		"/pairings": {http.MethodPost: (*connection).pairings},
		"/resource": {http.MethodPost: (*connection).resource},
	}
)

func (c *connection) dispatch(ctx context.Context, r request) answer {
	methods, open := openPaths[r.path]
	if !open {
		methods = verifiedPaths[r.path]
	}
	handle := methods[r.method]
	switch {
	case methods == nil:
		return statusAnswer(http.StatusNotFound, StatusNoSuch)
	case !open && c.controller == "":
		return statusAnswer(statusUnverified, StatusPrivileges)
	case handle == nil:
		return statusAnswer(http.StatusMethodNotAllowed, StatusInvalidValue)
	}
	return handle(c, ctx, r)
}

// identify is for people who look for an accessory that nobody has paired yet; later there is a characteristic for it
// (HAP R2 6.7.6).
func (c *connection) identify(ctx context.Context, _ request) answer {
	if c.server.Paired() {
		return statusAnswer(http.StatusBadRequest, StatusPrivileges)
	}
	if c.server.options.Identify != nil {
		c.server.options.Identify(ctx)
	}
	return answer{status: http.StatusNoContent}
}

func (c *connection) accessories(context.Context, request) answer {
	return answer{status: http.StatusOK, contentType: contentJSON, body: c.server.database.Load().encode()}
}

// preparedWrite is a timed write announced by the controller.
type preparedWrite struct {
	pid  uint64
	ends time.Time
}

// prepare is PUT /prepare (HAP R2 6.7.2.4); a later one replaces an earlier one.
func (c *connection) prepare(_ context.Context, r request) answer {
	var wanted struct {
		TTL *uint64 `json:"ttl"` // milliseconds
		PID *uint64 `json:"pid"`
	}
	if err := json.Unmarshal(r.body, &wanted); err != nil || wanted.TTL == nil || wanted.PID == nil {
		return statusAnswer(http.StatusBadRequest, StatusInvalidValue)
	}
	const longest = uint64(time.Hour / time.Millisecond) // keeps the sum below from overflowing
	ttl := time.Duration(min(*wanted.TTL, longest)) * time.Millisecond
	c.prepared = &preparedWrite{pid: *wanted.PID, ends: time.Now().Add(ttl)}
	return statusAnswer(http.StatusOK, StatusOK)
}

// redeem tells whether a write may go on: without a pid it is an ordinary one, with a pid it must be the prepared one,
// in time. A prepared write is good for one write.
func (c *connection) redeem(pid *uint64) (timed, ok bool) {
	if pid == nil {
		return false, true
	}
	prepared := c.prepared
	c.prepared = nil
	ok = prepared != nil && prepared.pid == *pid && time.Now().Before(prepared.ends)
	return ok, ok
}

// resource is POST /resource: a picture of a camera.
func (c *connection) resource(ctx context.Context, r request) answer {
	var wanted struct {
		Type   string `json:"resource-type"`
		AID    uint64 `json:"aid"`
		Width  int    `json:"image-width"`
		Height int    `json:"image-height"`
	}
	if err := json.Unmarshal(r.body, &wanted); err != nil || wanted.Type != "image" {
		return statusAnswer(http.StatusBadRequest, StatusInvalidValue)
	}
	if c.server.options.Snapshot == nil {
		return statusAnswer(http.StatusNotFound, StatusNoSuch)
	}
	if wanted.AID == 0 {
		wanted.AID = BridgeAID // a camera that is no bridge's
	}
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	picture, err := c.server.options.Snapshot(ctx, SnapshotRequest{wanted.AID, wanted.Width, wanted.Height})
	if err != nil {
		// Each tile of each phone asks every ten seconds: whoever has the camera says once that it is gone.
		c.server.log.Debug("HomeKit camera gave no picture", "aid", wanted.AID, "err", err)
		return statusAnswer(http.StatusMultiStatus, StatusUnreachable)
	}
	return answer{status: http.StatusOK, contentType: "image/jpeg", body: picture}
}
