package web

import (
	"compress/gzip"
	_ "embed"
	"io"
	"strings"
)

// packed is a table: the French of the reasons, the pages of the first run and what is in static, each behind a form feed and its
// name. People edit the files; the program holds them packed, in 48 kB instead of 162.
//
//go:generate sh -c "for file in reasons.fr.txt first.html static/*; do printf '\\f%s\\n' ${DOLLAR}file; cat ${DOLLAR}file; done | gzip -9n >page.gz"
//go:embed page.gz
var packed string

// unpacked are the files whose name begins so, by name. A test holds that the table can be read.
func unpacked(prefix string) map[string]string {
	files := map[string]string{}
	r, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		return files
	}
	text, _ := io.ReadAll(r)
	for one := range strings.SplitSeq(strings.TrimPrefix(string(text), "\f"), "\f") {
		if name, content, _ := strings.Cut(one, "\n"); strings.HasPrefix(name, prefix) {
			files[name] = strings.Clone(content) // what is not asked for need not stay
		}
	}
	return files
}
