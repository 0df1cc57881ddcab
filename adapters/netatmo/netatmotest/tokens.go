package netatmotest

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/url"
	"time"
)

// tokens is the one sign-in of the account. A refresh gives a new pair and voids the one before it at
// once, whether or not the answer arrives.
type tokens struct {
	access  string
	refresh string
	ends    time.Time
	codes   map[string]string // authorization code -> redirect_uri
	issued  int
}

func newTokens() tokens { return tokens{codes: make(map[string]string)} }

func secret() string {
	var b [16]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// issue makes a new pair the only valid one. mu is held.
func (c *Cloud) issue(now time.Time) map[string]any {
	c.tokens.access = c.home.ID + "|" + secret()
	c.tokens.refresh = c.home.ID + "|" + secret()
	c.tokens.ends = now.Add(c.options.TokenLife)
	c.tokens.issued++
	life := int(c.options.TokenLife / time.Second)
	return map[string]any{
		"access_token": c.tokens.access, "refresh_token": c.tokens.refresh,
		"scope": []string{"read_thermostat", "write_thermostat"}, "expires_in": life, "expire_in": life,
	}
}

// Token signs in and returns the pair as the developer page gives it.
func (c *Cloud) Token() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	data, _ := json.Marshal(c.issue(c.options.Now()))
	return data
}

// Valid reports whether a refresh token is the one that the vendor would accept.
func (c *Cloud) Valid(refresh string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return refresh != "" && refresh == c.tokens.refresh
}

// Issued returns how many pairs were given out.
func (c *Cloud) Issued() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tokens.issued
}

// Revoke voids the sign-in, as a person does on the vendor's page.
func (c *Cloud) Revoke() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens.access, c.tokens.refresh = "", ""
}

// authorize sends the browser back with a code: the person agrees at once.
func (c *Cloud) authorize(r *http.Request) answer {
	back, err := url.Parse(r.Form.Get("redirect_uri"))
	if r.Form.Get("client_id") != c.options.ClientID || err != nil || back.Host == "" {
		return html(400)
	}
	code := secret()
	c.tokens.codes[code] = r.Form.Get("redirect_uri")
	query := back.Query()
	query.Set("code", code)
	query.Set("state", r.Form.Get("state"))
	back.RawQuery = query.Encode()
	return answer{status: 302, header: map[string]string{"Location": back.String()}}
}

// token trades a code or a refresh token for a new pair.
func (c *Cloud) token(r *http.Request, now time.Time) answer {
	form := r.PostForm
	refused := func(word string) answer { return jsonAnswer(400, map[string]any{"error": word}) }
	if form.Get("client_id") != c.options.ClientID || form.Get("client_secret") != c.options.ClientSecret {
		return refused("invalid_client")
	}
	switch form.Get("grant_type") {
	case "refresh_token":
		if form.Get("refresh_token") == "" || form.Get("refresh_token") != c.tokens.refresh {
			return refused("invalid_grant")
		}
	case "authorization_code":
		code := form.Get("code")
		redirect, known := c.tokens.codes[code]
		delete(c.tokens.codes, code)
		if !known || redirect != form.Get("redirect_uri") {
			return refused("invalid_grant")
		}
	default:
		return refused("unsupported_grant_type")
	}
	return jsonAnswer(200, c.issue(now))
}
