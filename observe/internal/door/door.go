// Package door opens HTTP connections to servers that are named in a configuration
// and are not trusted: no redirect is followed, no proxy of the environment used, a
// token is read anew for each request, replies are bounded, and addresses that only
// the machine itself has are refused.
package door

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"
)

// maxReply is the size in bytes, after decompression, up to which a reply is read.
const maxReply = 8 << 20

// errTooLarge ends the reading of a reply.
var errTooLarge = fmt.Errorf("the reply is larger than %d MiB", maxReply>>20)

// Options are about one server.
type Options struct {
	Name            string            // for errors: "Prometheus"
	CAFile          string            // PEM certificates that the server's must descend from; empty: those of the system
	BearerTokenFile string            // read anew for each request; empty: no token
	Timeout         time.Duration     // of connecting
	Connections     int               // kept open while idle
	Transport       http.RoundTripper // replaces the connection, for tests; the limits and the token stay
}

// CheckURL tells what is wrong with the address of a server.
func CheckURL(name, address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return fmt.Errorf("%s URL: %w", name, err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return fmt.Errorf("%s URL %q: write it as http://host:9090 or https://host/path", name, u.Redacted())
	case u.User != nil:
		return fmt.Errorf("%s URL %q: a password in a URL ends up in logs; use the bearer token file", name, u.Redacted())
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("%s URL %q: leave out what stands behind ? or #", name, u.Redacted())
	}
	return nil
}

// Open builds the client of one server. It follows no redirect, so that the token
// goes nowhere else, and uses no proxy of the environment, so that the address that
// is checked is the one that is spoken to.
func Open(o Options) (*http.Client, error) {
	base := o.Transport
	if base == nil {
		roots, err := rootsOf(o)
		if err != nil {
			return nil, err
		}
		refuse := func(_, address string, _ syscall.RawConn) error { return refuseLinkLocal(o.Name, address) }
		dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second, Control: refuse}
		base = &http.Transport{
			DialContext:            dialer.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			TLSHandshakeTimeout:    o.Timeout,
			ForceAttemptHTTP2:      true,
			MaxIdleConnsPerHost:    o.Connections,
			IdleConnTimeout:        90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &http.Client{
		Transport:     guard{base: base, name: o.Name, tokenFile: o.BearerTokenFile},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// rootsOf reads the certificates that the server's must descend from; without a
// file, those of the system.
func rootsOf(o Options) (*x509.CertPool, error) {
	if o.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("read the CA of %s: %w", o.Name, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read the CA of %s: %s holds no certificate in PEM", o.Name, o.CAFile)
	}
	return pool, nil
}

// refuseLinkLocal refuses addresses that only the machine itself has, such as the
// metadata service of a cloud. It is called with what the name was resolved to.
func refuseLinkLocal(name, address string) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("dial %s: %w", address, err)
	}
	if ip := at.Addr().Unmap(); ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return fmt.Errorf("dial %s: link-local addresses are refused, a %s is never there", address, name)
	}
	return nil
}

// guard adds the token, read anew for each request because it is rotated, and
// bounds what is read of a reply.
type guard struct {
	base            http.RoundTripper
	name, tokenFile string
}

func (g guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if g.tokenFile != "" {
		token, err := os.ReadFile(g.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("read the bearer token of %s: %w", g.name, err)
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
