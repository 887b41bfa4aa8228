"""
Crash at every step. Each call of the kernel that the daemon makes, and all that it does with its
files, is a point (emulator/base/inject.h). A scenario (scenario.py) makes, changes and deletes every
kind of resource; at each point that a step passes the daemon is killed, once before and once after
it, started again, and what the model, the store and the kernel hold is compared (dumps.py): what was
answered is there, what was not is there in whole or not at all. Then each point fails once, and the
call with it: all is as it was, and the same call succeeds the next time.

Here a sample of them, drawn anew each time (CRASH_SEED repeats it); `make check-crash` tries all.
"""
import collections
import errno
import os
import random
import re
import time

import pytest

from crashes import PROGRAM, Dead, Refused, World
from inject import FAIL, KILL
from scenario import STEPS, Context

pytestmark = pytest.mark.skipif(not os.path.exists(PROGRAM), reason=f"no {PROGRAM}: make inject")

# Which part of the points is tried: one in so many. 1: all.
STRIDE = int(os.environ.get("CRASH_STRIDE", "40"))
SEED = int(os.environ.get("CRASH_SEED", str(random.randrange(1 << 16))))
ONLY = os.environ.get("CRASH_STEPS")
KERNEL = (errno.ENOMEM, errno.EBUSY, errno.ENOBUFS, errno.EPERM)
DISK = (errno.ENOSPC, errno.EIO)


class Outcome:
    """What became of a call."""

    def __init__(self, call, wait):
        self.answered, self.refused, self.dead = False, None, False
        try:
            call()
            self.answered = True
            wait()
        except Dead:
            self.dead = True
        except Refused as refused:
            self.refused = refused

    def __str__(self):
        return (f"{'answered' if self.answered else ''} {'dead' if self.dead else ''} "
                f"{self.refused or ''}")


class Walk:
    """One pass through the scenario."""

    def __init__(self, world):
        self.world, self.control = world, world.control
        self.context = Context(world)
        self.killed, self.failed = collections.Counter(), collections.Counter()
        self.tolerated = set()
        self.kinds = set()
        self.random = random.Random(SEED)

    def make(self, step, undo=False):
        """Makes a step's call, always with the same ids, and waits for what comes of it."""
        self.control.seed(step.name + ("-undo" if undo else ""))
        return Outcome(lambda: (step.undo if undo else step.do)(self.context),
                       lambda: step.await_done(self.context, undo))

    def must(self, step, undo=False):
        """The same, undisturbed: whatever ends by it is forgotten at once."""
        outcome = self.make(step, undo)
        assert outcome.answered and not outcome.dead, f"{step.name} {undo}: {outcome}"
        self.forget(step, undo)

    def forget(self, step, undo):
        if step.lingers and undo:
            self.world.forget()

    def see(self, dump):
        for line in dump.store:
            self.kinds.update(re.findall(r"\b([a-z]+(?:-[a-z]+)*)-0[0-9a-f]{16}\b", line))

    def calibrate(self, step):
        """The world before a step and after it; undone, it is as before."""
        world = self.world
        before = world.settle()
        self.must(step)
        after = world.settle()
        self.see(after)
        assert step.same or after != before, f"{step.name} changes nothing"
        world.restart()
        world.rest(after, why=f"{step.name}, after a restart")
        self.must(step, undo=True)
        world.rest(before, why=f"{step.name}, undone")
        if not step.loose:
            self.must(step)
            world.rest(after, why=f"{step.name}, again")
            self.must(step, undo=True)
            world.rest(before, why=f"{step.name}, undone again")
        return before, after

    def pick(self):
        """Numbers of points: all, or a sample."""
        at = 1 + self.random.randrange(STRIDE)
        while True:
            yield at
            at += STRIDE if STRIDE == 1 else 1 + self.random.randrange(2 * STRIDE - 1)

    def place(self, step, wanted, outcome, why):
        """Which of two dumps the world is as, once it is at rest after a kill."""
        world = self.world
        if step.loose and wanted[0] == self.before:
            return 1 if step.loose(self.context) else world.rest(wanted[0], why=why) and 0
        if outcome.answered:
            return world.rest(wanted[1], why=why + ", answered") or 1
        return world.rest(*wanted, why=why)

    def kill(self, step, wanted, undo=False):
        """Kills at points of a call that leads from one dump to another."""
        for j in self.pick():
            self.control.arm(KILL, j)
            outcome = self.make(step, undo)
            fired = self.control.disarm()
            if not fired:
                assert outcome.answered, f"{step.name}: {outcome}"
                self.forget(step, undo)
                self.place(step, wanted, outcome, f"{step.name} as ever")
                return
            why = f"{step.name}{', undone' if undo else ''}: killed {fired[1]} {fired[0]} ({j})"
            assert self.world.killed(), why
            self.killed[fired] += 1
            self.world.restart()
            step.await_done(self.context, undo) if outcome.answered else None
            self.forget(step, undo)
            if self.place(step, wanted, outcome, why) == 1:
                self.must(step, not undo)

    def walk(self, visit):
        """Every step: visited, and made for those that follow."""
        for step in STEPS:
            if ONLY and step.name not in ONLY.split(","):
                self.must(step)
                continue
            begun = time.monotonic()
            seen = sum(self.killed.values()) + sum(self.failed.values())
            self.before, self.after = self.calibrate(step)
            calibrated = time.monotonic() - begun
            visit(step)
            seen = sum(self.killed.values()) + sum(self.failed.values()) - seen
            print(f"{step.name}: {seen} points, {calibrated:.1f} + "
                  f"{time.monotonic() - begun - calibrated:.1f} s", flush=True)


@pytest.fixture(scope="module")
def world():
    made = World()
    try:
        made.serve()
        yield made
    finally:
        made.end()


def test_kill(world):
    walk = Walk(world)

    def visit(step):
        walk.kill(step, (walk.before, walk.after))
        if step.loose:
            walk.after = world.settle()  # made anew it is another one
        if not step.once:
            walk.kill(step, (walk.after, walk.before), undo=True)
            walk.must(step)
    print(f"\nCRASH_SEED={SEED}")
    walk.walk(visit)
