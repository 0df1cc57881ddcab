package mqtt

import "strings"

// topicForm is the id of a device or a room as it stands in a topic: in lower case, every character
// outside a-z0-9- replaced by "-". 70:ee:50:12:34:56 becomes 70-ee-50-12-34-56.
func topicForm(id string) string {
	form := func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return '-'
	}
	return strings.Map(form, id)
}
