"""
A world whose daemon can be killed, and its calls made to fail, at any point (inject.py): its life,
its calls, and how it is compared (dumps.py).
"""
import hashlib
import hmac
import http.client
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.parse

import dumps
from inject import Control
from lib import BINARY, environment, read_line

PROGRAM = os.path.join(os.path.dirname(BINARY), "minivpc-inject")
PORT = 4599
VERSIONS = {"ec2": "2016-11-15", "minivpc": "minivpc", "cloudformation": "2010-05-15"}
READY = "sendmsg(socket, &message, MSG_NOSIGNAL) pass_send "  # a launcher's first word: it is ready to serve
# For these the kernel has no error, in that use.
NEVER = {
    r"^prctl\(PR_SET_NAME": "whoever reads it",
    r"^prctl\(PR_SET_PDEATHSIG": "a signal's number",
    r"^epoll_ctl\(.*EPOLL_CTL_DEL": "what was added",
}
LATER = 3 * 3600  # seconds: what has ended is forgotten by then
PATIENCE = 5  # seconds for what goes on by itself
UNDERWAY = re.compile(
    r"<StackStatus>(?!REVIEW)\w+_IN_PROGRESS<|<name>shutting-down<|<state>deleting<")


class Refused(Exception):
    """A call that was answered by an error."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status, self.body = status, body
        code = re.search(r"<Code>(\w[\w.]*)</Code>", body)
        message = re.search(r"<Message>([^<]+)</Message>", body)
        self.code = code and code[1]
        self.message = message and message[1]
        self.formed = bool(code and message and "equestI" in body and status >= 400)


class Dead(Exception):
    """The daemon has ended without an answer."""


def found(reply, name):
    """The first element of that name."""
    match = re.search(f"<{name}>([^<]+)</{name}>", reply)
    return match[1] if match else None


def without_launcher(dump):
    return dump._replace(kernel=[line for line in dump.kernel
                                 if not re.match("(process|mount of) launcher ", line)])


class World:
    """The daemon of `make inject` in a state directory of its own."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix="minivpc-crash-")
        os.chmod(self.directory, 0o755)
        self.state = os.path.join(self.directory, "world")
        self.log = os.path.join(self.directory, "log")
        self.control = Control(os.path.join(self.directory, "control"))
        self.program = shutil.copy(PROGRAM, os.path.join(self.directory, "minivpc"))
        self.daemon = None
        self.connection = None
        self.strangers = {int(pid) for pid in os.listdir("/proc") if pid.isdigit()}
        self.run_directory = "/nonexistent"
        self.key = None

    def environment(self):
        return environment(MINIVPC_INJECT=self.control.path)

    def command(self, *words):
        return [self.program, "--state", self.state, *words]

    # ---- life ----

    def begin(self):
        """Starts the daemon; it may die at once."""
        self.staged = self.control.passed(READY)
        for point in self.control.points():
            if any(re.search(pattern, point.name) for pattern in NEVER):
                self.control.skip(point.number)
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                self.command("serve", "--listen", f"127.0.0.1:{PORT}", "--memory-limits"),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, bufsize=0,
                env=self.environment(), start_new_session=True)
        self.control.daemon = self.daemon

    def serve(self):
        """Starts it and waits until it is ready, and its launcher too."""
        self.begin()
        assert self.ready(), f"it did not start:\n{self.tail()}"

    def ready(self):
        """Whether it came to be ready; it may have died instead."""
        line = read_line(self.daemon, 30, "minivpc serve")
        if not line.startswith("ready "):
            return False
        self.wait(lambda: self.control.passed(READY) > self.staged or self.control.get("fired"),
                  "the launcher")
        if not self.key:
            with open(os.path.join(self.state, "credentials"), encoding="utf-8") as file:
                self.key, self.secret = re.findall(r"= (\S+)", file.read())[:2]
            name, = os.listdir("/run/minivpc")
            self.run_directory = f"/run/minivpc/{name}"
        return True

    def gone(self, seconds=10):
        """It has ended: what is left of it."""
        status = self.daemon.wait(seconds)
        self.daemon.stdout.close()
        if self.connection:
            self.connection.close()
        self.connection = None
        return status

    def kill(self):
        self.daemon.send_signal(signal.SIGKILL)
        self.gone()

    def restart(self):
        if self.daemon.poll() is None:
            self.kill()
        else:
            self.gone()
        self.serve()

    def killed(self):
        """Waits for the end that a point has brought about."""
        try:
            return self.daemon.wait(10) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            return False

    def down(self, **options):
        return subprocess.run(self.command("down"), env=self.environment(), timeout=60,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL,
                              check=False, **options)

    def end(self):
        self.control.arm(0, 0)
        self.control.set("released", 1)
        done = self.down()
        if self.daemon and self.daemon.poll() is None:
            self.daemon.wait(10)
        self.control.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        assert done.returncode == 0, done.stderr

    def tail(self, whole=False):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()[0 if whole else -3000:]

    def ours(self):
        """Processes that were there before, and the test."""
        return self.strangers | {os.getpid()}

    @staticmethod
    def wait(condition, what, seconds=10):
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"{what}: not within {seconds} s"
            time.sleep(0.001)

    # ---- calls ----

    def signature(self, stamp, service, body):
        """Signature version 4 of a POST of a form."""
        headers = (f"content-type:application/x-www-form-urlencoded\nhost:127.0.0.1:{PORT}\n"
                   f"x-amz-date:{stamp}\n")
        names = "content-type;host;x-amz-date"
        asked = f"POST\n/\n\n{headers}\n{names}\n{hashlib.sha256(body).hexdigest()}"
        scope = f"{stamp[:8]}/us-east-1/{service}/aws4_request"
        text = (f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n"
                f"{hashlib.sha256(asked.encode()).hexdigest()}")
        key = ("AWS4" + self.secret).encode()
        for word in scope.split("/"):
            key = hmac.new(key, word.encode(), hashlib.sha256).digest()
        made = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return (f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders={names}, "
                f"Signature={made}")

    def call(self, action, service="ec2", **parameters):
        """The reply's text. Names have two underscores for each dot."""
        fields = {"Action": action, "Version": VERSIONS[service],
                  **{name.replace("__", "."): value for name, value in parameters.items()}}
        body = urllib.parse.urlencode(fields).encode()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Amz-Date": stamp,
                   "Authorization": self.signature(stamp, service, body)}
        if self.connection and time.monotonic() - self.asked > 1:
            self.connection.close()  # the daemon may have given it up
            self.connection = None
        begun = self.asked = time.monotonic()
        if not self.connection:
            self.connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=30)
        try:
            self.connection.request("POST", "/", body, headers)
            answer = self.connection.getresponse()
            reply = answer.read().decode()
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            self.connection = None
            raise Dead from error
        if answer.status != 200:
            raise Refused(answer.status, reply)
        return reply

    # ---- comparing ----

    def dump(self):
        return dumps.all_of(self)

    def rest(self, *wanted, why=""):
        """Waits until the world is as one of these dumps; which one."""
        end = time.monotonic() + PATIENCE
        while True:
            seen = self.dump()
            if not any(line.startswith("process launcher ") for line in seen.kernel):
                wanted = [without_launcher(dump) for dump in wanted]  # the next launch has another
            for i, dump in enumerate(wanted):
                if dump == seen:
                    return i
            if time.monotonic() > end:
                text = "\n--- or ---\n".join(dumps.differences(dump, seen) for dump in wanted)
                raise AssertionError(f"{why}\n{text}\n{self.tail()[-600:]}")
            time.sleep(0.02)

    def settle(self):
        """A dump of a world that has come to rest: twice the same."""
        before = None
        end = time.monotonic() + 4 * PATIENCE
        while True:
            seen = self.dump()
            if seen == before:
                return seen
            assert time.monotonic() < end, dumps.differences(before, seen)
            before = seen
            time.sleep(0.05)

    def forget(self):
        """What has ended, or is about to, is shown for a while: it is later now."""
        if self.daemon.poll() is None:
            self.wait(lambda: not UNDERWAY.search("\n".join(dumps.model(self))), "an end", 30)
        self.control.set("clock", LATER)
        self.restart()
        self.control.set("clock", 0)
