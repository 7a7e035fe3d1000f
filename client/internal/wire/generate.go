// Package wire is a wire with everything that a client can meet, for tests.
package wire

//go:generate protoc -I clienttest/v1=. -I understudy/v1=../../../messages --plugin=protoc-gen-go=../../../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/client/internal/wire clienttest/v1/messages.proto
