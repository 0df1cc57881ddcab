package web

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// welcome is the first visit: it sets the password. There can be only one.
func (a *Adapter) welcome(w http.ResponseWriter, r *http.Request) {
	if a.lock.isSet() {
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	}
	a.doorPage(w, r, http.StatusOK, true, "")
}

// setFirst takes the first password and signs its maker in.
func (a *Adapter) setFirst(w http.ResponseWriter, r *http.Request) {
	password, err := formValue(r, "password")
	if err == nil && password != r.PostForm.Get("again") {
		a.doorPage(w, r, http.StatusUnprocessableEntity, true, "password.differs")
		return
	}
	if err == nil {
		err = a.lock.first(password)
	}
	switch {
	case errors.Is(err, errAlreadySet):
		http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
	case errors.Is(err, errTooShort), errors.Is(err, errTooLong), errors.Is(err, errNoText):
		a.doorPage(w, r, http.StatusUnprocessableEntity, true, "password.bounds")
	case err != nil:
		a.failed(w, "set the password", err)
	default:
		a.options.Log.Info("the page has a password now", "from", r.RemoteAddr)
		to := "/"
		if a.first.ask != nil && a.firstView().newcomer() {
			to = "/first"
		}
		a.letIn(w, r, to)
	}
}

// signInForm asks for the password.
func (a *Adapter) signInForm(w http.ResponseWriter, r *http.Request) {
	switch {
	case !a.lock.isSet():
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
	case a.sessions.signedIn(tokenOf(r), a.now()):
		http.Redirect(w, r, a.nextOf(r), http.StatusSeeOther)
	default:
		a.doorPage(w, r, http.StatusOK, false, "")
	}
}

// signIn takes the password. A wrong one slows down whoever sent it.
func (a *Adapter) signIn(w http.ResponseWriter, r *http.Request) {
	if !a.lock.isSet() {
		http.Redirect(w, r, "/welcome", http.StatusSeeOther)
		return
	}
	password, err := formValue(r, "password")
	if err != nil {
		a.doorPage(w, r, http.StatusUnprocessableEntity, false, "password.wrong")
		return
	}
	if wait := a.patience.try(r.RemoteAddr, time.Now()); wait > 0 {
		w.Header().Set("Retry-After", fmt.Sprint(int(wait.Seconds())+1))
		a.doorPage(w, r, http.StatusTooManyRequests, false, "password.wait")
		return
	}
	switch right, err := a.lock.opens(password); {
	case err != nil:
		a.failed(w, "look at the password", err)
	case !right:
		a.options.Log.Warn("somebody tried a wrong password on the page", "from", r.RemoteAddr)
		a.doorPage(w, r, http.StatusForbidden, false, "password.wrong")
	default:
		a.patience.right(r.RemoteAddr)
		a.letIn(w, r, a.nextOf(r))
	}
}

// nextOf is where the sign-in leads on to, as the link to the door or its form says.
func (a *Adapter) nextOf(r *http.Request) string {
	if r.Method == http.MethodPost {
		return a.onward(r.PostForm.Get("next"))
	}
	return a.onward(r.URL.Query().Get("next"))
}

// letIn begins a session, and leads on.
func (a *Adapter) letIn(w http.ResponseWriter, r *http.Request, to string) {
	token, err := a.sessions.begin(a.now())
	if err != nil {
		a.failed(w, "sign in", err)
		return
	}
	setCookie(w, token)
	if kept, err := url.ParseQuery(keptOf(r)); err == nil && len(kept) > 0 {
		r.PostForm = kept
		a.do(w, r)
		return
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// signOut ends the session, and the streams that hang on it.
func (a *Adapter) signOut(w http.ResponseWriter, r *http.Request) {
	if err := a.sessions.end(tokenOf(r)); err != nil {
		a.failed(w, "sign out", err)
		return
	}
	a.live.wake()
	setCookie(w, "")
	http.Redirect(w, r, "/sign-in", http.StatusSeeOther)
}

// SetPassword sets another password and signs everybody out. "" forgets the password: the next visit from the home's own
// network sets one. The adapter need not run.
func (a *Adapter) SetPassword(password string) error {
	if password == "" {
		if err := a.lock.vault.Delete(passwordKey); err != nil {
			return fmt.Errorf("forget the password: %w", err)
		}
	} else if err := a.lock.set(password); err != nil {
		return err
	}
	err := a.sessions.endAll()
	a.live.wake()
	return err
}

// failed answers that something here went wrong, which is logged: the person cannot mend it.
func (a *Adapter) failed(w http.ResponseWriter, doing string, err error) {
	a.options.Log.Error("the page could not "+doing, "err", err)
	refuse(w, http.StatusInternalServerError, "this house could not "+doing+"; its log says why")
}

// formValue reads one field of a form.
func formValue(r *http.Request, name string) (string, error) {
	if err := r.ParseForm(); err != nil {
		return "", fmt.Errorf("read the form: %w", err)
	}
	return r.PostForm.Get(name), nil
}
