package messages

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxArmNumber bounds the field numbers of an envelope's arms, as they index a table.
const maxArmNumber = 4095

// Arm is one field of an envelope's oneof.
type Arm struct {
	Name   string                   // the field's name, such as "add_request"
	Number protowire.Number         // its number on the wire
	Type   protoreflect.MessageType // the type of the message inside
}

// Envelope describes a message with one oneof of messages: which arm has which number and type. It is found once, by
// reflection; afterwards arms are looked up by number. An Envelope does not change and may be used by any goroutine.
type Envelope struct {
	typ     protoreflect.MessageType
	oneof   protoreflect.OneofDescriptor
	arms    []*Arm // in the order of their declaration
	table   []*Arm // by number
	outside []protoreflect.FieldDescriptor
}

// NewEnvelope describes the message type of m, which may be nil of its type. It fails if the message has no oneof or
// several, or if an arm is not a message. There may be fields outside the oneof.
func NewEnvelope(m proto.Message) (*Envelope, error) {
	typ := m.ProtoReflect().Type()
	d := typ.Descriptor()
	e := &Envelope{typ: typ}
	for i := range d.Oneofs().Len() {
		o := d.Oneofs().Get(i)
		if o.IsSynthetic() {
			continue
		}
		if e.oneof != nil {
			return nil, fmt.Errorf("envelope %s: has the oneofs %s and %s, and must have one", d.FullName(), e.oneof.Name(), o.Name())
		}
		e.oneof = o
	}
	if e.oneof == nil {
		return nil, fmt.Errorf("envelope %s: has no oneof", d.FullName())
	}
	var errs []error
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		switch {
		case f.ContainingOneof() != e.oneof:
			e.outside = append(e.outside, f)
		case f.Kind() != protoreflect.MessageKind:
			errs = append(errs, fmt.Errorf("envelope %s: arm %s is a %s, and must be a message", d.FullName(), f.Name(), f.Kind()))
		case f.Number() > maxArmNumber:
			errs = append(errs, fmt.Errorf("envelope %s: arm %s has number %d, and the largest is %d", d.FullName(), f.Name(), f.Number(), maxArmNumber))
		default:
			e.add(f)
		}
	}
	return e, errors.Join(errs...)
}

func (e *Envelope) add(f protoreflect.FieldDescriptor) {
	arm := &Arm{
		Name:   string(f.Name()),
		Number: f.Number(),
		Type:   e.typ.New().NewField(f).Message().Type(),
	}
	e.arms = append(e.arms, arm)
	for len(e.table) <= int(arm.Number) {
		e.table = append(e.table, nil)
	}
	e.table[arm.Number] = arm
}

// New returns an empty envelope.
func (e *Envelope) New() proto.Message { return e.typ.New().Interface() }

// Outside returns the names of the fields outside the oneof.
func (e *Envelope) Outside() []string {
	var names []string
	for _, f := range e.outside {
		names = append(names, string(f.Name()))
	}
	return names
}

// Name returns the full name of the envelope's message.
func (e *Envelope) Name() string { return string(e.typ.Descriptor().FullName()) }

// Arms returns the arms in the order of their declaration. The caller must not change the slice.
func (e *Envelope) Arms() []*Arm { return e.arms }

// Arm returns the arm with the given number, or nil.
func (e *Envelope) Arm(n protowire.Number) *Arm {
	if n < 0 || int(n) >= len(e.table) {
		return nil
	}
	return e.table[n]
}

// ArmsOf returns the arms whose message is of the type with that full name.
func (e *Envelope) ArmsOf(name protoreflect.FullName) []*Arm {
	var found []*Arm
	for _, a := range e.arms {
		if a.Type.Descriptor().FullName() == name {
			found = append(found, a)
		}
	}
	return found
}

// Open finds the arm of an encoded envelope and the bytes of the message inside, without decoding either. It knows only
// the usual form — one field, a known arm, nothing after it — and returns a nil arm for anything else, which Decode
// then reads as google.golang.org/protobuf does. The inner slice aliases frame.
func (e *Envelope) Open(frame []byte) (arm *Arm, inner []byte) {
	if len(frame) < 2 {
		return nil, nil
	}
	tag, n := uint64(frame[0]), 1
	if tag >= 0x80 {
		if tag, n = protowire.ConsumeVarint(frame); n < 0 {
			return nil, nil
		}
	}
	if protowire.Type(tag&7) != protowire.BytesType || tag>>3 >= uint64(len(e.table)) {
		return nil, nil
	}
	arm = e.table[tag>>3]
	if arm == nil {
		return nil, nil
	}
	rest := frame[n:]
	if len(rest) == 0 {
		return nil, nil
	}
	size, m := uint64(rest[0]), 1
	if size >= 0x80 {
		if size, m = protowire.ConsumeVarint(rest); m < 0 {
			return nil, nil
		}
	}
	if uint64(len(rest)-m) != size {
		return nil, nil
	}
	return arm, rest[m:]
}

// Short is Open for an envelope in the most usual form of all: an arm with a number under 16, and a message of up to 127 bytes,
// which is frame[2:]. For any other it returns nil. It is so small that it costs no call.
func (e *Envelope) Short(frame []byte) (arm *Arm) {
	if len(frame) > 1 && frame[0]&0x87 == byte(protowire.BytesType) && int(int8(frame[1])) == len(frame)-2 && int(frame[0]>>3) < len(e.table) {
		return e.table[frame[0]>>3]
	}
	return nil
}

// Decode decodes a whole envelope as google.golang.org/protobuf does — of two arms the last wins, and the same arm
// merges — and returns the message inside. Its errors are *Status: INVALID_ARGUMENT for what does not decode and for an
// empty envelope, UNIMPLEMENTED for one that has unknown fields only.
func (e *Envelope) Decode(frame []byte) (*Arm, proto.Message, error) {
	arm, inner, _, err := e.DecodeWhole(frame)
	return arm, inner, err
}

// DecodeWhole is Decode, and returns the envelope too, for its fields outside the oneof.
func (e *Envelope) DecodeWhole(frame []byte) (arm *Arm, inner, whole proto.Message, err error) {
	m := e.typ.New()
	if err := proto.Unmarshal(frame, m.Interface()); err != nil {
		return nil, nil, nil, &Status{Code: InvalidArgument, Op: "decode", Message: "the request does not decode as " + e.Name(), Cause: err}
	}
	f := m.WhichOneof(e.oneof)
	if f != nil {
		return e.Arm(f.Number()), m.Get(f).Message().Interface(), m.Interface(), nil
	}
	if len(m.GetUnknown()) == 0 {
		return nil, nil, nil, &Status{Code: InvalidArgument, Op: "decode", Message: "the request is empty"}
	}
	n, _, _ := protowire.ConsumeTag(m.GetUnknown())
	return nil, nil, nil, &Status{Code: Unimplemented, Op: "decode", Message: fmt.Sprintf("field %d of %s is not known", n, e.Name())}
}

// Size returns the encoded size of an envelope with a message of size bytes in arm a.
func (a *Arm) Size(size int) int {
	if a.Number < 16 && size < 0x80 {
		return 2 + size
	}
	return protowire.SizeTag(a.Number) + protowire.SizeBytes(size)
}

// AppendHeader appends what precedes a message of size bytes in an envelope: the arm's tag and the length.
func (a *Arm) AppendHeader(dst []byte, size int) []byte {
	if a.Number < 16 && size < 0x80 {
		return append(dst, byte(a.Number)<<3|byte(protowire.BytesType), byte(size))
	}
	dst = protowire.AppendTag(dst, a.Number, protowire.BytesType)
	return protowire.AppendVarint(dst, uint64(size))
}
