package mqtt

import "testing"

func TestTopicForm(t *testing.T) {
	for id, want := range map[string]string{
		"70:ee:50:12:34:56": "70-ee-50-12-34-56",
		"70:EE:50:12:34:56": "70-ee-50-12-34-56",
		"2746182631":        "2746182631",
		"ab_Cellar/+#é":     "ab-cellar----",
		"":                  "",
	} {
		if got := topicForm(id); got != want {
			t.Errorf("topicForm(%q) = %q, want %q", id, got, want)
		}
	}
}
