package actors

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	var p pace
	for range 100 {
		p.observe(time.Microsecond)
	}
	if p.piece() != 0 {
		t.Error("fast requests are spread")
	}
	p.observe(10 * time.Millisecond)
	p.observe(time.Microsecond)
	if p.piece() != 0 {
		t.Error("one pause of the scheduler is enough for spreading")
	}
	p.observe(5 * time.Millisecond)
	p.observe(5 * time.Millisecond)
	if n := p.piece(); n != 1 {
		t.Errorf("requests of 5 ms come in pieces of %d, want 1", n)
	}
	for range 100 { // one in four is slow
		p.observe(time.Microsecond)
		p.observe(time.Microsecond)
		p.observe(time.Microsecond)
		p.observe(5 * time.Millisecond)
	}
	if p.piece() == 0 {
		t.Error("with fast ones between them, slow requests are not spread any more")
	}
	for range 100 {
		p.observe(time.Microsecond)
	}
	if p.piece() != 0 {
		t.Error("requests that have become fast are spread")
	}
	for range 10 {
		p.observe(250 * time.Microsecond)
	}
	if n := p.piece(); n != 4 {
		t.Errorf("requests of 250 µs come in pieces of %d, want 4", n)
	}
}
