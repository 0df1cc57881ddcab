package netatmo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// scopes are the rights that signing in asks for: everything that can be read, and all that can be
// steered. They are those that pyatmo asks for.
var scopes = []string{
	"read_station", "read_homecoach",
	"read_thermostat", "write_thermostat",
	"read_smarther", "write_smarther",
	"read_magellan", "write_magellan",
	"read_mx", "write_mx", "read_mhs1", "write_mhs1",
	"read_bfi", "write_bfi", "read_bubendorff", "write_bubendorff",
	"read_camera", "write_camera", "access_camera",
	"read_presence", "write_presence", "access_presence",
	"read_doorbell", "access_doorbell",
	"read_smokedetector", "read_carbonmonoxidedetector",
}

const (
	authorizePath = "/oauth2/authorize"
	tokenPath     = "/oauth2/token"
)

// AuthorizeURL returns the page on which a person allows this application to act for them. The vendor
// then sends the browser to redirect with state and a code for [Exchange].
func AuthorizeURL(o Options, redirect, state string) (string, error) {
	base, err := CheckURL(o.URL)
	if err != nil {
		return "", err
	}
	if o = o.withApplication(); o.ClientID == "" {
		return "", errNoClient
	}
	query := url.Values{
		"client_id": {o.ClientID}, "redirect_uri": {redirect}, "state": {state},
		"scope": {strings.Join(scopes, " ")}, "response_type": {"code"},
	}
	return base.String() + authorizePath + "?" + query.Encode(), nil
}

var errNoClient = errors.New("netatmo.client_id is empty: create an application at https://dev.netatmo.com/apps and copy its id and secret")

// Exchange trades the code of a redirect for a pair of tokens, which the caller stores with
// [SaveToken]. A code is good for one exchange.
func Exchange(ctx context.Context, o Options, code, redirect string) (Token, error) {
	if o = o.withApplication(); o.ClientID == "" {
		return Token{}, errNoClient
	}
	w, err := newWeb(o)
	if err != nil {
		return Token{}, err
	}
	defer w.close()
	r := w.do(ctx, call{name: "sign-in", path: tokenPath, form: url.Values{
		"grant_type": {"authorization_code"}, "client_id": {o.ClientID}, "client_secret": {o.ClientSecret},
		"code": {code}, "redirect_uri": {redirect}, "scope": {strings.Join(scopes, " ")},
	}}, "")
	t, err := readTokenAnswer(r, time.Time{})
	if err != nil {
		return Token{}, fmt.Errorf("sign in at the vendor: %w", err)
	}
	return t, nil
}

// readTokenAnswer reads an answer of the token URL. Expires and Renew, at 80 % of the life, count from
// now; a zero now leaves them unknown.
func readTokenAnswer(r reply, now time.Time) (Token, error) {
	if r.err != nil {
		return Token{}, r.err
	}
	whole, err := readWhole(r.status, r.body)
	if err != nil {
		return Token{}, err
	}
	if raw := whole.first("error"); raw != nil {
		return Token{}, readRefusal(r.status, raw)
	}
	t := tokenOf(whole)
	if r.status >= 300 || t.Access == "" || t.Refresh == "" {
		return Token{}, badAnswer{r.status, "no tokens"}
	}
	if seconds, ok := whole.number("expires_in", "expire_in"); ok && seconds > 0 && seconds < 1e9 && !now.IsZero() {
		life := time.Duration(seconds) * time.Second
		t.Expires, t.Renew = now.Add(life), now.Add(life/5*4)
	}
	return t, nil
}
