//go:build !race

package schedule_test

const racing = false
