package process_test

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

func shell(t *testing.T, script string) process.Command {
	t.Helper()
	return process.Command{Name: "server", Path: "/bin/sh", Args: []string{"-c", script}, Dir: t.TempDir()}
}

func gone(pid int) bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }

// patience is how long a test waits for what must happen: less than the ten minutes for
// which the servers here live by themselves.
const patience = 2 * time.Minute

func eventuallyGone(t *testing.T, pid int) {
	t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		if gone(pid) {
			return
		}
	}
	t.Fatalf("process %d still runs after %s", pid, patience)
}

func TestAnEarlyEndComesWithTheEndOfTheLog(t *testing.T) {
	p, err := process.Start(shell(t, `i=0; while [ $i -lt 50 ]; do i=$((i+1)); echo line $i; done; echo "no such flag" >&2; exit 3`))
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	got := p.Err().Error()
	if !strings.Contains(got, "exit status 3") || !strings.HasSuffix(got, "line 50\nno such flag") || strings.Contains(got, "line 31\n") {
		t.Fatalf("the error is\n%s", got)
	}
	again, err := p.Again()
	if err != nil {
		t.Fatal(err)
	}
	<-again.Done()
}

func TestKillTakesTheChildrenOfAFrozenServer(t *testing.T) {
	command := shell(t, `sleep 600 & echo $! > child; wait`)
	p, err := process.Start(command)
	if err != nil {
		t.Fatal(err)
	}
	var child int
	for child == 0 {
		time.Sleep(10 * time.Millisecond)
		text, _ := os.ReadFile(command.Dir + "/child")
		child, _ = strconv.Atoi(strings.TrimSpace(string(text)))
	}
	if _, err := p.Again(); err == nil {
		t.Error("a server that runs was started again")
	}
	if err := errors.Join(p.Signal(syscall.SIGSTOP), p.Kill(), p.Kill()); err != nil {
		t.Fatal(err)
	}
	eventuallyGone(t, child)
}

// TestHelper is no test: it is the program that the next test kills.
func TestHelper(t *testing.T) {
	dir := os.Getenv("HELPER_DIR")
	if dir == "" {
		t.SkipNow()
	}
	p, err := process.Start(process.Command{Name: "orphan", Path: "/bin/sh", Args: []string{"-c", "echo $$ > pid; exec sleep 600"}, Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	<-p.Done()
}

func TestAServerDiesWithItsProgram(t *testing.T) {
	if _, err := os.Stat("/proc/self"); err != nil {
		t.Skip("only Linux kills children with their parent")
	}
	dir := t.TempDir()
	program := exec.Command(os.Args[0], "-test.run=^TestHelper$")
	program.Env = append(os.Environ(), "HELPER_DIR="+dir)
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	var server int
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(25 * time.Millisecond) {
		if f, err := os.Open(dir + "/pid"); err == nil {
			line, _ := bufio.NewReader(f).ReadString('\n')
			_ = f.Close()
			if server, _ = strconv.Atoi(strings.TrimSpace(line)); server != 0 {
				break
			}
		}
	}
	if server == 0 || gone(server) {
		t.Fatalf("the program's server, process %d, did not start", server)
	}
	if err := program.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = program.Wait()
	eventuallyGone(t, server)
}

func TestFreePortsDiffer(t *testing.T) {
	ports, err := process.FreePorts(t.Context(), 20)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for _, p := range ports {
		if p == 0 || seen[p] {
			t.Fatalf("ports %v", ports)
		}
		seen[p] = true
	}
}
