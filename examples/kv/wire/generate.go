// Package wire is what the example kv says: the code of messages.proto.
package wire

//go:generate protoc -I examples/kv/v1=. -I understudy/v1=../../../messages --plugin=protoc-gen-go=../../../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/examples/kv/wire examples/kv/v1/messages.proto
