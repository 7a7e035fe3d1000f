package load

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"syscall"
	"time"
)

// Run connects, makes the load, and returns what was measured. When the context ends the measurement ends too, with what
// was measured until then. The error is a *client.DialError if the server could not be reached, a *ConfigError, or the system's.
// What the server did wrong is in the Result.
func Run(ctx context.Context, c Config) (*Result, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	deck, err := NewDeck(c.Protocol, c.Depth, c.Seed)
	if err != nil {
		return nil, wrong("%v", err)
	}
	dialing, cancel := context.WithTimeout(ctx, c.DialTimeout)
	defer cancel()
	fds, err := dialAll(dialing, c.URL, c.Connections)
	if err != nil {
		return nil, err
	}
	r := &run{Config: c, plan: &plan{protocol: c.Protocol, deck: deck, depth: c.Depth, rate: c.Rate, each: c.Each, grace: int64(c.Grace)}, total: newTally(), interval: newTally()}
	if err := r.spread(fds); err != nil {
		return nil, err
	}
	r.measure(ctx)
	return r.result(), nil
}

// run is a Run under way.
type run struct {
	Config
	*plan
	loops     []*loop
	total     *tally
	interval  *tally   // since the last Interval
	spares    []*tally // one for each loop, to go on with
	intervals []Interval
	reported  int64 // when the last Interval ended
	process   int64 // CPU time of the process during the measurement, in nanoseconds
	cut       bool  // the context ended it
}

// spread makes the loops and divides the connections among them.
func (r *run) spread(fds []int) error {
	var errs []error
	for range r.Threads {
		l, err := newLoop(r.plan)
		if err != nil {
			errs = append(errs, err)
			break
		}
		r.loops = append(r.loops, l)
	}
	rng := rand.New(rand.NewPCG(r.Seed, 1))
	for i, fd := range fds {
		if len(errs) > 0 {
			_ = syscall.Close(fd)
			continue
		}
		var s schedule
		if r.Rate > 0 {
			s = newSchedule(r.Arrivals, r.Rate, i, len(fds), r.Seed)
		}
		// From a place of its own each, so that a reply to another connection does not pass.
		if err := r.loops[i%len(r.loops)].take(fd, i, rng.IntN(r.deck.n), s); err != nil {
			errs = append(errs, err)
		}
	}
	if len(errs) > 0 {
		for _, l := range r.loops {
			l.release()
		}
	}
	return errors.Join(errs...)
}

// measure runs the loops to their end.
func (r *run) measure(ctx context.Context) {
	r.from = int64(r.Warmup)
	r.reported = r.from
	r.to.Store(int64(r.Warmup + r.Duration))
	r.spares = make([]*tally, len(r.loops))
	start, ended := make(chan struct{}), make(chan struct{})
	var ready, all sync.WaitGroup
	ready.Add(len(r.loops))
	for _, l := range r.loops {
		all.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			ready.Done()
			<-start
			l.run()
		})
	}
	ready.Wait() // or what comes due while threads are being made would be late
	r.base = time.Now()
	close(start)
	go func() {
		all.Wait()
		close(ended)
	}()
	r.await(ctx, ended)
	<-ended
	r.finish()
}

// await reports until the measurement is over.
func (r *run) await(ctx context.Context, ended <-chan struct{}) {
	begun := time.NewTimer(r.Warmup)
	defer begun.Stop()
	select {
	case <-begun.C:
	case <-ctx.Done():
		r.stop()
		return
	case <-ended:
		if r.clock() < r.from {
			r.stop()
			return
		}
	}
	cpu := processCPU()
	defer func() { r.process = processCPU() - cpu }()
	r.mark()
	over := time.NewTimer(time.Duration(r.to.Load() - r.clock()))
	defer over.Stop()
	tick := time.NewTicker(r.Interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			r.report()
		case <-over.C:
			r.mark()
			return
		case <-ctx.Done():
			r.stop()
			return
		case <-ended:
			if r.clock() >= r.to.Load() { // this goroutine was late
				r.mark()
			}
			r.stop()
			return
		}
	}
}

// mark tells Mark.
func (r *run) mark() {
	if r.Mark == nil {
		return
	}
	var replies int64
	for _, l := range r.loops {
		replies += l.replies.Load()
	}
	r.Mark(replies)
}

// stop ends the measurement early.
func (r *run) stop() {
	if now := r.clock(); now < r.to.Load() {
		r.cut = true
		r.to.Store(now)
	}
}

// report collects what the loops have measured since the last time, and tells Progress.
func (r *run) report() {
	for i, l := range r.loops {
		if r.spares[i] == nil {
			r.spares[i] = newTally()
		}
		l.spare.Store(r.spares[i])
	}
	for i, l := range r.loops {
		if t, ok := <-l.handed; ok {
			r.interval.add(t)
			t.reset()
			r.spares[i] = t
		}
	}
	r.note()
}

// note ends an interval.
func (r *run) note() {
	now := min(r.clock(), r.to.Load())
	i := newInterval(time.Duration(r.reported-r.from), time.Duration(now-r.from), r.interval)
	r.reported = now
	r.total.add(r.interval)
	r.interval.reset()
	r.intervals = append(r.intervals, i)
	if r.Progress != nil {
		r.Progress(i)
	}
}

// finish collects what is left, after the loops have ended. What remains of the last interval is one too if it is not much
// shorter.
func (r *run) finish() {
	for _, l := range r.loops {
		for t := range l.handed {
			r.interval.add(t)
		}
		r.interval.add(l.tally)
	}
	if r.to.Load()-r.reported >= int64(r.Interval)/2 {
		r.note()
	}
	r.total.add(r.interval)
}

func processCPU() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
