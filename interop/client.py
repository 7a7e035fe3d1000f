"""Speaks to a running Understudy server with Python's protobuf, and checks every reply's content and place.

    client.py ADDR FRAMING

ADDR is host:port; FRAMING is delimited, length32 or unframed. messages_pb2, made from messages/messages.proto, must be
importable. Everything goes over one connection: all requests in one write, then again one byte a write, then again one request
a write; then the sending side is closed, and the server has to answer all of it and close its own side. Prints
"ok FRAMING N replies" and exits with 0, or prints what differs and exits with 1.
"""

import importlib
import socket
import struct
import sys
import threading

TIMEOUT = 60  # seconds that one read or write may take
OUT_OF_RANGE = 11
INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1


def varint(n):
    """Encodes n >= 0, as https://protobuf.dev/programming-guides/encoding/#varints has it."""
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def read_varint(data, at):
    """Returns the number at data[at:] and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("the replies end inside a varint")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a varint in the replies has more than 64 bits")


def take(data, start, size):
    """Returns data[start:start+size], all of which must be there, and where it ends."""
    end = start + size
    if end > len(data):
        raise ValueError(f"the replies end {end - len(data)} bytes inside a message")
    return data[start:end], end


class Delimited:
    @staticmethod
    def put(message):
        return varint(len(message)) + message

    @staticmethod
    def cut(data, at):
        size, start = read_varint(data, at)
        return take(data, start, size)


class Length32:
    @staticmethod
    def put(message):
        return struct.pack(">I", len(message)) + message

    @staticmethod
    def cut(data, at):
        header, start = take(data, at, 4)
        return take(data, start, struct.unpack(">I", header)[0])


class Unframed:
    """Bare messages with one field each, which is its tag, its length and its bytes."""

    @staticmethod
    def put(message):
        return message

    @staticmethod
    def cut(data, at):
        tag, start = read_varint(data, at)
        if tag & 7 != 2:
            raise ValueError(f"a reply starts with the wire type {tag & 7} at byte {at}")
        size, start = read_varint(data, start)
        return take(data, at, start - at + size)


FRAMINGS = {"delimited": Delimited, "length32": Length32, "unframed": Unframed}


def cases(pb):
    """Returns pairs of a request and the reply it must get; None stands for an error with the code OUT_OF_RANGE."""
    pairs = []
    for text in ["", "x", "hello, understudy", "Grüße, 世界 🎭", "\0\r\n\x7f", "é" * 64, "a" * 127, "a" * 128, "x" * 100_000]:
        request, reply = pb.ClientMessage(), pb.ServerMessage()
        request.echo_message.content = text
        request.echo_message.SetInParent()  # an empty text leaves the arm unset otherwise
        reply.echo_message.content = text
        reply.echo_message.SetInParent()
        pairs.append((request, reply))
    adds = [
        (0, 0), (1, 2), (-1, 1), (-5, -7), (127, 1), (2**30, 2**30 - 1), (INT32_MAX, 0), (INT32_MIN, 0),
        (INT32_MAX, INT32_MIN), (INT32_MAX, 1), (INT32_MIN, -1), (INT32_MAX, INT32_MAX), (INT32_MIN, INT32_MIN),
    ]  # fmt: skip
    for a, b in adds:
        request, reply = pb.ClientMessage(), pb.ServerMessage()
        request.add_request.a, request.add_request.b = a, b
        request.add_request.SetInParent()
        if INT32_MIN <= a + b <= INT32_MAX:
            reply.add_response.result = a + b
            reply.add_response.SetInParent()
        else:
            reply = None
        pairs.append((request, reply))
    return pairs


def brief(text):
    """Shortens what may hold 100 kB."""
    text = str(text).replace("\n", " ")
    return text if len(text) <= 200 else f"{text[:200]}… ({len(text)} characters)"


def difference(got, want):
    """Says how a reply differs from what it must be, or returns None."""
    if want is None:
        if got.WhichOneof("message") != "error" or got.error.code != OUT_OF_RANGE:
            return f"want an error with code {OUT_OF_RANGE}, got: {brief(got)}"
        return None
    return None if got == want else f"want: {brief(want)}, got: {brief(got)}"


def exchange(addr, writes):
    """Sends the writes while it reads, closes its sending side, and returns all that the server sent until its end."""
    host, port = addr.rsplit(":", 1)
    with socket.create_connection((host.strip("[]"), int(port)), TIMEOUT) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # or the kernel joins what was split
        received, failures = bytearray(), []

        def read():
            try:
                while chunk := connection.recv(1 << 16):
                    received.extend(chunk)
            except OSError as e:
                failures.append(f"reading failed after {len(received)} bytes: {e}")

        # Requests are written without waiting for replies, so replies must be taken meanwhile, or both sides could stand still.
        reader = threading.Thread(target=read)
        reader.start()
        try:
            for data in writes:
                connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        except OSError as e:
            failures.append(f"writing failed: {e}")
            connection.close()
        reader.join()
        if failures:
            raise ConnectionError("; ".join(failures))
        return bytes(received)


def main(addr, name):
    framing = FRAMINGS[name]
    pb = importlib.import_module("messages_pb2")
    pairs = cases(pb)
    frames = [framing.put(request.SerializeToString()) for request, _ in pairs]
    joined = b"".join(frames)
    split = [joined[i : i + 1] for i in range(len(joined))]
    data = exchange(addr, [joined, *split, *frames])

    at, number = 0, 0
    expected = [reply for _, reply in pairs] * 3
    while at < len(data):
        message, at = framing.cut(data, at)
        if number == len(expected):
            raise ValueError(f"there are more than {number} replies")
        if wrong := difference(pb.ServerMessage.FromString(message), expected[number]):
            raise ValueError(f"reply {number + 1}: {wrong}")
        number += 1
    if number != len(expected):
        raise ValueError(f"there are {number} replies to {len(expected)} requests")
    print(f"ok {name} {number} replies")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in FRAMINGS:
        print(f"usage: client.py HOST:PORT {'|'.join(FRAMINGS)}", file=sys.stderr)
        sys.exit(2)
    try:
        main(sys.argv[1], sys.argv[2])
    except Exception as e:  # whatever it is, the caller wants one line and a status
        print(f"{sys.argv[2]}: {type(e).__name__}: {e}")
        sys.exit(1)
