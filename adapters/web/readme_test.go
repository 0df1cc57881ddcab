package web

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every call for programs stands in the README's one table, by path and method, and nothing stands there that is none.
func TestReadmeHasEveryCall(t *testing.T) {
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	gap := regexp.MustCompile(`<[^>]*>|\{[^}]*\}`)
	var told, served []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(/[^`]*)` \\| (GET|POST) \\|([^|]*)\\|([^|]+)\\|$").FindAllStringSubmatch(string(content), -1) {
		told = append(told, gap.ReplaceAllString(row[1], "*")+" "+row[2])
		if row[2] == "GET" && strings.TrimSpace(row[3]) != "" {
			t.Errorf("%s: a GET has no body", row[1])
		}
	}
	for _, r := range routes {
		if strings.HasPrefix(r.path, "/api/") || r.method == "POST" && strings.HasPrefix(r.path, "/sign-") {
			served = append(served, gap.ReplaceAllString(r.path, "*")+" "+r.method)
		}
	}
	slices.Sort(told)
	slices.Sort(served)
	if !slices.Equal(told, served) {
		t.Errorf("the README's table of calls has\n%q, and these are served:\n%q", told, served)
	}
}
