package powercut

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// startProgram starts the released program on a copy of what was left, takes the time until it is ready, as it tells
// systemd, and what it says of its database.
func startProgram(t *testing.T, program string, files map[string][]byte, s *story) {
	t.Helper()
	folder := t.TempDir()
	if err := write(files, filepath.Join(folder, "state")); err != nil {
		t.Fatal(err)
	}
	ready, damage, err := startDaemon(program, folder, upWithin)
	s.ready = ready
	if damage != "" && s.damaged == "" {
		s.damaged = damage
	}
	if err != nil {
		s.hangs = err.Error()
	}
}

// configuration is that of a house without anybody around: nothing leaves this machine.
const configuration = `state: %s/state
netatmo:
  url: http://127.0.0.1:9
uplink:
  witnesses: ["127.0.0.1:9"]
homekit:
  listen: 127.0.0.1:0
mqtt:
  listen: 127.0.0.1:0
web:
  listen: 127.0.0.1:0
`

// startDaemon starts the program with the folder named state in that folder, and kills it once it is up or patience is
// over. It returns what it says of damage. The socket of a daemon that was killed lies there, too: so it lets bbolt try
// the file in a process of its own.
func startDaemon(program, folder string, patience time.Duration) (ready time.Duration, damage string, err error) {
	config := filepath.Join(folder, "veilleuse.yaml")
	if err := os.WriteFile(config, fmt.Appendf(nil, configuration, folder), 0o600); err != nil {
		return 0, "", err
	}
	abandoned, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(folder, "state", "control.sock"), Net: "unix"})
	if err != nil {
		return 0, "", err
	}
	abandoned.SetUnlinkOnClose(false)
	abandoned.Close()
	socket := filepath.Join(folder, "notify")
	notify, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return 0, "", err
	}
	defer notify.Close()
	var said strings.Builder
	daemon := exec.Command(program, "run", "-c", config)
	daemon.Env = append(os.Environ(), "NOTIFY_SOCKET="+socket)
	daemon.Stderr = &said
	began := time.Now()
	if err := daemon.Start(); err != nil {
		return 0, "", err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = daemon.Wait() // it is killed, or its log says why it ended
		notify.SetReadDeadline(time.Now())
	}()
	lacks, err := awaitReady(notify, began.Add(patience))
	ready = time.Since(began)
	_ = daemon.Process.Kill()
	<-ended
	if err != nil {
		err = fmt.Errorf("the program was not ready after %s: %w; it said: %.300s", ready, err, strings.ReplaceAll(said.String(), "\n", "; "))
	}
	return ready, cmp.Or(damageIn(said.String()), lacks), err
}

// awaitReady waits for the word that systemd waits for; or for the sentence that says which part does not serve while
// the house goes on without it.
func awaitReady(notify *net.UnixConn, limit time.Time) (lacks string, err error) {
	if err := notify.SetReadDeadline(limit); err != nil {
		return "", err
	}
	message := make([]byte, 4096)
	for {
		n, err := notify.Read(message)
		if err != nil {
			return "", err
		}
		for line := range strings.Lines(string(message[:n])) {
			line = strings.TrimSpace(line)
			if line == "READY=1" {
				return "", nil
			}
			if strings.HasPrefix(line, "STATUS=") && strings.Contains(line, "does not serve: ") {
				return line, nil
			}
		}
	}
}

// damageIn is the line of a log that says that the database was damaged.
func damageIn(log string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "was damaged") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// tell says what is to be known of a start that did not go well.
func tell(t *testing.T, r result, s story) {
	t.Helper()
	var faults []error
	for _, one := range append(s.lost, s.wrong...) {
		faults = append(faults, errors.New(one))
	}
	for _, one := range []string{s.damaged, s.failed, s.hangs} {
		if one != "" {
			faults = append(faults, errors.New(one))
		}
	}
	if len(faults) > 0 {
		t.Logf("trial %d: %.600s", r.trials, oneLine(errors.Join(faults...)))
	}
}
