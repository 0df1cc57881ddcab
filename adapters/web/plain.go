package web

import (
	"slices"
	"strings"
)

// longestName is how many bytes the name of a room or a thing in a sentence may have.
const longestName = 200

// nbsp is the space that French sets between a number and its unit, where no line may end.
const nbsp = "\u00a0"

// plainClasses are the classes of gaps that no list holds: each says the French of a text, or that it is none of it.
var plainClasses = map[string]func(string) (string, bool){
	"name": func(text string) (string, bool) { return text, isName(text) },
	"list": func(text string) (string, bool) {
		return text, text != "" && len(text) <= longestName && strings.Trim(strings.ToLower(text), "abcdefghijklmnopqrstuvwxyz_0123456789., []") == ""
	},
	"foreign": func(text string) (string, bool) { return foreignBegins + text + foreignEnds, isForeign(text) },
	"number":  numberInFrench,
	"length":  lengthInFrench,
	"time":    timeInFrench,
}

// isName reports whether a text can be the name that people or makers have given: words of an English sentence in it mean that the
// gap has swallowed what no phrase knows. A house whose names are like that keeps its English.
func isName(text string) bool {
	if text == "" || len(text) > longestName || strings.ContainsAny(text, "\n;") || strings.Contains(text, ": ") {
		return false
	}
	return !slices.ContainsFunc(strings.Fields(text), func(word string) bool { return slices.Contains(sentenceWords, word) })
}

// isForeign reports whether a text can be what somebody else's program has said, and nothing of ours behind it.
func isForeign(text string) bool {
	return text != "" && len(text) <= longestReason/2 && !strings.Contains(text, "; ") && !strings.Contains(text, " since ")
}

var sentenceWords = strings.Fields("a an the it its this that which who nobody somebody is are was were be been has have had does did can cannot may will would not no and or but of to for from by with since until over at")

// numberInFrench writes 19.5 as 19,5.
func numberInFrench(text string) (string, bool) {
	digits := strings.TrimPrefix(text, "-")
	whole, part, cut := strings.Cut(digits, ".")
	if !onlyDigits(whole) || cut && !onlyDigits(part) {
		return "", false
	}
	return strings.Replace(text, ".", ",", 1), true
}

func onlyDigits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

// lengthUnits are units of time, as they are written at a number and behind a space.
var lengthUnits = map[string]string{"h": "h", "m": "min", "s": "s", "ms": "ms", "min": "min", "d": "j", "days": "jours", "hours": "heures", "minutes": "minutes", "years": "ans"}

// lengthInFrench writes 8h14m as 8 h 14 min, and "3 days" as "3 jours".
func lengthInFrench(text string) (string, bool) {
	var words []string
	for rest := text; rest != ""; {
		at := strings.IndexFunc(rest, func(r rune) bool { return r != '.' && (r < '0' || r > '9') })
		if at <= 0 {
			return "", false
		}
		n, ok := numberInFrench(rest[:at])
		rest = strings.TrimPrefix(rest[at:], " ")
		end := strings.IndexFunc(rest, func(r rune) bool { return r < 'a' || r > 'z' })
		if end < 0 {
			end = len(rest)
		}
		unit := lengthUnits[rest[:end]]
		if !ok || unit == "" {
			return "", false
		}
		words, rest = append(words, n+nbsp+unit), rest[end:]
	}
	return strings.Join(words, nbsp), len(words) > 0
}

// timeInFrench writes "Wed 29 Oct 18:00" as "mer. 29 oct. 18:00", and leaves 18:00 and 2025-10-29 18:00 as they are.
func timeInFrench(text string) (string, bool) {
	words := strings.Split(text, " ")
	numbers := 0
	for i, word := range words {
		day, month := slices.Index(days[english][:], word), slices.IndexFunc(months[english][:], func(m string) bool { return word == m })
		switch {
		case day >= 0:
			words[i] = days[french][day]
		case month >= 0:
			words[i] = months[french][month]
		case longMonths[word] != "":
			words[i] = longMonths[word]
		case isClock(word) || len(word) <= 4 && onlyDigits(word):
			numbers++
		default:
			return "", false
		}
	}
	return strings.Join(words, nbsp), numbers > 0 && len(words) <= 5
}

var longMonths = map[string]string{"January": "janvier", "February": "février", "March": "mars", "April": "avril", "June": "juin", "July": "juillet",
	"August": "août", "September": "septembre", "October": "octobre", "November": "novembre", "December": "décembre"}

// isClock reports whether a word is 18:00, 18:00:05, 2025-10-29 or both in one.
func isClock(word string) bool {
	return len(word) >= 4 && len(word) <= len("2006-01-02T15:04:05+01:00") && strings.ContainsAny(word, ":-") && strings.Trim(word, "0123456789:-TZ+") == "" && word[0] >= '0' && word[0] <= '9'
}
