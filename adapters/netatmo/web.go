package netatmo

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/veilleuse/veilleuse/gateway"
)

// Bounds of one request.
const (
	usualDeadline = 20 * time.Second // for the whole of it: a header time-out alone passes a dribble
	// idle is how long a connection is kept for the next request: not until the next look, which is to find out
	// whether anybody else could still connect.
	idle    = 10 * time.Second
	maxBody = 8 << 20 // a large home's topology is some 100 KB
)

// web talks HTTP to the vendor. It follows no redirect, uses no proxy and keeps to the addresses that
// fit the name.
type web struct {
	base     *url.URL
	client   *http.Client
	deadline time.Duration
}

// call is one request.
type call struct {
	name  string // for people
	path  string
	plane gateway.Plane
	query url.Values
	form  url.Values // sent by POST if not nil
	json  any        // sent by POST if not nil
	whole *url.URL   // asked instead of the base and path
	vital bool       // without the right to it the sign-in is of no use
	// check says what is wrong with an answer that is well-formed; nil: nothing can be.
	check func(answer) error
}

// reply is what came of it: a status with a body, or an error that names no address and no secret.
type reply struct {
	status int
	header http.Header
	body   []byte
	took   time.Duration
	err    error
	joined bool // a connection stood, TLS included, before err
}

func newWeb(o Options) (*web, error) {
	base, err := CheckURL(o.URL)
	if err != nil {
		return nil, err
	}
	deadline := cmp.Or(o.Deadline, usualDeadline)
	dialer := &net.Dialer{Timeout: deadline / 2, Control: publicOnly, Resolver: o.Resolver}
	if o.AllowLoopback || isLoopback(base.Hostname()) {
		dialer.Control = loopbackOnly
	}
	dial := dialer.DialContext
	if o.Dial != nil {
		dial = o.Dial
	}
	return &web{base: base, deadline: deadline, client: &http.Client{
		Transport: &http.Transport{
			DialContext: dial, ForceAttemptHTTP2: true, TLSHandshakeTimeout: deadline / 2,
			TLSClientConfig: &tls.Config{RootCAs: o.Roots}, MaxIdleConnsPerHost: 1, IdleConnTimeout: idle, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

func (w *web) close() { w.client.CloseIdleConnections() }

// do sends one request, with the access token if there is one, and reads the answer whole.
func (w *web) do(ctx context.Context, c call, access string) reply {
	began := time.Now()
	ctx, cancel := context.WithTimeout(ctx, w.deadline)
	defer cancel()
	r := w.exchange(ctx, c, access)
	r.took = time.Since(began)
	var wrapped *url.Error
	if errors.As(r.err, &wrapped) { // it would show the address, and a camera's address holds its key
		r.err = wrapped.Err
	}
	return r
}

func (w *web) exchange(ctx context.Context, c call, access string) reply {
	request, err := w.request(ctx, c)
	if err != nil {
		return reply{err: err}
	}
	request.Header.Set("User-Agent", "veilleuse")
	request.Header.Set("Accept", "application/json")
	if access != "" {
		request.Header.Set("Authorization", "Bearer "+access)
	}
	var joined atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { joined.Store(true) }}
	response, err := w.client.Do(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
	if err != nil {
		return reply{err: err, joined: joined.Load()}
	}
	defer response.Body.Close()
	r := reply{status: response.StatusCode, header: response.Header, joined: true}
	r.body, err = io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	switch {
	case len(r.body) > maxBody:
		r.err = errTooLong
	case errors.Is(err, context.DeadlineExceeded):
		r.err = err
	} // what else came of a body that breaks off is judged as a cut answer
	return r
}

var errTooLong = fmt.Errorf("an answer of more than %d MiB", maxBody>>20)

func (w *web) request(ctx context.Context, c call) (*http.Request, error) {
	to := w.base.JoinPath(c.path)
	if c.whole != nil {
		to = c.whole
	} else {
		to.RawQuery = c.query.Encode()
	}
	switch {
	case c.json != nil:
		data, err := json.Marshal(c.json)
		if err != nil {
			return nil, err
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(data))
		if err == nil {
			request.Header.Set("Content-Type", "application/json")
		}
		return request, err
	case c.form != nil:
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), strings.NewReader(c.form.Encode()))
		if err == nil {
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		return request, err
	}
	return http.NewRequestWithContext(ctx, http.MethodGet, to.String(), nil)
}
