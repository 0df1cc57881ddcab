package uplink

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	lookPath   = "/api/homesdata" // answers 401 or 403 with the vendor's JSON error to a caller without token
	userAgent  = "Veilleuse"
	maxReply   = 256 << 10 // bytes of status line, headers and body that are read at most
	maxBody    = 64 << 10
	maxMessage = 80 // characters of a foreign text that are shown

	// Of the vendor's JSON error.
	codeUsage = 26 // quota used up
	codeBusy  = 11 // with 429: too many requests at once
)

// get asks for path and returns the status line with headers, and the body as far as it came. The
// request holds nothing but the host, the path and the name of this program.
func get(ctx context.Context, conn net.Conn, scheme, host, path string) (*http.Response, []byte, error) {
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	request := &http.Request{
		Method: http.MethodGet,
		URL:    &url.URL{Scheme: scheme, Host: host, Path: path},
		Host:   host,
		Header: http.Header{"User-Agent": {userAgent}, "Accept": {"application/json"}},
		Close:  true,
	}
	if err := request.Write(conn); err != nil {
		return nil, nil, err
	}
	response, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxReply)), request)
	if err != nil {
		return nil, nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	return response, body, err
}

// askAPI makes the one request of a climb.
func askAPI(ctx context.Context, conn net.Conn, s settings, now time.Time) reply {
	scheme := "http"
	if s.secure {
		scheme = "https"
	}
	began := time.Now()
	response, body, err := get(ctx, conn, scheme, s.authority(), lookPath)
	r := readReply(response, body, err, s.host, now)
	r.took = time.Since(began)
	return r
}

// readReply says what an answer was.
func readReply(response *http.Response, body []byte, err error, host string, now time.Time) reply {
	r := reply{asked: true}
	if response == nil {
		r.failure = failureOf(err)
		return r
	}
	r.status = response.StatusCode
	r.retryAfter = retryAfter(response.Header.Get("Retry-After"), now)
	r.date, _ = http.ParseTime(response.Header.Get("Date"))
	r.elsewhere = elsewhere(response, host)
	if err != nil {
		r.failure, r.inBody = failureOf(err), true
		if r.failure == closed || r.failure == reset {
			r.failure, r.content = none, cut
			return r
		}
	}
	r.content, r.code, r.message = read(body, response.Header.Get("Content-Type"))
	return r
}

// read says what a body looks like. The vendor's error is an object with code and message, or a word.
func read(body []byte, contentType string) (content, int, string) {
	body = bytes.TrimSpace(body)
	var shape struct {
		Error json.RawMessage `json:"error"`
		Body  json.RawMessage `json:"body"`
	}
	err := json.Unmarshal(body, &shape)
	var syntax *json.SyntaxError
	switch {
	case len(body) == 0:
		return nothing, 0, ""
	case body[0] == '<' || strings.Contains(contentType, "text/html"):
		return page, 0, ""
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(body)) && (body[0] == '{' || body[0] == '['):
		return cut, 0, ""
	case !json.Valid(body):
		return otherText, 0, ""
	case len(shape.Error) == 0 && homeless(shape.Body):
		return noHomes, 0, ""
	case len(shape.Error) == 0:
		return jsonText, 0, ""
	}
	var object struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(shape.Error, &object) == nil && bytes.HasPrefix(shape.Error, []byte("{")) {
		return refusal, object.Code, clean(object.Message)
	}
	var word string
	if json.Unmarshal(shape.Error, &word) == nil && word != "" {
		return refusal, 0, clean(word)
	}
	return jsonText, 0, ""
}

// homeless reports whether the body of a good answer lists homes, and none.
func homeless(body json.RawMessage) bool {
	var list struct {
		Homes []json.RawMessage `json:"homes"`
	}
	return json.Unmarshal(body, &list) == nil && list.Homes != nil && len(list.Homes) == 0
}

// clean makes a foreign text fit to be shown in one line.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > maxMessage {
		text = string(runes[:maxMessage]) + "..."
	}
	return text
}

// elsewhere returns the host that a redirect leads to, "" if it is the same host or none.
func elsewhere(response *http.Response, host string) string {
	if response.StatusCode < 300 || response.StatusCode > 399 {
		return ""
	}
	to, err := url.Parse(response.Header.Get("Location"))
	if err != nil || to.Hostname() == "" || strings.EqualFold(to.Hostname(), host) {
		return ""
	}
	return clean(to.Hostname())
}

// retryAfter reads the header as seconds or as a date; 0 if there is none.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(strings.TrimSpace(text), 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
