package main

//go:generate protoc -I . -I understudy/v1=../../messages --plugin=protoc-gen-go=../../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/examples/hello messages.proto
