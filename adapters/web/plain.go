package web

import "strings"

// Bounds and marks of what stands in gaps.
const (
	longestName = 200      // bytes of the name of a room or a thing in a sentence
	nbsp        = "\u00a0" // the space that French sets between a number and its unit, where no line may end
	digits      = "0123456789"
	letters     = "abcdefghijklmnopqrstuvwxyz"
)

// plain is the French of a text of a class that no list holds; false if it is none of it. These classes are name: what people and makers
// call things; list: words to type; foreign: what another program has said; number; length: of time; time.
func (r *parsing) plain(class, text string, depth int) (string, bool) {
	switch class {
	case "name":
		return text, isName(text)
	case "list":
		return text, text != "" && len(text) <= longestName && strings.Trim(strings.ToLower(text), letters+digits+"_., []") == ""
	case "foreign":
		return foreignBegins + text + foreignEnds, isForeign(text)
	case "number":
		return strings.ReplaceAll(text, ".", ","), isNumber(text)
	case "length": // 8h14m is 8 h 14 min, and "3 days" is "3 jours"
		words := strings.Fields(spaced(text))
		return r.wordByWord(class, words, depth, len(words)%2 == 0)
	}
	// "Wed 29 Oct 18:00" is "mer. 29 oct. 18:00"; 18:00 and 2025-10-29 stay as they are.
	words := strings.Split(text, " ")
	return r.wordByWord(class, words, depth, len(words) <= 5 && strings.ContainsAny(text, digits))
}

// isPlain reports whether no list holds a class.
func isPlain(class string) bool {
	switch class {
	case "name", "list", "foreign", "number", "length", "time":
		return true
	}
	return false
}

// wordByWord is the French of numbers and of words that the class has a list for: that of its name and "word".
func (r *parsing) wordByWord(class string, words []string, depth int, ok bool) (string, bool) {
	for i, word := range words {
		if isNumber(word) {
			words[i] = strings.ReplaceAll(word, ".", ",")
		} else if class != "time" || !isClock(word) {
			said, known := r.read(class+"word", word, depth+1)
			words[i], ok = said, ok && known
		}
	}
	return strings.Join(words, nbsp), ok && len(words) > 0
}

// isName reports whether a text can be the name that people or makers have given: words of an English sentence in it mean that the
// gap has swallowed what no phrase knows. A house whose names are like that keeps its English.
func isName(text string) bool {
	if text == "" || len(text) > longestName || strings.ContainsAny(text, "\n;") || strings.Contains(text, ": ") {
		return false
	}
	for _, word := range strings.Fields(text) {
		if strings.Contains(sentenceWords, " "+word+" ") {
			return false
		}
	}
	return true
}

const sentenceWords = " a an the it its this that which who nobody somebody is are was were be been has have had does did can cannot may will would not no until since says answers "

// isForeign reports whether a text can be what somebody else's program has said, and nothing of ours behind it.
func isForeign(text string) bool {
	return text != "" && len(text) <= longestReason/2 && !strings.Contains(text, "; ") && !strings.Contains(text, " since ")
}

func isNumber(text string) bool {
	whole, part, cut := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	return whole != "" && strings.Trim(whole, digits) == "" && (!cut || part != "" && strings.Trim(part, digits) == "")
}

// isClock reports whether a word is 18:00, 18:00:05, 2025-10-29 or both in one.
func isClock(word string) bool {
	return len(word) >= 4 && len(word) <= len("2006-01-02T15:04:05+01:00") && strings.ContainsAny(word, ":-") && strings.Trim(word, digits+":-TZ+") == "" && strings.Contains(digits, word[:1])
}

// spaced sets a space between numbers and units.
func spaced(text string) string {
	var out []byte
	for i := range len(text) {
		if i > 0 && isLetter(text[i]) != isLetter(text[i-1]) {
			out = append(out, ' ')
		}
		out = append(out, text[i])
	}
	return string(out)
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' }
