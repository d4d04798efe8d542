package process

import (
	"context"
	"errors"
	"fmt"
	"net"
)

// FreePorts answers n ports on loopback that nobody listens on. Until its server has
// taken a port, another program may: a server that finds its port taken is to be
// started again with another.
func FreePorts(ctx context.Context, n int) (ports []int, err error) {
	var listen net.ListenConfig
	held := make([]net.Listener, 0, n) // All are held until all are known, so that they differ.
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for range n {
		l, err := listen.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("looking for a free port: %w", err)
		}
		held = append(held, l)
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}
