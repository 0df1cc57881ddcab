//go:build race

package ear

// Nothing in the corpus runs side by side, and the race detector makes it ten times slower: a little has to do.
const racing = true
