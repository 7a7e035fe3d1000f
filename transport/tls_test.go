package transport_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// TestTLS runs a connection through the methods without a raw descriptor: the same contract, other means.
func TestTLS(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := pair(t, "tcp")
	client := tls.Client(a, &tls.Config{InsecureSkipVerify: true})
	server := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}})
	shaken := make(chan error, 1)
	go func() { shaken <- client.Handshake() }()
	if err := errors.Join(server.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}

	conn := transport.NewConn(server)
	if n, err := conn.TryWrite([]byte("x")); n != 0 || err != transport.ErrWouldBlock {
		t.Fatal(n, err)
	}
	bufs := transport.NewBuffers(64)
	c := &collector{t: t, reader: transport.NewReader(conn, nil, 1000, bufs, transport.Timeouts{Idle: 10 * time.Millisecond}), bufs: bufs}
	if err := c.read(1, false); err != transport.ErrWouldBlock {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*transport.TimeoutError](c.read(1, true)); !ok {
		t.Fatal("no time-out")
	}
	conn.Interrupt()
	if err := c.read(1, true); err != transport.ErrInterrupted {
		t.Fatal(err)
	}
	conn.ClearInterrupt()
	big := make([]byte, 900)
	mustWrite(t, client, frames(transport.Delimited, []byte("a"), big, []byte("b")))
	for len(c.got) < 3 {
		if err := c.read(1, true); err != nil {
			t.Fatal(err)
		}
	}
	c.check([][]byte{[]byte("a"), big, []byte("b")})

	if n, err := conn.Write([]byte("bye"), patience); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(client); string(got) != "bye" || err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, fin, err := conn.Discard(patience, nil); n != 0 || !fin || err != nil {
		t.Fatal(n, fin, err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
