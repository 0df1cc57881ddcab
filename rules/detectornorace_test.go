//go:build !race

package rules_test

const slowModel = false
