"""
What runs in an instance for the tests (behind packets.py, as one text: see agents.py): it hears
everything that arrives at eth0, answers probes by hand, serves echoes, and obeys lines of JSON
[name of a function below, argument …] on its standard input, a line of JSON each in return.
"""
import errno
import json
import os
import select
import subprocess

from packets import *  # pylint: disable=wildcard-import

ETH_P_ALL = 3
frames_heard = []
sockets = {}
servers = {}
servers_read = {}


def grow(made, buffer):
    """As far as the machine lets somebody go who is root in an instance only."""
    made.setsockopt(socket.SOL_SOCKET, buffer, 1 << 23)


capture = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
grow(capture, socket.SO_RCVBUF)
capture.bind(("eth0", ETH_P_ALL))
capture.setblocking(False)
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
grow(raw, socket.SO_SNDBUF)
lines = os.fdopen(os.dup(0), "rb", 0)


def listen():
    """Takes what has arrived; answers questions."""
    while True:
        try:
            frame, where = capture.recvfrom(65535)
        except BlockingIOError:
            return
        if where[2] == socket.PACKET_OUTGOING:
            continue
        frames_heard.append(frame)
        if frame[12:14] == b"\x08\x00" and frame[15] == PROBE_TOS:
            seen = Seen(frame[14:])
            if seen.direction == "q" and not seen.fragment & 0x1FFF:
                reply = answer(seen)
                if reply:
                    send([reply.hex()])


def send(packets):
    """IPv4 packets as they are; the kernel finds the way. What it refused, by its words."""
    refused = []
    for data in map(bytes.fromhex, packets):
        try:
            raw.sendto(data, (socket.inet_ntoa(data[16:20]), 0))
        except OSError as error:
            refused.append(str(error))
    return refused


def frames(list_of_frames):
    for data in list_of_frames:
        capture.send(bytes.fromhex(data))


def heard():
    """Frames since the last call."""
    listen()
    found = [frame.hex() for frame in frames_heard]
    frames_heard.clear()
    return found


def tags():
    """What arrived since the last call, ARP aside: [direction, tag, source] of probes, ["?", …]."""
    listen()
    found = []
    for frame in frames_heard:
        if frame[12:14] == b"\x08\x00" and frame[15] == PROBE_TOS:
            seen = Seen(frame[14:])
            found.append([seen.direction or "?", seen.tag or repr(seen), seen.source])
        elif frame[12:14] != b"\x08\x06":
            found.append(["?", frame[:80].hex(), ""])
    frames_heard.clear()
    return found


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return [done.returncode, done.stdout + done.stderr]


# The instance's own sockets.

def serve(kind, port):
    """An echo server; its own agent's other functions keep it waiting."""
    if (kind, port) not in servers:
        made = socket.socket(socket.AF_INET,
                             socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind(("0.0.0.0", port))
        if kind == "tcp":
            made.listen(50)
        servers[kind, port] = made
        sockets[made.fileno()] = (made, "listener" if kind == "tcp" else "datagrams", [])


def connect(kind, address, port, seconds=0.3):
    """Its number, or the error's name."""
    made = socket.socket(socket.AF_INET,
                         socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
    made.settimeout(seconds)
    try:
        made.connect((address, port))
    except OSError as error:
        made.close()
        return errno.errorcode.get(error.errno, "timeout")
    sockets[made.fileno()] = (made, "client", [])
    return made.fileno()


def exchange(number, text, seconds=0.3):
    """Says something, returns the echo, or the error's name."""
    made = sockets[number][0]
    made.settimeout(seconds)
    try:
        made.send(text.encode())
        return made.recv(65535).decode()
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")


def exchange_hex(number, data, seconds=0.3):
    """The same with bytes, as hexadecimal digits."""
    made = sockets[number][0]
    made.settimeout(seconds)
    try:
        made.send(bytes.fromhex(data))
        return made.recv(65535).hex()
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")


def speak(number, text):
    sockets[number][0].send(text.encode())


def hear(number, seconds=1):
    made = sockets[number][0]
    made.settimeout(seconds)
    try:
        return made.recv(65535).decode()
    except OSError as error:
        return errno.errorcode.get(error.errno, "timeout")


def hang_up():
    """Closes every socket at once, so that nothing is sent again later; forgets what arrived."""
    for made, role, _ in sockets.values():
        if role in ("client", "served"):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()
    sockets.clear()
    servers.clear()
    servers_read.clear()
    heard()


def received(kind, port):
    """What the echo server has read."""
    return servers_read.setdefault((kind, port), [])


def first_hop(address, port):
    """A UDP traceroute's first line: who answers a datagram with a time to live of 1, and what."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, 11, 1)  # IP_RECVERR
    made.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1)
    made.settimeout(1)
    made.sendto(b"trace", (address, port))
    poll = select.poll()
    poll.register(made, select.POLLERR)
    if not poll.poll(1000):
        return None
    _, ancillary, _, _ = made.recvmsg(100, 1000, socket.MSG_ERRQUEUE)
    made.close()
    data = ancillary[0][2]
    return [data[5], data[6], socket.inet_ntoa(data[20:24])]


def serve_one(number):
    made, role, _ = sockets[number]
    if role == "listener":
        peer, _ = made.accept()
        sockets[peer.fileno()] = (peer, "served", [made.getsockname()[1]])
    elif role == "datagrams":
        data, address = made.recvfrom(65535)
        servers_read.setdefault(("udp", made.getsockname()[1]), []).append(data.decode())
        made.sendto(data, address)
    else:
        try:
            data = made.recv(65535)
        except OSError:
            data = b""
        if not data:
            del sockets[number]
            made.close()
            return
        servers_read.setdefault(("tcp", sockets[number][2][0]), []).append(data.decode())
        made.send(data)


def loop():
    waiting = b""
    print(json.dumps("ready"), flush=True)
    while True:
        own = [number for number, entry in sockets.items() if entry[1] != "client"]
        ready = select.select([0, capture, *own], [], [])[0]
        if capture in ready:
            listen()
        for number in ready:
            if number in own and number in sockets:
                try:
                    serve_one(number)
                except OSError:
                    pass
        if 0 not in ready:
            continue
        data = lines.read(1 << 20)
        if not data:
            return
        waiting += data
        while b"\n" in waiting:
            line, waiting = waiting.split(b"\n", 1)
            name, *arguments = json.loads(line)
            print(json.dumps(globals()[name](*arguments)), flush=True)


loop()
