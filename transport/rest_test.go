package transport_test

import (
	"io"
	"testing"
	"time"

	"github.com/understudy-go/understudy/transport"
)

// restRig is a reader whose peer is silent soon.
func restRig(t *testing.T, timeouts transport.Timeouts) (client io.WriteCloser, conn *transport.Conn, r *transport.Reader, in *transport.Input) {
	t.Helper()
	nc, server := pair(t, "tcp")
	conn = transport.NewConn(server)
	return nc, conn, transport.NewReader(conn, transport.Delimited, 100, transport.NewBuffers(4096), timeouts), new(transport.Input)
}

// A silent connection comes to rest, once, with no memory for frames; then it goes on as ever: bytes, the end of the stream, an interrupt and
// a time-out end Await, and the next Read has them.
func TestRest(t *testing.T) {
	const rest = 5 * time.Millisecond
	for _, tt := range []struct {
		name     string
		timeouts transport.Timeouts
		then     func(io.WriteCloser, *transport.Conn)
		want     func(error, *transport.Input) bool
	}{
		{"bytes", transport.Timeouts{Rest: rest, Idle: time.Hour}, func(nc io.WriteCloser, _ *transport.Conn) { _, _ = nc.Write([]byte("\x01b")) },
			func(err error, in *transport.Input) bool { return err == nil && len(in.Frames) == 1 }},
		{"no time-outs", transport.Timeouts{Rest: rest}, func(nc io.WriteCloser, _ *transport.Conn) { _, _ = nc.Write([]byte("\x01b")) },
			func(err error, in *transport.Input) bool { return err == nil && len(in.Frames) == 1 }},
		{"end", transport.Timeouts{Rest: rest, Idle: time.Hour}, func(nc io.WriteCloser, _ *transport.Conn) { nc.Close() },
			func(err error, _ *transport.Input) bool { return err == io.EOF }},
		{"interrupt", transport.Timeouts{Rest: rest, Idle: time.Hour}, func(_ io.WriteCloser, c *transport.Conn) { c.Interrupt() },
			func(err error, _ *transport.Input) bool { return err == transport.ErrInterrupted }},
		{"close", transport.Timeouts{Rest: rest, Idle: time.Hour}, func(_ io.WriteCloser, c *transport.Conn) { c.Close() },
			func(err error, _ *transport.Input) bool { return err != nil && err != transport.ErrAtRest }},
		{"time-out", transport.Timeouts{Rest: rest, Idle: 10 * rest}, func(io.WriteCloser, *transport.Conn) {},
			func(err error, _ *transport.Input) bool {
				timeout, ok := err.(*transport.TimeoutError)
				return ok && timeout.Kind == "idle"
			}},
		{"first byte", transport.Timeouts{Rest: rest, Idle: time.Hour, FirstByte: 10 * rest}, nil,
			func(err error, _ *transport.Input) bool {
				timeout, ok := err.(*transport.TimeoutError)
				return ok && timeout.Kind == "first byte"
			}},
	} {
		for _, before := range []bool{false, true} { // what ends the rest comes before Await, or during it
			nc, conn, r, in := restRig(t, tt.timeouts)
			if tt.then != nil {
				if _, err := nc.Write([]byte("\x01a")); err != nil {
					t.Fatal(err)
				}
				if err := r.Read(in, 10, true); err != nil {
					t.Fatal(tt.name, err)
				}
			}
			if err := r.Read(in, 10, true); err != transport.ErrAtRest || in.Frames != nil {
				t.Fatalf("%s: %v with %d places, want ErrAtRest with none", tt.name, err, cap(in.Frames))
			}
			if then := tt.then; then != nil && before {
				then(nc, conn)
			} else if then != nil {
				go then(nc, conn)
			}
			r.Await()
			if err := r.Read(in, 10, true); !tt.want(err, in) {
				t.Errorf("%s: Read returned %v and %d frames", tt.name, err, len(in.Frames))
			}
		}
	}
}

// Half a frame is no rest: the frame's time-out counts.
func TestNoRestInsideFrame(t *testing.T) {
	nc, _, r, in := restRig(t, transport.Timeouts{Rest: time.Millisecond, Frame: 20 * time.Millisecond})
	if _, err := nc.Write([]byte("\x02a")); err != nil {
		t.Fatal(err)
	}
	err := r.Read(in, 10, true)
	if timeout, ok := err.(*transport.TimeoutError); !ok || timeout.Kind != "frame" {
		t.Errorf("%v, want the frame's time-out", err)
	}
}
