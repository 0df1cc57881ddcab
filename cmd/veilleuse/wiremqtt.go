package main

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"

	"github.com/veilleuse/veilleuse/adapters/broker"
	"github.com/veilleuse/veilleuse/adapters/camera"
	"github.com/veilleuse/veilleuse/adapters/mqtt"
)

// MQTTConfig is where state goes and wishes come from.
type MQTTConfig struct {
	Broker     string                  // embedded, or a URL: mqtt, mqtts or unix
	Listen     string                  // of the embedded broker
	UsersFile  string                  // of the embedded broker: name:bcrypt a line; this or TLS.ClientCA is needed to listen beyond this machine
	AccessFile string                  // of the embedded broker: who may read and write what, as Mosquitto's acl_file
	TLS        broker.CertificateFiles // of the embedded broker
	Base       string                  // first level of every topic
	Discovery  string                  // homeassistant or another first level of Home Assistant's, homie, or empty: none
	Pictures   bool                    // send pictures of the cameras

	// At a broker of the user's own.
	User, PasswordFile, CAFile, CertificateFile, KeyFile string
}

// wireMQTT makes the MQTT adapter, and the embedded broker if there is to be one.
func (h *house) wireMQTT(c Config, cameras *camera.Adapter, log *slog.Logger) error {
	o, err := h.messages(c, log)
	if err != nil {
		return err
	}
	o.Stored = func() mqtt.Stored {
		all := h.stored()
		return mqtt.Stored{Bytes: all.Bytes, Writes: all.Writes}
	}
	if c.MQTT.Pictures {
		o.Picture = cameras.Snapshot
	}
	h.mqtt = mqtt.New(o)
	return nil
}

// messages are the settings of the MQTT adapter, and the embedded broker if there is to be one.
func (h *house) messages(c Config, log *slog.Logger) (mqtt.Options, error) {
	version, _ := version()
	o := mqtt.Options{Base: c.MQTT.Base, Discovery: c.MQTT.Discovery, Version: version, Attached: c.attachedDevices(), Log: log}
	if err := c.MQTT.check(); err != nil {
		return o, err
	}
	if c.MQTT.Broker != embedded {
		o.Broker, o.User, o.PasswordFile = c.MQTT.Broker, c.MQTT.User, c.MQTT.PasswordFile
		o.CAFile, o.CertificateFile, o.KeyFile = c.MQTT.CAFile, c.MQTT.CertificateFile, c.MQTT.KeyFile
		return o, o.Check()
	}
	options := append(c.MQTT.options(), broker.WithRefusals(h.refused))
	if c.State != "" {
		options = append(options, broker.WithArchive(filepath.Join(c.State, "mqtt.retained")))
	}
	b, err := broker.New(c.MQTT.Listen, log, options...)
	if err != nil {
		return o, err
	}
	h.broker, o.Embedded = b, b
	return o, o.Check()
}

// refused lets a wish that the embedded broker does not pass on be told of like any other.
func (h *house) refused(topic string, payload []byte, why error) bool {
	return h.mqtt != nil && h.mqtt.Refused(topic, payload, why)
}

// options are those of the embedded broker.
func (c MQTTConfig) options() []broker.Option {
	var options []broker.Option
	if c.UsersFile != "" {
		options = append(options, broker.WithUsersFile(c.UsersFile))
	}
	if c.AccessFile != "" {
		options = append(options, broker.WithAccess(c.AccessFile))
	}
	if c.TLS != (broker.CertificateFiles{}) {
		options = append(options, broker.WithCertificates(c.TLS))
	}
	return options
}

// check finds keys that would do nothing: whoever sets mqtt.acl_file for a broker of his own believes it closed.
func (c MQTTConfig) check() error {
	useless := map[string]string{"mqtt.acl_file": c.AccessFile, "mqtt.tls_certificate_file": c.TLS.Certificate,
		"mqtt.tls_key_file": c.TLS.Key, "mqtt.client_ca_file": c.TLS.ClientCA}
	whose := "is for the embedded broker, but mqtt.broker names another; set it there and leave it out here"
	if c.Broker == embedded {
		useless = map[string]string{"mqtt.certificate_file": c.CertificateFile, "mqtt.key_file": c.KeyFile}
		whose = "is for a broker of your own, but mqtt.broker is embedded; leave it out, or name that broker"
	}
	var faults []error
	for _, key := range slices.Sorted(maps.Keys(useless)) {
		if useless[key] != "" {
			faults = append(faults, fmt.Errorf("%s %s", key, whose))
		}
	}
	return errors.Join(faults...)
}
