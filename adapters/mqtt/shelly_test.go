package mqtt

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// requests are the ids of what is asked of a Shelly, by method.
func requests(t *testing.T, orders []order) map[string]int {
	t.Helper()
	ids := map[string]int{}
	for _, o := range orders {
		var request struct {
			ID     int
			Method string
		}
		if err := json.Unmarshal([]byte(o.text), &request); err != nil {
			t.Fatal(err)
		}
		ids[request.Method] = request.ID
	}
	return ids
}

func (s *shelly) answer(id int, result string) report {
	return s.hear(heard{topic: s.source + "/rpc", payload: fmt.Appendf(nil, `{"id":%d,"result":%s}`, id, result)})
}

// A question that was on its way when an order went out is answered with how things stood before.
func TestAnswersFromBeforeAnOrderDoNotJudgeIt(t *testing.T) {
	const off, counting = `{"id":0,"output":false}`, `{"id":0,"output":true,"timer_started_at":1,"timer_duration":900}`
	s := newShelly(Attached{Kind: Shelly, Topic: "boiler", Role: RoleRelay, Circuit: gateway.Circuit{Lease: 15 * time.Minute}})
	first := requests(t, s.greet())
	orders, err := s.set(gateway.Command{Value: gateway.Flag(true)})
	if err != nil {
		t.Fatal(err)
	}
	set := requests(t, orders)["Switch.Set"]
	if r := s.answer(first["Switch.GetStatus"], off); r.fault != "" || r.done {
		t.Errorf("the state from before the order: %+v", r)
	}
	after := requests(t, s.answer(set, `{"was_on":false}`).orders)["Switch.GetStatus"]
	if r := s.answer(after, counting); r.fault != "" || !r.done {
		t.Errorf("the state after the order: %+v", r)
	}
}

func TestAnswersFromBeforeAutoOffWasWrittenDoNotRefuseIt(t *testing.T) {
	const old, taken = `{"id":0,"auto_off":false,"auto_off_delay":60}`, `{"id":0,"auto_off":true,"auto_off_delay":900}`
	for _, c := range []struct{ after, fault string }{{taken, ""}, {old, "does not take auto_off"}} {
		s := newShelly(Attached{Kind: Shelly, Topic: "boiler", Role: RoleRelay, Circuit: gateway.Circuit{Lease: 15 * time.Minute}})
		first := requests(t, s.greet())
		second := requests(t, s.greet()) // it came online meanwhile
		written := requests(t, s.answer(first["Switch.GetConfig"], old).orders)["Switch.SetConfig"]
		if r := s.answer(second["Switch.GetConfig"], old); r.fault != "" || len(r.orders) != 0 {
			t.Errorf("the configuration from before it was written: %+v", r)
		}
		again := requests(t, s.answer(written, `{"restart_required":false}`).orders)["Switch.GetConfig"]
		if r := s.answer(again, c.after); !strings.Contains(r.fault, c.fault) || (r.fault == "") != (c.fault == "") {
			t.Errorf("the configuration after it was written: %+v, want a fault with %q", r, c.fault)
		}
	}
}
