module github.com/understudy-go/understudy

go 1.26

require google.golang.org/protobuf v1.36.12

require (
	github.com/asynkron/protoactor-go v0.0.0-20240822202345-3c0e61ca19c9 // indirect
	github.com/lmittmann/tint v1.2.1 // indirect
	go.uber.org/goleak v1.3.0 // indirect
)

tool google.golang.org/protobuf/cmd/protoc-gen-go
