package notes

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
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
		Note
		Silent string `json:"silent-after"`
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

// unmarshal reads YAML strictly, as the JSON of the same shape: the program has a decoder for that, and a second one would
// cost it a seventh of a megabyte. The library panics at some odd input, which is a fault of that page only.
func unmarshal(head []byte, into any) (err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("not YAML that can be read: %v", broken)
		}
	}()
	file, err := parser.ParseBytes(head, 0)
	if err != nil {
		return err
	}
	if len(file.Docs) != 1 {
		return fmt.Errorf("%d documents in place of one", len(file.Docs))
	}
	plain, err := plainOf(file.Docs[0].Body)
	if err != nil {
		return err
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return err
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	return decoder.Decode(into)
}

// plainOf is a part of a page as JSON has it.
func plainOf(n ast.Node) (any, error) {
	switch n := n.(type) {
	case *ast.MappingNode:
		return plainMap(n.Values)
	case *ast.MappingValueNode:
		return plainMap([]*ast.MappingValueNode{n})
	case *ast.SequenceNode:
		all := []any{}
		for _, one := range n.Values {
			value, err := plainOf(one)
			if err != nil {
				return nil, err
			}
			all = append(all, value)
		}
		return all, nil
	case ast.ScalarNode:
		return n.GetValue(), nil
	}
	return nil, fmt.Errorf("line %d: only texts, numbers, lists and keys with values are read", n.GetToken().Position.Line)
}

func plainMap(pairs []*ast.MappingValueNode) (any, error) {
	all := map[string]any{}
	for _, pair := range pairs {
		value, err := plainOf(pair.Value)
		if err != nil {
			return nil, err
		}
		all[pair.Key.GetToken().Value] = value
	}
	return all, nil
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
