package web

import (
	"sort"
	"strings"
)

// theReasons is the grammar: "[class]" begins a class, a line of it is a phrase, English | French, with gaps as in {time}. A gap
// names its class; a second one of the same class in a phrase is {time.2}. Lines with # and empty ones say nothing.
const theReasons = "reasons.fr.txt"

// phrase is one line: English words with gaps between them, and the French with the same gaps in any order.
type phrase struct {
	words  []string // one more than there are gaps
	gaps   []gap
	french []spoken
	weight int // bytes of words
}

// gap is a place in the English.
type gap struct{ name, class string }

// spoken is a piece of the French: words, then what stands in a gap.
type spoken struct {
	words string
	gap   int // -1: none follows
}

// readPhrases reads the grammar. Within a class the phrase with the most words of its own is tried first.
func readPhrases(text string) map[string][]phrase {
	all := map[string][]phrase{}
	class := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if name, ok := strings.CutPrefix(line, "["); ok {
			class = strings.TrimSuffix(name, "]")
		} else if english, french, ok := strings.Cut(line, " | "); ok && !strings.HasPrefix(line, "#") {
			all[class] = append(all[class], phraseOf(english, french))
		}
	}
	for _, phrases := range all {
		sort.SliceStable(phrases, func(a, b int) bool { return phrases[a].weight > phrases[b].weight })
	}
	return all
}

func phraseOf(english, french string) phrase {
	var f phrase
	for rest := english; ; {
		words, name, after := cutGap(rest)
		f.words, f.weight = append(f.words, words), f.weight+len(words)
		if name == "" {
			break
		}
		class, _, _ := strings.Cut(name, ".")
		f.gaps = append(f.gaps, gap{name, class})
		rest = after
	}
	for rest := french; ; {
		words, name, after := cutGap(rest)
		at := len(f.gaps) - 1
		for at >= 0 && f.gaps[at].name != name {
			at--
		}
		f.french = append(f.french, spoken{unbroken(words, "°C", "%"), at})
		if name == "" {
			return f
		}
		rest = after
	}
}

// unbroken sets the spaces at which French ends no line: before its own marks, and those that are named.
func unbroken(text string, more ...string) string {
	for _, mark := range append(more, ";", ":", "?", "!", "»") {
		text = strings.ReplaceAll(text, " "+mark, nbsp+mark)
	}
	return strings.ReplaceAll(text, "« ", "«"+nbsp)
}

// cutGap cuts a text at its first gap. A brace that nobody shuts, or with anything but a name in it, is a brace.
func cutGap(text string) (words, name, after string) {
	for at := range len(text) {
		if text[at] != '{' {
			continue
		}
		if name, after, ok := strings.Cut(text[at+1:], "}"); ok && name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz.0123456789") == "" {
			return text[:at], name, after
		}
	}
	return text, "", ""
}

// mayBe reports whether a text begins and ends as the phrase does and has its words in their order.
func (f *phrase) mayBe(text string) bool {
	last := len(f.words) - 1
	if last == 0 {
		return text == f.words[0]
	}
	if len(text) <= len(f.words[0])+len(f.words[last]) || !strings.HasPrefix(text, f.words[0]) || !strings.HasSuffix(text, f.words[last]) {
		return false
	}
	text = text[len(f.words[0]):]
	for _, words := range f.words[1:last] {
		at := strings.Index(text, words)
		if at < 0 {
			return false
		}
		text = text[at+len(words):]
	}
	return true
}

// say is the French, with what stands in the gaps.
func (f *phrase) say(filled []string) string {
	var out strings.Builder
	for _, s := range f.french {
		out.WriteString(s.words)
		if s.gap >= 0 {
			out.WriteString(filled[s.gap])
		}
	}
	return out.String()
}
