//go:build nofaults

package actors

// Seams says that faults can be injected: here they cannot.
const Seams = false
