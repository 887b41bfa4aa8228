"""Requests below boto3: signed by botocore's signer, sent and bent by hand."""
import dataclasses
import datetime
import http.client
import socket
import urllib.parse
import xml.etree.ElementTree as ElementTree

import botocore.auth
from botocore.auth import SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

FORM = "application/x-www-form-urlencoded; charset=utf-8"


@dataclasses.dataclass
class Reply:
    """Status, headers (names in lower case), body."""
    status: int
    headers: dict
    body: str

    @property
    def root(self):
        return ElementTree.fromstring(self.body)

    @property
    def code(self):
        return self.root.findtext("Errors/Error/Code")

    @property
    def message(self):
        return self.root.findtext("Errors/Error/Message")


def form(action, version="2016-11-15", **parameters):
    """Parameters with dots in their names are given with underscores doubled: Filter__1__Name."""
    fields = {"Action": action, "Version": version,
              **{name.replace("__", "."): value for name, value in parameters.items()}}
    return urllib.parse.urlencode(fields)


def signed(world, body, method="POST", path="/", service="ec2", region="us-east-1", key=None,
           secret=None, url=None, token=None, headers=None):
    """A signed AWSRequest, ready for send()."""
    request = AWSRequest(method, (url or world.url) + path, data=body,
                         headers={"Content-Type": FORM, **(headers or {})})
    SigV4Auth(Credentials(key or world.key, secret or world.secret, token), service,
              region).add_auth(request)
    return request


def presigned(world, query, seconds=3600, region="us-east-1", service="ec2", key=None,
              secret=None):
    """A presigned URL's path and query."""
    request = AWSRequest("GET", world.url + "/?" + query)
    SigV4QueryAuth(Credentials(key or world.key, secret or world.secret), service, region,
                   expires=seconds).add_auth(request)
    return request.url[len(world.url):]


def send(world, request=None, method="POST", path="/", body=None, headers=None, timeout=10):
    """One HTTP exchange on a connection of its own."""
    if request is not None:
        method, body = request.method, request.body
        path = request.url[len(world.url):] if request.url.startswith(world.url) else "/"
        headers = {**dict(request.headers.items()), **(headers or {})}
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=timeout)
    try:
        connection.request(method, path, body=body, headers=headers or {})
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()},
                     answer.read().decode())
    finally:
        connection.close()


def call(world, action, **parameters):
    """A signed EC2 call, past boto3's own checks."""
    return send(world, signed(world, form(action, **parameters)))


def raw(world, data, timeout=5, shut=False):
    """Bytes in, bytes out, until the daemon closes or goes mute."""
    with socket.create_connection(("127.0.0.1", world.port), timeout) as connection:
        connection.settimeout(timeout)
        connection.sendall(data)
        if shut:
            connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (socket.timeout, ConnectionResetError):
            pass
        return answer


class clock:
    """`with clock(minutes=-20):` signs as if it were then."""

    def __init__(self, **shift):
        self.shift = datetime.timedelta(**shift)

    def __enter__(self):
        self.module, self.real = botocore.auth, botocore.auth.datetime
        shift = self.shift

        class Shifted:
            """As much of the datetime module as the signer uses."""
            class datetime(datetime.datetime):
                @classmethod
                def utcnow(cls):
                    return datetime.datetime.utcnow() + shift
        self.module.datetime = Shifted
        return self

    def __exit__(self, *_):
        self.module.datetime = self.real
