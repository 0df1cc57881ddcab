package notes

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// parse reads a page: "---", front matter in YAML, "---", prose. A key that Note
// does not know is an error.
func parse(page []byte) (Note, error) {
	rest, begun := bytes.CutPrefix(page, []byte("---\n"))
	head, prose, ended := bytes.Cut(rest, []byte("\n---\n"))
	if !begun || !ended {
		return Note{}, errors.New(`front matter must stand between two lines "---" at the top`)
	}
	var front struct {
		Note   `yaml:",inline"`
		Silent string `yaml:"silent-after"`
	}
	if err := unmarshal(head, &front); err != nil {
		return Note{}, fmt.Errorf("read front matter: %w", err)
	}
	silent, err := silence(front.Silent)
	if err != nil {
		return Note{}, err
	}
	note := front.Note
	note.SilentAfter = silent
	note.Prose = strings.TrimSpace(string(prose))
	if len(note.Models) == 0 || len(note.Paths) == 0 {
		return Note{}, errors.New(`models and paths must not be empty; write "via: none" if no path is known`)
	}
	return note, nil
}

// unmarshal reads YAML strictly. The library panics at some odd input (a tag before a mapping whose keys
// are numbers), which is a fault of that page only.
func unmarshal(head []byte, into any) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("not YAML that can be read: %v", broken)
		}
	}()
	return yaml.UnmarshalWithOptions(head, into, yaml.Strict())
}

// silence reads a duration with days ("8d", "90m"); "never" is 0.
func silence(text string) (time.Duration, error) {
	if text == "never" {
		return 0, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil && n > 0 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return d, nil
	}
	return 0, fmt.Errorf(`silent-after %q: write a time such as "1h" or "8d", or "never"`, text)
}
