package broker_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	paho "github.com/eclipse/paho.mqtt.golang"
	"golang.org/x/crypto/bcrypt"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/broker/brokertest"
)

// quickHash is a hash that costs the test little.
func quickHash(t testing.TB, password string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(hash)
}

func TestUsersNeedTheirPassword(t *testing.T) {
	b := brokertest.Start(t, broker.WithUsers(map[string]string{
		"anna": quickHash(t, "right"), "bert": quickHash(t, "other")}))
	for _, row := range []struct {
		name, user, password string
		code                 byte // MQTT 3.1.1: 5 is "not authorised"
	}{
		{"right", "anna", "right", 0},
		{"somebody else", "bert", "other", 0},
		{"wrong", "anna", "wrong", 5},
		{"somebody else's", "anna", "other", 5},
		{"no password", "anna", "", 5},
		{"an unknown user", "carl", "right", 5},
		{"nobody", "", "", 5},
		{"a password too long", "anna", "right" + strings.Repeat("x", 100), 5},
		{"right, after so many wrong ones", "anna", "right", 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			code := brokertest.Dial(t, b.Address()).Introduce(
				brokertest.Connect{ID: "c", User: row.user, Password: row.password})
			if code != row.code {
				t.Errorf("CONNACK says %d, not %d", code, row.code)
			}
		})
	}
}

// Who is not let in hears and says nothing.
func TestRefusedClientsAreShutOut(t *testing.T) {
	b := brokertest.Start(t, broker.WithUsers(map[string]string{"anna": quickHash(t, "right")}))
	heard := make(chan message, 1)
	if err := b.Subscribe("#", func(topic string, _ []byte, _ bool) { heard <- message{topic: topic} }); err != nil {
		t.Fatal(err)
	}
	will := brokertest.Message{Topic: "will", Payload: []byte("x")}
	p := brokertest.Dial(t, b.Address())
	p.Send(bytes.Join([][]byte{
		brokertest.Connect{ID: "c", User: "anna", Password: "wrong", Will: &will}.Bytes(),
		brokertest.Publish(4, 0, "intruder", nil, 0, true),
		brokertest.Subscribe(4, 1, "#", 0),
	}, nil))
	if answer := p.Next(); answer.Head != 0x20 || answer.Body[1] == 0 {
		t.Fatalf("got %+v", answer)
	}
	p.AwaitEnd()
	finish(t, join(t, b, "c", func(o *paho.ClientOptions) { o.SetUsername("anna").SetPassword("right") }).
		Publish("guest", 1, false, "x"))
	if m := next(t, heard); m.topic != "guest" {
		t.Errorf("heard %s", m.topic)
	}
}

func TestHashPassword(t *testing.T) {
	hash, err := broker.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b := brokertest.Start(t, broker.WithUsers(map[string]string{"anna": hash}), broker.WithLimits(broker.Limits{Introduction: brokertest.Patience}))
	brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c", User: "anna", Password: "correct horse"})
	for _, bad := range []string{"", strings.Repeat("x", 73)} {
		if _, err := broker.HashPassword(bad); err == nil {
			t.Errorf("a password of %d bytes was taken", len(bad))
		}
	}
}

// htpasswd writes $2y$, others $2a$ or $2b$; they are the same.
func TestHashesOfOthers(t *testing.T) {
	ours := quickHash(t, "right")
	for _, kind := range []string{"$2a$", "$2b$", "$2y$"} {
		b := brokertest.Start(t, broker.WithUsers(map[string]string{"anna": kind + ours[4:]}))
		brokertest.Join(t, b.Address(), brokertest.Connect{ID: "c", User: "anna", Password: "right"})
	}
}

// Passwords, right ones and wrong ones, never reach the log, not even when clients do strange things.
func TestPasswordsAreNotLogged(t *testing.T) {
	var log bytes.Buffer
	hash := quickHash(t, "canary-right")
	b, err := broker.New("127.0.0.1:0", slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		broker.WithUsers(map[string]string{"anna": hash}))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Start(); err != nil {
		t.Fatal(err)
	}
	right := brokertest.Connect{ID: "strange", User: "anna", Password: "canary-right", KeepAlive: 1}
	p := brokertest.Join(t, b.Address(), right)
	p.Send(right.Bytes()) // a second CONNECT, which mochi logs as it is
	p.AwaitEnd()
	wrong := right
	wrong.Password = "canary-wrong"
	brokertest.Dial(t, b.Address()).Introduce(wrong)
	b.Stop()
	text := log.String()
	const canaryInBytes = "99 97 110 97 114 121" // as slices are printed
	if strings.Contains(text, "canary") || strings.Contains(text, canaryInBytes) || strings.Contains(text, hash) {
		t.Errorf("the log tells secrets:\n%s", text)
	}
	if !strings.Contains(text, "wrong user name or password") || !strings.Contains(text, "client=strange") {
		t.Errorf("the log does not tell of the refusal:\n%s", text)
	}
}
