package prometheus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxReply is the size in bytes, after decompression, up to which a reply is read.
const maxReply = 8 << 20

// errTooLarge ends the reading of a reply.
var errTooLarge = fmt.Errorf("the reply is larger than %d MiB", maxReply>>20)

// newHTTPClient builds the client of one server. It follows no redirect, so that
// the token goes nowhere else, and uses no proxy of the environment, so that the
// address that is checked is the one that is spoken to.
func newHTTPClient(c Config) (*http.Client, error) {
	base := c.Transport
	if base == nil {
		roots, err := rootsOf(c.CAFile)
		if err != nil {
			return nil, err
		}
		dialer := &net.Dialer{Timeout: c.Timeout, KeepAlive: 30 * time.Second, Control: refuseLinkLocal}
		base = &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:    c.Timeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    workers,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &http.Client{
		Transport:     guard{base: base, tokenFile: c.BearerTokenFile},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// rootsOf reads the certificates that the server's must descend from; without a
// file, those of the system.
func rootsOf(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the CA of Prometheus: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA of Prometheus: %s holds no certificate in PEM", file)
	}
	return pool, nil
}

// refuseLinkLocal refuses addresses that only the machine itself has, such as the
// metadata service of a cloud. It is called with what the name was resolved to.
func refuseLinkLocal(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return fmt.Errorf("dial %s: link-local addresses are refused, a Prometheus is never there", address)
	}
	return nil
}

// guard adds the token, read anew for each request because it is rotated, and
// bounds what is read of a reply.
type guard struct {
	base      http.RoundTripper
	tokenFile string
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if g.tokenFile != "" {
		token, err := os.ReadFile(g.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the bearer token of Prometheus: %w", err)
		}
		req = req.Clone(req.Context())
		req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	}
	resp, err := g.base.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Body = &limited{ReadCloser: resp.Body, left: maxReply}
	return resp, nil
}

// limited is a body that fails where it goes on for too long; one that just ended
// there would be a shorter reply that nobody sent.
type limited struct {
	io.ReadCloser
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left < 0 {
		return 0, errTooLarge
	}
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.ReadCloser.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

// late tells whether an error is that of a deadline.
func late(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded)
}
