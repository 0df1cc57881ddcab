package web

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/veilleuse/veilleuse/gateway/gatewaytest"
)

// TestPeopleGetInThroughACrowd lets many strangers take every place and speak slowly, each in one way, while somebody follows
// the house live. People are answered all the same, at once.
func TestPeopleGetInThroughACrowd(t *testing.T) {
	for _, stranger := range []struct{ name, says string }{
		{"who say nothing", ""},
		{"who never end their head", "GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "},
		{"who never end their form", "POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 4000\r\n\r\npassword="},
		{"who were answered and stay", "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
	} {
		t.Run(stranger.name, func(t *testing.T) {
			v := visit(t, Options{})
			live := v.open("/api/live")
			if e := <-live; e.kind != "hello" {
				t.Fatalf("the stream begins with %q", e.kind)
			}
			for range 500 {
				conn, err := net.Dial("tcp", v.address)
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				fmt.Fprint(conn, stranger.says)
			}
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			for range 5 {
				ctx, cancel := context.WithTimeout(t.Context(), gatewaytest.Patience)
				defer cancel()
				r, _ := http.NewRequestWithContext(ctx, "GET", "http://"+v.address+"/api/state", nil)
				r.AddCookie(&http.Cookie{Name: cookieName, Value: v.token})
				answer, err := client.Do(r)
				if err != nil {
					t.Fatal("somebody who is signed in is not answered: ", err)
				}
				answer.Body.Close()
				if answer.StatusCode != http.StatusOK {
					t.Errorf("the answer is %s", answer.Status)
				}
			}
			select {
			case e, open := <-live:
				if !open {
					t.Error("who followed the house has lost the place", e)
				}
			default:
			}
		})
	}
}

// A system without descriptors is told of once, however often one is free in between, and once when it is over.
func TestThatNobodyGetsInIsSaidOnce(t *testing.T) {
	var said []string
	c := &crowd{refused: func(err error) { said = append(said, fmt.Sprint(err)) }}
	now := time.Now()
	for i := range 100 {
		var err error
		if i%3 > 0 {
			err = fmt.Errorf("accept: %w", syscall.EMFILE)
		}
		c.tell(err, now.Add(time.Duration(i)*time.Second))
	}
	c.tell(nil, now.Add(10*time.Minute))
	c.tell(nil, now.Add(11*time.Minute))
	c.tell(errors.Join(net.ErrClosed), now.Add(12*time.Minute))
	if len(said) != 2 || !strings.Contains(said[0], "too many open files") || said[1] != "<nil>" {
		t.Errorf("%q", said)
	}
}
