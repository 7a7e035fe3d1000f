// Package wire is the generated code of a wire that an embedder could have.
package wire

//go:generate protoc -I wire/v1=. -I understudy/v1=../../../../messages --plugin=protoc-gen-go=../../../../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/bench/peers/owning/wire wire/v1/messages.proto
