package camera

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// Limits of what is asked of a camera and taken from it.
const (
	commandPatience = 5 * time.Second
	picturePatience = 10 * time.Second // it comes within 5 s, or the Home app shows nothing
	maxAnswer       = 64 << 10         // bytes
	maxPicture      = 8 << 20          // bytes; real ones have 240 000
)

// The ways in which a camera can fail to answer. All are words for people without address or key.
var (
	errKey     = errors.New("it does not accept the key that we know; the cloud tells the new one")
	errOther   = errors.New("something else answers at its address")
	errMissing = errors.New("its firmware does not know this command")
	errSilent  = errors.New("it does not answer")
)

// refusal is the camera's own error.
type refusal struct {
	code    int
	message string
}

// Error is the refusal in words.
func (r refusal) Error() string { return fmt.Sprintf("it refuses: %s (code %d)", r.message, r.code) }

// alreadySo is the code with which a camera refuses to become what it is (Presence, firmware "noc").
const alreadySo = 7

// client asks cameras. It goes through no proxy, follows no redirect, and dials nothing but what
// mayDial allows.
type client struct {
	http            *http.Client
	patience        time.Duration // with a command
	picturePatience time.Duration
}

func newClient(loopback bool) client {
	dialer := &net.Dialer{
		Timeout: commandPatience,
		Control: func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil {
				return err
			}
			return mayDial(to, loopback)
		},
	}
	c := client{patience: commandPatience, picturePatience: picturePatience}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			DisableKeepAlives:      true, // asked once a minute; a camera has few connections to give
			DisableCompression:     true,
			MaxResponseHeaderBytes: 16 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// answer is what came back: a status and a body that is no web page.
type answer struct {
	status int
	body   []byte
}

// get asks one route of a camera. Errors are words for people.
func (c client) get(ctx context.Context, to way, route string, query url.Values, limit int64) (answer, error) {
	address := url.URL{Scheme: "http", Host: to.Address.String(), Path: "/" + to.Key + "/" + route, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return answer{}, errSilent // the reason would hold the key
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, plain(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, limit+1))
	if err != nil {
		return answer{}, plain(err)
	}
	if int64(len(body)) > limit {
		return answer{}, fmt.Errorf("it answers with more than %d bytes", limit)
	}
	return answer{response.StatusCode, body}, judge(response.StatusCode, response.Header.Get("Content-Type"), body)
}

// judge tells a camera's answer from a web page. Cameras give their error page for a route they do not
// know, at times with status 200, and so does whatever else may live at their old address.
func judge(status int, contentType string, body []byte) error {
	page := strings.HasPrefix(strings.ToLower(contentType), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errKey
	case status >= 300 && status < 400:
		return errOther
	case page || status == http.StatusNotFound:
		return errMissing
	case status >= 500:
		return fmt.Errorf("it answers with status %d", status)
	}
	return nil
}

// plain says what went wrong with a connection, without the address, which holds the key.
func plain(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("nothing listens at its address")
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return errors.New("it is not on the network")
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return errors.New("it breaks off in the middle of its answer")
	case errors.As(err, &timeout) && timeout.Timeout():
		return errSilent
	}
	return errors.New("it cannot be reached")
}

// readAnswer decodes a command's JSON answer into v, or returns the camera's own error in it, which may
// come with any status.
func readAnswer(a answer, v any) error {
	var failed struct {
		Error *struct {
			Code    int    `json:"code"`
			Message string `json:"message"`
		} `json:"error"`
	}
	if err := json.Unmarshal(a.body, &failed); err != nil {
		return errors.New("its answer is not readable")
	}
	if failed.Error != nil {
		return refusal{failed.Error.Code, printable(failed.Error.Message)}
	}
	if a.status != http.StatusOK {
		return fmt.Errorf("it answers with status %d", a.status)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return errors.New("its answer is not readable")
	}
	return nil
}

// printable shortens a camera's words for a person's eyes.
func printable(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '/' { // no slash: an address must not slip through
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if runes := []rune(text); len(runes) > 80 {
		text = string(runes[:80])
	}
	return strings.TrimSpace(text)
}
