//go:build !nofaults

package actors

// Seams says that faults can be injected. Built with the tag nofaults a program has no place for them, which is for measuring
// what those places cost.
const Seams = true
