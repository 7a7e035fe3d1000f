package transport_test

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/understudy-go/understudy/transport"
)

// watched is a connection that tells each time a read finds nothing and goes on to wait.
type watched struct {
	net.Conn
	parked func()
}

type watchedRaw struct {
	syscall.RawConn
	parked func()
}

func (w *watched) SyscallConn() (syscall.RawConn, error) {
	raw, err := w.Conn.(syscall.Conn).SyscallConn()
	return watchedRaw{raw, w.parked}, err
}

func (w watchedRaw) Read(f func(uintptr) bool) error {
	return w.RawConn.Read(func(fd uintptr) bool {
		done := f(fd)
		if !done {
			w.parked()
		}
		return done
	})
}

// TestIdleHoldsNoBuffer checks that a reader that waits has no pooled buffer, with or without a partial frame.
func TestIdleHoldsNoBuffer(t *testing.T) {
	client, server := pair(t, "tcp")
	bufs := transport.NewBuffers(4096)
	parked := make(chan int64, 100)
	r := transport.NewReader(transport.NewConn(&watched{server, func() { parked <- bufs.Held() }}), transport.Delimited, 100, bufs, transport.Timeouts{})
	read := make(chan string)
	go func() {
		defer close(read)
		var in transport.Input
		for r.Read(&in, 10, true) == nil {
			s := string(in.Buf[in.Frames[0].Start:in.Frames[0].End])
			bufs.Put(in.Buf)
			read <- s
		}
	}()
	for _, piece := range []string{"\x03abc", "\x03", "a", "bc"} {
		if held := await(t, parked, "the reader to park"); held != 0 {
			t.Fatalf("%d buffers held while waiting", held)
		}
		mustWrite(t, client, []byte(piece))
		if piece[len(piece)-1] == 'c' {
			if s := await(t, read, "a frame"); s != "abc" {
				t.Fatalf("%q", s)
			}
		}
	}
	client.Close()
	await(t, read, "the reader to end")
	if bufs.Held() != 0 {
		t.Fatalf("%d buffers held", bufs.Held())
	}
}

// TestReadDoesNotAllocate checks the steady state: whole frames, with a partial one now and then.
func TestReadDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool drops at random under the race detector")
	}
	client, server := pair(t, "unix")
	bufs := transport.NewBuffers(4096)
	r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, bufs, transport.Timeouts{FirstByte: 1e12, Idle: 1e12, Frame: 1e12})
	var in transport.Input
	cycle := func(stream []byte, limit int) float64 {
		return testing.AllocsPerRun(2000, func() {
			mustWrite(t, client, stream)
			for got := 0; got < 8; {
				if err := r.Read(&in, limit, true); err != nil {
					t.Fatal(err)
				}
				got += len(in.Frames)
				bufs.Put(in.Buf)
			}
		})
	}
	whole := bytes.Repeat([]byte("\x04abcd"), 8)
	if n := cycle(whole, 100); n != 0 {
		t.Errorf("whole frames: %v allocations", n)
	}
	if n := cycle(whole, 3); n != 0 {
		t.Errorf("whole frames over the limit: %v allocations", n)
	}
}

// TestDeclaredLengthCostsNothing checks that memory is taken as bytes arrive, not as a length is declared, and that a
// large frame is handed out in one piece.
func TestDeclaredLengthCostsNothing(t *testing.T) {
	const size = 16 << 20
	client, server := pair(t, "unix")
	bufs := transport.NewBuffers(64 << 10)
	c := &collector{t: t, reader: transport.NewReader(transport.NewConn(server), transport.Length32, size, bufs, transport.Timeouts{}), bufs: bufs}
	head := binary.BigEndian.AppendUint32(nil, size)
	body := bytes.Repeat([]byte("x"), 100)

	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	mustWrite(t, client, head)
	for range 10 {
		if err := c.read(1, false); err != transport.ErrWouldBlock {
			t.Fatal(err)
		}
		mustWrite(t, client, body)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 1<<20 {
		t.Errorf("%d bytes allocated for a frame of which 1 kB has come", took)
	}

	sent := make(chan error, 1)
	rest := bytes.Repeat([]byte("x"), size-10*len(body)+4)
	copy(rest[len(rest)-4:], []byte{0, 0, 0, 0}) // and an empty frame
	runtime.ReadMemStats(&before)
	go func() {
		_, err := client.Write(rest)
		sent <- err
	}()
	if err := c.read(5, true); err != nil || len(c.in.Frames) != 1 {
		t.Fatal(len(c.in.Frames), err)
	}
	if err := c.read(5, true); err != nil {
		t.Fatal(err)
	}
	if err := await(t, sent, "the writer"); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 7*size/2 { // the doubling, and the copy in c.got
		t.Errorf("%d bytes allocated for a frame of %d", took, size)
	}
	c.check([][]byte{bytes.Repeat([]byte("x"), size), {}})
}

// TestFrameThatHasArrived checks that a large frame which waits in the kernel is copied once, and not for each doubling of its
// memory; and that of one that has not arrived only what has counts.
func TestFrameThatHasArrived(t *testing.T) {
	const size = 128 << 10
	for _, test := range []struct {
		declared, atMost int
	}{
		{size, 3 * size / 2},
		{16 << 20, 4 * size}, // twice what has arrived, and the steps before
	} {
		client, server := pair(t, "unix")
		bufs := transport.NewBuffers(4 << 10)
		r := transport.NewReader(transport.NewConn(server), transport.Length32, test.declared, bufs, transport.Timeouts{})
		stream := binary.BigEndian.AppendUint32(nil, uint32(test.declared))
		mustWrite(t, client, append(stream, bytes.Repeat([]byte("x"), size)...))
		var (
			in            transport.Input
			before, after runtime.MemStats
		)
		runtime.ReadMemStats(&before)
		err := r.Read(&in, 1, false)
		runtime.ReadMemStats(&after)
		if whole := test.declared == size; whole && err != nil || !whole && err != transport.ErrWouldBlock {
			t.Errorf("declared %d: %v", test.declared, err)
		}
		if took := after.TotalAlloc - before.TotalAlloc; took > uint64(test.atMost) {
			t.Errorf("declared %d: %d bytes allocated for the %d that have come", test.declared, took, size)
		}
	}
}

// BenchmarkRead reads bursts of 64 frames of 32 bytes.
func BenchmarkRead(b *testing.B) {
	client, server := pair(b, "unix")
	bufs := transport.NewBuffers(64 << 10)
	r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, bufs, transport.Timeouts{Idle: 1e12, Frame: 1e12})
	burst := bytes.Repeat(frames(transport.Delimited, make([]byte, 32)), 64)
	var in transport.Input
	var got atomic.Int64
	b.SetBytes(int64(len(burst)))
	b.ReportAllocs()
	for b.Loop() {
		mustWrite(b, client, burst)
		for n := 0; n < 64; n += len(in.Frames) {
			if err := r.Read(&in, 64, true); err != nil {
				b.Fatal(err)
			}
			bufs.Put(in.Buf)
		}
		got.Add(64)
	}
	b.ReportMetric(float64(got.Load())/b.Elapsed().Seconds(), "frames/s")
}

// BenchmarkReadBehindLimit cuts a full buffer of small frames a few at a time.
func BenchmarkReadBehindLimit(b *testing.B) {
	client, server := pair(b, "unix")
	bufs := transport.NewBuffers(64 << 10)
	r := transport.NewReader(transport.NewConn(server), transport.Delimited, 100, bufs, transport.Timeouts{})
	burst := bytes.Repeat([]byte("\x04abcd"), 10_000)
	var in transport.Input
	b.SetBytes(int64(len(burst)))
	b.ReportAllocs()
	for b.Loop() {
		mustWrite(b, client, burst)
		for n := 0; n < 10_000; n += len(in.Frames) {
			if err := r.Read(&in, 64, true); err != nil {
				b.Fatal(err)
			}
			bufs.Put(in.Buf)
		}
	}
}
