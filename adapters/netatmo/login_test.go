package netatmo

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/veilleuse/veilleuse/adapters/netatmo/netatmotest"
)

func TestLogin(t *testing.T) {
	cloud := netatmotest.New(netatmotest.Options{})
	base, err := cloud.Start()
	if err != nil {
		t.Fatal(err)
	}
	defer cloud.Close()
	o := Options{URL: base, ClientID: "client", ClientSecret: "client-secret"}
	const redirect = "http://127.0.0.1:9/callback"
	page, err := AuthorizeURL(o, redirect, "state-1")
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := browser.Get(page)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	back, err := response.Location()
	if err != nil {
		t.Fatal(err)
	}
	code := back.Query().Get("code")
	if back.Query().Get("state") != "state-1" || code == "" {
		t.Fatalf("sent back to %s", back)
	}
	token, err := Exchange(t.Context(), o, code, redirect)
	if err != nil || !cloud.Valid(token.Refresh) || !token.Expires.IsZero() {
		t.Fatalf("error %v, the vendor knows the token: %v", err, cloud.Valid(token.Refresh))
	}
	_, err = Exchange(t.Context(), o, code, redirect)
	if err == nil || !strings.Contains(err.Error(), "sign in at the vendor: 400 invalid_grant") {
		t.Errorf("the same code again: %v", err)
	}
	wrong := o
	wrong.ClientSecret = "SECRET-THAT-IS-WRONG"
	if _, err = Exchange(t.Context(), wrong, "x", redirect); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("a wrong secret: %v", err)
	}
}

func TestAuthorizeURL(t *testing.T) {
	page, err := AuthorizeURL(Options{ClientID: "an id"}, "http://localhost:1/x", "s")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(page)
	if err != nil || u.Host != "api.netatmo.com" || u.Path != "/oauth2/authorize" {
		t.Fatalf("page %s", page)
	}
	q := u.Query()
	asked := strings.Fields(q.Get("scope"))
	for _, scope := range []string{"read_thermostat", "write_thermostat", "access_camera", "read_smokedetector", "read_station"} {
		if !slices.Contains(asked, scope) {
			t.Errorf("scope %s is not asked for", scope)
		}
	}
	if q.Get("client_id") != "an id" || q.Get("redirect_uri") != "http://localhost:1/x" || q.Get("state") != "s" || q.Has("client_secret") {
		t.Errorf("query %v", q)
	}
	if _, err := AuthorizeURL(Options{}, "x", "s"); err == nil || !strings.Contains(err.Error(), "netatmo.client_id is empty") {
		t.Errorf("no application: %v", err)
	}
	if _, err := AuthorizeURL(Options{ClientID: "x", URL: "http://evil.test"}, "x", "s"); err == nil {
		t.Error("a page without TLS")
	}
	if _, err := Exchange(t.Context(), Options{}, "c", "x"); err == nil {
		t.Error("an exchange without an application")
	}
}
