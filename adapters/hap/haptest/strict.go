package haptest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
)

var (
	statusLine = regexp.MustCompile(`^(HTTP/1\.1|EVENT/1\.0) ([1-9][0-9]{2}) ([ -~]+)$`)
	headerLine = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*): ([ -~]*)$`)
)

// readStrictly reads one message and accepts only what HAP R2 6.2 and RFC 9112 demand of a sender.
func readStrictly(in *bufio.Reader) (Message, error) {
	first, err := strictLine(in)
	if err != nil {
		return Message{}, err
	}
	parts := statusLine.FindStringSubmatch(first)
	if parts == nil {
		return Message{}, fmt.Errorf("%.120q is not a status line: is an event in the middle of a response?", first)
	}
	message := Message{Event: parts[1] == "EVENT/1.0", Header: http.Header{}}
	if message.Status, err = strconv.Atoi(parts[2]); err != nil {
		return Message{}, err
	}
	for {
		line, err := strictLine(in)
		if err != nil {
			return Message{}, err
		}
		if line == "" {
			break
		}
		header := headerLine.FindStringSubmatch(line)
		if header == nil || message.Header.Get(header[1]) != "" {
			return Message{}, fmt.Errorf("%.120q is not a header, or is there twice", line)
		}
		message.Header.Set(header[1], header[2])
	}
	if message.Body, err = strictBody(in, message); err != nil {
		return Message{}, err
	}
	return message, checkMessage(message)
}

// strictLine reads up to CR LF.
func strictLine(in *bufio.Reader) (string, error) {
	line, err := in.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		return "", io.ErrUnexpectedEOF
	}
	if err != nil {
		return "", err
	}
	text, ok := strings.CutSuffix(line, "\r\n")
	if !ok {
		return "", fmt.Errorf("%.120q does not end with CR LF", line)
	}
	return text, nil
}

func strictBody(in *bufio.Reader, message Message) ([]byte, error) {
	if message.Header.Get("Transfer-Encoding") == "chunked" {
		return strictChunks(in)
	}
	length := message.Header.Get("Content-Length")
	if message.Status == http.StatusNoContent {
		if length != "" {
			return nil, errors.New("204 comes with a length")
		}
		return nil, nil
	}
	size, err := strconv.ParseUint(length, 10, 24)
	if err != nil {
		return nil, fmt.Errorf("status %d comes without a fit length: %w", message.Status, err)
	}
	body := make([]byte, size)
	_, err = io.ReadFull(in, body)
	return body, err
}

func strictChunks(in *bufio.Reader) ([]byte, error) {
	var body []byte
	for {
		line, err := strictLine(in)
		if err != nil {
			return nil, err
		}
		size, err := strconv.ParseUint(line, 16, 24)
		if err != nil {
			return nil, err
		}
		chunk := make([]byte, size)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil, err
		}
		if end, err := strictLine(in); err != nil || end != "" {
			return nil, errors.Join(errors.New("a chunk does not end with its size"), err)
		}
		if size == 0 {
			return body, nil
		}
		body = append(body, chunk...)
	}
}

// checkMessage holds a message against the rules that need no request. An event inside a response's body shows here: the
// body is cut too early and is no JSON.
func checkMessage(message Message) error {
	kind := message.Header.Get("Content-Type")
	switch {
	case len(message.Body) == 0 && kind != "":
		return fmt.Errorf("the type %q comes without a body", kind)
	case len(message.Body) > 0 && kind == "":
		return errors.New("a body comes without a type")
	case kind == contentJSON && !json.Valid(message.Body):
		return fmt.Errorf("%.200q is no JSON", message.Body)
	case message.Event:
		return checkEvent(message, kind)
	}
	return nil
}

func checkEvent(message Message, kind string) error {
	entries, err := message.Values()
	if err != nil || message.Status != http.StatusOK || kind != contentJSON || len(entries) == 0 {
		return errors.Join(fmt.Errorf("an event has status %d, type %q, %d entries", message.Status, kind, len(entries)), err)
	}
	for _, entry := range entries {
		if entry.AID == nil || entry.IID == nil || entry.Value == nil || entry.Status != nil {
			return fmt.Errorf("%.200q is no event", message.Body)
		}
	}
	return nil
}

// checkAnswer holds the answer to /characteristics against HAP R2 6.7: 200 has values and no failure, 204 has nothing,
// 207 has a status on every entry.
func checkAnswer(method, target string, message Message) error {
	if !strings.HasPrefix(target, "/characteristics") || message.Status >= 300 {
		return nil
	}
	entries, err := message.Values()
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, target, err)
	}
	failed := 0
	for _, entry := range entries {
		fit := entry.AID != nil && entry.IID != nil && (entry.Status != nil) == (message.Status == http.StatusMultiStatus)
		value := method == http.MethodGet && (entry.Status == nil || *entry.Status == 0)
		if !fit || value && entry.Value == nil {
			return fmt.Errorf("%s %s: status %d with %.200q", method, target, message.Status, message.Body)
		}
		if entry.Status != nil && *entry.Status != 0 {
			failed++
		}
	}
	switch {
	case method == http.MethodPut && message.Status == http.StatusOK:
		return errors.New("a write is answered by 200 instead of 204 or 207")
	case method == http.MethodGet && message.Status == http.StatusMultiStatus && failed == 0:
		return errors.New("207 comes without a failure")
	}
	return nil
}
