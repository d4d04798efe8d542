package rig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// pki is the names of the files with which the API server proves itself and signs the
// tokens of service accounts.
type pki struct {
	authority       []byte // The certificate of the authority, PEM.
	authorityFile   string
	certificateFile string
	keyFile         string
	accountKeyFile  string
}

// newPKI makes an authority, a certificate for loopback and a key for tokens, valid
// for a day around now.
func newPKI(dir string, now time.Time) (pki, error) {
	files := pki{
		authorityFile:   filepath.Join(dir, "ca.crt"),
		certificateFile: filepath.Join(dir, "apiserver.crt"),
		keyFile:         filepath.Join(dir, "apiserver.key"),
		accountKeyFile:  filepath.Join(dir, "serviceaccount.key"),
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test-cluster-ca"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
	}
	server := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "kube-apiserver"},
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv4(10, 0, 0, 1)},
		DNSNames:    []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
	}
	authorityKey, err := newKey(filepath.Join(dir, "ca.key"))
	if err != nil {
		return pki{}, err
	}
	serverKey, err := newKey(files.keyFile)
	if err != nil {
		return pki{}, err
	}
	if _, err := newKey(files.accountKeyFile); err != nil {
		return pki{}, err
	}
	if files.authority, err = sign(files.authorityFile, authority, authority, &authorityKey.PublicKey, authorityKey); err != nil {
		return pki{}, err
	}
	if _, err := sign(files.certificateFile, server, authority, &serverKey.PublicKey, authorityKey); err != nil {
		return pki{}, err
	}
	return files, nil
}

// newKey makes a private key and writes it to a file.
func newKey(path string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encoding a key: %w", err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	return key, nil
}

// sign makes a certificate, writes it to a file and answers it, both as PEM.
func sign(path string, cert, parent *x509.Certificate, public *ecdsa.PublicKey, key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, public, key)
	if err != nil {
		return nil, fmt.Errorf("signing %s: %w", cert.Subject.CommonName, err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return nil, fmt.Errorf("writing a certificate: %w", err)
	}
	return text, nil
}

// newToken makes a token that nobody else can know.
func newToken() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // It never fails; see crypto/rand.
	return hex.EncodeToString(b)
}
