package process

import "syscall"

// dieWithParent makes the system kill the child when this program dies, however it does.
func dieWithParent(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
