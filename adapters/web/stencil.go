package web

import (
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
)

// stencil fills the gaps of a page that stands in a file. It takes a tenth of the room that the same page takes as code, which
// counts on the smallest board. What is filled in is a tree as encoding/json reads it; all of it is escaped. The gaps:
//
//	{path}             a value: of the innermost item that has it, else of the tree; . is the item itself
//	{!key path ...}    a text in the page's language, with values in its gaps; + in the key puts a value there
//	{~path}            a sentence of the house, in its own language
//	{$name path}       markup that a function makes
//	{?path} {:} {/}    if there is something; {?path=word}: if it is that; {?path=@path}: if both are the same
//	{*path} {/}        for each of a list
type stencil struct {
	*sheet
	make map[string]func(string) markup
}

// fill writes a text with its gaps filled from the items, the innermost last. quiet writes nothing and looks for the end. It
// returns what follows the end of a part, and which end that was.
func (s *stencil) fill(text string, items []any, quiet bool) (rest, end string) {
	for {
		before, after, found := strings.Cut(text, "{")
		if !quiet {
			s.out.WriteString(before)
		}
		if !found {
			return "", ""
		}
		tag, rest, _ := strings.Cut(after, "}")
		switch tag[:1] {
		case "/", ":":
			return rest, tag
		case "?":
			yes := quiet || s.holds(tag[1:], items)
			if rest, end = s.fill(rest, items, quiet || !yes); end == ":" {
				rest, _ = s.fill(rest, items, quiet || yes)
			}
		case "*":
			list, _ := valueAt(tag[1:], items).([]any)
			for _, item := range list {
				if !quiet {
					s.fill(rest, append(slices.Clone(items), item), false)
				}
			}
			rest, _ = s.fill(rest, items, true)
		default:
			if !quiet {
				s.one(tag, items)
			}
		}
		text = rest
	}
}

// one writes a single value.
func (s *stencil) one(tag string, items []any) {
	words := strings.Fields(tag[1:])
	switch tag[0] {
	case '!':
		key, path, more := strings.Cut(words[0], "+")
		if more {
			key += wordAt(path, items)
		}
		var gaps []any
		for _, path := range words[1:] {
			gaps = append(gaps, wordAt(path, items))
		}
		s.put("%s", s.say(key, gaps...))
	case '~':
		s.put("%s", s.reason(wordAt(tag[1:], items)))
	case '$':
		s.put("%s", s.make[words[0]](wordAt(words[1], items)))
	default:
		s.put("%s", wordAt(tag, items))
	}
}

// holds reports whether a condition is true.
func (s *stencil) holds(condition string, items []any) bool {
	path, want, compares := strings.Cut(condition, "=")
	have := wordAt(path, items)
	if other, is := strings.CutPrefix(want, "@"); is {
		want = wordAt(other, items)
	}
	return compares && have == want || !compares && have != "" && have != "false" && have != "0"
}

// valueAt is the value at a path: of the innermost item in which its first step leads anywhere.
func valueAt(path string, items []any) any {
	first, rest, deeper := strings.Cut(path, ".")
	for _, item := range slices.Backward(items) {
		fields, _ := item.(map[string]any)
		switch value, there := fields[first]; {
		case path == "." && fields == nil:
			return item
		case there && deeper:
			return valueAt(rest, []any{value})
		case there:
			return value
		}
	}
	return nil
}

// wordAt is the value at a path as it is written; nothing for what is not there. A list counts its items, an object is yes.
func wordAt(path string, items []any) string {
	switch v := valueAt(path, items).(type) {
	case string:
		return v
	case float64:
		return fixed(v)
	case nil:
		return ""
	case []any:
		return strconv.Itoa(len(v))
	case map[string]any:
		return "true"
	default:
		return fmt.Sprint(v)
	}
}

// asText is a text as HTML.
func asText(text string) markup { return markup(html.EscapeString(text)) }
