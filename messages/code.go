package messages

import "strconv"

// Code says how a request ended. The numbers are gRPC's (https://grpc.io/docs/guides/status-codes/).
// The zero value is OK. A Code is an error, so that errors.Is(err, messages.Unavailable) works.
type Code int32

// The codes. Handlers may use all but OK; what the server or the client says with one by itself stands with it.
const (
	OK                 Code = 0  // no error; an error is never sent with it
	Canceled           Code = 1  // the caller gave up; of a handler that returns its context's error
	Unknown            Code = 2  // an error of a handler that has no code
	InvalidArgument    Code = 3  // what cannot be decoded, an empty frame, a request without the id that it should have
	DeadlineExceeded   Code = 4  // there was no reply by the deadline; the request may have been served, if not NotStarted
	NotFound           Code = 5  // what was asked for is not there
	AlreadyExists      Code = 6  // a request with the id of another one in flight
	PermissionDenied   Code = 7  // who asks is known, and may not
	ResourceExhausted  Code = 8  // a queue or a window is full, there are too many connections, a message is too large
	FailedPrecondition Code = 9  // not in this state, and trying again does not change it
	Aborted            Code = 10 // another one was in the way; the whole may be tried again
	OutOfRange         Code = 11 // Add: the sum does not fit into an int32
	Unimplemented      Code = 12 // an arm that is not known, or has no handler
	Internal           Code = 13 // a handler crashed, or its reply is none; a Status with it has an incident id
	Unavailable        Code = 14 // the server is ending, a handler hangs too often, an actor has ended, a connection broke
	DataLoss           Code = 15 // what was stored is damaged or gone
	Unauthenticated    Code = 16 // who asks is not known
)

// Codes is how many codes there are: they are numbered from 0 to Codes-1.
const Codes = 17

var codeNames = [Codes]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
	"INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
}

// String returns the code's name as gRPC writes it, such as "RESOURCE_EXHAUSTED", or "CODE_n" for a number that is none.
func (c Code) String() string {
	if c >= 0 && int(c) < len(codeNames) {
		return codeNames[c]
	}
	return "CODE_" + strconv.Itoa(int(c))
}

// Error makes a code usable as the target of errors.Is.
func (c Code) Error() string { return c.String() }
