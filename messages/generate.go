package messages

// The registered path is understudy/v1/messages.proto, so that an embedder's own messages.proto can live in the same binary.
//go:generate protoc -I understudy/v1=. --plugin=protoc-gen-go=../.bin/protoc-gen-go --go_out=. --go_opt=module=github.com/understudy-go/understudy/messages understudy/v1/messages.proto
