package mqtt

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Options are the settings of the adapter. Either Embedded or Broker says which broker it uses.
type Options struct {
	// Embedded is the broker within this process; nil: Broker is used.
	Embedded Broker
	// Broker is the address of a broker elsewhere: mqtt://host:1883, mqtts://host:8883 for TLS, or
	// unix:///run/mosquitto/mosquitto.sock. No user name or password in here.
	Broker string
	// User is the name by which the broker knows us; "" with a PasswordFile: the file's one line is
	// name:password.
	User string
	// PasswordFile holds the password in its first line; "": none. It is read before each attempt to
	// connect, as are the three files below.
	PasswordFile string
	// CAFile holds the certificates (PEM) of those who may vouch for the broker; "": the system's.
	CAFile string
	// CertificateFile and KeyFile (PEM) are our own identity for the broker; "": none.
	CertificateFile, KeyFile string
	// ClientID is who we are for the broker; two clients of one name throw each other out. "": made from
	// Base.
	ClientID string
	// Base is the first level of all topics; "": veilleuse.
	Base string
	// Discovery is the first level of the topics in which Home Assistant looks for devices, homeassistant
	// unless changed there; "": devices are not announced.
	Discovery string
	// Picture takes a picture, JPEG, of a camera on the LAN and says when that was; nil: pictures of cameras,
	// and so of people, are not sent.
	Picture func(context.Context, gateway.DeviceID) (jpeg []byte, at time.Time, err error)
	// Stored says what was written to the disk; nil: that is not told.
	Stored func() Stored
	// Version of this program, shown in Home Assistant; "": not shown.
	Version string
	// Attached are the devices that the user has attached by MQTT.
	Attached []Attached
	// Log gets one line for each change of the connection; nil: slog.Default().
	Log *slog.Logger
}

// Homie as Discovery selects the Homie convention, version 5, in place of Home Assistant's discovery.
const Homie = "homie"

// defaultBase is the first level of all topics unless the configuration says otherwise.
const defaultBase = "veilleuse"

// Check finds fault with the options before anybody is connected to. The error says which key of the
// configuration is wrong and what would be right. Files are not opened.
func (o Options) Check() error {
	errs := []error{checkTopic("base", o.base()), checkTopic("discovery", o.Discovery)}
	if o.Discovery != "" && o.Discovery == o.base() {
		errs = append(errs, fmt.Errorf("mqtt.discovery %q: must differ from mqtt.base", o.Discovery))
	}
	if (o.CertificateFile == "") != (o.KeyFile == "") {
		errs = append(errs, errors.New("mqtt: a client certificate and its key file go together; give both or none"))
	}
	if o.Embedded == nil {
		errs = append(errs, checkAddress(o.Broker))
	}
	return errors.Join(append(errs, o.checkAttached()...)...)
}

func checkAddress(broker string) error {
	const forms = "expected mqtt://host:1883, mqtts://host:8883, unix:///path/of/socket or embedded"
	u, err := url.Parse(broker)
	if err != nil {
		// The error repeats the address, and with it a password that may be in there.
		return fmt.Errorf("mqtt.broker is no address; %s", forms)
	}
	switch {
	case u.User != nil:
		return errors.New("mqtt.broker: leave user name and password out of the address; the password has a file of its own")
	case u.Scheme == "unix" && u.Host == "" && u.Path != "":
		return nil
	case (u.Scheme == "mqtt" || u.Scheme == "mqtts") && u.Hostname() != "" && strings.Trim(u.Path, "/") == "":
		return nil
	}
	return fmt.Errorf("mqtt.broker %q: %s", broker, forms)
}

// checkTopic finds fault with a word from the configuration that topics begin with.
func checkTopic(key, topic string) error {
	switch {
	case strings.ContainsAny(topic, "+#\x00"):
		return fmt.Errorf("mqtt.%s %q: + and # stand for other topics and cannot be part of this one", key, topic)
	case strings.HasPrefix(topic, "/"), strings.HasSuffix(topic, "/"), strings.Contains(topic, "//"):
		return fmt.Errorf("mqtt.%s %q: leave out the slash at the beginning, at the end and the double one", key, topic)
	case strings.HasPrefix(topic, "$"):
		return fmt.Errorf("mqtt.%s %q: topics with $ belong to the broker", key, topic)
	}
	return nil
}

func (o Options) base() string {
	if o.Base == "" {
		return defaultBase
	}
	return o.Base
}

// name is the broker for the log.
func (o Options) name() string {
	if o.Embedded != nil {
		return "embedded"
	}
	return o.Broker
}

// filters are the topics that are listened to.
func (o Options) filters() []string {
	base := o.base()
	all := []string{base + "/room/+/set", base + "/device/+/set", base + "/home/set", base + "/alarm/set", o.statusTopic()}
	switch {
	case o.announces():
		all = append(all, o.birthTopic())
	case o.Discovery == Homie:
		all = append(all, homieTopics+"+/+/+/set", o.homieState())
	}
	return all
}

// announces reports whether devices are announced to Home Assistant.
func (o Options) announces() bool { return o.Discovery != "" && o.Discovery != Homie }

// homieState is where Homie reads how Veilleuse itself stands.
func (o Options) homieState() string { return homieTopics + topicForm(o.base()) + "/$state" }

// isOthers reports whether a message is none of ours to read: of Homie's set topics only a filter for all
// devices of all makers can be subscribed to.
func (o Options) isOthers(m heard) bool {
	return o.Discovery == Homie && strings.HasPrefix(m.topic, homieTopics) && strings.HasSuffix(m.topic, "/set") &&
		!isHomieSet(topicForm(o.base()), m.topic)
}

// birthTopic is where Home Assistant says that it has started.
func (o Options) birthTopic() string { return o.Discovery + "/status" }

func (o Options) statusTopic() string { return o.base() + "/status" }

// clientID is the same after every restart: a broker that has not noticed the end of the old connection
// then ends it, and says its last will, before the new one is online rather than after.
func (o Options) clientID() string {
	switch base := topicForm(o.base()); {
	case o.ClientID != "":
		return o.ClientID
	case base == defaultBase:
		return defaultBase
	default:
		return defaultBase + "-" + base
	}
}

// credentials returns user name and password, both "" for a broker that wants none.
func (o Options) credentials() (user, password string, err error) {
	if o.PasswordFile == "" {
		return o.User, "", nil
	}
	text, err := os.ReadFile(o.PasswordFile)
	if err != nil {
		return "", "", fmt.Errorf("read the MQTT password: %w", err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	line = strings.TrimSuffix(line, "\r")
	if o.User != "" {
		return o.User, line, nil
	}
	user, password, ok := strings.Cut(line, ":")
	if !ok || user == "" {
		return "", "", fmt.Errorf("read the MQTT password: without mqtt.user the first line of %s must be name:password", o.PasswordFile)
	}
	return user, password, nil
}

// tls returns what is needed to trust the broker, and to be trusted.
func (o Options) tls() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read who may vouch for the MQTT broker: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("read who may vouch for the MQTT broker: %s holds no PEM certificate", o.CAFile)
		}
	}
	if o.CertificateFile != "" {
		own, err := tls.LoadX509KeyPair(o.CertificateFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("read our certificate for the MQTT broker: %w", err)
		}
		config.Certificates = []tls.Certificate{own}
	}
	return config, nil
}

// isOpenToAll reports whether the broker is elsewhere and lets us in without a word: so it may let in
// anybody.
func (o Options) isOpenToAll() bool {
	u, err := url.Parse(o.Broker)
	if o.Embedded != nil || err != nil || u.Scheme == "unix" || o.User != "" || o.PasswordFile != "" || o.CertificateFile != "" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}
