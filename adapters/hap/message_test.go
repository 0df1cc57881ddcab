package hap

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadRequest(t *testing.T) {
	raw := "GET /characteristics?id=1.10,2.11&meta=1 HTTP/1.1\r\nHost: x\r\n\r\n" +
		"PUT /characteristics HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Type: application/hap+json\r\n\r\nhello" +
		"POST /pairings HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;why=not\r\nhel\r\n2\r\nlo\r\n0\r\nTrailer: yes\r\n\r\n"
	for name, source := range map[string]io.Reader{"whole": strings.NewReader(raw), "byte by byte": iotest.OneByteReader(strings.NewReader(raw))} {
		in := bufio.NewReader(source)
		first, err := readRequest(in, 100)
		if err != nil || first.method != "GET" || first.path != "/characteristics" || first.query.Get("id") != "1.10,2.11" || len(first.body) != 0 {
			t.Fatalf("%s: %+v, %v", name, first, err)
		}
		second, err := readRequest(in, 100)
		if err != nil || second.method != "PUT" || string(second.body) != "hello" || second.header.Get("content-type") != contentJSON {
			t.Fatalf("%s: %+v, %v", name, second, err)
		}
		third, err := readRequest(in, 5)
		if err != nil || third.path != "/pairings" || string(third.body) != "hello" {
			t.Fatalf("%s: %+v, %v", name, third, err)
		}
		if _, err := readRequest(in, 5); !errors.Is(err, io.EOF) {
			t.Fatalf("%s: the end is %v", name, err)
		}
	}
}

func TestReadRequestRefuses(t *testing.T) {
	for _, test := range []struct {
		name, raw, want string
	}{
		{"another protocol", "SSH-2.0-x\r\n\r\n", "is not a request line"},
		{"HTTP/2", "GET / HTTP/2.0\r\n\r\n", "is not a request line"},
		{"a method with a colon", "G:T / HTTP/1.1\r\n\r\n", "is not a request line"},
		{"a target without a slash", "GET x HTTP/1.1\r\n\r\n", "read request target"},
		{"a broken query", "GET /x?a=%zz HTTP/1.1\r\n\r\n", "read request query"},
		{"a header without a name", "GET / HTTP/1.1\r\n: x\r\n\r\n", "is not a header"},
		{"a continued header", "GET / HTTP/1.1\r\nA: b\r\n c\r\n\r\n", "is not a header"},
		{"a negative length", "PUT / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "is not a content length"},
		{"a huge length", "PUT / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", "is not a content length"},
		{"two lengths", "PUT / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", "two lengths"},
		{"length and chunks", "PUT / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "both a length and chunks"},
		{"an unknown encoding", "PUT / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "unknown transfer encoding"},
		{"a body above the cap", "PUT / HTTP/1.1\r\nContent-Length: 11\r\n\r\nhello world", "too large"},
		{"chunks above the cap", "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n3\r\n123\r\n0\r\n\r\n", "too large"},
		{"a negative chunk", "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "is not a chunk size"},
		{"a chunk of the wrong size", "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n", "does not end with its size"},
		{"an endless line", "GET /" + strings.Repeat("a", headMax), "too large"},
		{"endless headers", "GET / HTTP/1.1\r\n" + strings.Repeat("A: b\r\n", headLines+1) + "\r\n", "too large"},
		{"an end in the first line", "GET / HT", "unexpected EOF"},
		{"an end after the first line", "GET / HTTP/1.1\r\n", "unexpected EOF"},
		{"an end in the body", "PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhel", "unexpected EOF"},
		{"an end without a body", "PUT / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "unexpected EOF"},
		{"an end in a chunk", "PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readRequest(bufio.NewReader(strings.NewReader(test.raw)), 10)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %+v, %v, want %q", got, err, test.want)
			}
		})
	}
}

func TestReadResponse(t *testing.T) {
	in := bufio.NewReader(strings.NewReader("HTTP/1.1 204 No Content\r\n\r\n" +
		"EVENT/1.0 200 OK\r\nContent-Type: application/hap+json\r\nContent-Length: 2\r\n\r\n{}" +
		"HTTP/1.1 470\nContent-Length: 0\n\n"))
	for i, want := range []response{{status: 204}, {event: true, status: 200, body: []byte("{}")}, {status: 470}} {
		got, err := readResponse(in, 100)
		if err != nil || got.event != want.event || got.status != want.status || !bytes.Equal(got.body, want.body) {
			t.Fatalf("message %d is %+v, %v", i, got, err)
		}
	}
	if _, err := readResponse(in, 100); !errors.Is(err, io.EOF) {
		t.Fatalf("the end is %v", err)
	}
}

func TestReadResponseRefuses(t *testing.T) {
	for _, test := range []struct {
		name, raw, want string
	}{
		{"another protocol", "ICY 200 OK\r\n\r\n", "is not a status line"},
		{"no status", "HTTP/1.1\r\n\r\n", "has no status"},
		{"a word as status", "HTTP/1.1 fine\r\n\r\n", "has no status"},
		{"a status out of range", "EVENT/1.0 20\r\n\r\n", "has no status"},
		{"no content that has some", "HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx", "too large"},
		{"an end in the headers", "HTTP/1.1 200 OK\r\nContent-Le", "unexpected EOF"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := readResponse(bufio.NewReader(strings.NewReader(test.raw)), 10)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %+v, %v, want %q", got, err, test.want)
			}
		})
	}
}

// TestReadBodyTrustsNoPromise makes sure that a length without bytes does not cost its memory.
func TestReadBodyTrustsNoPromise(t *testing.T) {
	raw := "HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\nshort"
	allocated := testing.AllocsPerRun(1, func() {
		if _, err := readResponse(bufio.NewReader(strings.NewReader(raw)), 2_000_000_000); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
	})
	if allocated > 100 {
		t.Fatalf("%v allocations for five bytes", allocated)
	}
}

func TestMessagesComeBack(t *testing.T) {
	body := []byte(`{"characteristics":[]}`)
	request, err := readRequest(bufio.NewReader(bytes.NewReader(requestBytes("PUT", "/characteristics", "10.0.0.7", contentJSON, body))), 100)
	if err != nil || request.header.Get("Host") != "10.0.0.7" || !bytes.Equal(request.body, body) {
		t.Errorf("request %+v, %v", request, err)
	}
	for _, message := range []struct {
		raw  []byte
		want response
	}{
		{responseBytes(207, contentJSON, body), response{status: 207, body: body}},
		{responseBytes(204, "", nil), response{status: 204}},
		{responseBytes(470, "", nil), response{status: 470}},
		{eventBytes(body), response{event: true, status: 200, body: body}},
	} {
		got, err := readResponse(bufio.NewReader(bytes.NewReader(message.raw)), 100)
		if err != nil || got.event != message.want.event || got.status != message.want.status || !bytes.Equal(got.body, message.want.body) {
			t.Errorf("%q came back as %+v, %v", message.raw, got, err)
		}
	}
	if raw := string(responseBytes(204, "", nil)); strings.Contains(raw, "Content-Length") {
		t.Errorf("%q has a length, which RFC 9110 8.6 forbids", raw)
	}
}

func TestHostHeader(t *testing.T) {
	for address, want := range map[string]string{
		"10.0.0.7:5001":         "10.0.0.7",
		"relay.local:80":        "relay.local",
		"[fe80::1%eth0]:5001":   "[fe80::1]",
		"[2001:db8::1]:5001":    "[2001:db8::1]",
		"relay.local":           "relay.local",
		"Netatmo Relay.local:1": "Netatmo Relay.local",
	} {
		if got := hostHeader(address); got != want {
			t.Errorf("%s gives %s", address, got)
		}
	}
}

func FuzzReadRequest(f *testing.F) {
	f.Add([]byte("GET /characteristics?id=1.10 HTTP/1.1\r\nHost: x\r\n\r\n"))
	f.Add([]byte("PUT /a HTTP/1.1\r\nContent-Length: 2\r\n\r\nab"))
	f.Add([]byte("POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readRequest(bufio.NewReader(bytes.NewReader(raw)), 1000)
		if err == nil && (len(got.body) > 1000 || got.method == "" || !strings.HasPrefix(got.path, "/") && got.path != "*" && got.path != "") {
			t.Fatalf("%q was read as %+v", raw, got)
		}
	})
}

func FuzzReadResponse(f *testing.F) {
	f.Add([]byte("HTTP/1.1 204 No Content\r\n\r\n"))
	f.Add([]byte("EVENT/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readResponse(bufio.NewReader(bytes.NewReader(raw)), 1000)
		if err == nil && (len(got.body) > 1000 || got.status < 100) {
			t.Fatalf("%q was read as %+v", raw, got)
		}
	})
}
