package rig

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"

	"github.com/tessera-autoscaler/tessera/test/cluster/process"
)

// Kill ends a server as a crash does, without warning. What it kept is still there for
// StartServer.
func (c *Cluster) Kill(name string) error {
	p, err := c.server(name)
	if err != nil {
		return err
	}
	return p.Kill()
}

// StartServer starts a server again that was killed or has ended. It answers at once,
// except for the API server, of which it waits that it is ready.
func (c *Cluster) StartServer(ctx context.Context, name string) error {
	p, err := c.server(name)
	if err != nil {
		return err
	}
	if p, err = p.Again(); err != nil {
		return err
	}
	c.mu.Lock()
	c.servers[name] = p
	c.mu.Unlock()
	if name != APIServer {
		return nil
	}
	return c.await(ctx, "the API server to be ready again", c.apiServerReady)
}

// StopServer freezes a server: it keeps its connections and answers nobody (SIGSTOP).
func (c *Cluster) StopServer(name string) error { return c.signal(name, syscall.SIGSTOP) }

// ContinueServer lets a frozen server go on (SIGCONT).
func (c *Cluster) ContinueServer(name string) error { return c.signal(name, syscall.SIGCONT) }

func (c *Cluster) signal(name string, s syscall.Signal) error {
	p, err := c.server(name)
	if err != nil {
		return err
	}
	return p.Signal(s)
}

func (c *Cluster) server(name string) (*process.Process, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.servers[name]
	if !ok {
		return nil, fmt.Errorf("this cluster has no server %q, only %s", name, strings.Join(slices.Sorted(maps.Keys(c.servers)), ", "))
	}
	return p, nil
}
