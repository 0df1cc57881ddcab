package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"net/http"
	"path"
	"strings"
	"sync"
)

//go:embed static
var static embed.FS

// assets are the files beside the page, as they are served.
type assets struct {
	files map[string]packed // by path: /page.css
	build string            // names what is served, so that a page knows when it is of an older program
}

// packed is one file, plain and compressed.
type packed struct {
	kind        string
	plain, gzip []byte
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// served compresses the files when the first of them is asked for: most starts of the program have nobody who looks.
var served = sync.OnceValue(func() assets {
	all := assets{files: map[string]packed{}}
	sum := sha256.New()
	entries, _ := static.ReadDir("static") // embedded: it is there
	for _, e := range entries {
		content, _ := static.ReadFile("static/" + e.Name())
		sum.Write(content)
		all.files["/"+e.Name()] = packed{kinds[path.Ext(e.Name())], content, squeeze(content)}
	}
	all.build = hex.EncodeToString(sum.Sum(nil)[:6])
	return all
})

func squeeze(content []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one
	w.Write(content)
	w.Close()
	return b.Bytes()
}

// asset serves one of the files. Their address changes with their content, so they may be kept.
func (a *Adapter) asset(w http.ResponseWriter, r *http.Request) {
	f := served().files[r.URL.Path]
	h := w.Header()
	h.Set("Content-Type", f.kind)
	h.Set("Vary", "Accept-Encoding")
	if r.URL.Query().Get("v") == served().build {
		h.Set("Cache-Control", "private, max-age=31536000, immutable")
	}
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		w.Write(f.gzip)
		return
	}
	w.Write(f.plain)
}
