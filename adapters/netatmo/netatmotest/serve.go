package netatmotest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// answer is what a request gets.
type answer struct {
	status int
	header map[string]string
	body   []byte
}

func ok(body any, now time.Time) answer {
	whole := map[string]any{"status": "ok", "time_server": now.Unix(), "time_exec": 0.02}
	if body != nil {
		whole["body"] = body
	}
	return jsonAnswer(200, whole)
}

func fail(status, code int, message string) answer {
	return jsonAnswer(status, map[string]any{"error": map[string]any{"code": code, "message": message}})
}

func jsonAnswer(status int, body any) answer {
	data, err := json.Marshal(body)
	if err != nil {
		return answer{status: 500, body: []byte(err.Error())}
	}
	return answer{status: status, header: map[string]string{"Content-Type": "application/json; charset=utf-8"}, body: data}
}

const htmlPage = "<html><head><title>503 Service Temporarily Unavailable</title></head><body><center><h1>503</h1></center><hr><center>nginx</center></body></html>"

func html(status int) answer {
	return answer{status: status, header: map[string]string{"Content-Type": "text/html"}, body: []byte(htmlPage)}
}

// ServeHTTP answers one request: a fault that is on, a raw answer, or what the vendor would say.
func (c *Cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	_ = r.ParseForm()
	access := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	index := c.record(r, body, access)
	fault, broken := c.faultFor(r.URL.Path)
	if broken && c.play(w, r, fault, func() answer { return c.answer(r, body, access) }) {
		return
	}
	a, spoilt := spoil(fault)
	if !broken || !spoilt {
		a = c.answer(r, body, access)
	}
	c.note(index, a.status)
	write(w, a)
}

func write(w http.ResponseWriter, a answer) {
	for k, v := range a.header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body)
}

func (c *Cloud) record(r *http.Request, body []byte, access string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, Request{
		At: c.options.Now(), Method: r.Method, Path: r.URL.Path, Form: r.Form, Body: body, Access: access,
	})
	return len(c.requests) - 1
}

func (c *Cloud) note(index, status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests[index].Status = status
}

// answer is what the vendor says when it is well.
func (c *Cloud) answer(r *http.Request, body []byte, access string) answer {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.options.Now()
	path := r.URL.Path
	if raw, isRaw := c.raw[path]; isRaw {
		return rawAnswer(raw)
	}
	switch {
	case path == "/oauth2/authorize":
		return c.authorize(r)
	case path == "/oauth2/token":
		return c.token(r, now)
	case strings.HasPrefix(path, "/restricted/") && strings.HasSuffix(path, "/command/ping"):
		return c.ping(path)
	case !strings.HasPrefix(path, "/api/"):
		return html(404)
	}
	if a, refused := c.refuse(access, path, now); refused {
		return a
	}
	return c.api(r, path, body, now)
}

func rawAnswer(raw Raw) answer {
	a := answer{status: raw.Status, header: map[string]string{"Content-Type": raw.Type}, body: raw.Body}
	if a.status == 0 {
		a.status = 200
	}
	if raw.Type == "" {
		a.header["Content-Type"] = "application/json"
	}
	return a
}

// refuse checks the token, the quota and the scope.
func (c *Cloud) refuse(access, path string, now time.Time) (answer, bool) {
	switch {
	case access == "":
		return fail(401, 1, "Access token is missing"), true
	case c.tokens.access != access:
		return fail(403, 2, "Invalid access token"), true
	case !now.Before(c.tokens.ends):
		return fail(403, 3, "Access token expired"), true
	case c.over(now, 10*time.Second, c.options.PerTenSeconds), c.over(now, time.Hour, c.options.PerHour):
		return fail(429, 26, "User usage reached"), true
	case slices.Contains(c.options.Denied, path):
		return fail(403, 13, "Application does not have the good scope rights"), true
	}
	return answer{}, false
}

// over reports whether more than limit requests to the API came within the time up to now.
func (c *Cloud) over(now time.Time, within time.Duration, limit int) bool {
	n := 0
	for _, r := range slices.Backward(c.requests) {
		if now.Sub(r.At) >= within {
			break
		}
		if strings.HasPrefix(r.Path, "/api/") {
			n++
		}
	}
	return n > limit
}

func (c *Cloud) api(r *http.Request, path string, body []byte, now time.Time) answer {
	c.expire(now)
	switch path {
	case "/api/homesdata":
		return c.homesdata(r.Form.Get("home_id"), now)
	case "/api/homestatus":
		return c.homestatus(r.Form.Get("home_id"), now)
	case "/api/getstationsdata":
		return c.weather("NAMain", now)
	case "/api/gethomecoachsdata":
		return c.weather("NHC", now)
	case "/api/getevents":
		return c.getevents(r, now)
	}
	if r.Method != http.MethodPost {
		return fail(404, 31, "Method not found")
	}
	switch path {
	case "/api/setroomthermpoint":
		return c.setroomthermpoint(r.Form, now)
	case "/api/setthermmode":
		return c.setthermmode(r.Form, now)
	case "/api/switchhomeschedule":
		return c.switchhomeschedule(r.Form, now)
	case "/api/setstate":
		return c.setstate(body, now)
	}
	return fail(404, 31, "Method not found")
}
