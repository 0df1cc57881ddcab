//go:build race

package rules_test

// Nothing here runs side by side, and the race detector makes it twelve times slower: a little has to do.
const racing = true
