package broker

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	maxTopicLength = 1024 // bytes; MQTT allows 65535, which costs the index dearly
	maxTopicLevels = 32   // the index takes half a kilobyte for each level
)

// endsInSet is true of a topic whose last level is "set", by the widespread custom a wish.
func endsInSet(topic string) bool { return topic == "set" || strings.HasSuffix(topic, "/set") }

// checkTopic finds fault with a topic to publish to.
func checkTopic(topic string) error {
	if strings.ContainsAny(topic, "+#") {
		return errors.New("a topic to publish to has no wildcards")
	}
	return checkLevels(topic)
}

// checkFilter finds fault with a filter to subscribe to (MQTT 3.1.1, section 4.7).
func checkFilter(filter string) error {
	levels := strings.Split(filter, "/")
	for i, level := range levels {
		if level == "#" && i == len(levels)-1 || level == "+" {
			continue
		}
		if strings.ContainsAny(level, "+#") {
			return errors.New("a wildcard must be a whole level, and # the last one")
		}
	}
	return checkLevels(filter)
}

func checkLevels(topic string) error {
	switch {
	case topic == "":
		return errors.New("the topic is empty")
	case len(topic) > maxTopicLength:
		return fmt.Errorf("the topic has %d bytes, the limit is %d", len(topic), maxTopicLength)
	case strings.Count(topic, "/") >= maxTopicLevels:
		return fmt.Errorf("the topic has more than %d levels", maxTopicLevels)
	case !utf8.ValidString(topic) || strings.ContainsRune(topic, 0):
		return errors.New("the topic is not a text")
	}
	return nil
}

func hasWildcard(filter string) bool { return strings.ContainsAny(filter, "+#") }

// matches reports whether a filter that checkFilter found well matches a topic (MQTT 3.1.1, section 4.7).
func matches(filter, topic string) bool {
	if strings.HasPrefix(topic, "$") && hasWildcard(filter[:1]) {
		return false
	}
	for {
		want, filterRest, more := strings.Cut(filter, "/")
		if want == "#" {
			return true
		}
		level, topicRest, deeper := strings.Cut(topic, "/")
		if want != "+" && want != level {
			return false
		}
		if !deeper {
			return !more || filterRest == "#"
		}
		if !more {
			return false
		}
		filter, topic = filterRest, topicRest
	}
}
