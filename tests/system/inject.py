"""Faults on demand: the other side of emulator/base/inject.h, whose layout this follows."""
import collections
import mmap
import struct
import threading
import time
import zlib

OFF, KILL, FAIL = range(3)
WHENS = ("before", "after", "instead of")

HEAD = struct.Struct("<IiqIIIIIIQQq")
NAMES = ("mode", "sys", "countdown", "only", "fired", "when", "wanted", "released", "count",
         "passed", "seed", "clock")
RECORD = struct.Struct("<120sIII3I")
POINTS_MAX = 1024

Point = collections.namedtuple("Point", "number name changes skipped passed fired")


class Control:
    """The file that the daemon shares with us, armed and disarmed."""

    def __init__(self, path):
        self.path = path
        with open(path, "wb") as file:
            file.truncate(HEAD.size + POINTS_MAX * RECORD.size)
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.at = {}
        offset = 0
        for name, letter in zip(NAMES, HEAD.format[1:]):
            size = struct.calcsize("<" + letter)
            self.at[name] = (offset, struct.Struct("<" + letter))
            offset += size
        self.daemon = None
        self.ended = False
        threading.Thread(target=self._watch, daemon=True).start()

    def get(self, name):
        offset, form = self.at[name]
        return form.unpack_from(self.memory, offset)[0]

    def set(self, name, value):
        offset, form = self.at[name]
        form.pack_into(self.memory, offset, value)

    def close(self):
        self.ended = True

    def arm(self, mode, countdown, sys=0, only=None):
        """The nth point from now on fires; `only`: the nth time that this one (a number) is passed."""
        self.set("mode", OFF)
        for name, value in (("fired", 0), ("wanted", 0), ("released", 0), ("passed", 0),
                            ("sys", sys), ("countdown", countdown),
                            ("only", 0 if only is None else only + 1), ("mode", mode)):
            self.set(name, value)

    def disarm(self):
        """The point that fired and when, or None; how many were passed."""
        self.set("mode", OFF)
        fired, when = self.get("fired"), self.get("when")
        while self.get("wanted") and not self.get("released"):
            time.sleep(0.0005)
        self.set("released", 1)
        return (self.name(fired - 1), WHENS[when]) if fired else None

    def seed(self, text):
        """What is random from now on follows from a text; None: it is random."""
        self.set("seed", zlib.crc32(text.encode()) + 1 if text else 0)

    def _record(self, number):
        return RECORD.unpack_from(self.memory, HEAD.size + number * RECORD.size)

    def name(self, number):
        return self._record(number)[0].rstrip(b"\0").decode()

    def skip(self, number):
        struct.pack_into("<I", self.memory, HEAD.size + number * RECORD.size + 124, 1)

    def points(self):
        return map(self.point, range(self.get("count")))

    def point(self, number):
        """As it is now."""
        name, changes, skipped, passed, *fired = self._record(number)
        return Point(number, name.rstrip(b"\0").decode(), bool(changes), bool(skipped), passed,
                     dict(zip(WHENS, fired)))

    def passed(self, beginning):
        """How often the points of that name were passed."""
        return sum(point.passed for point in self.points() if point.name.startswith(beginning))

    def _watch(self):
        """A child of the daemon's has come to a point where the daemon is to be killed."""
        while not self.ended:
            if self.get("wanted") and not self.get("released"):
                if self.daemon and self.daemon.poll() is None:
                    self.daemon.kill()
                    self.daemon.wait(10)
                self.set("released", 1)
            time.sleep(0.0005)
