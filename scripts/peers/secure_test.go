package peers

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// secured is a house whose embedded broker speaks TLS to those whom it knows.
type secured struct {
	t     *testing.T
	house *house
	certs *gatewaytest.Authority
}

const accessList = `user phone
topic read veilleuse/#
topic write veilleuse/+/+/set
user thermometer
topic write bath/temperature
topic readwrite own/thermometer
`

// TestSecureEmbedded uses the broker inside with Mosquitto's clients over TLS: by client certificate, by
// password, under an access list, and over a restart.
func TestSecureEmbedded(t *testing.T) {
	s := &secured{t: t, certs: gatewaytest.NewAuthority(t)}
	with := needTools(t)
	s.certs.Server("broker")
	s.certs.Client("phone")
	s.house = newHouse(t, with, settings{})
	s.users("open sesame")
	s.configure()
	s.house.start()
	sub := listen(t, s.house.mqtt, "veilleuse/#", s.as("phone")...)

	need(t, "mosquitto_sub reads over TLS, by its certificate", func() (string, error) {
		_, err := sub.await(patience, time.Time{}, "veilleuse/status", func(payload string) bool { return payload == "online" })
		return "", err
	})
	promise(t, "mosquitto_pub writes over TLS, by its password", func() (string, error) {
		began := time.Now()
		if err := s.measure("18.5", "open sesame"); err != nil {
			return "", err
		}
		got, err := sub.await(patience, began, "veilleuse/room/own-bath", func(payload string) bool { return readPage(payload).Temperature == 18.5 })
		return seconds(got.at.Sub(began)), err
	})
	s.strangers()
	s.refusals(sub)
	s.renewals()
	s.restart()
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", s.house.endsSoon)
}

// configure writes the keys of the broker and a thermometer.
func (s *secured) configure() {
	text, err := os.ReadFile(s.house.config)
	if err != nil {
		s.t.Fatal(err)
	}
	s.house.file("veilleuse.yaml", string(text)+
		"  users_file: "+s.house.folder+"/users\n  acl_file: "+s.house.file("acl", accessList)+"\n"+
		"  tls_certificate_file: "+s.certs.File("broker.pem")+"\n  tls_key_file: "+s.certs.File("broker.key")+"\n"+
		"  client_ca_file: "+s.certs.File("ca.pem")+"\n"+
		"sensors:\n  - {name: Thermometer, kind: plain, topic: bath/temperature, room: Bath}\n")
}

func (s *secured) users(password string) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost) // a usual one takes seconds with the race detector
	if err != nil {
		s.t.Fatal(err)
	}
	s.house.file("users", "thermometer:"+string(hash)+"\n")
}

// as are the options of Mosquitto's clients for a user with a certificate.
func (s *secured) as(name string) []string {
	return []string{"--cafile", s.certs.File("ca.pem"), "--cert", s.certs.File(name + ".pem"), "--key", s.certs.File(name + ".key")}
}

// measure publishes a temperature as the thermometer.
func (s *secured) measure(celsius, password string) error {
	return s.by(password, "bath/temperature", celsius)
}

func (s *secured) by(password, topic, payload string, more ...string) error {
	return publish(s.house.mqtt, topic, payload, append([]string{"--cafile", s.certs.File("ca.pem"), "-u", "thermometer", "-P", password}, more...)...)
}

func (s *secured) strangers() {
	promise(s.t, "who has neither is turned away, as is a wrong password, a strange certificate and plain MQTT", func() (string, error) {
		other := gatewaytest.NewAuthority(s.t)
		other.Client("phone")
		for what, err := range map[string]error{
			"nobody":           publish(s.house.mqtt, "own/thermometer", "x", "--cafile", s.certs.File("ca.pem")),
			"a wrong password": s.by("guess", "own/thermometer", "x"),
			"a strange certificate": publish(s.house.mqtt, "own/thermometer", "x", "--cafile", s.certs.File("ca.pem"),
				"--cert", other.File("phone.pem"), "--key", other.File("phone.key")),
			"plain MQTT": publish(s.house.mqtt, "own/thermometer", "x", "-u", "thermometer", "-P", "open sesame"),
		} {
			if err == nil {
				return "", fmt.Errorf("%s is let in", what)
			}
		}
		return "", nil
	})
}

// refusals are wishes that the broker does not pass on.
func (s *secured) refusals(sub *listener) {
	refused := func(send func() error, words string) (string, error) {
		began := time.Now()
		if err := send(); err != nil {
			return "", err
		}
		var what string
		_, err := sub.await(patience, began, "veilleuse/event", func(payload string) bool {
			p := readPage(payload)
			what = p.What + ": " + p.Why
			return p.Kind == "refused" && strings.Contains(p.What, `{"target":29}`) && strings.Contains(p.Why, words)
		})
		return what, err
	}
	promise(s.t, "a wish of who may not steer is an event with its text and the reason", func() (string, error) {
		return refused(func() error { return s.by("open sesame", "veilleuse/room/own-bath/set", `{"target":29}`) }, "access list")
	})
	promise(s.t, "so is a retained wish", func() (string, error) {
		return refused(func() error {
			return publish(s.house.mqtt, "veilleuse/room/own-bath/set", `{"target":29}`, append(s.as("phone"), "-r")...)
		}, "must not be retained")
	})
}

// renewals are files that change while the daemon runs.
func (s *secured) renewals() {
	promise(s.t, "a renewed certificate is shown without a restart", func() (string, error) {
		before, err := shown(s.house.mqtt, s.certs.Roots())
		if err != nil {
			return "", err
		}
		renewed := s.certs.Server("broker").Leaf
		after, err := shown(s.house.mqtt, s.certs.Roots())
		if err == nil && !after.Equal(renewed) {
			err = fmt.Errorf("certificate %d is shown after %d, want %d", after.SerialNumber, before.SerialNumber, renewed.SerialNumber)
		}
		return "", errors.Join(err, s.measure("19", "open sesame"))
	})
	promise(s.t, "a changed password holds without a restart, the old one no more", func() (string, error) {
		s.users("another")
		if s.measure("20", "open sesame") == nil {
			return "", errors.New("the old password is taken")
		}
		return "", s.measure("20", "another")
	})
}

func (s *secured) restart() {
	promise(s.t, "what a client retained is there after a restart", func() (string, error) {
		if err := s.by("another", "own/thermometer", "kept", "-r"); err != nil {
			return "", err
		}
		s.house.end()
		s.house.start()
		sub := listen(s.t, s.house.mqtt, "own/#", "--cafile", s.certs.File("ca.pem"), "-u", "thermometer", "-P", "another")
		_, err := sub.await(patience, time.Time{}, "own/thermometer", func(payload string) bool { return payload == "kept" })
		return "", err
	})
}

// TestSecureMosquitto uses a Mosquitto that asks for a certificate, and takes it away for a while.
func TestSecureMosquitto(t *testing.T) {
	with := needTools(t)
	certs := gatewaytest.NewAuthority(t)
	certs.Server("broker")
	certs.Client("veilleuse")
	certs.Client("watcher")
	address := freeAddress(t)
	secure := []string{"cafile " + certs.File("ca.pem"), "certfile " + certs.File("broker.pem"), "keyfile " + certs.File("broker.key"),
		"require_certificate true", "use_identity_as_username true",
		"user root"} // else it may not read the keys, where it starts as root
	mosquitto := startMosquitto(t, address, secure...)
	h := newHouse(t, with, settings{broker: address, secure: true, more: "  ca_file: " + certs.File("ca.pem") +
		"\n  certificate_file: " + certs.File("veilleuse.pem") + "\n  key_file: " + certs.File("veilleuse.key") + "\n"})
	h.start()
	as := []string{"--cafile", certs.File("ca.pem"), "--cert", certs.File("watcher.pem"), "--key", certs.File("watcher.key")}
	online := func(since time.Time, limit time.Duration) (string, error) {
		sub := listen(t, address, "veilleuse/#", as...)
		defer sub.stop(syscall.SIGTERM)
		_, err := until(limit, func() error {
			online, _ := sub.newest("veilleuse/status")
			if all := sub.heard(time.Time{}); online.payload != "online" || len(all) < 4 {
				return fmt.Errorf("%w: it says %q, and there are %d topics", errNotYet, online.payload, len(all))
			}
			return nil
		})
		return seconds(time.Since(since)), err
	}
	promise(t, "a Mosquitto that asks for a certificate gets ours", func() (string, error) {
		_, err := online(time.Now(), patience)
		return "", err
	})
	mosquitto.stop(syscall.SIGKILL)
	time.Sleep(5 * time.Second)
	startMosquitto(t, address, secure...)
	back := time.Now()
	promise(t, "back after 5 s, empty, it has everything again within 5 s", func() (string, error) { return online(back, 5*time.Second) })
	promise(t, "SIGTERM ends the daemon, and the race detector found nothing", h.endsSoon)
}
