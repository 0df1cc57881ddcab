//go:build !race

package ear

const racing = false
