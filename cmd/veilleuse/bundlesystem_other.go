//go:build !linux

package main

// machineFacts knows nothing here.
func machineFacts() string { return "" }
