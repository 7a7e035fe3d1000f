//go:build race

package understudy_test

// raceEnabled says that the race detector slows everything down: loads are a tenth then.
const raceEnabled = true
