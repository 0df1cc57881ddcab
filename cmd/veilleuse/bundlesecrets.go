package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	programs "github.com/veilleuse/veilleuse/adapters/command"
	"github.com/veilleuse/veilleuse/adapters/store/backup"
	"github.com/veilleuse/veilleuse/gateway"
)

// secret is something that must be in no bundle, and what it is for people.
type secret struct {
	of    string
	value []byte
}

// shortestSecret is the least number of bytes of what is looked for: a password that is shorter stands by chance in any text.
const shortestSecret = 6

// openFields are the fields of what the adapters keep that are no secrets. All others are.
const openFields = " version name model room paired devices scope expires renew began refused used device address accessory_id device_id layout "

// openKeys are what the vaults keep that is no secret: which home was chosen, and how far the first run is, with the names of
// rooms that were typed there. Both stand in every status, where they become pseudonyms.
var openKeys = []string{"vault/" + gateway.CloudAdapter + "/home", "vault/" + gateway.WebAdapter + "/first"}

// secrets are what must be in no bundle.
type secrets []secret

func (s *secrets) add(of, value string) { *s = append(*s, secret{of, []byte(value)}) }

// secrets is everything secret that the house knows. The error says which files could not be read: what stands in them is not
// looked for.
func (h *house) secrets() (all secrets, err error) {
	kept := h.store.Copy()
	for _, v := range kept.Values() {
		vault, ok := strings.CutPrefix(v.Bucket, "vault/")
		if !ok || vault == "ear" || vault == "homekit" && strings.Contains(v.Key, "id/") || slices.Contains(openKeys, v.Bucket+"/"+v.Key) {
			continue // names and numbers
		}
		data, _ := kept.Vault(vault).Get(v.Key) // it was there just now
		var value any
		if json.Unmarshal(data, &value) != nil {
			value = string(data)
		}
		all.within("what "+vault+" keeps", value)
	}
	bridges, _ := h.bridge.Bridges() // what cannot be read is in the vault
	for _, b := range bridges {
		all.lines("a setup code", b.Code+"\n"+strings.ReplaceAll(b.Code, "-", "")+"\n"+b.URI)
	}
	files, err := configFiles(h.config)
	if key := h.config.Backup.KeyFile; key != "" {
		data, wrong := os.ReadFile(key)
		files, err = append(files, backup.File{Role: "backup.key_file", Data: data}), errors.Join(err, wrong)
	}
	for _, f := range files {
		if f.Role != "" && strings.Contains(secretFiles, f.Role) {
			all.lines(f.Role, string(f.Data))
		}
	}
	for _, variable := range os.Environ() {
		if name, value, _ := strings.Cut(variable, "="); programs.IsSecret(name) {
			all.add("the environment variable "+name, value)
		}
	}
	return all, err
}

// secretFiles are the roles of files in which every line is a secret.
const secretFiles = "netatmo.client_secret_file mqtt.users_file mqtt.tls_key_file mqtt.password_file mqtt.key_file backup.key_file"

// within adds the texts within a value that are no open fields. Keys are kept as base64.
func (s *secrets) within(of string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for field, v := range value {
			if !strings.Contains(openFields, " "+field+" ") {
				s.within(of, v)
			}
		}
	case []any:
		for _, v := range value {
			s.within(of, v)
		}
	case string:
		s.add(of, value)
		s.add(of, value[strings.LastIndex(value, "|")+1:]) // of a token of Netatmo's, without the id of its owner
		if raw, err := base64.StdEncoding.DecodeString(value); err == nil {
			s.add(of, string(raw))
			s.add(of, string(raw[:len(raw)/2])) // the first half of an Ed25519 key makes the other
		}
	}
}

// lines adds the lines of a file with keys or passwords; of users, what stands behind their names.
func (s *secrets) lines(of, text string) {
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, "-----") {
			continue
		}
		if _, hash, ok := strings.Cut(line, ":"); ok && of == "mqtt.users_file" {
			line = hash
		}
		s.add(of, strings.TrimSpace(line))
	}
}

// forms are the spellings of a secret that are looked for: as it is, quoted, escaped for URLs, in hexadecimal digits, and in
// base64 wherever it may begin within something longer.
func (s secret) forms() []string {
	text := string(s.value)
	all := []string{text, withinQuotes(text), url.QueryEscape(text), url.PathEscape(text), hex.EncodeToString(s.value), strings.ToUpper(hex.EncodeToString(s.value))}
	for shift := range 3 {
		coded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), s.value...))
		coded = coded[(8*shift+5)/6 : 8*(shift+len(s.value))/6] // without what its neighbours have a part in
		all = append(all, coded, strings.NewReplacer("+", "-", "/", "_").Replace(coded))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// errLeak says that a bundle would tell a secret.
var errLeak = errors.New("which nobody else may read; it was not made. If that is a password of yours that is an ordinary word, choose another; else please report it")

// leaks finds a secret in the parts of a bundle. The error names its place, never the secret. Each part is read once, however
// many secrets there are.
func leaks(parts []bundlePart, all secrets) error {
	type form struct{ text, of string }
	byStart := map[string][]form{}
	for _, s := range all {
		if len(bytes.TrimSpace(s.value)) < shortestSecret {
			continue
		}
		for _, text := range s.forms() {
			start := text[:shortestSecret]
			byStart[start] = append(byStart[start], form{text, s.of})
		}
	}
	for _, part := range parts {
		for at := range max(0, len(part.text)-shortestSecret+1) {
			for _, f := range byStart[part.text[at:at+shortestSecret]] {
				if strings.HasPrefix(part.text[at:], f.text) {
					return fmt.Errorf("the bundle's %s would hold something of %s, %w", part.name, f.of, errLeak)
				}
			}
		}
	}
	return nil
}
