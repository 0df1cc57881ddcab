package web

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// csvOf makes a table, as RFC 4180 has it, of a list that is shown as JSON. A column is the name of its field and its heading; a
// field that is absent leaves its cell empty.
func csvOf(list any, columns [][2]string) string {
	text, err := json.Marshal(list)
	var rows []map[string]any
	if err == nil {
		numbers := json.NewDecoder(bytes.NewReader(text))
		numbers.UseNumber()
		_ = numbers.Decode(&rows) // our own
	}
	var b strings.Builder
	for i := -1; i < len(rows); i++ {
		for n, column := range columns {
			cell := any(column[1])
			if i >= 0 {
				cell = rows[i][column[0]]
			}
			if n > 0 {
				b.WriteByte(',')
			}
			b.WriteString(cellOf(cell))
		}
		b.WriteString("\r\n")
	}
	return b.String()
}

// cellOf is a value as a cell. A text that a spreadsheet would take for a formula is marked as a text: names come from outside.
func cellOf(value any) string {
	if value == nil {
		return ""
	}
	cell := fmt.Sprint(value)
	if list, many := value.([]any); many {
		var parts []string
		for _, one := range list {
			parts = append(parts, fmt.Sprint(one))
		}
		cell = strings.Join(parts, "; ")
	}
	if _, number := value.(json.Number); !number && cell != "" && strings.Contains("=+-@\t\r\n", cell[:1]) {
		cell = "'" + cell
	}
	if strings.ContainsAny(cell, ",\"\r\n") {
		cell = `"` + strings.ReplaceAll(cell, `"`, `""`) + `"`
	}
	return cell
}
