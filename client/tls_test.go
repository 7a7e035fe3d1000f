package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/understudy-go/understudy/client"
	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// certificate returns a certificate for 127.0.0.1 that it signed itself, and a pool that trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// TLS is a dialer: everything else is the same, reconnecting included.
func TestTLS(t *testing.T) {
	cert, trusted := certificate(t)
	url := serve(t, "tcp", transport.Delimited, func(p *peer) {
		p.use(tls.Server(p.conn, &tls.Config{Certificates: []tls.Certificate{cert}}))
		for range 3 {
			m := p.request()
			if m == nil {
				return
			}
			p.write(p.answer(m))
		}
		p.conn.Close() // with a close_notify
	})
	dialer := &tls.Dialer{Config: &tls.Config{RootCAs: trusted}}
	c := dial(t, url, client.Options{Dial: dialer.DialContext, Retries: 1})
	for i := range 10 {
		if got, err := echo(t.Context(), c, "over TLS", client.Idempotent()); err != nil || got != "over TLS" {
			t.Errorf("echo %d: %q, %v", i, got, err)
		}
	}
	if n := c.Counts(); n.Dials != 4 {
		t.Errorf("%+v", n)
	}

	_, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), url, client.Options{Dial: new(tls.Dialer).DialContext})
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); !ok {
		t.Errorf("a server that is not trusted: %v", err)
	}
	if _, ok := errors.AsType[*client.DialError](err); !ok {
		t.Errorf("a server that is not trusted: %v", err)
	}
}

// DialTimeout bounds a handshake, too.
func TestHandshakeThatHangs(t *testing.T) {
	url := serve(t, "tcp", transport.Delimited, func(p *peer) { p.drain() })
	_, err := client.Dial[*messages.ClientMessage, *messages.ServerMessage](t.Context(), url, client.Options{
		Dial: new(tls.Dialer).DialContext, DialTimeout: 10 * time.Millisecond,
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
