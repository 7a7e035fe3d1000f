// Package interop holds a test only, behind the build tag interop: it runs the built program and speaks to it with another
// implementation of protobuf, Python's. It needs protoc, and a Python 3 with google.protobuf.
//
//	go test -tags interop ./interop/
package interop
