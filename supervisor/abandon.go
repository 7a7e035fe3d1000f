package supervisor

// Abandon gives up n of the goroutines that are counted and known to hang, where nobody holds their tokens: Wait no longer
// waits for so many. Should one of them end after all, Wait may end while as many others still run.
func (t *Tracker) Abandon(n int) {
	for range n {
		if t != nil {
			t.abandoned.Add(1)
		}
		t.leave()
	}
}
