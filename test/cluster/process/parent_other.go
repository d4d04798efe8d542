//go:build !linux

package process

import "syscall"

// dieWithParent does nothing: only Linux kills children with their parent. A test that
// is killed elsewhere leaves its servers behind.
func dieWithParent(*syscall.SysProcAttr) {}
