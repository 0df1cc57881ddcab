//go:build race

package rules_test

// slowModel says that the models shrink: with the race detector they take ten times as long.
const slowModel = true
