package web

import (
	"html"
	"strings"
	"sync"
	"unicode/utf8"
)

// The rules say their reasons in English, and those words are the same on the page, in the log and over MQTT. A French page
// translates them by a small grammar: a sentence fits a phrase of its class, letter by letter but for the gaps, and each gap takes
// what fits its own class. A sentence that fits no phrase as a whole stays English and says so: nothing is half translated.

// Bounds of a translation. A sentence that takes longer stays English.
const (
	longestReason = 2000  // bytes
	mostTries     = 30000 // phrases held against pieces of one sentence; long ones of the rules take 5000
	deepest       = 12    // gaps in gaps
	mostKept      = 500   // texts whose French is remembered
)

// Marks around words that are nobody's to translate: what an operating system or another program said.
const (
	foreignBegins = "\x02"
	foreignEnds   = "\x03"
)

// translator knows the French of the reasons.
type translator struct {
	phrases map[string][]phrase
	mu      sync.Mutex
	known   map[string]string // French by class and English; "" where there is none
}

// translators reads the phrases when the first French page is asked for: most houses have one language.
var translators = sync.OnceValue(func() *translator { return newTranslator(unpacked(theReasons)[theReasons]) })

func newTranslator(text string) *translator {
	return &translator{phrases: readPhrases(text), known: map[string]string{}}
}

// reason is a sentence of the rules in the language of the page. One without a French form is English, and says so to those who
// read aloud.
func (p *sheet) reason(text string) markup { return p.word("reason", text) }

// word is what is said of that class in the language of the page: the classes are those of the grammar.
func (p *sheet) word(class, text string) markup {
	if p.in == english || text == "" {
		return markup(html.EscapeString(text))
	}
	if said, ok := translators().french(class, text); ok {
		said = strings.ReplaceAll(html.EscapeString(said), foreignBegins, `<span lang="en">`)
		return markup(strings.ReplaceAll(said, foreignEnds, "</span>"))
	}
	return markup(`<span lang="en">` + html.EscapeString(text) + `</span>`)
}

// plainFrench is a sentence of the rules in French, for where no marks can be; "" if there is none.
func plainFrench(text string) string {
	said, _ := translators().french("reason", text)
	return strings.ReplaceAll(strings.ReplaceAll(said, foreignBegins, ""), foreignEnds, "")
}

// french is a text of that class in French; false: there is no phrase for it.
func (t *translator) french(class, text string) (string, bool) {
	if len(text) > longestReason || !utf8.ValidString(text) || strings.ContainsAny(text, foreignBegins+foreignEnds) {
		return "", false
	}
	t.mu.Lock()
	said, known := t.known[class+"\n"+text]
	t.mu.Unlock()
	if known {
		return said, said != ""
	}
	r := parsing{phrases: t.phrases, seen: map[string]string{}}
	said, _ = r.read(class, text, 0)
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= mostKept {
		clear(t.known)
	}
	t.known[class+"\n"+text] = said
	return said, said != ""
}

// parsing is one sentence being read.
type parsing struct {
	phrases map[string][]phrase
	seen    map[string]string // French by class and piece; "" where there is none
	tries   int
}

// read is the French of a text of that class; false if it is none.
func (r *parsing) read(class, text string, depth int) (string, bool) {
	if isPlain(class) {
		return r.plain(class, text, depth)
	}
	if text == "" || depth > deepest {
		return "", false
	}
	key := class + "\n" + text
	if said, known := r.seen[key]; known {
		return said, said != ""
	}
	said, ok := r.fit(class, text, depth)
	if first := text[0]; !ok && first >= 'A' && first <= 'Z' { // a sentence that stands alone begins with a capital
		if said, ok = r.fit(class, string(first+'a'-'A')+text[1:], depth); ok {
			said = capital(said)
		}
	}
	if r.tries < mostTries {
		r.seen[key] = said
	}
	return said, ok
}

func (r *parsing) fit(class, text string, depth int) (string, bool) {
	phrases := r.phrases[class]
	for i := range phrases {
		f := &phrases[i]
		if r.tries++; r.tries > mostTries {
			return "", false
		}
		if !f.mayBe(text) {
			continue
		}
		filled := make([]string, len(f.gaps))
		if r.fill(f, text[len(f.words[0]):], filled, 0, depth) {
			return f.say(filled), true
		}
	}
	return "", false
}

// fill finds what stands in the gaps of a phrase, from the one of that number on; text begins with it.
func (r *parsing) fill(f *phrase, text string, filled []string, at, depth int) bool {
	if at == len(f.gaps) {
		return text == ""
	}
	next, last := f.words[at+1], at == len(f.gaps)-1
	for end := 0; end <= len(text); end++ {
		if last {
			if end = len(text) - len(next); end < 0 || text[end:] != next {
				return false
			}
		} else if found := strings.Index(text[end:], next); found < 0 {
			return false
		} else {
			end += found
		}
		if r.tries++; r.tries > mostTries {
			return false
		}
		if said, ok := r.read(f.gaps[at].class, text[:end], depth+1); ok {
			filled[at] = said
			if r.fill(f, text[end+len(next):], filled, at+1, depth) {
				return true
			}
		}
		if last {
			return false
		}
	}
	return false
}

// capital begins a sentence with a capital letter.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return strings.ToUpper(string(first)) + text[size:]
}
