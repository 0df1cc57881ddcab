package web

import (
	"go/ast"
	"go/parser"
	"go/token"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// textName is the name of a text in the HTML that is put.
var textName = regexp.MustCompile(`\{[a-z.]+\}`)

// Every text that the page asks for is in the table, in both languages and with the same gaps to fill, and none is idle.
func TestTextsAreWhole(t *testing.T) {
	verb := regexp.MustCompile(`%[a-z]`)
	every := map[string][2]string{}
	for _, table := range tables {
		for key, text := range table {
			if every[key] != [2]string{} {
				t.Errorf("%q stands in two tables", key)
			}
			every[key] = text
		}
	}
	for key, text := range every {
		if text[english] == "" || text[french] == "" || strings.Join(verb.FindAllString(text[english], -1), "") != strings.Join(verb.FindAllString(text[french], -1), "") {
			t.Errorf("%s: %q and %q do not fit together", key, text[english], text[french])
		}
	}
	literals := map[string]bool{}
	names, err := filepath.Glob("*.go")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d files, %v", len(names), err)
	}
	for _, name := range names {
		if strings.HasPrefix(name, "texts") || strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "say" {
					if key, ok := literal(call.Args[0]); ok && every[key] == [2]string{} {
						t.Errorf("%s asks for %q, which is not there", name, key)
					}
				}
			}
			if lit, ok := n.(ast.Expr); ok {
				if word, ok := literal(lit); ok {
					literals[word] = true
					if strings.HasPrefix(word, "/") { // the path of a route
						return true
					}
					for _, put := range textName.FindAllString(word, -1) {
						key := strings.Trim(put, "{}")
						if literals[key] = true; every[key] == [2]string{} {
							t.Errorf("%s puts %q, which is not there", name, key)
						}
					}
				}
			}
			return true
		})
	}
	for _, gap := range regexp.MustCompile(`{!([\w.-]+)`).FindAllStringSubmatch(firstPageText(), -1) {
		if literals[gap[1]] = true; every[gap[1]] == [2]string{} && !strings.HasSuffix(gap[1], ".") {
			t.Errorf("the pages of the first run ask for %q, which is not there", gap[1])
		}
	}
	for key := range every {
		known := literals[key]
		for word := range literals {
			known = known || strings.HasSuffix(word, ".") && strings.HasPrefix(key, word) || strings.HasPrefix(word, ".") && strings.HasSuffix(key, word)
		}
		if !known {
			t.Errorf("nobody asks for %q", key)
		}
	}
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	word, err := strconv.Unquote(lit.Value)
	return word, err == nil
}

func TestLanguageOfTheBrowser(t *testing.T) {
	for header, want := range map[string]lang{
		"": english, "fr": french, "fr-FR,fr;q=0.9,en;q=0.8": french, "en-GB,en;q=0.9,fr;q=0.8": english, "de,fr;q=0.5,en;q=0.3": french,
		"de": english, "en;q=0.1, FR-ca;q=0.2": french, ";;;,,q=": english, "fr;q=nonsense": french, "fr;q=0.2,en;q=nan": french,
	} {
		r := &http.Request{Header: http.Header{"Accept-Language": {header}}}
		if got := languageOf(r); got != want {
			t.Errorf("%q gives %s", header, got.code())
		}
	}
}
