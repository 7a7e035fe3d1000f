// Package foreign is the wire of a service that is not Understudy's own, for tests.
package foreign

//go:generate protoc -I foreign/v1=. -I understudy/v1=../../messages --plugin=protoc-gen-go=../../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/internal/foreign foreign/v1/messages.proto
