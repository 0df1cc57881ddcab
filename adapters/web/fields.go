package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
)

// What a request that keeps the house may bring, in bytes.
const (
	backupBody = 8 << 20   // a file
	uploadBody = 256 << 20 // what is read of one that is too large: a browser listens only once it has sent all of it
	fieldBody  = 1 << 10   // one field of a form with a file
)

// fields are what a request says, by name.
type fields map[string]string

// readFields reads a form, with or without a file, or a JSON object of texts and yes and no.
func (a *Adapter) readFields(r *http.Request) (fields, error) {
	kind, more, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "multipart/form-data" {
		if !a.uploading.TryLock() { // each takes memory
			return fields{}, errUploading
		}
		defer a.uploading.Unlock()
		return readParts(multipart.NewReader(r.Body, more["boundary"]))
	}
	r.Body = http.MaxBytesReader(nil, r.Body, formBody) // only a file may be more
	if kind == "application/x-www-form-urlencoded" {
		if err := r.ParseForm(); err != nil {
			return fields{}, fmt.Errorf("the form is not readable: %w", err)
		}
		in := fields{}
		for key, values := range r.PostForm {
			in[key] = values[0]
		}
		return in, nil
	}
	object := map[string]any{}
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil && !errors.Is(err, io.EOF) {
		return fields{}, errors.New(`expected a JSON object, as in {"id":"…"}`)
	}
	in := fields{}
	for key, value := range object {
		in[key] = fmt.Sprint(value)
	}
	return in, nil
}

// readParts reads a form with a file.
func readParts(parts *multipart.Reader) (fields, error) {
	in := fields{}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return in, nil
		}
		limit := int64(fieldBody)
		if err == nil && part.FormName() == "file" {
			limit = backupBody
		}
		var content []byte
		if err == nil {
			content, err = io.ReadAll(io.LimitReader(part, limit))
		}
		var large *http.MaxBytesError
		switch {
		case errors.As(err, &large):
			return in, errTooLarge
		case len(content) == backupBody:
			_, _ = io.Copy(io.Discard, part)
			return in, errTooLarge
		case err != nil:
			return in, fmt.Errorf("the form is not readable: %w", err)
		}
		in[part.FormName()] = string(content)
	}
}
