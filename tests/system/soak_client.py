"""A client of the soak test: signed requests on a kept connection, and replies as plain values."""
import dataclasses
import http.client
import time
import urllib.parse
import xml.etree.ElementTree as ElementTree

import wire


@dataclasses.dataclass
class Call:
    """An action and its parameters by their names on the wire."""
    action: str
    parameters: dict

    def __str__(self):
        return f"{self.action} " + " ".join(
            f"{name}={value}" for name, value in self.parameters.items())


@dataclasses.dataclass
class Reply:
    """Either an error's code and message, or a tree: see tree_of()."""
    code: str
    message: str
    tree: object

    def __str__(self):
        return f"{self.code}: {self.message}" if self.code else str(self.tree)


class Broken(Exception):
    """The connection ended before the answer: nobody knows whether the call was heard."""


def tree_of(element):
    """Text; a dictionary by the children's names; a list where every child is an <item>."""
    children = list(element)
    if not children:
        return element.text or ""
    names = [child.tag.rsplit("}", 1)[-1] for child in children]
    if all(name == "item" for name in names):
        return [tree_of(child) for child in children]
    return dict(zip(names, map(tree_of, children)))


class Line:
    """One connection, of one account's keys."""

    def __init__(self, world, key=None, secret=None):
        self.world, self.key, self.secret = world, key, secret
        self.connection = None
        self.used = 0

    def send(self, call):
        """Only asks; hear() has the answer."""
        body = urllib.parse.urlencode({"Action": call.action, "Version": "2016-11-15",
                                       **call.parameters})
        request = wire.signed(self.world, body, key=self.key, secret=self.secret)
        if time.monotonic() - self.used > 1:
            self.close()  # the daemon may have given it up
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.world.port,
                                                             timeout=120)
            self.connection.request("POST", "/", body=request.body,
                                    headers=dict(request.headers.items()))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Broken(str(error)) from error

    def hear(self):
        try:
            answer = self.connection.getresponse()
            body = answer.read()
            self.used = time.monotonic()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Broken(str(error)) from error
        if answer.will_close:
            self.close()
        root = ElementTree.fromstring(body)
        if answer.status != 200:
            return Reply(root.findtext("Errors/Error/Code"), root.findtext("Errors/Error/Message"),
                         None)
        tree = tree_of(root)
        tree.pop("requestId", None)
        return Reply(None, None, tree)

    def __call__(self, action, **parameters):
        return self.ask(Call(action, parameters))

    def ask(self, call):
        self.send(call)
        return self.hear()

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None
