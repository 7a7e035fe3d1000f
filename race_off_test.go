//go:build !race

package understudy_test

const raceEnabled = false
