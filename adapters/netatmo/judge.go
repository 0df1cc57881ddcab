package netatmo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/veilleuse/veilleuse/gateway"
)

// finding is what one request alone says about the vendor.
type finding struct {
	plane   gateway.Plane
	verdict gateway.Verdict
	err     error // why it was of no use; nil with a useful answer
}

func (f finding) why(c call) string {
	if f.err == nil {
		return c.name + ": ok"
	}
	return c.name + ": " + f.err.Error()
}

// judge reads a reply and says what it means. trust tells whether a certificate's dates can be
// judged. Events stand for what the vendor would push: when they alone fail, the cloud is not down.
func judge(c call, r reply, trust gateway.Trust) (answer, finding) {
	a, f := judgeReply(c, r, trust)
	if f.plane == gateway.PlanePush && f.verdict == gateway.VerdictCloudDown {
		f.verdict = gateway.VerdictDegraded
	}
	return a, f
}

func judgeReply(c call, r reply, trust gateway.Trust) (answer, finding) {
	if r.err != nil {
		return answer{}, finding{c.plane, judgeFailure(r, trust), plain(r.err)}
	}
	a, err := readAnswer(r.status, r.body)
	if err == nil && c.check != nil {
		err = c.check(a)
		if err != nil {
			return a, finding{c.plane, gateway.VerdictDegraded, err}
		}
	}
	if err == nil {
		return a, finding{c.plane, gateway.VerdictOK, nil}
	}
	if c.vital && isDenied(err) {
		return answer{}, finding{gateway.PlaneAuth, gateway.VerdictDegraded, err}
	}
	plane, verdict := judgeRefusal(c.plane, err)
	return answer{}, finding{plane, verdict, err}
}

// judgeRefusal sorts what the vendor's servers said instead of an answer.
func judgeRefusal(plane gateway.Plane, err error) (gateway.Plane, gateway.Verdict) {
	var bad badAnswer
	if errors.As(err, &bad) {
		switch {
		case bad.status == http.StatusTooManyRequests:
			return plane, gateway.VerdictRateLimited
		case bad.status >= 500:
			return plane, gateway.VerdictCloudDown
		}
		return plane, gateway.VerdictDegraded
	}
	var no refusal
	if !errors.As(err, &no) {
		return plane, gateway.VerdictDegraded
	}
	switch {
	case no.status == http.StatusTooManyRequests, no.code == codeUsage:
		return plane, gateway.VerdictRateLimited
	case no.status >= 500, no.code == codeBroken, no.code == codeUnavailable, no.message == "too_many_connections":
		return plane, gateway.VerdictCloudDown
	case no.code == codeTokenExpired, isOurs(no):
		return plane, gateway.VerdictOK // a live server has looked at the request
	case no.aboutToken(), no.code == codeDeactivated:
		return gateway.PlaneAuth, gateway.VerdictDegraded
	}
	return plane, gateway.VerdictDegraded
}

// isOurs reports whether the fault lies with what was asked, or with one device.
func isOurs(r refusal) bool {
	switch r.code {
	case codeNothingToDo, codeNotFound, codeMissing, codeForbidden, codeInvalid, codeBadJSON, codeDeviceOffline:
		return true
	}
	return false
}

// aboutToken reports whether the vendor wants another access token. The words differ between 401
// and 403, the codes do not.
func (r refusal) aboutToken() bool {
	switch r.code {
	case codeTokenMissing, codeTokenInvalid, codeTokenExpired:
		return true
	}
	return r.code == codeNone && r.status == http.StatusUnauthorized
}

// refusesGrant reports whether the vendor's token URL says, in its own JSON, that the refresh token
// is void.
func refusesGrant(err error) bool {
	var r refusal
	if !errors.As(err, &r) || r.status < 400 || r.status >= 500 || r.status == http.StatusTooManyRequests {
		return false
	}
	return r.message == "invalid_grant" || r.code == codeGrantInvalid
}

// judgeFailure sorts what went wrong before there was an answer.
func judgeFailure(r reply, trust gateway.Trust) gateway.Verdict {
	var (
		wrong   wrongAddress
		invalid x509.CertificateInvalidError
		host    x509.HostnameError
		unknown x509.UnknownAuthorityError
		record  tls.RecordHeaderError
		name    *net.DNSError
	)
	switch err := r.err; {
	case errors.As(err, &wrong), errors.As(err, &host):
		return gateway.VerdictHijack
	case errors.As(err, &unknown):
		return gateway.VerdictUnknown // a forger, or our own list of authorities is damaged: the prober can tell
	case errors.As(err, &invalid):
		return judgeCertificate(invalid, trust)
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return gateway.VerdictCaptive
	case errors.As(err, &name):
		return judgeName(name)
	case errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.EHOSTUNREACH):
		return gateway.VerdictInternetDown
	case errors.Is(err, errTooLong), r.joined && isTimeout(err):
		return gateway.VerdictDegraded
	}
	return gateway.VerdictCloudDown
}

// judgeCertificate blames the vendor for a certificate out of date only if our clock is sure.
func judgeCertificate(c x509.CertificateInvalidError, trust gateway.Trust) gateway.Verdict {
	if c.Reason != x509.Expired {
		return gateway.VerdictHijack
	}
	if trust == gateway.TrustGuess || c.Cert != nil && strings.Contains(c.Detail, "is before") {
		return gateway.VerdictClockWrong
	}
	return gateway.VerdictDegraded
}

// judgeName blames the vendor's name only for what the vendor's own name servers can cause.
func judgeName(e *net.DNSError) gateway.Verdict {
	if e.IsNotFound || strings.Contains(e.Err, "server misbehaving") && e.IsTemporary {
		return gateway.VerdictCloudDown
	}
	return gateway.VerdictResolver
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &t) && t.Timeout()
}

// plain puts the commonest failures into words for people.
func plain(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer in time")
	case isTimeout(err):
		return errors.New("no connection in time")
	case errors.Is(err, syscall.ECONNREFUSED):
		return errors.New("connection refused")
	case errors.Is(err, syscall.ECONNRESET):
		return errors.New("connection reset")
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the connection broke off")
	}
	return errors.New(shorten(err.Error()))
}

// useless is a reason why a command cannot be carried out, now or later.
type useless string

// Error is the reason itself.
func (u useless) Error() string { return string(u) }

// isFinal reports whether asking again is useless: the fault is in what was asked.
func isFinal(err error) bool {
	var u useless
	if errors.As(err, &u) {
		return true
	}
	var no refusal
	return errors.As(err, &no) && isOurs(no) && no.code != codeDeviceOffline
}

// isDenied reports whether the sign-in lacks the right to ask this.
func isDenied(err error) bool {
	var no refusal
	return errors.As(err, &no) && no.code == codeForbidden
}

// isMissing reports whether the vendor does not know the call.
func isMissing(err error) bool {
	var no refusal
	var bad badAnswer
	return errors.As(err, &no) && no.code == codeNoMethod || errors.As(err, &bad) && bad.status == http.StatusNotFound
}

// deviceFault returns what body.errors of a write says, but for what is so already.
func deviceFault(c call, all []deviceError) error {
	for _, e := range all {
		switch e.code {
		case deviceAlready:
			continue
		case deviceUnreachable, deviceLost, deviceOffline:
			return fmt.Errorf("%s: the vendor cannot reach %s", c.name, shorten(e.device))
		}
		return fmt.Errorf("%s: error %d of %s %s", c.name, e.code, shorten(e.device), e.message)
	}
	return nil
}
