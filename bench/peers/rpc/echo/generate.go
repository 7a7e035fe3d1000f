// Package echo is the generated code of the gRPC service that the comparison uses.
package echo

//go:generate go build -o ../../../../.bin/protoc-gen-go-grpc google.golang.org/grpc/cmd/protoc-gen-go-grpc
//go:generate protoc -I echo/v1=. -I understudy/v1=../../../../messages --plugin=protoc-gen-go=../../../../.bin/protoc-gen-go --plugin=protoc-gen-go-grpc=../../../../.bin/protoc-gen-go-grpc --go_out=. --go_opt=module=github.com/understudy-go/understudy/bench/peers/rpc/echo --go-grpc_out=. --go-grpc_opt=module=github.com/understudy-go/understudy/bench/peers/rpc/echo echo/v1/echo.proto
