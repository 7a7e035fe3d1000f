package client

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
)

// errorName is the type of the arm in which a server sends errors.
var errorName = (*messages.Error)(nil).ProtoReflect().Descriptor().FullName()

// wire knows the two envelopes and their framing. It does not change after it was made.
type wire struct {
	framing            transport.Framing
	maxFrame           int
	requests, replies  *messages.Envelope
	requestID, replyID *messages.IDField // both nil without request ids
	requestArms        map[protoreflect.FullName][]*messages.Arm
	replyArms          map[protoreflect.FullName][]*messages.Arm
	pushes             map[*messages.Arm]*Push
}

func newWire(request, reply proto.Message, framing transport.Framing, o *Options) (*wire, error) {
	w := &wire{framing: framing, maxFrame: o.MaxFrame, pushes: map[*messages.Arm]*Push{}}
	var errs []error
	var err error
	for _, e := range []struct {
		of   proto.Message
		what string
		to   **messages.Envelope
		arms *map[protoreflect.FullName][]*messages.Arm
	}{
		{request, "request", &w.requests, &w.requestArms},
		{reply, "reply", &w.replies, &w.replyArms},
	} {
		if e.of == nil {
			errs = append(errs, fmt.Errorf("the %s envelope is an interface, and must be a message type", e.what))
			continue
		}
		if *e.to, err = messages.NewEnvelope(e.of); err != nil {
			errs = append(errs, err)
			continue
		}
		*e.arms = map[protoreflect.FullName][]*messages.Arm{}
		for _, a := range (*e.to).Arms() {
			name := a.Type.Descriptor().FullName()
			(*e.arms)[name] = append((*e.arms)[name], a)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return w, errors.Join(w.setID(o.RequestID), w.setPushes(o.Pushes))
}

func (w *wire) setID(name string) (err error) {
	if name == "" {
		return nil
	}
	if w.framing == transport.Unframed {
		return fmt.Errorf("RequestID is %q, and request ids cannot be had unframed", name)
	}
	if w.requestID, err = w.requests.IDField(name); err != nil {
		return err
	}
	if w.replyID, err = w.replies.IDField(name); err != nil {
		return err
	}
	if !w.requestID.Repeats(w.replyID) {
		return fmt.Errorf("RequestID is %q, and that field has different types in %s and %s", name, w.requests.Name(), w.replies.Name())
	}
	return nil
}

func (w *wire) setPushes(pushes []Push) error {
	var errs []error
	for i := range pushes {
		p := pushes[i]
		if p.fresh == nil {
			p.err = fmt.Errorf("the push of place %d was not made by OnPush", i)
		}
		if p.err != nil {
			errs = append(errs, p.err)
			continue
		}
		arm, err := armFor(w.replies, w.replyArms, p.typ, p.arm, "")
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("OnPush: %w", err))
		case p.typ == errorName:
			errs = append(errs, fmt.Errorf("OnPush: arm %s is the error arm", arm.Name))
		case w.pushes[arm] != nil:
			errs = append(errs, fmt.Errorf("OnPush: arm %s has two handlers", arm.Name))
		default:
			w.pushes[arm] = &p
		}
	}
	return errors.Join(errs...)
}

// armFor finds an arm by the type of its message, and by its name if that is given; option is how to give it.
func armFor(e *messages.Envelope, arms map[protoreflect.FullName][]*messages.Arm, typ protoreflect.FullName, name, option string) (*messages.Arm, error) {
	of := arms[typ]
	switch {
	case name != "":
		for _, a := range of {
			if a.Name == name {
				return a, nil
			}
		}
		return nil, fmt.Errorf("envelope %s has no arm %s of type %s", e.Name(), name, typ)
	case len(of) == 0:
		return nil, fmt.Errorf("envelope %s has no arm of type %s", e.Name(), typ)
	case len(of) > 1:
		return nil, fmt.Errorf("envelope %s has the arms %s and %s of type %s; say which one%s", e.Name(), of[0].Name, of[1].Name, typ, option)
	}
	return of[0], nil
}

// opened is a message from the server.
type opened struct {
	arm   *messages.Arm // nil if it has no arm that is known
	inner []byte        // the message inside, unless whole is set
	whole proto.Message // the message inside, if it took the full decoder to find it
	id    uint64        // 0 without ids
	err   error         // why there is no arm
}

// open finds the arm and the id of a message from the server. What is not in the usual form goes to the full decoder.
func (w *wire) open(frame []byte) (m opened) {
	if w.replyID == nil {
		m.arm, m.inner = w.replies.Open(frame)
	} else {
		m.arm, m.inner, m.id = w.replies.OpenWithID(frame, w.replyID)
	}
	if m.arm != nil {
		return m
	}
	var envelope proto.Message
	m.arm, m.whole, envelope, m.err = w.replies.DecodeWhole(frame)
	switch {
	case w.replyID == nil:
	case m.err != nil:
		m.id = w.replyID.Find(frame)
	default:
		m.id = w.replyID.Of(envelope)
	}
	return m
}

// decode reads the message inside into out, which is of its type.
func (m *opened) decode(out proto.Message) error {
	if m.whole != nil {
		proto.Merge(out, m.whole)
		return nil
	}
	return proto.Unmarshal(m.inner, out)
}

// appendRequest appends a request, framed.
func (w *wire) appendRequest(dst []byte, x *exchange, id uint64) []byte {
	size := x.size
	if w.requestID != nil {
		size += w.requestID.Size(id)
	}
	dst = w.framing.AppendHeader(dst, size)
	if w.requestID != nil {
		dst = w.requestID.Append(dst, id)
	}
	dst = append(dst, x.outside...)
	dst = x.arm.AppendHeader(dst, len(x.inner))
	return append(dst, x.inner...)
}

// maxID is the largest request id. The smallest is 1. Any of these, as it stands on the wire, is one value of any integer type.
const maxID = 1<<31 - 1

// room is how many bytes an id may take.
func (w *wire) room() int {
	if w.requestID == nil {
		return 0
	}
	return w.requestID.Size(maxID)
}
