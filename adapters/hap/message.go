package hap

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// Content types of HAP over IP.
const (
	contentPairing = "application/pairing+tlv8"
	contentJSON    = "application/hap+json"
)

const (
	headMax   = 64 << 10 // bytes of start line and headers; a GET may name every characteristic of a full bridge
	headLines = 64
	// responseMax is the most bytes that the controller takes as one body: a full bridge of 150 accessories is about
	// 200 KB, a large camera picture below 2 MB.
	responseMax = 4 << 20
)

// errTooLarge says that a message is larger than its reader allows.
var errTooLarge = errors.New("the message is too large")

// request is one request as it came, its body whole.
type request struct {
	method string
	path   string
	query  url.Values
	header http.Header
	body   []byte
}

// response is one response or event as it came, its body whole.
type response struct {
	event  bool // EVENT/1.0: nobody asked
	status int
	header http.Header
	body   []byte
}

// readRequest reads one request whose body has at most maxBody bytes. The end of the stream before its first byte is
// io.EOF.
func readRequest(in *bufio.Reader, maxBody int) (request, error) {
	head := headReader{in: in, left: headMax}
	line, err := head.line()
	if err != nil {
		return request{}, err
	}
	parts := strings.Split(line, " ")
	if len(parts) != 3 || !strings.HasPrefix(parts[2], "HTTP/1.") || !token(parts[0]) {
		return request{}, fmt.Errorf("%.80q is not a request line", line)
	}
	target, err := url.ParseRequestURI(parts[1])
	if err != nil {
		return request{}, fmt.Errorf("read request target: %w", err)
	}
	query, err := url.ParseQuery(target.RawQuery)
	if err != nil {
		return request{}, fmt.Errorf("read request query: %w", err)
	}
	r := request{method: parts[0], path: target.Path, query: query}
	r.header, r.body, err = head.rest(maxBody)
	return r, err
}

// readResponse reads one response or event whose body has at most maxBody bytes. The end of the stream before its first
// byte is io.EOF.
func readResponse(in *bufio.Reader, maxBody int) (response, error) {
	head := headReader{in: in, left: headMax}
	line, err := head.line()
	if err != nil {
		return response{}, err
	}
	version, rest, _ := strings.Cut(line, " ")
	code, _, _ := strings.Cut(rest, " ")
	r := response{event: strings.HasPrefix(version, "EVENT/1.")}
	if !r.event && !strings.HasPrefix(version, "HTTP/1.") {
		return response{}, fmt.Errorf("%.80q is not a status line", line)
	}
	if r.status, err = strconv.Atoi(code); err != nil || r.status < 100 || r.status > 999 {
		return response{}, fmt.Errorf("%.80q has no status", line)
	}
	if r.status == http.StatusNoContent {
		maxBody = 0
	}
	r.header, r.body, err = head.rest(maxBody)
	return r, err
}

// headReader reads the lines of one message within a budget of bytes.
type headReader struct {
	in   *bufio.Reader
	left int
}

// line reads one line without its end, which may be CR LF or LF alone.
func (h *headReader) line() (string, error) {
	var line []byte
	for {
		part, err := h.in.ReadSlice('\n')
		line = append(line, part...)
		h.left -= len(part)
		switch {
		case h.left < 0:
			return "", fmt.Errorf("headers: %w", errTooLarge)
		case err == nil:
			return strings.TrimSuffix(string(line[:len(line)-1]), "\r"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && h.left < headMax:
			return "", io.ErrUnexpectedEOF
		default:
			return "", err
		}
	}
}

// rest reads the headers and the body.
func (h *headReader) rest(maxBody int) (http.Header, []byte, error) {
	header, err := h.headers()
	if err != nil {
		return nil, nil, err
	}
	if encoding := header.Get("Transfer-Encoding"); encoding != "" {
		if !strings.EqualFold(encoding, "chunked") || len(header["Transfer-Encoding"]) > 1 {
			return nil, nil, fmt.Errorf("unknown transfer encoding %.40q", encoding)
		}
		if header["Content-Length"] != nil {
			return nil, nil, errors.New("the message has both a length and chunks")
		}
		body, err := h.chunks(maxBody)
		return header, body, err
	}
	size, err := contentLength(header)
	if err != nil {
		return nil, nil, err
	}
	if size > maxBody {
		return nil, nil, fmt.Errorf("body of %d bytes: %w", size, errTooLarge)
	}
	body, err := h.bytes(nil, size)
	return header, body, err
}

func (h *headReader) headers() (http.Header, error) {
	header := http.Header{}
	for range headLines {
		line, err := h.inner()
		if err != nil {
			return nil, err
		}
		if line == "" {
			return header, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || !token(name) {
			return nil, fmt.Errorf("%.80q is not a header", line)
		}
		header.Add(name, strings.Trim(value, " \t"))
	}
	return nil, fmt.Errorf("more than %d headers: %w", headLines, errTooLarge)
}

// inner reads a line that is not the first of a message, where the end of the stream is always unexpected.
func (h *headReader) inner() (string, error) {
	line, err := h.line()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return line, err
}

// contentLength is 0 where there is no such header; several that agree count as one.
func contentLength(header http.Header) (int, error) {
	values := header["Content-Length"]
	if len(values) == 0 {
		return 0, nil
	}
	for _, value := range values {
		if value != values[0] {
			return 0, errors.New("the message has two lengths")
		}
	}
	size, err := strconv.ParseUint(values[0], 10, 31)
	if err != nil {
		return 0, fmt.Errorf("%.40q is not a content length", values[0])
	}
	return int(size), nil
}

// bytes appends size bytes of the stream. Memory grows with what arrives, not with what was promised.
func (h *headReader) bytes(body []byte, size int) ([]byte, error) {
	buffer := bytes.NewBuffer(body)
	n, err := io.CopyN(buffer, h.in, int64(size))
	if errors.Is(err, io.EOF) && n < int64(size) {
		err = io.ErrUnexpectedEOF
	}
	return buffer.Bytes(), err
}

func (h *headReader) chunks(maxBody int) ([]byte, error) {
	var body []byte
	for {
		h.left = headMax // each chunk has a head of its own; their sum is bounded by maxBody, as each holds a byte
		line, err := h.inner()
		if err != nil {
			return nil, err
		}
		digits, _, _ := strings.Cut(line, ";")
		size, err := strconv.ParseUint(strings.Trim(digits, " \t"), 16, 31)
		if err != nil {
			return nil, fmt.Errorf("%.40q is not a chunk size", line)
		}
		if size == 0 {
			_, err := h.headers() // trailers, which nobody uses
			return body, err
		}
		if len(body)+int(size) > maxBody {
			return nil, fmt.Errorf("chunked body: %w", errTooLarge)
		}
		if body, err = h.bytes(body, int(size)); err != nil {
			return nil, err
		}
		if line, err = h.inner(); err != nil || line != "" {
			return nil, errors.Join(err, errors.New("a chunk does not end with its size"))
		}
	}
}

// token tells whether s can be a method or a header name (RFC 9110 5.6.2).
func token(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return s != ""
}

// hostHeader is the address without its port: some devices refuse a request without a Host header, others one with a
// port in it (aiohomekit).
func hostHeader(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	host, _, _ = strings.Cut(host, "%") // the zone of a link-local address means nothing to the peer
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return host
}

// requestBytes writes a request; body may be nil.
func requestBytes(method, target, host, contentType string, body []byte) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, target, host)
	appendBody(&out, contentType, body)
	return out.Bytes()
}

// responseBytes writes a response; body may be nil.
func responseBytes(status int, contentType string, body []byte) []byte {
	text := http.StatusText(status)
	if status == statusUnverified {
		text = "Connection Authorization Required"
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, "HTTP/1.1 %d %s\r\n", status, text)
	if len(body) == 0 && status != http.StatusNoContent {
		out.WriteString("Content-Length: 0\r\n")
	}
	appendBody(&out, contentType, body)
	return out.Bytes()
}

// eventBytes writes an event with a JSON body.
func eventBytes(body []byte) []byte {
	out := bytes.NewBufferString("EVENT/1.0 200 OK\r\n")
	appendBody(out, contentJSON, body)
	return out.Bytes()
}

func appendBody(out *bytes.Buffer, contentType string, body []byte) {
	if len(body) > 0 {
		fmt.Fprintf(out, "Content-Type: %s\r\nContent-Length: %d\r\n", contentType, len(body))
	}
	out.WriteString("\r\n")
	out.Write(body)
}

// statusUnverified answers a request that needs a verified session (HAP R2 4.15).
const statusUnverified = 470
