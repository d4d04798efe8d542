package main

import (
	"syscall"
	"time"
)

// threadTime is the CPU time that the calling thread has used, in steps of a
// microsecond. Others who want the processor do not count.
func threadTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &used); err != nil {
		return 0 // no kernel of today; times read as nothing, and nothing rests on them
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
