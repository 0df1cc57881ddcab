package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// pageWidth is how wide a page for people is, in characters.
const pageWidth = 79

// fold writes a text in lines that are no longer than the page; further lines are indented deeper.
func fold(out io.Writer, indent, text string) { hang(out, indent, indent+"    ", text) }

// hang writes a text behind a head, in lines that are no longer than the page; what follows the first
// line begins with another head.
func hang(out io.Writer, first, further, text string) {
	line, begun := first, false
	for i, word := range strings.Split(text, " ") {
		if begun && word != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > pageWidth {
			fmt.Fprintln(out, strings.TrimRight(line, " "))
			line, begun = further, false
		}
		if begun || i > 0 && word == "" {
			line += " "
		}
		line, begun = line+word, true
	}
	fmt.Fprintln(out, strings.TrimRight(line, " "))
}
