package load

import (
	"math/rand/v2"

	"github.com/understudy-go/understudy/messages"
	"github.com/understudy-go/understudy/transport"
	"google.golang.org/protobuf/proto"
)

// echoAdd is Understudy's first service.
type echoAdd struct {
	framing transport.Framing
	mix     Mix
}

// EchoAdd returns the protocol of Echo and Add with a framing; nil is transport.Delimited.
func EchoAdd(f transport.Framing, m Mix) Protocol {
	if f == nil {
		f = transport.Delimited
	}
	return &echoAdd{f, m}
}

// maxReply is how large a reply can be; it only bounds nonsense.
const maxReply = 1 << 30

func (p *echoAdd) Cut(buf []byte) (n int, err error) {
	_, n, _, err = p.framing.Next(buf, maxReply)
	return n, err
}

func (p *echoAdd) Exchange(n int, rng *rand.Rand, request, reply []byte) (req, rep []byte) {
	var in messages.ClientMessage
	var out messages.ServerMessage
	if p.mix.pick(rng) {
		m := &messages.EchoMessage{Content: content(n, p.mix.Size.pick(rng), rng)}
		in.Message = &messages.ClientMessage_EchoMessage{EchoMessage: m}
		out.Message = &messages.ServerMessage_EchoMessage{EchoMessage: m}
	} else {
		a, b := int32(rng.Uint32())>>1, int32(rng.Uint32())>>1 // whose sum fits
		in.Message = &messages.ClientMessage_AddRequest{AddRequest: &messages.AddRequest{A: a, B: b}}
		out.Message = &messages.ServerMessage_AddResponse{AddResponse: &messages.AddResponse{Result: a + b}}
	}
	return p.append(request, &in), p.append(reply, &out)
}

func (p *echoAdd) append(b []byte, m proto.Message) []byte {
	b = p.framing.AppendHeader(b, proto.Size(m))
	b, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(b, m)
	if err != nil {
		panic("load: " + err.Error()) // it has ASCII and numbers only
	}
	return b
}

func (p *echoAdd) Judge(got, want []byte) (Verdict, messages.Code) {
	var g, w messages.ServerMessage
	if p.decode(got, &g) != nil || p.decode(want, &w) != nil {
		return Wrong, 0
	}
	if e := g.GetError(); e != nil {
		return Failed, messages.Code(e.GetCode())
	}
	if proto.Equal(&g, &w) {
		return Right, 0
	}
	return Wrong, 0
}

func (p *echoAdd) decode(frame []byte, m proto.Message) error {
	payload, _, _, err := p.framing.Next(frame, maxReply)
	if err != nil {
		return err
	}
	return proto.Unmarshal(payload, m)
}

const letters = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_" // 64

// content returns size letters that begin with n, as far as they can hold it.
func content(n, size int, rng *rand.Rand) string {
	b := make([]byte, size)
	bits, left := uint64(n), 4
	for i := range b {
		if left == 0 {
			bits, left = rng.Uint64(), 10
		}
		b[i] = letters[bits%64]
		bits /= 64
		left--
	}
	return string(b)
}
