package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// readConfig reads a configuration over the defaults. It finds every fault, each with its line and
// column and what would be right; with any fault the result is not to be used.
func readConfig(name string, content []byte) (c Config, faults []string) {
	defer func() {
		if broken := recover(); broken != nil { // the YAML library has broken on odd input before
			c, faults = Config{}, []string{fmt.Sprintf("%s: not YAML that can be read: simplify what is unusual in it", name)}
		}
	}()
	r := reader{name: name, config: defaults()}
	file, err := parser.ParseBytes(content, 0)
	if err != nil {
		return Config{}, []string{syntaxFault(name, err)}
	}
	for _, doc := range file.Docs {
		if doc.Body != nil {
			r.section("", doc.Body)
		}
	}
	if len(r.faults) == 0 {
		for _, fault := range r.config.validate() {
			r.faults = append(r.faults, name+": "+fault)
		}
	}
	return r.config, r.faults
}

type reader struct {
	name   string
	config Config
	faults []string
}

func (r *reader) fault(n ast.Node, format string, args ...any) {
	at := n.GetToken().Position
	r.faults = append(r.faults, fmt.Sprintf("%s:%d:%d: %s", r.name, at.Line, at.Column, fmt.Sprintf(format, args...)))
}

// section reads the keys of one level of the file.
func (r *reader) section(prefix string, n ast.Node) {
	all := slices.Clone(pairs(n))
	slices.SortStableFunc(all, func(a, b *ast.MappingValueNode) int { return cmp.Compare(turn(a), turn(b)) })
	for _, pair := range all {
		path := prefix + pair.Key.GetToken().Value
		switch {
		case isSection(path):
			if len(pairs(pair.Value)) == 0 && pair.Value.Type() != ast.NullType {
				r.fault(pair.Value, "%s is a section: its keys stand below it, indented", path)
			}
			r.section(path+".", pair.Value)
		default:
			r.value(path, pair)
		}
	}
	if prefix == "" && len(pairs(n)) == 0 && n.Type() != ast.NullType && n.Type() != ast.CommentType && n.Type() != ast.CommentGroupType {
		r.fault(n, "expected keys as in \"state: /var/lib/veilleuse\"")
	}
}

// turn is when a key is read: profiles before the devices that name them, wherever they stand.
func turn(pair *ast.MappingValueNode) int {
	if pair.Key.GetToken().Value == "profiles" {
		return 0
	}
	return 1
}

func (r *reader) value(path string, pair *ast.MappingValueNode) {
	at := slices.IndexFunc(keys, func(k key) bool { return k.path == path })
	if at < 0 {
		r.fault(pair.Key, "%s is no key of the configuration%s", path, suggestion(path))
		return
	}
	value := pair.Value
	if tagged, ok := value.(*ast.TagNode); ok {
		value = tagged.Value
	}
	err := keys[at].read(&r.config, value)
	if err == nil {
		return
	}
	for _, one := range within(path, pair.Value, splitErrors(err)) {
		var p placed
		errors.As(one, &p)
		r.fault(p.at, "%v", p.err)
	}
}

func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

func isSection(path string) bool {
	return slices.ContainsFunc(keys, func(k key) bool { return strings.HasPrefix(k.path, path+".") })
}

// suggestion names the key that was probably meant.
func suggestion(path string) string {
	best, least := "", 4
	for _, k := range keys {
		if d := distance(path, k.path); d < least {
			best, least = k.path, d
		}
	}
	for _, k := range keys {
		if _, last, _ := strings.Cut(k.path, "."); best == "" && last == path {
			best = k.path
		}
	}
	if best == "" {
		return "; the README lists them all: https://github.com/veilleuse/veilleuse"
	}
	return "; did you mean " + best + "?"
}

// distance is Levenshtein's: how many letters must change.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// accessories reads the list of accessories.
func accessories(c *Config, n ast.Node) error {
	list, ok := n.(*ast.SequenceNode)
	if !ok {
		return fmt.Errorf("expected a list, each item with id, address and room")
	}
	for i, item := range list.Values {
		var a AccessoryConfig
		for _, pair := range pairs(item) {
			if err := a.read(pair); err != nil {
				return fmt.Errorf("item %d: %w", i+1, err)
			}
		}
		if err := homeKitID(a.ID); err != nil {
			return fmt.Errorf("item %d: id: %w", i+1, err)
		}
		c.Accessories = append(c.Accessories, a)
	}
	return nil
}

func (a *AccessoryConfig) read(pair *ast.MappingValueNode) error {
	name := pair.Key.GetToken().Value
	value, err := stringOf(pair.Value)
	if err != nil {
		return err
	}
	switch name {
	case "id":
		a.ID = strings.ToUpper(value)
	case "address":
		a.Address, err = value, address(value)
	case "room":
		a.Room = value
	case "siren":
		if a.Siren, err = flagOf(pair.Value); err != nil {
			err = fmt.Errorf("siren: %w", err)
		}
	default:
		err = fmt.Errorf("%s is no key of an accessory; it has id, address, room and siren", name)
	}
	return err
}

// syntaxError is what the YAML parser's faults are. The package that names their type brings its whole decoder with it,
// a seventh of a megabyte.
type syntaxError interface {
	error
	GetToken() *token.Token
	GetMessage() string
}

// syntaxFault makes one sentence of what the YAML parser draws as a picture.
func syntaxFault(name string, err error) string {
	var syntax syntaxError
	if errors.As(err, &syntax) {
		at := syntax.GetToken().Position
		return fmt.Sprintf("%s:%d:%d: not YAML: %s; mind the indentation and the blank after each colon", name, at.Line, at.Column, syntax.GetMessage())
	}
	return fmt.Sprintf("%s: not YAML: %v", name, err)
}

// faultError joins faults, one a line.
func faultError(faults []string) error { return errors.New(strings.Join(faults, "\n")) }
