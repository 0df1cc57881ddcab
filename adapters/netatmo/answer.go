package netatmo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// answer is what the vendor says in a well-formed answer.
type answer struct {
	at     time.Time // the vendor's clock; zero if it does not say
	body   attributes
	errors []deviceError // body.errors: parts that failed though the whole is ok
}

// deviceError is one entry of body.errors. Its codes mean other things than those of a refusal.
type deviceError struct {
	device  string
	code    int
	message string
}

// Codes of body.errors (openHAB NetatmoConstants, ioBroker netatmoLib, go-netatmo errors.go).
const (
	deviceUnreachable = 6
	deviceLost        = 19 // "module unreachable"
	deviceAlready     = 23 // "Already on"
	deviceOffline     = 41
)

// refusal is the vendor's own word that it does not do what was asked.
type refusal struct {
	status  int // of HTTP
	code    int // -1 if there is none
	message string
}

// Codes of a refusal (Netatmo-API-PHP NARestErrorCode, openHAB).
const (
	codeNone          = -1
	codeBroken        = 0 // "failed to connect to server": the vendor's own database is gone
	codeTokenMissing  = 1
	codeTokenInvalid  = 2 // also reported during outages
	codeTokenExpired  = 3
	codeDeactivated   = 5
	codeNothingToDo   = 7
	codeNotFound      = 9
	codeMissing       = 10
	codeBusy          = 11
	codeForbidden     = 13
	codeInvalid       = 21
	codeUsage         = 26
	codeUnavailable   = 27
	codeGrantInvalid  = 30
	codeNoMethod      = 31
	codeBadJSON       = 40
	codeDeviceOffline = 41
)

// Error is the refusal in the words of the vendor, with its number.
func (r refusal) Error() string {
	switch {
	case r.code == codeNone && r.message == "":
		return fmt.Sprintf("%d without a reason", r.status)
	case r.code == codeNone:
		return fmt.Sprintf("%d %s", r.status, r.message)
	case r.message == "":
		return fmt.Sprintf("%d code %d", r.status, r.code)
	}
	return fmt.Sprintf("%d code %d %s", r.status, r.code, r.message)
}

// badAnswer is an answer that is not the vendor's JSON. Its text says what it is instead.
type badAnswer struct {
	status int
	what   string
}

// Error says what came in place of an answer.
func (b badAnswer) Error() string { return fmt.Sprintf("%d with %s", b.status, b.what) }

// readAnswer reads one answer of the vendor's API. The error is a refusal or a badAnswer.
func readAnswer(status int, data []byte) (answer, error) {
	whole, err := readWhole(status, data)
	if err != nil {
		return answer{}, err
	}
	if raw := whole.first("error"); raw != nil {
		return answer{}, readRefusal(status, raw)
	}
	if status >= 300 {
		return answer{}, refusal{status: status, code: codeNone}
	}
	if word := whole.text("status"); word != "" && word != "ok" {
		return answer{}, badAnswer{status, "status " + shorten(word)}
	}
	body := whole.object("body")
	return answer{at: whole.time("time_server"), body: body, errors: readDeviceErrors(body)}, nil
}

func readWhole(status int, data []byte) (attributes, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	whole := readObject(data)
	switch {
	case whole != nil:
		return whole, nil
	case len(data) == 0:
		return nil, badAnswer{status, "nothing"}
	case data[0] == '<':
		return nil, badAnswer{status, "HTML"}
	case data[0] == '{' && isCut(data):
		return nil, badAnswer{status, "a cut answer"}
	}
	return nil, badAnswer{status, "something other than JSON"}
}

// isCut reports whether data is the beginning of a JSON text.
func isCut(data []byte) bool {
	var any json.RawMessage
	var syntax *json.SyntaxError
	return errors.As(json.Unmarshal(data, &any), &syntax) && syntax.Offset >= int64(len(data))
}

// readRefusal reads error as an object with code and message, or as one word.
func readRefusal(status int, raw json.RawMessage) refusal {
	r := refusal{status: status, code: codeNone}
	if word := textOf(raw); word != "" {
		r.message = shorten(word)
		return r
	}
	o := readObject(raw)
	if n, ok := o.number("code"); ok {
		r.code = int(n)
	}
	r.message = shorten(o.text("message"))
	return r
}

func readDeviceErrors(body attributes) []deviceError {
	var all []deviceError
	for _, e := range body.objects("errors") {
		code, ok := e.number("code")
		if !ok {
			code = codeNone
		}
		all = append(all, deviceError{device: e.text("id"), code: int(code), message: shorten(e.text("message"))})
	}
	return all
}

// shorten makes a text of the vendor's fit for one line of a log.
func shorten(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	if r := []rune(text); len(r) > 120 {
		return string(r[:120]) + "…"
	}
	return text
}
