// Package process starts servers as children of a test: their output goes to a file,
// an early end comes with the last lines of it, and none outlives the program that
// started it.
package process

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Command says what is started and how it is called in errors.
type Command struct {
	Name string
	Path string   // The executable.
	Args []string // Without the name of the executable.
	Env  []string // The whole environment; that of the caller is not inherited.
	Dir  string   // Where it runs and where its log, Name.log, is appended to.
}

// LogPath is the file that holds what the server wrote to stdout and stderr.
func (c Command) LogPath() string { return filepath.Join(c.Dir, c.Name+".log") }

// Process is a server that has been started, running or not. Its methods can be
// called by several goroutines.
type Process struct {
	command Command
	cmd     *exec.Cmd
	done    chan struct{} // Closed when the process has ended and result is set.
	result  error
}

// Start starts the server in a process group of its own, so that a Ctrl-C at the
// terminal reaches only the caller, and so that its children end with it. Where the
// system can do so, it kills the server when the caller dies.
func Start(c Command) (*Process, error) {
	log, err := os.OpenFile(c.LogPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", c.Name, err)
	}
	defer log.Close()
	//nolint:noctx // A server ends by a signal that its owner chooses, not with the context it was started in.
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.Dir, c.Env, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithParent(cmd.SysProcAttr)
	if err := start(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", c.Name, err)
	}
	p := &Process{command: c, cmd: cmd, done: make(chan struct{})}
	go func() {
		p.result = cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Name is how errors call the server.
func (p *Process) Name() string { return p.command.Name }

// Again starts a server that has ended with the same command, and answers the new process.
func (p *Process) Again() (*Process, error) {
	if p.Err() == nil {
		return nil, fmt.Errorf("%s still runs; kill it before starting it again", p.command.Name)
	}
	return Start(p.command)
}

// Done is closed when the server has ended, for whatever reason.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is nil while the server runs; afterwards it says how it ended, with the last
// lines of its log.
func (p *Process) Err() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	how := "ended by itself"
	if p.result != nil {
		how = p.result.Error()
	}
	return fmt.Errorf("%s: %s; the end of %s:\n%s", p.command.Name, how, p.command.LogPath(), p.Tail())
}

// Tail is the last 20 lines of the log.
func (p *Process) Tail() string {
	const lines, most = 20, 16 << 10
	f, err := os.Open(p.command.LogPath())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > most {
		if _, err := f.Seek(-most, io.SeekEnd); err != nil {
			return err.Error()
		}
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(string(bytes.TrimSpace(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}

// Signal sends a signal to the server and its children. It is not an error that they
// have ended already.
func (p *Process) Signal(s syscall.Signal) error {
	if p.Err() != nil {
		return nil
	}
	if err := syscall.Kill(-p.cmd.Process.Pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("sending %s to %s: %w", s, p.command.Name, err)
	}
	return nil
}

// Kill ends the server at once, even one that SIGSTOP holds, and waits until it is gone.
func (p *Process) Kill() error {
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.done
	return nil
}

// Terminate asks the server to end and kills it when it has not done so in time.
func (p *Process) Terminate(grace time.Duration) error {
	if err := p.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	limit := time.NewTimer(grace) //nolint:forbidigo // Waiting for a real process takes real time.
	defer limit.Stop()
	select {
	case <-p.done:
		return nil
	case <-limit.C:
		return p.Kill()
	}
}
