package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMQTTFilesAreChecked(t *testing.T) {
	folder := t.TempDir()
	file := func(name, content string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const hash = "$2y$05$abcdefghijklmnopqrstuuJ1gC0bqXg8w1m2Zx9n5l5bQ4m4m4m4m"
	users := file("users", "anna:"+hash+"\n")
	tests := []struct{ name, keys, want string }{
		{"all is well", "users_file: " + users + "\n  listen: :1883\n  acl_file: " + file("acl", "user anna\ntopic read a/#\n"), ""},
		{"a line of the users' file", "users_file: " + file("bad", "anna:"+hash+"\nbert:secret\n"), "v.yaml: mqtt.users_file: " + folder + "/bad:2: this line is not name:bcrypt"},
		{"a line of the access list", "acl_file: " + file("badacl", "user anna\ntopics a\n"), `v.yaml: mqtt.acl_file: ` + folder + `/badacl:2: "topics" is none of user, topic, pattern`},
		{"a certificate without its key", "tls_certificate_file: /x.pem", "mqtt.tls_certificate_file and mqtt.tls_key_file go together"},
		{"no such certificate", "tls_certificate_file: /no/x.pem\n  tls_key_file: /no/x.key", "mqtt.tls_certificate_file, mqtt.tls_key_file: open /no/x.pem: no such file"},
		{"clients' authority without TLS", "client_ca_file: /x.pem", "mqtt.client_ca_file needs both"},
		{"open to others", "listen: :1883", "v.yaml: mqtt.listen: listen for MQTT on \":1883\": others can reach this address"},
		{"an access list at another broker", "broker: mqtt://h\n  acl_file: x", "mqtt.acl_file is for the embedded broker"},
		{"our certificate at the embedded broker", "certificate_file: x\n  key_file: y", "mqtt.certificate_file is for a broker of your own"},
		{"our certificate without its key", "broker: mqtts://h\n  certificate_file: x", "a client certificate and its key file go together"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, faults := readConfig("v.yaml", []byte("mqtt:\n  "+test.keys+"\n"))
			c.file = "v.yaml"
			faults = append(faults, c.fileFaults()...)
			if got := strings.Join(faults, "\n"); !strings.Contains(got, test.want) || (test.want == "") != (got == "") || strings.Contains(got, "secret") {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}
