package hap

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// readJSON is one entry of the answer to GET /characteristics; what was not asked for stays out.
type readJSON struct {
	AID    uint64          `json:"aid"`
	IID    uint64          `json:"iid"`
	Type   UUID            `json:"type,omitempty"`
	Perms  []Perm          `json:"perms,omitempty"`
	Events *bool           `json:"ev,omitempty"`
	Value  json.RawMessage `json:"value,omitempty"`
	Status *Status         `json:"status,omitempty"`
	*metaJSON
}

// metaJSON is the metadata of HAP R2 6.7.4.
type metaJSON struct {
	Format      Format   `json:"format"`
	Unit        string   `json:"unit,omitempty"`
	MinValue    *float64 `json:"minValue,omitempty"`
	MaxValue    *float64 `json:"maxValue,omitempty"`
	MinStep     *float64 `json:"minStep,omitempty"`
	MaxLen      int      `json:"maxLen,omitempty"`
	MaxDataLen  int      `json:"maxDataLen,omitempty"`
	ValidValues []int64  `json:"valid-values,omitempty"`
	ValidRange  []int64  `json:"valid-values-range,omitempty"`
}

// readCharacteristics is GET /characteristics (HAP R2 6.7.4). It answers from memory; a value that cannot be read says
// so for itself and leaves the others alone.
func (c *connection) readCharacteristics(_ context.Context, r request) answer {
	var entries []readJSON
	var statuses []Status
	database := c.server.database.Load()
	for text := range strings.SplitSeq(r.query.Get("id"), ",") {
		id, err := ParseCharacteristicID(text)
		if err != nil {
			return statusAnswer(http.StatusBadRequest, StatusInvalidValue)
		}
		entry, status := c.readOne(database, id)
		if p := database.points[id]; p != nil {
			c.describe(&entry, p, r)
		}
		entries, statuses = append(entries, entry), append(statuses, status)
	}
	code := http.StatusOK
	if anyFailed(statuses) {
		code = http.StatusMultiStatus
		for i := range entries {
			entries[i].Status = &statuses[i]
		}
	}
	return jsonAnswer(code, map[string][]readJSON{"characteristics": entries})
}

func anyFailed(statuses []Status) bool {
	for _, status := range statuses {
		if status != StatusOK {
			return true
		}
	}
	return false
}

func (c *connection) readOne(database *database, id CharacteristicID) (readJSON, Status) {
	entry := readJSON{AID: id.AID, IID: id.IID}
	p := database.points[id]
	if p == nil {
		return entry, StatusNoSuch
	}
	if !p.meta.Has(PermRead) {
		return entry, StatusWriteOnly
	}
	if own, ok := c.own[id]; ok {
		entry.Value = own
		return entry, StatusOK
	}
	if entry.Value = p.known(); entry.Value == nil {
		return entry, StatusUnreachable
	}
	return entry, StatusOK
}

// describe adds what the query asks for.
func (c *connection) describe(entry *readJSON, p *point, r request) {
	asked := func(name string) bool { return r.query.Get(name) == "1" || r.query.Get(name) == "true" }
	if asked("type") {
		entry.Type = p.meta.Type
	}
	if asked("perms") {
		entry.Perms = p.meta.Perms
	}
	if asked("ev") && p.meta.Has(PermEvents) {
		subscribed := c.queue.isSubscribed(p.id)
		entry.Events = &subscribed
	}
	if asked("meta") {
		m := p.meta
		entry.metaJSON = &metaJSON{m.Format, m.Unit, m.MinValue, m.MaxValue, m.MinStep, m.MaxLen, m.MaxDataLen,
			m.ValidValues, m.ValidRange}
	}
}

// writeJSON is one entry of PUT /characteristics. Flags come as true and false or as 1 and 0.
type writeJSON struct {
	AID      *uint64         `json:"aid"`
	IID      *uint64         `json:"iid"`
	Value    json.RawMessage `json:"value"`
	Events   json.RawMessage `json:"ev"`
	AuthData string          `json:"authData"`
	Remote   json.RawMessage `json:"remote"`
	Response json.RawMessage `json:"r"`
}

// pendingWrite is an entry of PUT /characteristics on its way.
type pendingWrite struct {
	id     CharacteristicID
	point  *point
	status Status
	why    error           // more of the status, for the log; nil: the status says it all
	value  json.RawMessage // checked; nil where only the subscription changes
	events *bool
	answer bool // the controller wants to hear the value
	result json.RawMessage
}

// writeCharacteristics is PUT /characteristics (HAP R2 6.7.2): values, subscriptions or both.
func (c *connection) writeCharacteristics(ctx context.Context, r request) answer {
	var body struct {
		Characteristics []writeJSON `json:"characteristics"`
		PID             *uint64     `json:"pid"`
	}
	if err := json.Unmarshal(r.body, &body); err != nil || len(body.Characteristics) == 0 {
		return statusAnswer(http.StatusBadRequest, StatusInvalidValue)
	}
	timed, allowed := c.redeem(body.PID)
	pending := make([]pendingWrite, len(body.Characteristics))
	database := c.server.database.Load()
	for i, entry := range body.Characteristics {
		if entry.AID == nil || entry.IID == nil {
			return statusAnswer(http.StatusBadRequest, StatusInvalidValue)
		}
		pending[i] = entry.check(database, timed)
		if !allowed {
			pending[i].status = StatusInvalidValue
		}
	}
	c.carryOut(ctx, pending, body.Characteristics)
	c.subscribe(pending)
	c.tellRefused(pending)
	return writeAnswer(pending)
}

// check holds an entry against the permissions and the metadata of its characteristic. It refuses and never clamps.
func (w writeJSON) check(database *database, timed bool) pendingWrite {
	p := pendingWrite{id: CharacteristicID{*w.AID, *w.IID}}
	p.answer, _ = BoolOf(w.Response)
	if p.point = database.points[p.id]; p.point == nil {
		p.status = StatusNoSuch
		return p
	}
	if w.Value == nil && w.Events == nil {
		p.status = StatusInvalidValue
	}
	if w.Events != nil {
		p.status = p.checkEvents(w.Events)
	}
	if w.Value != nil && p.status == StatusOK {
		p.status = p.checkValue(w.Value, timed)
	}
	return p
}

func (p *pendingWrite) checkEvents(raw json.RawMessage) Status {
	on, ok := BoolOf(raw)
	if !ok {
		return StatusInvalidValue
	}
	if !p.point.meta.Has(PermEvents) {
		return StatusNoEvents
	}
	p.events = &on
	return StatusOK
}

func (p *pendingWrite) checkValue(raw json.RawMessage, timed bool) Status {
	meta := p.point.meta
	if !meta.Has(PermWrite) && !meta.Has(PermTimedWrite) {
		return StatusReadOnly
	}
	if meta.Has(PermTimedWrite) && !timed {
		return StatusInvalidValue
	}
	value, err := meta.normalise(raw)
	if err == nil {
		err = meta.checkStep(value)
	}
	if err != nil {
		p.why = err
		return StatusInvalidValue
	}
	p.value = value
	return StatusOK
}

// carryOut hands the valid writes to the callback, all at once, and keeps what went well.
func (c *connection) carryOut(ctx context.Context, pending []pendingWrite, entries []writeJSON) {
	var writes []WriteRequest
	var targets []*pendingWrite
	own, before := map[CharacteristicID]json.RawMessage{}, map[CharacteristicID]*json.RawMessage{}
	for i := range pending {
		p := &pending[i]
		if p.status != StatusOK || p.value == nil {
			continue
		}
		remote, _ := BoolOf(entries[i].Remote)
		writes = append(writes, WriteRequest{ID: p.id, Value: p.value, Remote: remote, AuthData: entries[i].AuthData, From: c.remote()})
		targets = append(targets, p)
		own[p.id], before[p.id] = p.value, p.point.value.Load()
	}
	if len(writes) == 0 {
		return
	}
	c.queue.beginWrite(own)
	defer c.queue.endWrite()
	results := c.server.write(ctx, c.controller, writes)
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	for i, p := range targets {
		c.settle(p, results[i], before)
	}
}

// refusalsKept bounds the refusals that a connection remembers: a controller may make ids up.
const refusalsKept = 300

// tellRefused tells the log what was refused and why, once: a controller may try for hours. A write that goes well makes
// the next refusal news again.
func (c *connection) tellRefused(pending []pendingWrite) {
	for _, p := range pending {
		before, known := c.refused[p.id]
		switch {
		case p.status == StatusOK:
			delete(c.refused, p.id)
			continue
		case known && before == p.status:
			continue
		case len(c.refused) >= refusalsKept:
			clear(c.refused)
		}
		c.refused[p.id] = p.status
		why := error(p.status)
		if p.why != nil {
			why = fmt.Errorf("%w: %w", p.status, p.why)
		}
		c.server.log.Warn("HomeKit write refused", "controller", c.controller, "characteristic", p.id, "why", why)
	}
}

// write asks the callback and sees to it that there is a result for each write.
func (s *Server) write(ctx context.Context, controller string, writes []WriteRequest) []WriteResult {
	var results []WriteResult
	if s.options.Write != nil {
		results = s.options.Write(ctx, controller, writes)
	}
	if results == nil {
		return make([]WriteResult, len(writes))
	}
	if len(results) != len(writes) {
		s.log.Error("HomeKit writes have not a result each", "writes", len(writes), "results", len(results))
	}
	for len(results) < len(writes) {
		results = append(results, WriteResult{Status: StatusUnreachable})
	}
	return results
}

// settle keeps the written value, and tells the other controllers, unless the write failed or the callback has set the
// characteristic to something else meanwhile. It needs the server's lock.
func (c *connection) settle(p *pendingWrite, result WriteResult, before map[CharacteristicID]*json.RawMessage) {
	p.status, p.result = result.Status, p.value
	if result.Value != nil && p.status == StatusOK {
		normal, err := p.point.meta.normalise(result.Value)
		if err != nil {
			c.server.log.Error("HomeKit write has an impossible result", "characteristic", p.id, "err", err)
			p.status = StatusUnreachable
		}
		p.result = normal
	}
	if p.status == StatusOK && result.Own {
		c.own[p.id] = p.result
		return
	}
	if p.status != StatusOK || !p.point.meta.Has(PermRead) || c.server.database.Load().points[p.id] != p.point {
		return
	}
	if p.point.value.Load() != before[p.id] {
		p.result = p.point.shown()
		return
	}
	c.queue.discard(p.id)
	if p.point.set(p.result) {
		c.server.publish(p.point, p.result, c)
	}
	before[p.id] = p.point.value.Load() // for a later write of the same request
}

// subscribe changes the subscriptions of the entries that were accepted.
func (c *connection) subscribe(pending []pendingWrite) {
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	database := c.server.database.Load()
	for i := range pending {
		p := &pending[i]
		if p.status == StatusOK && p.events != nil && database.givesEvents(p.id) {
			c.queue.subscribe(p.id, *p.events)
		}
	}
}

// writeAnswer is 204 where all went well and nobody wants values, else 207 with a status on every entry.
func writeAnswer(pending []pendingWrite) answer {
	quiet := true
	entries := make([]valueJSON, len(pending))
	for i := range pending {
		p := &pending[i]
		quiet = quiet && p.status == StatusOK && !p.answer
		entries[i] = valueJSON{AID: p.id.AID, IID: p.id.IID, Status: &p.status}
		if p.answer && p.status == StatusOK {
			entries[i].Value = p.result
		}
	}
	if quiet {
		return answer{status: http.StatusNoContent}
	}
	return jsonAnswer(http.StatusMultiStatus, valuesJSON{Characteristics: entries})
}
