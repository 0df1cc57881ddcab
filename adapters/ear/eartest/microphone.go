package eartest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// WAV is a recording as arecord -t wav writes it, of any rate and any number of channels: all get the same.
func WAV(samples []int16, rate, channels int) []byte {
	size := len(samples) * 2 * channels
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(rate*2*channels))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*channels))
	b = append(b, 16, 0, 'd', 'a', 't', 'a')
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	for _, v := range samples {
		for range channels {
			b = binary.LittleEndian.AppendUint16(b, uint16(v))
		}
	}
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)-8))
	return b
}

// PCM is bare samples as arecord -t raw writes them.
func PCM(samples []int16) []byte {
	var b []byte
	for _, v := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(v))
	}
	return b
}

// Recorder writes a program that stands in for arecord: a shell script whose body is given. The folder of
// the script is its working directory.
func Recorder(t testing.TB, body string) string {
	t.Helper()
	folder := t.TempDir()
	program := filepath.Join(folder, "arecord")
	script := "#!/bin/sh\ncd '" + folder + "'\n" + body + "\n"
	// Written beside and renamed: a file that somebody still has open for writing cannot be executed.
	if err := os.WriteFile(program+".new", []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(program+".new", program); err != nil {
		t.Fatal(err)
	}
	return program
}
