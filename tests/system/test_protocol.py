"""The Query protocol below boto3: signatures, envelopes, hosts, hostile and slow clients."""
import http.client
import json
import os
import re
import socket
import stat
import subprocess
import threading
import time
import urllib.parse

import pytest

import wire
from conformance import REQUEST_ID
from lib import ACCOUNT, BINARY, environment, refused

OK = "{http://ec2.amazonaws.com/doc/2016-11-15/}DescribeVpcsResponse"
VPCS = wire.form("DescribeVpcs")


def error(reply, status, code):
    """An error in EC2's own envelope."""
    assert reply.status == status, (reply.status, reply.body)
    assert reply.root.tag == "Response", reply.body
    assert (reply.code, reply.status) == (code, status), reply.body
    assert reply.message
    assert REQUEST_ID.fullmatch(reply.root.findtext("RequestID"))
    return reply.message


def good(reply):
    assert reply.status == 200, reply.body
    assert reply.root.tag == OK


# What a well-formed exchange looks like.

def test_signed_post(world):
    reply = wire.send(world, wire.signed(world, VPCS))
    good(reply)
    assert reply.headers["content-type"].replace(" ", "") == "text/xml;charset=UTF-8"
    identifier = reply.headers["x-amzn-requestid"]
    assert REQUEST_ID.fullmatch(identifier)
    assert reply.root[0].text == identifier or reply.root.findtext(
        "{http://ec2.amazonaws.com/doc/2016-11-15/}requestId") == identifier


def test_error_envelope(world):
    reply = wire.call(world, "DescribeVpcs", VpcId__1="vpc-0fedcba9876543210")
    assert error(reply, 400, "InvalidVpcID.NotFound") == \
        "The vpc ID 'vpc-0fedcba9876543210' does not exist"
    assert reply.headers["content-type"].replace(" ", "") == "text/xml;charset=UTF-8"
    assert reply.root.findtext("RequestID") == reply.headers["x-amzn-requestid"]


def test_markup_in_values_is_escaped(world):
    text = "<&>\"'é\u20ac"
    reply = wire.call(world, "DescribeVpcs", VpcId__1=text)
    assert text in error(reply, 400, "InvalidVpcID.Malformed")


def test_signed_get(world):
    request = wire.signed(world, None, method="GET", path="/?" + VPCS)
    good(wire.send(world, request))


def test_presigned_get(world):
    good(wire.send(world, method="GET", path=wire.presigned(world, VPCS)))


def test_presigned_query_values_are_encoded_as_signed(world):
    query = wire.form("DescribeVpcs", Filter__1__Name="tag:a b", Filter__1__Value__1="x/y +~*é")
    good(wire.send(world, method="GET",
                   path=wire.presigned(world, query.replace("+", "%20"))))


def test_form_spaces_as_plus_and_percent(world):
    for query in (VPCS + "&Filter.1.Name=tag:Name&Filter.1.Value.1=a+b",
                  VPCS + "&Filter.1.Name=tag%3AName&Filter.1.Value.1=a%20b"):
        good(wire.send(world, wire.signed(world, query)))


def test_parameter_order_is_irrelevant(world):
    good(wire.send(world, wire.signed(world, "Version=2016-11-15&Action=DescribeVpcs")))


def test_gaps_in_lists_are_tolerated(world):
    reply = wire.call(world, "DescribeVpcs", Filter__3__Name="is-default",
                      Filter__3__Value__7="true")
    good(reply)
    assert reply.body.count("<vpcId>") == 1


def test_more_signed_headers(world):
    """As the Go SDK signs: content-length and its own headers too."""
    request = wire.signed(world, VPCS, headers={
        "Content-Length": str(len(VPCS)), "amz-sdk-invocation-id": "x", "amz-sdk-request":
        "attempt=1;  max=3"})
    assert "amz-sdk-request" in request.headers["Authorization"]
    good(wire.send(world, request))


def test_connection_is_kept_alive(world):
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=5)
    connection.connect()
    kept = connection.sock
    for _ in range(3):
        request = wire.signed(world, VPCS)
        connection.request("POST", "/", body=VPCS, headers=dict(request.headers.items()))
        answer = connection.getresponse()
        assert answer.status == 200 and answer.read()
        assert connection.sock is kept
    connection.close()


def test_expect_continue(world):
    request = wire.signed(world, VPCS)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    data = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\nExpect: 100-continue\r\n"
            f"Connection: close\r\nContent-Length: {len(VPCS)}\r\n{head}\r\n{VPCS}")
    answer = wire.raw(world, data.encode())
    assert b"200 OK" in answer and b"DescribeVpcsResponse" in answer


def test_chunked_body(world):
    request = wire.signed(world, VPCS)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    data = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\nTransfer-Encoding: chunked\r\n"
            f"Connection: close\r\n{head}\r\n{len(VPCS):x}\r\n{VPCS}\r\n0\r\n\r\n")
    assert b"200 OK" in wire.raw(world, data.encode())


# Who may call.

FAILED = "AWS was not able to validate the provided access credentials"


@pytest.mark.parametrize("form", ["header", "presigned"])
@pytest.mark.parametrize("wrong", [{"secret": "wrong"}, {"key": "AKIAAAAAAAAAAAAAAAAA"},
                                   {"key": "123456789012"}])
def test_wrong_credentials(world, form, wrong):
    if form == "header":
        reply = wire.send(world, wire.signed(world, VPCS, **wrong))
    else:
        reply = wire.send(world, method="GET", path=wire.presigned(world, VPCS, **wrong))
    assert error(reply, 401, "AuthFailure") == FAILED


def test_unsigned(world):
    reply = wire.send(world, body=VPCS, headers={"Content-Type": wire.FORM})
    error(reply, 403, "MissingAuthenticationToken")


@pytest.mark.parametrize("change", ["body", "date", "header", "path", "signature"])
def test_what_was_signed_is_what_counts(world, change):
    request = wire.signed(world, VPCS)
    headers = dict(request.headers.items())
    body, path = VPCS, "/"
    if change == "body":
        body = wire.form("DescribeVpcs", DryRun="true")
    elif change == "date":
        stamp = headers["X-Amz-Date"]
        headers["X-Amz-Date"] = stamp[:-2] + ("0Z" if stamp[-2] != "0" else "1Z")
    elif change == "header":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    elif change == "path":
        path = "/?Action=DescribeRegions"
    else:
        text = headers["Authorization"]
        headers["Authorization"] = text[:-1] + ("0" if text[-1] != "0" else "1")
    error(wire.send(world, body=body, path=path, headers=headers), 401, "AuthFailure")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24])
def test_clock_off(world, minutes):
    with wire.clock(minutes=minutes):
        request = wire.signed(world, VPCS)
    assert error(wire.send(world, request), 400, "RequestExpired") == "Request has expired."


@pytest.mark.parametrize("minutes", [-13, 13])
def test_clock_a_little_off(world, minutes):
    with wire.clock(minutes=minutes):
        request = wire.signed(world, VPCS)
    good(wire.send(world, request))


def test_presigned_expires(world):
    with wire.clock(minutes=-20):
        late = wire.presigned(world, VPCS, seconds=60)
        valid = wire.presigned(world, VPCS, seconds=3600)
    error(wire.send(world, method="GET", path=late), 400, "RequestExpired")
    good(wire.send(world, method="GET", path=valid))


def test_presigned_too_long(world):
    reply = wire.send(world, method="GET", path=wire.presigned(world, VPCS, seconds=604801))
    assert reply.status in (400, 401, 403) and reply.code


@pytest.mark.parametrize("text", ["AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=a, Signature=b",
                                  "Basic dXNlcjpwYXNz", "AWS4-HMAC-SHA256 Credential=,,,,=,",
                                  "AWS4-HMAC-SHA256 " + "Credential=" * 500], ids=range(5))
def test_badly_formed_authorization(world, text):
    request = wire.signed(world, VPCS)
    reply = wire.send(world, request, headers={"Authorization": text})
    assert reply.status in (400, 401, 403), reply.body
    assert reply.code in ("IncompleteSignature", "AuthFailure", "MissingAuthenticationToken")


def test_scope_of_another_service(world):
    error(wire.send(world, wire.signed(world, VPCS, service="s3")), 401, "AuthFailure")


def test_host_must_be_signed(world):
    """Otherwise a page that rebinds its name could replay what it got hold of."""
    request = wire.signed(world, VPCS)
    headers = dict(request.headers.items())
    authorization = headers["Authorization"].replace("content-type;host;", "content-type;")
    assert authorization != headers["Authorization"]
    headers["Authorization"] = authorization
    assert wire.send(world, body=VPCS, headers=headers).status in (400, 401, 403)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example",
                                  "ec2.us-east-1.amazonaws.com", "192.0.2.1:{port}"])
def test_other_host_names_are_refused(world, host):
    """DNS rebinding: even a correctly signed request."""
    host = host.format(port=world.port)
    request = wire.signed(world, VPCS, url="http://" + host)
    reply = wire.send(world, request, headers={"Host": host})
    assert reply.status in (400, 403, 421), reply.body
    assert "vpcSet" not in reply.body


def test_localhost_is_welcome(world):
    host = f"localhost:{world.port}"
    request = wire.signed(world, VPCS, url="http://" + host)
    good(wire.send(world, request, headers={"Host": host}))


def test_no_host_at_all(world):
    answer = wire.raw(world, b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


# What may be asked.

@pytest.mark.parametrize("action", ["DescribeBananas", "describeVpcs", "DescribeVpcs "])
def test_unknown_action(world, action):
    message = error(wire.call(world, action), 400, "InvalidAction")
    assert message == f"The action {action} is not valid for this web service."


def test_missing_action(world):
    error(wire.send(world, wire.signed(world, "Version=2016-11-15")), 400, "MissingAction")


@pytest.mark.parametrize("version", ["2099-01-01", "banana"])
def test_unknown_version(world, version):
    error(wire.send(world, wire.signed(world, wire.form("DescribeVpcs", version))), 400,
          "NoSuchVersion")


@pytest.mark.parametrize("action, name", [
    ("DescribeVpcs", "vpcId.1"), ("DescribeVpcs", "Colour"), ("DescribeVpcs", "Filter.1.Colour"),
    ("CreateVpc", "cidrBlock"), ("RunInstances", "Banana"),
    ("RunInstances", "NetworkInterface.1.Banana"), ("DescribeRegions", "Region")])
def test_unknown_parameter(world, action, name):
    required = {"CreateVpc": {"CidrBlock": "10.0.0.0/16"}, "RunInstances": {
        "ImageId": "ami-12345678", "MinCount": "1", "MaxCount": "1", "DryRun": "true"}}
    reply = wire.call(world, action, **required.get(action, {}), **{name: "x"})
    assert error(reply, 400, "UnknownParameter") == f"The parameter {name} is not recognized"


@pytest.mark.parametrize("action, parameters", [
    ("DeleteVpc", {}), ("DescribeVpcAttribute", {"VpcId": "vpc-0123456789abcdef0"}),
    ("RunInstances", {"ImageId": "ami-12345678", "MinCount": "1"}), ("CreateTags", {}),
    ("TerminateInstances", {})])
def test_missing_parameter(world, action, parameters):
    error(wire.call(world, action, **parameters), 400, "MissingParameter")


@pytest.mark.parametrize("parameters", [
    {"MaxResults": "five"}, {"MaxResults": ""}, {"MaxResults": "99999999999999999999"},
    {"DryRun": "perhaps"}])
def test_values_of_a_wrong_type(world, parameters):
    error(wire.call(world, "DescribeVpcs", **parameters), 400, "InvalidParameterValue")


@pytest.mark.parametrize("action, value", [
    ("DescribeVpcs", "4"), ("DescribeVpcs", "0"), ("DescribeVpcs", "-1"), ("DescribeVpcs", "1001"),
    ("DescribeRouteTables", "101"), ("DescribeInstanceTypes", "101"),
    ("DescribeInstances", "1001")])
def test_page_size_out_of_range(world, action, value):
    reply = wire.call(world, action, MaxResults=value)
    assert reply.status == 400 and reply.code in ("InvalidParameterValue", "InvalidMaxResults")


@pytest.mark.parametrize("body", ["Action=DescribeVpcs&Version=2016-11-15&Filter.1.Name=%zz",
                                  "Action=DescribeVpcs&Version=2016-11-15&=x",
                                  "Action=DescribeVpcs&Version=2016-11-15&DryRun=%00",
                                  "Action=DescribeVpcs&Version=2016-11-15&VpcId.1=%ff%fe"])
def test_malformed_query(world, body):
    reply = wire.send(world, wire.signed(world, body))
    assert reply.status == 400, reply.body
    assert reply.code in ("MalformedQueryString", "InvalidQueryParameter", "InvalidCharacter",
                          "UnknownParameter", "InvalidParameterValue", "InvalidVpcID.Malformed")


def test_twice_the_same_parameter(world):
    body = VPCS + "&VpcId.1=vpc-11111111&VpcId.1=vpc-22222222"
    assert wire.send(world, wire.signed(world, body)).status == 400


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods(world, method):
    reply = wire.send(world, wire.signed(world, VPCS, method=method))
    assert 400 <= reply.status < 500, reply.body


def test_route_table_token(world):
    """An idempotency token that Debian's boto3 doesn't know yet, and Terraform sends."""
    vpc = world.vpc("10.1.0.0/16")
    replies = [wire.call(world, "CreateRouteTable", VpcId=vpc, ClientToken="once")
               for _ in range(2)]
    tables = {re.search(r"<routeTableId>(.*?)<", reply.body)[1] for reply in replies}
    assert len(tables) == 1
    assert "<clientToken>once</clientToken>" in replies[0].body
    world.ec2.delete_route_table(RouteTableId=tables.pop())
    world.ec2.delete_vpc(VpcId=vpc)


# Hostile and slow clients.

def test_body_over_a_mebibyte(world):
    body = VPCS + "&Filter.1.Name=vpc-id&Filter.1.Value.1=" + "x" * (1 << 20)
    try:
        reply = wire.send(world, wire.signed(world, body))
    except (ConnectionError, BrokenPipeError):
        reply = None  # closed while we were still sending: allowed, if rude
    if reply:
        assert 400 <= reply.status < 500, reply.status
    good(wire.send(world, wire.signed(world, VPCS)))


def test_announced_body_over_a_mebibyte(world):
    """The refusal needs no look at the body."""
    started = time.monotonic()
    answer = wire.raw(world, (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\n"
                              "Content-Length: 4294967296\r\n\r\n").encode(), timeout=5)
    assert re.match(rb"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert b"<Response><Errors><Error><Code>" in answer
    assert time.monotonic() - started < 4


def test_body_just_below_a_mebibyte(world):
    body = VPCS + "&Filter.1.Name=vpc-id&Filter.1.Value.1="
    body += "x" * ((1 << 20) - len(body) - 16)
    reply = wire.send(world, wire.signed(world, body))
    assert reply.status in (200, 400)
    assert reply.root is not None


@pytest.mark.parametrize("data", [
    b"\x00\x01\x02\x03\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/9.9\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: banana\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 20000 + b"\r\n",
    b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\n\r\n", b""],
    ids=range(10))
def test_unparsable_http(world, data):
    answer = wire.raw(world, data, timeout=2, shut=True)
    assert not answer or re.match(rb"HTTP/1\.[01] [45]\d\d ", answer), answer[:100]
    good(wire.send(world, wire.signed(world, VPCS)))


def test_slow_clients_stall_nobody(world):
    """A hundred that dribble, one that doesn't read; a fast one is served all the while."""
    slow = []
    try:
        for number in range(100):
            connection = socket.create_connection(("127.0.0.1", world.port), 5)
            connection.sendall(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
                               [:10 + number % 50])
            slow.append(connection)
        started = time.monotonic()
        for _ in range(20):
            good(wire.send(world, wire.signed(world, VPCS), timeout=5))
        assert time.monotonic() - started < 2
        for connection in slow:
            connection.sendall(b"x")
        good(wire.send(world, wire.signed(world, VPCS), timeout=5))
    finally:
        for connection in slow:
            connection.close()
    good(wire.send(world, wire.signed(world, VPCS)))


def test_a_client_that_goes_away(world):
    request = wire.signed(world, VPCS)
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    data = (f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{world.port}\r\n"
            f"Content-Length: {len(VPCS)}\r\n{head}\r\n{VPCS}").encode()
    for cut in (len(data) // 2, len(data)):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", world.port), 5) as connection:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                connection.sendall(data[:cut])
    good(wire.send(world, wire.signed(world, VPCS)))
    assert world.daemon.poll() is None


def test_many_at_once(world):
    """Parallel writers: every answer is right, and each thing is made once."""
    vpc = world.vpc("10.1.0.0/16")
    made, failures = [], []

    def create(number):
        try:
            reply = wire.call(world, "CreateSubnet", VpcId=vpc, CidrBlock=f"10.1.{number}.0/24")
            made.append(re.search(r"<subnetId>(.*?)</subnetId>", reply.body)[1])
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)
    threads = [threading.Thread(target=create, args=(number % 16,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(set(made)) == 16 and len(failures) == 16  # each range once, the other a conflict
    found = world.ec2.describe_subnets(SubnetIds=made)["Subnets"]
    assert sorted(subnet["CidrBlock"] for subnet in found) == sorted(
        f"10.1.{number}.0/24" for number in range(16))
    world.clear()


# STS.

def test_caller_identity(world):
    reply = world.client("sts").get_caller_identity()
    assert reply["Account"] == ACCOUNT
    assert re.fullmatch(rf"arn:aws:(iam|sts)::{ACCOUNT}:\S+", reply["Arn"])
    assert reply["UserId"]


def test_caller_identity_on_the_wire(world):
    body = wire.form("GetCallerIdentity", "2011-06-15")
    reply = wire.send(world, wire.signed(world, body, service="sts"))
    name = "{https://sts.amazonaws.com/doc/2011-06-15/}"
    assert reply.status == 200 and reply.root.tag == name + "GetCallerIdentityResponse"
    assert [child.tag for child in reply.root] == [
        name + "GetCallerIdentityResult", name + "ResponseMetadata"]
    assert {child.tag for child in reply.root[0]} == {name + "Arn", name + "UserId",
                                                      name + "Account"}
    assert REQUEST_ID.fullmatch(reply.root.findtext(f"{name}ResponseMetadata/{name}RequestId"))


def test_sts_refuses_in_its_own_envelope(world):
    body = wire.form("GetCallerIdentity", "2011-06-15")
    reply = wire.send(world, wire.signed(world, body, service="sts", secret="wrong"))
    assert reply.status == 403
    tags = re.sub(r"\{.*?\}", "", " ".join(element.tag for element in reply.root.iter()))
    assert tags.split()[:5] == ["ErrorResponse", "Error", "Type", "Code", "Message"]
    assert "<Code>SignatureDoesNotMatch</Code>" in reply.body
    unknown = wire.send(world, wire.signed(world, body, service="sts", key="AKIAAAAAAAAAAAAAAAAA"))
    assert unknown.status == 403 and "<Code>InvalidClientTokenId</Code>" in unknown.body


def test_secret_is_private(world):
    path = os.path.join(world.state, "credentials")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with open(path, encoding="utf-8") as file:
        assert world.secret in file.read()
    assert world.secret not in world.log_tail()


def test_any_credentials(make_world):
    """--accept-any-credentials: any key is the account, twelve digits are that account."""
    with make_world("--accept-any-credentials") as world:
        ours = world.client(key="anything", secret="goes")
        other = world.client(key="210987654321", secret="x")
        assert world.client("sts", key="anything", secret="x").get_caller_identity()[
            "Account"] == ACCOUNT
        assert world.client("sts", key="210987654321", secret="x").get_caller_identity()[
            "Account"] == "210987654321"
        mine = ours.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
        theirs = other.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]
        assert (mine["OwnerId"], theirs["OwnerId"]) == (ACCOUNT, "210987654321")
        for client, own, strange in ((ours, mine, theirs), (other, theirs, mine)):
            ids = [vpc["VpcId"] for vpc in client.describe_vpcs()["Vpcs"]]
            assert own["VpcId"] in ids and strange["VpcId"] not in ids and len(ids) == 2
            refused("InvalidVpcID.NotFound", client.describe_vpcs, VpcIds=[strange["VpcId"]])
            refused("InvalidVpcID.NotFound", client.delete_vpc, VpcId=strange["VpcId"])
        leading = world.client("sts", key="000000000042", secret="x").get_caller_identity()
        assert leading["Account"] == "000000000042"


def test_cli_gets_the_messages(world):
    """What the AWS CLI prints is what AWS would say."""
    done = world.aws("ec2", "delete-vpc", "--vpc-id", "vpc-0fedcba9876543210", check=False)
    assert done.returncode == 254
    assert done.stderr.strip() == (
        "An error occurred (InvalidVpcID.NotFound) when calling the DeleteVpc operation: "
        "The vpc ID 'vpc-0fedcba9876543210' does not exist")


def test_urls_with_a_query_are_part_of_the_signature(world):
    request = wire.signed(world, None, method="GET",
                          path="/?" + urllib.parse.urlencode(
                              [("Version", "2016-11-15"), ("Action", "DescribeVpcs"),
                               ("VpcId.1", "vpc-0fedcba9876543210")]))
    error(wire.send(world, request), 400, "InvalidVpcID.NotFound")


def test_minivpc_ps_over_the_same_door(world):
    done = subprocess.run([BINARY, "ps", "--state", world.state, "-o", "json"], check=True,
                          capture_output=True, text=True, env=environment())
    assert isinstance(json.loads(done.stdout), (list, dict))
