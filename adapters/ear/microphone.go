package ear

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// microphone is where samples come from: a program that records, a pipe, or a recording.
type microphone struct {
	reader    io.Reader
	close     func() error // ends the program, too; gives its last words
	wave      Wave
	live      bool // its rate is that of the clock, and can be checked
	recording bool // it is to be played at the pace of life, once
}

// isFile reports whether the microphone's name is that of a file or pipe.
func isFile(name string) bool {
	return strings.HasPrefix(name, "/") || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../")
}

// openMicrophone opens it. ctx ends the program that records.
func openMicrophone(ctx context.Context, name, program string) (*microphone, error) {
	if isFile(name) {
		return openFile(name)
	}
	return record(ctx, name, program)
}

// openFile opens a recording, or a pipe without waiting for somebody who writes into it.
func openFile(name string) (*microphone, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("the microphone's file cannot be opened: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = errors.New("it is a folder")
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("the microphone's file %s cannot be read: %w", name, err)
	}
	m := &microphone{close: f.Close, recording: info.Mode().IsRegular()}
	m.wave, m.reader, err = sniff(f)
	if errors.Is(err, io.EOF) && !m.recording {
		err = fmt.Errorf("nobody writes into the pipe %s", name)
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("the microphone %s: %w", name, err)
	}
	return m, nil
}

// leaveTime is how long the program may take to end when it is told to.
const leaveTime = 300 * time.Millisecond

// record starts the program that records from an ALSA device.
func record(ctx context.Context, device, program string) (*microphone, error) {
	c := exec.CommandContext(ctx, program, "-q", "-D", device, "-f", "S16_LE", "-r", "16000", "-c", "1", "-t", "raw")
	words := &lastWords{}
	c.Stderr, c.WaitDelay = words, leaveTime
	c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is not there: install Debian's alsa-utils (sudo apt install alsa-utils)", program)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot be started: %w", program, err)
	}
	m := &microphone{reader: out, wave: Wave{Rate: Rate, Channels: 1}, live: true}
	m.close = sync.OnceValue(func() error {
		c.Process.Signal(syscall.SIGTERM)
		late := time.AfterFunc(leaveTime, func() { c.Process.Kill() })
		defer late.Stop()
		err := c.Wait()
		if last := words.String(); last != "" {
			return errors.New(last)
		}
		return err
	})
	return m, nil
}

// lastWords keeps the last line that a program wrote to its standard error.
type lastWords struct {
	mu   sync.Mutex
	text string
}

// longestWords bounds what a program says.
const longestWords = 300

// Write takes what the program says.
func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text += string(p)
	if len(w.text) > 2*longestWords {
		w.text = w.text[len(w.text)-longestWords:]
	}
	return len(p), nil
}

// String is the last line.
func (w *lastWords) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := strings.TrimSpace(w.text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
