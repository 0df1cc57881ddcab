package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/veilleuse/veilleuse/adapters/mqtt"
	"github.com/veilleuse/veilleuse/gateway"
)

// mask puts pseudonyms in the place of what tells who lives in a house and where. The same thing has the same pseudonym
// everywhere, and in every bundle of the same house.
type mask struct {
	key     []byte // of the pseudonyms: whoever does not have it cannot try out all hardware addresses
	names   bool   // names of home, rooms and devices stay
	state   gateway.State
	words   map[string]string // what stands for it
	byFirst map[byte][]string // words by their first byte, the longest first; nil: to be made
	common  map[string]bool   // words of our own that say nothing of anybody, and names that stay
	given   map[string]bool   // pseudonyms
	seen    secrets           // addresses that were replaced
}

func newMask(key []byte, s gateway.State, names bool) *mask {
	m := &mask{key: key, names: names, state: s, words: map[string]string{}, common: map[string]bool{}, given: map[string]bool{}}
	for own := range strings.FieldsSeq("veilleuse Veilleuse netatmo Netatmo homekit HomeKit mqtt MQTT localhost") {
		m.common[own] = true
	}
	return m
}

// shortestMasked is the least number of characters of what is replaced; a number has at least five digits.
const shortestMasked = 2

// pseudonym stands for a thing, in whatever spelling.
func (m *mask) pseudonym(kind, thing string) string {
	sum := hmac.New(sha256.New, m.key)
	sum.Write([]byte(plainly(thing)))
	stands := kind + "-" + hex.EncodeToString(sum.Sum(nil)[:3])
	m.given[stands] = true
	return stands
}

// plainly is an id or a name without what its spellings differ in.
func plainly(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}

// learn has all spellings of ids replaced by the pseudonym of one thing.
func (m *mask) learn(kind, thing string, ids ...string) {
	for _, id := range ids {
		m.spell(kind, thing, id, strings.ToLower(id), strings.ToUpper(id), mqtt.Form(id), strings.ToLower(strings.ReplaceAll(id, ":", "")))
	}
}

// name has names replaced, unless names are to stay.
func (m *mask) name(kind, thing string, names ...string) {
	for _, n := range names {
		if m.names {
			m.common[n] = true
		} else if kind != "" {
			m.spell(kind, thing, n, withinQuotes(n))
		}
	}
}

// withinQuotes is a text as it stands between quotation marks.
func withinQuotes(text string) string {
	q := strconv.Quote(text)
	return q[1 : len(q)-1]
}

// spell learns words. Of two things with the same name the word says one, whichever is learnt first.
func (m *mask) spell(kind, thing string, words ...string) {
	stands := m.pseudonym(kind, thing)
	for _, w := range words {
		if other, known := m.words[w]; m.tells(w) && (!known || stands < other) {
			m.words[w], m.byFirst = stands, nil
		}
	}
}

// tells reports whether a word says anything of somebody. Who calls a room "5" is not found by it.
func (m *mask) tells(word string) bool {
	_, err := strconv.Atoi(word)
	return utf8.RuneCountInString(word) >= shortestMasked && (err != nil || len(word) > 4) && strings.ContainsFunc(word, isWord)
}

// fields makes what names the fields of a JSON file words of our own: a sensor that is called temperature is not worth
// a report that nobody can read.
func (m *mask) fields(p bundlePart) {
	for line := range strings.Lines(p.text) {
		if name, _, ok := strings.Cut(strings.TrimLeft(line, " "), `": `); ok && name[0] == '"' {
			m.common[name[1:]] = true
		}
	}
}

// masked is a text in which everything that was learnt, and whatever looks like an address, is replaced.
func (m *mask) masked(text string) string {
	return addressShape.ReplaceAllStringFunc(m.replaceWords(text), m.address)
}

// replaceWords replaces whole words only: the room Bad is none in Badge.
func (m *mask) replaceWords(text string) string {
	var out strings.Builder
	within, escaped := false, false // a word; what follows a backslash
	for len(text) > 0 {
		if word := m.wordAt(text); !within && word != "" {
			out.WriteString(m.words[word])
			text, escaped = text[len(word):], false
			continue
		}
		r, n := utf8.DecodeRuneInString(text)
		out.WriteString(text[:n])
		within, escaped = isWord(r) && !escaped, r == '\\' && !escaped
		text = text[n:]
	}
	return out.String()
}

// wordAt is the longest word that the text begins with.
func (m *mask) wordAt(text string) string {
	if m.byFirst == nil {
		m.byFirst = map[byte][]string{}
		for w := range m.words {
			m.byFirst[w[0]] = append(m.byFirst[w[0]], w)
		}
		for _, all := range m.byFirst {
			slices.SortFunc(all, func(a, b string) int { return len(b) - len(a) })
		}
	}
	for _, w := range m.byFirst[text[0]] {
		if rest, ok := strings.CutPrefix(text, w); ok && !m.common[w] {
			if next, _ := utf8.DecodeRuneInString(rest); !isWord(next) {
				return w
			}
		}
	}
	return ""
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// addressShape is whatever looks like an address or an id: of hardware, of people, of computers, of Netatmo's, and what a
// line of the log says of people and programs by a name that they gave themselves.
var addressShape = regexp.MustCompile(`(?i)\b[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}\b` +
	`|[\w.+-]+@[\w-]+(?:\.[\w-]+)+` +
	`|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\b[0-9a-f]{24}\b` +
	`|\b\d{1,3}(?:\.\d{1,3}){3}\b|[0-9a-f]*:[0-9a-f:.]*:[0-9a-f:.]*` +
	`|\b[\w-]+\.(?:local|lan|home|box|internal)\b` +
	`|ended with exit status \d+: (?:[^"\\\n]|\\.)*` + // what a program of the user's says
	`|\b(?:client|user|controller|by|accessory|camera|viewer|homes|served)=(?:"(?:[^"\\]|\\.)*"|\S+)`)

// address is what stands for something of that shape.
func (m *mask) address(found string) string {
	name, said, isSaid := strings.Cut(found, "=")
	switch {
	case strings.HasPrefix(found, "ended with"):
		return "ended badly; what it said is left out"
	case isSaid && m.given[strings.Trim(said, `"`)]:
		return found
	case isSaid:
		return name + "=" + m.pseudonym("name", said)
	case strings.Contains(found, "@"):
		return m.unseen("mail", found)
	case strings.Count(found, ":") > 1 || strings.Count(found, ".") == 3:
		return m.network(found)
	case strings.Contains(found, "."):
		return m.pseudonym("host", found)
	}
	return m.unseen("id", found)
}

// network is what stands for an address of a computer or of hardware; a time of the day stays.
func (m *mask) network(found string) string {
	if len(found) == len("70:ee:50:12:34:56") && strings.Count(found, ":") == 5 {
		return m.unseen("id", found)
	}
	bare := strings.Trim(found, ":.")
	for _, text := range []string{found, bare} {
		ip, err := netip.ParseAddr(text)
		switch {
		case err != nil:
			continue
		case ip.IsLoopback() || ip.IsUnspecified():
			return found
		case ip.IsPrivate() || ip.IsLinkLocalUnicast() || ip.IsMulticast():
			return strings.Replace(found, text, m.pseudonym("lan", text), 1)
		}
		return strings.Replace(found, text, m.unseen("internet", text), 1)
	}
	return found
}

// unseen is the pseudonym of what must not be left in any other form.
func (m *mask) unseen(kind, found string) string {
	known := len(m.given)
	stands := m.pseudonym(kind, found)
	if len(m.given) > known {
		m.seen.add("an address that is nobody else's business", found)
		m.seen.add("an address that is nobody else's business", plainly(found))
	}
	return stands
}

// present leaves out the words of decisions about a room or device that is not there any more: under what name it went,
// nobody knows now.
func (m *mask) present(all []gateway.Decision) []gateway.Decision {
	kept := slices.Clone(all)
	for i, d := range kept {
		if !m.names && !m.isThere(string(d.Room), string(d.Device)) {
			kept[i].What, kept[i].Why = goneWords, ""
		}
	}
	return kept
}

const goneWords = "left out: it is about something that is not there any more"

func (m *mask) isThere(room, device string) bool {
	_, roomIs := m.state.Rooms.Get(gateway.RoomID(room))
	_, deviceIs := m.state.Device(gateway.DeviceID(device))
	return (room == "" || roomIs) && (device == "" || deviceIs)
}

// presentLines does the same for lines of the log.
func (m *mask) presentLines(text string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for _, subject := range []string{" room=", " device="} {
			_, rest, _ := strings.Cut(line, subject)
			id, _, _ := strings.Cut(strings.Trim(rest, "\"\n"), " ")
			id = strings.Trim(id, `"`)
			if !m.names && !m.isThere(id, "") && !m.isThere("", id) {
				line = goneWords + "\n"
			}
		}
		out.WriteString(line)
	}
	return out.String()
}
