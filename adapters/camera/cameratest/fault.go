package cameratest

import (
	"net/http"
	"strings"
	"time"
)

// misbehave plays the present fault and reports whether the request is answered with that.
func (c *Camera) misbehave(w http.ResponseWriter, r *http.Request) bool {
	var fault Fault
	var delay time.Duration
	c.with(func() { fault, delay = c.fault, c.delay })
	switch fault {
	case Unauthorized:
		errorPage(w, http.StatusUnauthorized)
	case Forbidden, OtherCamera:
		errorPage(w, http.StatusForbidden)
	case Page:
		errorPage(w, http.StatusOK)
	case Router:
		http.Redirect(w, r, "/login.html", http.StatusFound)
	case Broken:
		errorPage(w, http.StatusInternalServerError)
	case Truncated:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", "1000")
		w.Write([]byte(`{"local_url":"http://`))
	case Endless:
		w.Header().Set("Content-Type", "application/json")
		for block := []byte(strings.Repeat(" ", 64<<10)); r.Context().Err() == nil; {
			if _, err := w.Write(block); err != nil {
				break
			}
		}
	case Slow:
		wait(r, delay)
		return false
	default:
		return false
	}
	return true
}
