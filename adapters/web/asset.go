package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

// assets are the files beside the page, as they are served.
type assets struct {
	files map[string]asset // by path: /page.css
	build string           // names what is served, so that a page knows when it is of an older program
}

// asset is one file, plain and compressed.
type asset struct {
	kind        string
	plain, gzip []byte
}

var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// served unpacks and compresses the files when the first of them is asked for: most starts of the program have nobody who looks.
var served = sync.OnceValue(func() assets {
	all := assets{files: map[string]asset{}}
	sum := sha256.New()
	files := unpacked("static/")
	for _, name := range slices.Sorted(maps.Keys(files)) {
		content := []byte(files[name])
		sum.Write(content)
		all.files[strings.TrimPrefix(name, "static")] = asset{kinds[path.Ext(name)], content, squeeze(content)}
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
