//go:build race

package actors

// raceEnabled: the race detector makes sync.Pool drop buffers at random, so that allocations cannot be counted.
const raceEnabled = true
