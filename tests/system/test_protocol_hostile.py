"""Clients that mean harm, or don't care: what they send is refused in AWS's words or served, nobody
else waits for them, and the daemon's memory stays what it was."""
import http.client
import re
import resource
import select
import socket
import time
from contextlib import ExitStack

import pytest

import wire
from lib import wait_for

VPCS = wire.form("DescribeVpcs")
ABSENT = "vpc-0fedcba9876543210"
CONNECTIONS = 64


def whole(world, body, more="", **signing):
    """A signed request as bytes; `more`: further header lines."""
    request = wire.signed(world, body, **signing)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    return (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\n{more}{head}"
            f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def chunked(world, body, pieces, announced=None):
    """The same in chunks; `announced`: what a chunk says of its size."""
    request = wire.signed(world, body)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    data = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\nConnection: close\r\n"
            f"Transfer-Encoding: chunked\r\n{head}\r\n").encode()
    for piece in pieces:
        data += f"{announced or format(len(piece), 'x')}\r\n{piece}\r\n".encode()
    return data + b"0\r\n\r\n"


def resident(world):
    """KiB; the same always with ASan, which keeps what was freed, and tells leaks itself."""
    with open(f"/proc/{world.daemon.pid}/maps", encoding="utf-8") as maps:
        if "libasan" in maps.read():
            return 0
    with open(f"/proc/{world.daemon.pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def replies(data):
    """The (status, body) of each reply in a stream of them."""
    found = []
    while data:
        head, _, rest = data.partition(b"\r\n\r\n")
        length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
        assert len(rest) >= length, (len(rest), length)
        found.append((int(head.split()[1]), rest[:length].decode()))
        data = rest[length:]
    return found


def code(reply):
    assert reply.status == 400, (reply.status, reply.body)
    return reply.code


def assert_well(world):
    """A good client is served, at once."""
    started = time.monotonic()
    assert wire.send(world, wire.signed(world, VPCS), timeout=5).status == 200
    assert time.monotonic() - started < 2
    assert world.daemon.poll() is None


# How a request comes.

@pytest.mark.parametrize("size", [1, 2, 7, 1000])
def test_chunks_of_any_size(world, size):
    pieces = [VPCS[at:at + size] for at in range(0, len(VPCS), size)]
    (status, body), = replies(wire.raw(world, chunked(world, VPCS, pieces)))
    assert status == 200 and "DescribeVpcsResponse" in body


@pytest.mark.parametrize("announced", ["-1", "zz", "ffffffffffffffffffff", "0x10", " "])
def test_chunks_of_an_impossible_size(world, announced):
    answer = wire.raw(world, chunked(world, VPCS, [VPCS], announced), timeout=2, shut=True)
    assert not answer or re.match(rb"HTTP/1\.[01] 4\d\d ", answer), answer[:200]
    assert_well(world)


def test_megabytes_in_chunks(world):
    """Their sum isn't announced: the refusal comes when there is too much."""
    wire.raw(world, chunked(world, VPCS, ["x" * 65536] * 40))
    before = resident(world)
    for _ in range(5):
        (status, body), = replies(wire.raw(world, chunked(world, VPCS, ["x" * 65536] * 40)))
        assert status == 413 and "<Code>RequestEntityTooLarge</Code>" in body
    assert resident(world) < before + 2048
    assert_well(world)


def test_length_and_chunks_at_once(world):
    """Two truths about where a request ends are how one is smuggled in behind another."""
    data = chunked(world, VPCS, [VPCS]).replace(b"\r\n\r\n", b"\r\nContent-Length: 5\r\n\r\n", 1)
    answer = wire.raw(world, data, timeout=2, shut=True)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert_well(world)


def test_pipelined(world):
    """Sent in one piece, answered one by one, in order; a refusal doesn't end it."""
    wanted = [number % 3 for number in range(60)]
    each = [whole(world, VPCS), whole(world, wire.form("DescribeVpcs", VpcId__1=ABSENT)),
            whole(world, VPCS, secret="wrong")]
    last = whole(world, VPCS, more="Connection: close\r\n")
    found = replies(wire.raw(world, b"".join(each[kind] for kind in wanted) + last))
    assert [status for status, _ in found] == [(200, 400, 401)[kind] for kind in wanted] + [200]
    identifiers = {re.search(r"<request[Ii]d>(.*?)<|<RequestID>(.*?)<", body)[0]
                   for _, body in found}
    assert len(identifiers) == len(found)


def test_half_closed(world):
    """Who has said all and closes his side is answered; who has said half is not waited for."""
    (status, body), = replies(wire.raw(world, whole(world, VPCS), shut=True))
    assert status == 200 and "DescribeVpcsResponse" in body
    started = time.monotonic()
    for cut in (1, 30, len(whole(world, VPCS)) - 1):
        answer = wire.raw(world, whole(world, VPCS)[:cut], shut=True)
        assert b" 200 OK" not in answer
    assert time.monotonic() - started < 12  # the daemon's patience with the silent is 30 s
    assert_well(world)


def test_byte_by_byte(world):
    data = whole(world, VPCS, more="Connection: close\r\n")
    with socket.create_connection(("127.0.0.1", world.port), 5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            connection.send(bytes([byte]))
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert replies(answer)[0][0] == 200


def test_reply_that_nobody_takes(world):
    """Requests whose replies are never read: the daemon doesn't keep them all."""
    before = resident(world)
    request = whole(world, wire.form("DescribeInstanceTypes"))
    with ExitStack() as stack:
        for _ in range(20):
            connection = stack.enter_context(
                socket.create_connection(("127.0.0.1", world.port), 5))
            connection.setblocking(False)
            try:
                for _ in range(100):
                    connection.send(request)
            except BlockingIOError:
                pass
        assert_well(world)
        assert resident(world) < before + 32 * 1024
    assert_well(world)


# What a request says.

def test_gaps_of_any_size(world):
    """The number only orders: it is no size of anything."""
    before = resident(world)
    reply = wire.call(world, "DescribeVpcs", Filter__100000__Name="is-default",
                      Filter__100000__Value__999999999="true")
    assert reply.status == 200 and reply.body.count("<vpcId>") == 1
    assert resident(world) < before + 1024


@pytest.mark.parametrize("name", [
    "Filter.1.Value.99999999999", "Filter.99999999999999999999.Name", "Filter.0.Name",
    "Filter.01.Name", "Filter.-1.Name", "Filter.1.Value.1.1", "Filter..Name", "Filter.1.",
    "VpcId.1.2", "VpcId.18446744073709551617", "VpcId.1 ", "Filter.1.Name.1", ".", "VpcId.1.",
    "Filter" + ".1" * 5000])
def test_numbers_that_are_none(world, name):
    reply = wire.call(world, "DescribeVpcs", **{
        "Filter.1.Name": "vpc-id", "Filter.1.Value.1": "x", name: "y"})
    assert code(reply) == "UnknownParameter"
    assert len(reply.message) < 300  # who sends kilobytes isn't sent them back


def test_more_filter_values_than_there_may_be(world):
    values = {f"Filter.1.Value.{number}": "x" for number in range(1, 202)}
    reply = wire.call(world, "DescribeVpcs", **{"Filter.1.Name": "vpc-id", **values})
    assert code(reply) == "FilterLimitExceeded"


def test_as_many_parameters_as_fit(world):
    """A mebibyte of small ones: refused, and quickly."""
    before = resident(world)
    body = VPCS + "".join(f"&VpcId.{number}=x" for number in range(1, 70000))
    started = time.monotonic()
    reply = wire.send(world, wire.signed(world, body[:1 << 20]))
    assert code(reply) == "MalformedQueryString"
    assert time.monotonic() - started < 3
    assert resident(world) < before + 8 * 1024
    assert_well(world)


def test_many_ids(world):
    """As many as a request may carry, every one unknown: told, in a moment."""
    ids = {f"VpcId.{number}": f"vpc-{number:017x}" for number in range(1, 2000)}
    started = time.monotonic()
    reply = wire.call(world, "DescribeVpcs", **ids)
    assert code(reply) == "InvalidVpcID.NotFound"
    assert time.monotonic() - started < 3


def test_patterns_of_many_stars(world):
    """No pattern takes exponential time."""
    started = time.monotonic()
    reply = wire.call(world, "DescribeVpcs", Filter__1__Name="state",
                      Filter__1__Value__1="*a" * 20000 + "b")
    assert reply.status == 200
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("first, second", [(ABSENT, "default"), ("default", ABSENT)])
def test_a_parameter_twice(world, first, second):
    """One of them counts, the same one in every form of request: the last."""
    names = {"default": world.ec2.describe_vpcs()["Vpcs"][0]["VpcId"], ABSENT: ABSENT}
    one, two = (f"VpcId.1={names[which]}" for which in (first, second))
    status = 400 if second == ABSENT else 200
    body = f"{VPCS}&{one}&{two}"
    assert wire.send(world, wire.signed(world, body)).status == status
    assert wire.send(world, wire.signed(world, f"{VPCS}&{two}", path="/?" + one)).status == status
    assert wire.send(world, wire.signed(world, None, "GET", "/?" + body)).status == status


@pytest.mark.parametrize("bad", [
    "%FF", "%C0%AF", "%ED%A0%80", "%F4%90%80%80", "%E2%82", "%00", "a%00b", "%01", "%EF%BF%BE",
    "%zz", "%", "%4"])
@pytest.mark.parametrize("place", ["VpcId.1={}", "Filter.1.Name={}&Filter.1.Value.1=x",
                                   "Filter.1.Name=vpc-id&Filter.1.Value.1={}"])
def test_text_that_is_none(world, bad, place):
    """Broken or overlong UTF-8, what XML can't say, NUL, bad escapes: refused before anything."""
    reply = wire.send(world, wire.signed(world, f"{VPCS}&{place.format(bad)}"))
    assert code(reply) == "MalformedQueryString", reply.body


@pytest.mark.parametrize("bad", ["%FF", "%00", "%zz"])
def test_names_that_are_no_text(world, bad):
    reply = wire.send(world, wire.signed(world, f"{VPCS}&Vpc{bad}=x"))
    assert code(reply) in ("MalformedQueryString", "UnknownParameter")
    assert reply.root is not None


def test_raw_bytes(world):
    """Not even escaped."""
    body = VPCS.encode() + b"&VpcId.1=\xff\xfe\x00\x01"
    reply = wire.send(world, wire.signed(world, body))
    assert code(reply) == "MalformedQueryString"


# Who says it.

def test_presigned_again_after_its_time(world):
    path = wire.presigned(world, VPCS, seconds=2)
    assert wire.send(world, method="GET", path=path).status == 200
    assert wire.send(world, method="GET", path=path).status == 200  # until then it may be used
    late = []

    def expired():
        late[:] = [wire.send(world, method="GET", path=path)]
        return late[0].status != 200
    wait_for(expired, 8, "the URL expires")
    assert code(late[0]) == "RequestExpired"


@pytest.mark.parametrize("change", [
    ("X-Amz-Expires=60", "X-Amz-Expires=604800"), ("DescribeVpcs", "DeleteVpc"),
    ("us-east-1", "eu-west-1"), ("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=host%3Bhost"),
    ("&X-Amz-Signature=", "&X-Amz-Signature=0"), ("Version=2016-11-15", "Version=2016-11-15&a=b")])
def test_presigned_and_bent(world, change):
    path = wire.presigned(world, VPCS, seconds=60)
    assert wire.send(world, method="GET", path=path).status == 200
    bent = path.replace(*change)
    assert bent != path
    reply = wire.send(world, method="GET", path=bent)
    assert reply.status in (400, 401) and reply.code in ("AuthFailure", "IncompleteSignature")


# How many come.

def test_thousands_of_connections(world):
    """Most say nothing, some half a line: who comes then is served, and nothing is left of them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))

    def crowd():
        with ExitStack() as stack:
            for number in range(3000):
                connection = stack.enter_context(socket.socket())
                connection.setblocking(False)
                try:
                    connection.connect(("127.0.0.1", world.port))
                except BlockingIOError:
                    pass
                if number % 500 == 0:
                    assert_well(world)
                try:
                    if number % 2:
                        connection.send(b"POST / HT")
                except OSError:
                    pass
            assert_well(world)
        assert_well(world)
    try:
        crowd()
        before = resident(world)
        for _ in range(3):
            crowd()
        assert resident(world) < before + 2048
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Load:
    """Connections that each send their next request when the reply to the one before is there."""

    def __init__(self, world, request):
        self.request = request
        self.sockets = {}
        self.served = {}
        self.longest = 0
        self.poll = select.epoll()
        for _ in range(CONNECTIONS):
            connection = socket.create_connection(("127.0.0.1", world.port), 5)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[connection.fileno()] = connection
            self.served[connection.fileno()] = 0
            self.poll.register(connection, select.EPOLLIN)

    def close(self):
        self.poll.close()
        for connection in self.sockets.values():
            connection.close()

    def run(self, seconds):
        end = time.monotonic() + seconds
        data, since = {}, {}
        for number, connection in self.sockets.items():
            connection.sendall(self.request)
            data[number], since[number] = b"", time.monotonic()
        while since:
            ready = self.poll.poll(10)
            assert ready, "nobody is answered"
            for number, _ in ready:
                piece = self.sockets[number].recv(65536)
                assert piece, "a connection was closed"
                data[number] += piece
                if not data[number].endswith(b"</DescribeVpcsResponse>"):
                    continue
                assert data[number].startswith(b"HTTP/1.1 200 "), data[number]
                self.served[number] += 1
                now = time.monotonic()
                self.longest = max(self.longest, now - since.pop(number))
                if now < end:
                    self.sockets[number].sendall(self.request)
                    data[number], since[number] = b"", now


def test_many_clients_at_once(world):
    """Over kept connections: no error, none starved, no memory that grows."""
    load = Load(world, whole(world, VPCS))
    sizes = [resident(world)]
    try:
        # Each connection's own memory is touched bit by bit, up to its 64 KiB; a leak goes on.
        for _ in range(8):
            load.run(1.5)
            sizes.append(resident(world))
            if len(sizes) > 3 and sizes[-1] < sizes[-2] + 64:
                break
        else:
            pytest.fail(f"resident grows: {sizes}")
    finally:
        load.close()
    served = sorted(load.served.values())
    assert sum(served) > 10 * CONNECTIONS
    assert served[0] > sum(served) / CONNECTIONS / 2, served
    assert load.longest < 3


def test_garbage_leaves_nothing(world):
    """Refusals of all kinds, a thousand times: the daemon's memory is what it was."""
    kinds = [b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\n\r\n", whole(world, VPCS)[:-9],
             whole(world, VPCS, secret="wrong"), whole(world, VPCS + "&a=%zz"),
             b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n"]

    def all_kinds(times):
        for number in range(times):
            with socket.create_connection(("127.0.0.1", world.port), 5) as connection:
                try:
                    connection.sendall(kinds[number % len(kinds)])
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        pass
                except ConnectionError:
                    pass
    all_kinds(200)
    before = resident(world)
    all_kinds(1000)
    assert resident(world) < before + 512, (before, resident(world))
    assert_well(world)


def test_a_connection_with_thousands_of_requests(world):
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=5)
    request = wire.signed(world, VPCS)
    headers = dict(request.headers.items())

    def many(count):
        for _ in range(count):
            connection.request("POST", "/", body=VPCS, headers=headers)
            assert connection.getresponse().read()
    many(200)
    before = resident(world)
    many(2000)
    assert resident(world) < before + 512
    connection.close()
