package load

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	readBuffer = 256 << 10
	eventsAt   = 256                   // events taken at once
	glance     = 50 * time.Millisecond // how often a loop looks for what it is told
	lateAfter  = int64(time.Millisecond)
)

// loop makes the load of some of the connections, on a thread of its own.
type loop struct {
	*plan
	epfd    int
	events  []syscall.EpollEvent
	timeout unix.Timespec
	conns   []*conn
	live    int // connections that are not closed
	buf     []byte
	peer    syscall.Sockaddr // to connect to anew
	dues    dues             // in an open loop: those that have room, by their next arrival
	ending  bool             // nothing more is sent

	replies atomic.Int64 // since the start, for others to read
	tally   *tally
	spare   atomic.Pointer[tally] // to go on with: the loop takes it, and hands over its tally
	handed  chan *tally

	begun, stopped bool // the measurement
	usage          usage
	first          string // the first problem
}

// usage is what a loop's thread did during the measurement; nanoseconds.
type usage struct {
	cpu, idle, delay, from, to int64
}

// plan is what the loops of a run share.
type plan struct {
	protocol Protocol
	deck     *Deck
	depth    int
	rate     float64
	each     int
	base     time.Time
	from     int64        // when the measurement begins, nanoseconds since base
	to       atomic.Int64 // when it ends; may be moved back
	grace    int64
}

// clock returns nanoseconds since the base. It reads the monotonic clock only.
func (p *plan) clock() int64 { return int64(time.Since(p.base)) }

func (p *plan) measured(at int64) bool { return at >= p.from && at < p.to.Load() }

// newLoop takes over the descriptors.
func newLoop(p *plan) (*loop, error) {
	epfd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	return &loop{
		plan: p, epfd: epfd, events: make([]syscall.EpollEvent, eventsAt), buf: make([]byte, readBuffer),
		tally: newTally(), handed: make(chan *tally, 1),
	}, nil
}

// take gives the loop a connection. Its first exchange is one of the deck's.
func (l *loop) take(fd, number, first int, s schedule) error {
	c := &conn{fd: fd, number: number, slot: int32(len(l.conns)), schedule: s, left: l.each}
	c.first, c.next = first, first
	c.at, c.outAt = l.deck.replyAt[first], l.deck.requestAt[first]
	if l.each > 0 {
		peer, err := syscall.Getpeername(fd)
		if err != nil {
			return os.NewSyscallError("getpeername", err)
		}
		l.peer = peer
	}
	l.conns = append(l.conns, c)
	l.live++
	event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: c.slot}
	return os.NewSyscallError("epoll_ctl", syscall.EpollCtl(l.epfd, syscall.EPOLL_CTL_ADD, fd, &event))
}

// watch changes what epoll tells of a connection.
func (l *loop) watch(c *conn, events uint32) {
	event := syscall.EpollEvent{Events: events, Fd: c.slot}
	if err := syscall.EpollCtl(l.epfd, syscall.EPOLL_CTL_MOD, c.fd, &event); err != nil {
		l.lose(c, os.NewSyscallError("epoll_ctl", err))
	}
}

// run is the loop. It returns when every connection is closed, or the grace has passed. Its goroutine is locked to its thread.
func (l *loop) run() {
	defer l.release()
	// A timer of 50 µs more or less is what Linux gives a thread by default, prctl(2). Without this arrivals are that much late.
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
	defer func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, 0, 0, 0, 0) }() // back to the default
	now := l.clock()
	for _, c := range l.conns {
		c.roomy = now
		if l.rate > 0 {
			l.dues.push(c)
			c.due = true
		} else {
			l.refill(c, now)
		}
	}
	now = l.clock()
	for l.live > 0 {
		to := l.to.Load()
		switch {
		case now >= to+l.grace:
			l.tell(now)
			return
		case now >= to && !l.ending:
			l.sendAllDue(now)
			l.end()
		}
		l.tell(now)
		l.timeout = unix.NsecToTimespec(l.pause(now, to))
		n, errno := wait(l.epfd, l.events, &l.timeout)
		if errno != 0 {
			l.problem("epoll_pwait2: %v", errno)
			return
		}
		woken := l.clock()
		if now >= l.from && woken < to {
			l.usage.idle += woken - now
		}
		for _, e := range l.events[:n] {
			c := l.conns[e.Fd]
			if e.Events&syscall.EPOLLOUT != 0 && !c.closed {
				c.full = false
				l.watch(c, syscall.EPOLLIN)
				l.flush(c, woken)
				if !c.full {
					l.refill(c, woken)
				}
			}
			if e.Events&^uint32(syscall.EPOLLOUT) != 0 && !c.closed {
				l.readable(c)
			}
		}
		now = l.clock()
		if l.rate > 0 && !l.ending {
			now = l.sendAllDue(now)
		}
	}
	l.tell(l.clock())
}

// pause returns for how long there is nothing to do unless something comes.
func (l *loop) pause(now, to int64) int64 {
	until := now + int64(glance)
	if !l.ending {
		until = min(until, to)
		if !l.begun {
			until = min(until, max(l.from, now))
		}
		if len(l.dues) > 0 {
			until = min(until, l.dues[0].schedule.next)
		}
	}
	return max(until-now, 0)
}

// tell notes where the measurement begins and ends, and hands over the tally if that is wanted.
func (l *loop) tell(now int64) {
	if !l.begun && now >= l.from {
		l.begun = true
		l.usage.cpu, l.usage.delay, l.usage.from = -threadCPU(), -threadDelay(), now
	}
	if l.begun && !l.stopped && now >= l.to.Load() {
		l.stop(now)
	}
	if l.spare.Load() != nil {
		l.handed <- l.tally
		l.tally = l.spare.Swap(nil)
	}
}

func (l *loop) stop(now int64) {
	l.stopped = true
	l.usage.cpu += threadCPU()
	l.usage.delay += threadDelay()
	l.usage.to = now
}

// end begins the end: what is in flight is awaited.
func (l *loop) end() {
	l.ending = true
	for _, c := range l.conns {
		if !c.closed {
			l.finish(c)
		}
	}
}

// finish half-closes a connection that nothing is due on any more. The peer's end then shows that it had no more to say.
func (l *loop) finish(c *conn) {
	if c.inflight > 0 || c.finishing {
		return
	}
	c.finishing = true
	if err := syscall.Shutdown(c.fd, syscall.SHUT_WR); err != nil {
		l.ended(c) // the peer has reset it; nothing was due
	}
}

// ended is for the end of a connection's input.
func (l *loop) ended(c *conn) {
	if c.finishing && !c.slow {
		if l.each > 0 && !l.ending {
			l.reopen(c)
		} else {
			l.close(c)
		}
		return
	}
	l.lose(c, nil)
}

// lose closes a connection that ended before its time. A nil error is the end of input, or is told already.
func (l *loop) lose(c *conn, err error) {
	if c.closed {
		return
	}
	l.tally.lost++
	cause := "the server closed it"
	if err != nil {
		cause = err.Error()
	}
	l.problem("connection %d: lost after %d replies, with %d due: %s", c.number, c.count, c.inflight, cause)
	l.close(c)
}

func (l *loop) close(c *conn) {
	c.closed = true
	l.live--
	_ = syscall.Close(c.fd) // nothing is left that its error could change
}

// problem keeps the first one.
func (l *loop) problem(format string, args ...any) {
	if l.first == "" {
		l.first = fmt.Sprintf(format, args...)
	}
}

// release closes what is open, and counts what will not come any more: as having taken until now, at least.
func (l *loop) release() {
	now, to := l.clock(), l.to.Load()
	if !l.stopped && l.begun {
		l.stop(now)
	}
	for _, c := range l.conns {
		for ; !c.bursts.empty(); c.bursts.drop() {
			if b := c.bursts.first(); l.measured(b.stamp) {
				l.tally.unanswered += b.count
				l.tally.record(now-b.stamp, b.count)
			}
		}
		if l.rate > 0 {
			l.countUnsent(c, now, min(now, to))
		}
		if !c.closed {
			l.close(c)
		}
	}
	_ = syscall.Close(l.epfd)
	close(l.handed)
}
