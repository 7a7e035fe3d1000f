package messages

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// IDField is the integer field of an envelope, outside the oneof, in which a request says its id and a reply repeats it.
// An id is handled as what stands on the wire, so that it can be repeated as it came, whatever its sign. 0 is no id.
type IDField struct {
	name   string
	number protowire.Number
	kind   protoreflect.Kind
	wire   protowire.Type
}

// IDField returns the envelope's field of that name. It fails if there is none outside the oneof, or if it is not one
// integer: a singular int32, uint32, sint32, fixed32, sfixed32, or one of these with 64 bits.
func (e *Envelope) IDField(name string) (*IDField, error) {
	for _, f := range e.outside {
		if string(f.Name()) != name {
			continue
		}
		id := &IDField{name: name, number: f.Number(), kind: f.Kind()}
		switch f.Kind() {
		case protoreflect.Int32Kind, protoreflect.Uint32Kind, protoreflect.Sint32Kind,
			protoreflect.Int64Kind, protoreflect.Uint64Kind, protoreflect.Sint64Kind:
			id.wire = protowire.VarintType
		case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind:
			id.wire = protowire.Fixed32Type
		case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind:
			id.wire = protowire.Fixed64Type
		default:
			return nil, fmt.Errorf("envelope %s: field %s is a %s, and an id must be an integer", e.Name(), name, f.Kind())
		}
		if f.Cardinality() == protoreflect.Repeated {
			return nil, fmt.Errorf("envelope %s: field %s is repeated, and an id must be one integer", e.Name(), name)
		}
		return id, nil
	}
	return nil, fmt.Errorf("envelope %s: has no field %s outside the oneof", e.Name(), name)
}

// Name returns the field's name.
func (f *IDField) Name() string { return f.name }

// Number returns the field's number.
func (f *IDField) Number() protowire.Number { return f.number }

// Repeats says whether ids of f can be repeated in g: the fields have the same type.
func (f *IDField) Repeats(g *IDField) bool { return f.kind == g.kind }

// Size returns how many bytes Append appends.
func (f *IDField) Size(id uint64) int {
	switch {
	case id == 0:
		return 0
	case f.wire == protowire.Fixed32Type:
		return protowire.SizeTag(f.number) + protowire.SizeFixed32()
	case f.wire == protowire.Fixed64Type:
		return protowire.SizeTag(f.number) + protowire.SizeFixed64()
	}
	return protowire.SizeTag(f.number) + protowire.SizeVarint(id)
}

// Append appends the field with an id, or nothing for 0.
func (f *IDField) Append(dst []byte, id uint64) []byte {
	if id == 0 {
		return dst
	}
	dst = protowire.AppendTag(dst, f.number, f.wire)
	switch f.wire {
	case protowire.Fixed32Type:
		return protowire.AppendFixed32(dst, uint32(id))
	case protowire.Fixed64Type:
		return protowire.AppendFixed64(dst, id)
	}
	return protowire.AppendVarint(dst, id)
}

// Find returns the id of an encoded envelope, as google.golang.org/protobuf would find it: the last one counts, and a field
// of the number with another wire type does not. Of bytes that are no message it returns what stands before the error.
func (f *IDField) Find(frame []byte) (id uint64) {
	for len(frame) > 0 {
		number, wire, n := protowire.ConsumeTag(frame)
		if n < 0 {
			return id
		}
		frame = frame[n:]
		if number == f.number && wire == f.wire {
			if id, n = f.consume(frame, id); n < 0 {
				return id
			}
		} else if n = protowire.ConsumeFieldValue(number, wire, frame); n < 0 {
			return id
		}
		frame = frame[n:]
	}
	return id
}

// Of returns the id in an envelope.
func (f *IDField) Of(m proto.Message) uint64 {
	v := m.ProtoReflect().Get(m.ProtoReflect().Descriptor().Fields().ByNumber(f.number))
	switch f.kind {
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return v.Uint()
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.EncodeZigZag(v.Int())
	case protoreflect.Sfixed32Kind:
		return uint64(uint32(v.Int()))
	}
	return uint64(v.Int())
}

// consume reads the value at the front of b. If it cannot be read, n is negative and the id is before.
func (f *IDField) consume(b []byte, before uint64) (id uint64, n int) {
	switch f.wire {
	case protowire.Fixed32Type:
		var v uint32
		v, n = protowire.ConsumeFixed32(b)
		id = uint64(v)
	case protowire.Fixed64Type:
		id, n = protowire.ConsumeFixed64(b)
	default:
		id, n = protowire.ConsumeVarint(b)
	}
	if n < 0 {
		return before, n
	}
	switch f.kind {
	case protoreflect.Int32Kind:
		id = uint64(int64(int32(id))) // what is over 32 bits is cut off, as google.golang.org/protobuf does
	case protoreflect.Uint32Kind, protoreflect.Sint32Kind:
		id = uint64(uint32(id))
	}
	return id, n
}

// OpenWithID is [Envelope.Open] for an envelope whose field f carries an id: it knows the one arm and the id, in any order.
func (e *Envelope) OpenWithID(frame []byte, f *IDField) (arm *Arm, inner []byte, id uint64) {
	for len(frame) > 0 {
		number, wire, n := protowire.ConsumeTag(frame)
		if n < 0 {
			return nil, nil, 0
		}
		frame = frame[n:]
		switch found := e.Arm(number); {
		case number == f.number && wire == f.wire:
			if id, n = f.consume(frame, id); n < 0 {
				return nil, nil, 0
			}
		case found != nil && arm == nil && wire == protowire.BytesType:
			if inner, n = protowire.ConsumeBytes(frame); n < 0 {
				return nil, nil, 0
			}
			arm = found
		default:
			return nil, nil, 0
		}
		frame = frame[n:]
	}
	if arm == nil {
		return nil, nil, 0
	}
	return arm, inner, id
}

// Set puts an id into an envelope.
func (f *IDField) Set(m proto.Message, id uint64) {
	r := m.ProtoReflect()
	fd := r.Descriptor().Fields().ByNumber(f.number)
	switch f.kind {
	case protoreflect.Int32Kind, protoreflect.Sfixed32Kind:
		r.Set(fd, protoreflect.ValueOfInt32(int32(id)))
	case protoreflect.Sint32Kind:
		r.Set(fd, protoreflect.ValueOfInt32(int32(protowire.DecodeZigZag(id))))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		r.Set(fd, protoreflect.ValueOfUint32(uint32(id)))
	case protoreflect.Sint64Kind:
		r.Set(fd, protoreflect.ValueOfInt64(protowire.DecodeZigZag(id)))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		r.Set(fd, protoreflect.ValueOfUint64(id))
	default:
		r.Set(fd, protoreflect.ValueOfInt64(int64(id)))
	}
}
