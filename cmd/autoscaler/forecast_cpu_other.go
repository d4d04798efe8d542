//go:build !linux

package main

import "time"

var programBegan = time.Now()

// threadTime is the time that passed: elsewhere than on Linux no thread knows its own.
func threadTime() time.Duration { return time.Since(programBegan) }
