package web

import (
	"html"
	"net/http"
	"strings"
)

// mostRefused bounds what is kept of a form, in bytes, while somebody signs in anew.
const mostRefused = 1 << 10

// askAgain asks somebody whose sign-in is over to sign in, and keeps what was wished in a form until that is done. It reports
// whether there was something to be kept.
func (a *Adapter) askAgain(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodPost || r.URL.Path != "/do" || !a.lock.isSet() || r.ParseForm() != nil || keptOf(r) == "" {
		return false
	}
	a.doorPage(w, r, http.StatusUnauthorized, false, "")
	return true
}

// keptOf is what was wished before a sign-in, as a form carries it; "": nothing.
func keptOf(r *http.Request) string {
	kept := r.PostForm.Get("kept")
	if r.URL.Path == "/do" {
		kept = r.PostForm.Encode()
	}
	if len(kept) > mostRefused {
		return ""
	}
	return kept
}

// kept carries what was wished through the sign-in.
func (p *sheet) kept(r *http.Request) {
	if kept := keptOf(r); kept != "" {
		p.put(`<p class="refusal" role="status">{again.kept}</p><input type="hidden" name="kept" value="%s">`, kept)
	}
}

// again ends a page with how the script asks for the password where somebody stands: what was typed stays there.
func (p *sheet) again() {
	p.put(`<dialog id="again" aria-labelledby="again-title" data-wrong="{password.wrong}" data-wait="{password.wait}"><form method="post" action="/sign-in"><h2 id="again-title">{again.title}</h2><p>{again.lead}</p>` +
		`<label for="again-password">{password}</label><input id="again-password" name="password" type="password" required maxlength="256" autocomplete="current-password">` +
		`<p class="refusal" role="alert"></p><button class="main">{signin.go}</button></form></dialog></body></html>`)
}

// lostRefusal says why a wish was not granted for a thing that is not there any more.
func (p *sheet) lostRefusal(parts []part) {
	if p.refused == nil {
		return
	}
	place := `data-refusal="` + html.EscapeString(p.refused.to) + `"`
	for _, one := range parts {
		if strings.Contains(one.HTML, place) {
			return
		}
	}
	p.refusal(p.refused.to)
}
