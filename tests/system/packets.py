"""IPv4 packets byte by byte. Runs in tests and, as part of agent.py, inside instances."""
import socket
import struct

ICMP, TCP, UDP, GRE, SCTP = 1, 6, 17, 47, 132
SYN, RST, ACK = 2, 4, 16

# Marks probes: agents answer them, and an instance's own kernel never sees them.
PROBE_TOS = 0x28

REPLY_TYPES = {8: 0, 13: 14}  # of ICMP: a request and what answers it


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def packet(source, target, protocol, payload, tos=PROBE_TOS, ttl=64, fragment=0, ident=0,
           options=b""):
    """`fragment`: flags and offset as in the header; `options`: a multiple of 4 bytes."""
    words = 5 + len(options) // 4
    header = struct.pack("!BBHHHBBH4s4s", 0x40 | words, tos, words * 4 + len(payload), ident,
                         fragment, ttl, protocol, 0, socket.inet_aton(source),
                         socket.inet_aton(target)) + options
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + payload


def with_checksum(source, target, protocol, segment, at):
    """TCP's and UDP's covers the addresses too."""
    pseudo = struct.pack("!4s4sBBH", socket.inet_aton(source), socket.inet_aton(target), 0,
                         protocol, len(segment))
    # UDP's zero would mean "none".
    found = checksum(pseudo + segment) or 0xFFFF
    return segment[:at] + struct.pack("!H", found) + segment[at + 2:]


def udp(source, target, source_port, port, payload=b""):
    segment = struct.pack("!HHHH", source_port, port, 8 + len(payload), 0) + payload
    return with_checksum(source, target, UDP, segment, 6)


def tcp(source, target, source_port, port, payload=b"", flags=SYN, sequence=1000, ack=0):
    segment = struct.pack("!HHIIBBHHH", source_port, port, sequence, ack, 5 << 4, flags, 65535,
                          0, 0) + payload
    return with_checksum(source, target, TCP, segment, 16)


def icmp(kind, code, ident, payload=b""):
    """`ident`: the four bytes behind the checksum."""
    segment = struct.pack("!BBHI", kind, code, 0, ident) + payload
    return segment[:2] + struct.pack("!H", checksum(segment)) + segment[4:]


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


INIT, INIT_ACK = 1, 2


def sctp(source_port, port, payload=b"", kind=INIT, verification=0):
    """INIT or INIT ACK; the payload is a parameter that no receiver knows."""
    payload += bytes(-len(payload) % 4)
    chunk = struct.pack("!BBHIIHHI", kind, 0, 20 + 4 + len(payload), 7, 65535, 1, 1, 7)
    chunk += struct.pack("!HH", 0x8888, 4 + len(payload)) + payload
    header = struct.pack("!HHII", source_port, port, verification, 0)
    crc = crc32c(header + chunk)
    return header[:8] + struct.pack("<I", crc) + chunk


class Seen:
    """A received IPv4 packet's fields."""

    def __init__(self, data):
        length = (data[0] & 15) * 4
        self.tos, self.ttl, self.protocol = data[1], data[8], data[9]
        self.fragment, = struct.unpack("!H", data[6:8])
        self.source, self.target = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
        self.options = data[20:length]
        self.payload = data[length:struct.unpack("!H", data[2:4])[0]]
        self.tag = self.direction = None
        mark = self.payload.find(b"probe:")
        if mark >= 0:
            word = self.payload[mark + 6:].split(b";")[0].decode(errors="replace")
            self.direction, self.tag = word[:1], word[1:]

    @property
    def ports(self):
        return struct.unpack("!HH", self.payload[:4])

    @property
    def kind(self):
        """Of ICMP: type and code."""
        return self.payload[0], self.payload[1]

    def __repr__(self):
        return (f"{self.source} > {self.target} protocol {self.protocol} "
                f"{self.payload[:20].hex()} {self.direction or ''}{self.tag or ''}")


def mark(tag, direction="q"):
    """Direction q: a question, answered by who gets it; o: one way; r: an answer."""
    return f"probe:{direction}{tag};".encode()


def probe(source, target, protocol, tag, first=0, second=0, direction="q"):
    """
    A flow's first packet. `first` and `second` are source and destination port; of ICMP the
    identifier and (type, code); other protocols have neither.
    """
    text = mark(tag, direction)
    if protocol == TCP:
        body = tcp(source, target, first, second, text)
    elif protocol == UDP:
        body = udp(source, target, first, second, text)
    elif protocol == ICMP:
        kind, code = second
        if kind in (3, 11, 12):  # an error quotes what it is about
            text = packet(target, source, UDP, udp(target, source, 9, 9), tos=0) + text
            first = 0
        body = icmp(kind, code, first << 16, text)
    elif protocol == SCTP:
        body = sctp(first, second, text)
    else:
        body = bytes(4) + text  # GRE's plainest header too
    return packet(source, target, protocol, body)


def answer(seen):
    """What answers a probe, or None."""
    text = seen.payload[seen.payload.find(b"probe:"):].replace(b"probe:q", b"probe:r", 1)
    source, target = seen.target, seen.source
    if seen.protocol == TCP:
        back, forth = seen.ports
        sequence, = struct.unpack("!I", seen.payload[4:8])
        size = len(seen.payload) - 20 + 1
        body = tcp(source, target, forth, back, text, SYN | ACK, 5000, sequence + size)
    elif seen.protocol == UDP:
        back, forth = seen.ports
        body = udp(source, target, forth, back, text)
    elif seen.protocol == ICMP:
        if seen.kind[0] not in REPLY_TYPES:
            return None
        ident, = struct.unpack("!I", seen.payload[4:8])
        body = icmp(REPLY_TYPES[seen.kind[0]], 0, ident, text)
    elif seen.protocol == SCTP:
        back, forth = seen.ports
        body = sctp(forth, back, text.split(b";")[0] + b";", INIT_ACK, 7)
    else:
        body = seen.payload[:4] + text
    return packet(source, target, seen.protocol, body)
