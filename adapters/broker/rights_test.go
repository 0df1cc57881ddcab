package broker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	paho "github.com/eclipse/paho.mqtt.golang"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// put writes a file and returns its name. Its time differs from any before.
func put(t testing.TB, file, content string) string {
	t.Helper()
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// usersFile is a file of users with their passwords.
func usersFile(t testing.TB, file string, passwords map[string]string) string {
	t.Helper()
	var all strings.Builder
	for name, password := range passwords {
		fmt.Fprintf(&all, "%s:%s\n", name, quickHash(t, password))
	}
	return put(t, file, all.String())
}

func as(user, password string) func(*paho.ClientOptions) {
	return func(o *paho.ClientOptions) { o.SetUsername(user).SetPassword(password) }
}

// closed is a broker for anna, who may steer, and bert, who may look.
func closed(t *testing.T, options ...broker.Option) *broker.Broker {
	t.Helper()
	folder := t.TempDir()
	return brokertest.Start(t, append(options,
		broker.WithUsersFile(usersFile(t, filepath.Join(folder, "users"), map[string]string{"anna": "a", "bert": "b"})),
		broker.WithAccess(put(t, filepath.Join(folder, "acl"), `user anna
topic readwrite house/#
user bert
topic read house/+/state
pattern readwrite own/%u/#
`)))...)
}

func TestAccessList(t *testing.T) {
	b := closed(t)
	anna, bert := join(t, b, "a", as("anna", "a")), join(t, b, "b", as("bert", "b"))
	if err := b.Publish("house/attic/state", []byte("cold"), true); err != nil {
		t.Fatal(err)
	}
	if err := b.Publish("house/attic/secret", []byte("gold"), true); err != nil {
		t.Fatal(err)
	}
	seen := listen(t, bert, "#", 1) // granted, and narrowed to what bert may read
	all := listen(t, anna, "house/#", 1)
	if m := next(t, seen); m.topic != "house/attic/state" {
		t.Errorf("bert reads %+v of what is retained", m)
	}
	got := []string{next(t, all).topic, next(t, all).topic}
	if slices.Sort(got); !slices.Equal(got, []string{"house/attic/secret", "house/attic/state"}) {
		t.Errorf("anna reads %v", got)
	}
	for _, qos := range []byte{0, 1, 2} {
		finish(t, bert.Publish("house/bath/set", qos, false, "30")) // dropped; an older client cannot be told
		finish(t, bert.Publish("house/bath/state", qos, true, "30"))
	}
	finish(t, anna.Publish("house/bath/secret", 1, false, "x"))
	finish(t, anna.Publish("house/bath/state", 1, false, "warm"))
	if m := next(t, seen); m.payload != "warm" {
		t.Errorf("bert reads %+v", m)
	}
	finish(t, bert.Publish("own/bert/x", 1, false, "mine"))
	if m := next(t, seen); m.payload != "mine" {
		t.Errorf("bert reads %+v", m)
	}
	for _, want := range []string{"house/bath/secret", "house/bath/state"} {
		if m := next(t, all); m.topic != want {
			t.Errorf("anna reads %+v, want %s: did bert write?", m, want)
		}
	}
}

// Who subscribes to what it may never read is told.
func TestAccessListRefusesSubscriptions(t *testing.T) {
	b := closed(t)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "b", User: "bert", Password: "b"})
	for filter, want := range map[string]byte{"house/+/secret": 0x80, "house/#": 0, "own/anna/#": 0x80, "own/bert/#": 0,
		"$share/g/own/anna/#": 0x80, "$share/g/house/#": 0} {
		p.Send(brokertest.Subscribe(4, 7, filter, 0))
		if answer := p.Next(); answer.Head != 0x90 || answer.Body[2] != want {
			t.Errorf("%s is answered with %+v", filter, answer)
		}
	}
}

func TestAccessListHoldsForWills(t *testing.T) {
	b := closed(t)
	for topic, want := range map[string]byte{"house/x": 5, "own/bert/status": 0} {
		will := brokertest.Message{Topic: topic, Payload: []byte("off")}
		if code := brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "b", User: "bert", Password: "b", Will: &will}); code != want {
			t.Errorf("a will for %s is answered with %d", topic, code)
		}
	}
}

// Messages that wait for one user are not for another who calls its client the same.
func TestSessionsAreTheirUsers(t *testing.T) {
	b := closed(t)
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "shared", User: "anna", Password: "a", Resume: true})
	p.Subscribe("house/#", 1)
	if code := brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "shared", User: "bert", Password: "b"}); code != 5 {
		t.Errorf("bert pushes anna out: %d", code)
	}
	p.Close()
	eventually(t, "anna is gone", func() bool { return b.Clients() == 0 })
	finish(t, join(t, b, "other", as("anna", "a")).Publish("house/bath/state", 1, false, "for anna"))
	eventually(t, "something waits for anna", func() bool { return b.Pending("shared") == 1 })
	bert := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "shared", User: "bert", Password: "b", Resume: true})
	bert.Ping() // an answer to a ping, and no message before it
	if b.Subscriptions("house/bath/secret") != 0 {
		t.Error("bert has anna's subscriptions")
	}
}

func TestUsersFileIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	users := usersFile(t, filepath.Join(folder, "users"), map[string]string{"anna": "a", "bert": "b"})
	b := brokertest.Start(t, broker.WithUsersFile(users))
	stays := join(t, b, "stays", as("bert", "b"))
	leaves := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "leaves", User: "anna", Password: "a"})

	put(t, users, "this is no user\n") // half written
	b.Refresh()
	leaves.Ping()

	put(t, users, "# changed\nanna:"+quickHash(t, "new")+"\nbert:"+b.Hash("bert")+"\n")
	b.Refresh()
	leaves.AwaitEnd()
	if !stays.IsConnected() {
		t.Error("bert was sent away, too")
	}
	for password, want := range map[string]byte{"a": 5, "new": 0} {
		if code := brokertest.Dial(t, b.Address()).Introduce(brokertest.Connect{ID: "x", User: "anna", Password: password}); code != want {
			t.Errorf("anna with %q is answered with %d", password, code)
		}
	}
}

func TestAccessListIsReadAgain(t *testing.T) {
	folder := t.TempDir()
	list := put(t, filepath.Join(folder, "acl"), "topic read a\n")
	b := brokertest.Start(t, broker.WithAccess(list))
	got := listen(t, join(t, b, "c"), "#", 0)
	put(t, list, "topic read b/#\n")
	b.Refresh()
	for _, topic := range []string{"a", "b"} {
		if err := b.Publish(topic, []byte("x"), false); err != nil {
			t.Fatal(err)
		}
	}
	if m := next(t, got); m.topic != "b" {
		t.Errorf("got %+v", m)
	}
}

// A name that nobody has proved opens nothing.
func TestNameWithoutPasswordIsNone(t *testing.T) {
	list := put(t, filepath.Join(t.TempDir(), "acl"), "topic read a\nuser anna\ntopic read secret\n")
	b := brokertest.Start(t, broker.WithAccess(list))
	p := brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c", User: "anna", Password: "x"})
	p.Send(brokertest.Subscribe(4, 1, "secret", 0))
	if answer := p.Next(); answer.Body[2] != 0x80 {
		t.Errorf("answered with %+v", answer)
	}
}

// One client that publishes as fast as it can is slowed down; another is served meanwhile.
func TestFloodOfOneClientIsSlowed(t *testing.T) {
	const rate, burst = 200, 100
	b := brokertest.Start(t, broker.WithLimits(broker.Limits{Rate: rate, Burst: burst}))
	flooder, other := join(t, b, "flooder"), join(t, b, "other")
	got := listen(t, other, "other", 1)
	began := time.Now()
	served, flood := make(chan struct{}), make(chan int)
	go func() { // on and on, for as long as the other needs
		n := 0
		for busy := true; busy || n < burst+rate; n++ {
			flooder.Publish("flood", 1, false, "x").WaitTimeout(deadline)
			select {
			case <-served:
				busy = false
			default:
			}
		}
		flood <- n
	}()
	for range 20 {
		finish(t, other.Publish("other", 1, false, "x"))
		next(t, got)
	}
	close(served)
	n := <-flood
	took := time.Since(began)
	if most := burst + int(rate*took.Seconds()) + 1; n > most {
		t.Errorf("%d messages came through in %v: at most %d are wanted, at %d a second after the first %d", n, took, most, rate, burst)
	}
	t.Logf("the flood had %d messages in %v", n, took)
}

// A wish that is refused is told of once, with its text, and then not logged besides.
func TestRefusalsAreToldOf(t *testing.T) {
	told := make(chan string, 10)
	b := closed(t, broker.WithRefusals(func(topic string, payload []byte, why error) bool {
		told <- fmt.Sprintf("%s %s: %v", topic, payload, why)
		return true
	}))
	anna, bert := join(t, b, "a", as("anna", "a")), join(t, b, "b", as("bert", "b"))
	finish(t, anna.Publish("house/bath/set", 1, true, `{"target":30}`))
	finish(t, bert.Publish("house/bath/set", 1, false, `{"target":31}`))
	for _, want := range []string{`house/bath/set {"target":30}: a wish on house/bath/set must not be retained`,
		`house/bath/set {"target":31}: the access list does not let user bert write to house/bath/set`} {
		if got := <-told; !strings.HasPrefix(got, want) {
			t.Errorf("told %s, want %s", got, want)
		}
	}
}
