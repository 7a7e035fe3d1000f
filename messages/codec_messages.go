package messages

import (
	"sync"
	"unsafe"
)

// The codecs of the messages of messages.proto that are sent inside an envelope; see codec.go. A message that is nil
// encodes as an empty one.

// SizeVT implements Encoder.
func (x *EchoMessage) SizeVT() int {
	if x == nil {
		return 0
	}
	return sizeString(x.Content) + len(x.unknownFields)
}

// MarshalToSizedBufferVT implements Encoder. It fails if the content is no valid UTF-8.
func (x *EchoMessage) MarshalToSizedBufferVT(b []byte) (int, error) {
	if x == nil {
		return 0, nil
	}
	if n := len(x.Content); n > 0 && n < 0x80 && len(x.unknownFields) == 0 && len(b) >= n+2 {
		return putShort(b[len(b)-n-2:], bytes1, x.Content)
	}
	t := tail{b: b, at: len(b)}
	t.raw(x.unknownFields)
	t.string(bytes1, x.Content)
	return t.done()
}

// UnmarshalVT implements Decoder.
func (x *EchoMessage) UnmarshalVT(b []byte) error { return x.decode(b, false) }

// UnmarshalVTUnsafe implements Borrower.
func (x *EchoMessage) UnmarshalVTUnsafe(b []byte) error { return x.decode(b, true) }

func (x *EchoMessage) reset() {
	x.Content, x.unknownFields = "", nil
}

func (x *EchoMessage) decode(b []byte, alias bool) error {
	if alias && isShort(b, bytes1) && validUTF8(b[2:]) {
		x.Content = unsafe.String(unsafe.SliceData(b[2:]), len(b)-2)
		return nil
	}
	for len(b) > 0 {
		if b[0] != bytes1 {
			return decodeRest(b, x)
		}
		s, rest, ok := takeString(b, alias)
		if !ok {
			return decodeRest(b, x)
		}
		x.Content, b = s, rest
	}
	return nil
}

// SizeVT implements Encoder.
func (x *AddRequest) SizeVT() int {
	if x == nil {
		return 0
	}
	return sizeInt(uint64(x.A)) + sizeInt(uint64(x.B)) + len(x.unknownFields)
}

// MarshalToSizedBufferVT implements Encoder. It does not fail.
func (x *AddRequest) MarshalToSizedBufferVT(b []byte) (int, error) {
	if x == nil {
		return 0, nil
	}
	t := tail{b: b, at: len(b)}
	t.raw(x.unknownFields)
	t.int(varint2, uint64(x.B))
	t.int(varint1, uint64(x.A))
	return t.done()
}

// UnmarshalVT implements Decoder.
func (x *AddRequest) UnmarshalVT(b []byte) error {
	for len(b) > 0 {
		v, rest, ok := takeVarint(b)
		switch {
		case !ok:
			return decodeRest(b, x)
		case b[0] == varint1:
			x.A = int32(v)
		case b[0] == varint2:
			x.B = int32(v)
		default:
			return decodeRest(b, x)
		}
		b = rest
	}
	return nil
}

// UnmarshalVTUnsafe implements Borrower.
func (x *AddRequest) UnmarshalVTUnsafe(b []byte) error { return x.UnmarshalVT(b) }

func (x *AddRequest) reset() {
	x.A, x.B, x.unknownFields = 0, 0, nil
}

// SizeVT implements Encoder.
func (x *AddResponse) SizeVT() int {
	if x == nil {
		return 0
	}
	return sizeInt(uint64(x.Result)) + len(x.unknownFields)
}

// MarshalToSizedBufferVT implements Encoder. It does not fail.
func (x *AddResponse) MarshalToSizedBufferVT(b []byte) (int, error) {
	if x == nil {
		return 0, nil
	}
	t := tail{b: b, at: len(b)}
	t.raw(x.unknownFields)
	t.int(varint1, uint64(x.Result))
	return t.done()
}

// UnmarshalVT implements Decoder.
func (x *AddResponse) UnmarshalVT(b []byte) error {
	for len(b) > 0 {
		v, rest, ok := takeVarint(b)
		if !ok || b[0] != varint1 {
			return decodeRest(b, x)
		}
		x.Result, b = int32(v), rest
	}
	return nil
}

// UnmarshalVTUnsafe implements Borrower.
func (x *AddResponse) UnmarshalVTUnsafe(b []byte) error { return x.UnmarshalVT(b) }

func (x *AddResponse) reset() {
	x.Result, x.unknownFields = 0, nil
}

var addResponses = sync.Pool{New: func() any { return new(AddResponse) }}

// AddResponseFromVTPool returns an empty response, which ReturnToVTPool may take back.
func AddResponseFromVTPool() *AddResponse { return addResponses.Get().(*AddResponse) }

// ReturnToVTPool implements Pooled. Nobody may use the message any more.
func (x *AddResponse) ReturnToVTPool() {
	if x != nil {
		x.reset()
		addResponses.Put(x)
	}
}

// SizeVT implements Encoder.
func (x *Error) SizeVT() int {
	if x == nil {
		return 0
	}
	n := sizeInt(uint64(x.Code)) + sizeString(x.Message) + sizeString(x.IncidentId) + sizeInt(uint64(x.RetryAfterMs)) + len(x.unknownFields)
	if x.NotStarted {
		n += 2
	}
	return n
}

// MarshalToSizedBufferVT implements Encoder. It fails if a string is no valid UTF-8.
func (x *Error) MarshalToSizedBufferVT(b []byte) (int, error) {
	if x == nil {
		return 0, nil
	}
	t := tail{b: b, at: len(b)}
	t.raw(x.unknownFields)
	if x.NotStarted {
		t.int(varint5, 1)
	}
	t.int(varint4, uint64(x.RetryAfterMs))
	t.string(bytes3, x.IncidentId)
	t.string(bytes2, x.Message)
	t.int(varint1, uint64(x.Code))
	return t.done()
}

// UnmarshalVT implements Decoder.
func (x *Error) UnmarshalVT(b []byte) error { return x.decode(b, false) }

// UnmarshalVTUnsafe implements Borrower.
func (x *Error) UnmarshalVTUnsafe(b []byte) error { return x.decode(b, true) }

func (x *Error) reset() {
	x.Code, x.Message, x.IncidentId, x.RetryAfterMs, x.NotStarted, x.unknownFields = 0, "", "", 0, false, nil
}

func (x *Error) decode(b []byte, alias bool) error {
	for len(b) > 0 {
		var (
			v    uint64
			s    string
			rest []byte
			ok   bool
		)
		switch b[0] {
		case varint1, varint4, varint5:
			v, rest, ok = takeVarint(b)
		case bytes2, bytes3:
			s, rest, ok = takeString(b, alias)
		}
		if !ok {
			return decodeRest(b, x)
		}
		switch b[0] {
		case varint1:
			x.Code = int32(v)
		case bytes2:
			x.Message = s
		case bytes3:
			x.IncidentId = s
		case varint4:
			x.RetryAfterMs = int64(v)
		case varint5:
			x.NotStarted = v != 0
		}
		b = rest
	}
	return nil
}
