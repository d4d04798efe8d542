package process

import (
	"os/exec"
	"runtime"
	"sync"
)

// start starts a command from a thread that lives as long as the program: Linux
// sends the signal of Pdeathsig when the thread dies that started the child, and Go
// ends threads as it pleases.
func start(cmd *exec.Cmd) error {
	answer := make(chan error)
	starter() <- func() { answer <- cmd.Start() }
	return <-answer
}

// starter hands functions to the one goroutine that never leaves its thread.
var starter = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})
