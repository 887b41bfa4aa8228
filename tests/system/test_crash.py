"""
Crash at every step. Each call of the kernel that the daemon makes, and all that it does with its
files, is a point (emulator/base/inject.h). A scenario (scenario.py) makes, changes and deletes every
kind of resource; at each point that a step passes the daemon is killed, once before and once after
it, started again, and what the model, the store and the kernel hold is compared (dumps.py): what was
answered is there, what was not is there in whole or not at all. Then each point fails once, and the
call with it: all is as it was, and the same call succeeds the next time.

Each point that has a name is tried, and some more of what each step passes, drawn anew each time
(CRASH_SEED repeats it); `make check-crash` (CRASH_EVERY=1) tries all that every step passes, each
time.
"""
import collections
import contextlib
import errno
import itertools
import os
import random
import re
import subprocess
import time

import pytest

import dumps
from crashes import NEVER, PROGRAM, Dead, Refused, World
from inject import FAIL, KILL, OFF, WHENS
from lib import ROOT
from scenario import STEPS, Context, begin

pytestmark = pytest.mark.skipif(not os.path.exists(PROGRAM), reason=f"no {PROGRAM}: make inject")

EVERY = "CRASH_EVERY" in os.environ
SEED = int(os.environ.get("CRASH_SEED", str(random.randrange(1 << 16))))
SLOW = 5  # seconds for a point, which are told of
MORE = 1  # points drawn for each call, beside those that no step before has passed
ONLY = os.environ.get("CRASH_STEPS")
KERNEL = (errno.ENOMEM, errno.EBUSY, errno.ENOBUFS, errno.EPERM)
DISK = (errno.ENOSPC, errno.EIO)
NO_LIMITS = "the memory of instances is not limited"


class Outcome:
    """What became of a call."""

    def __init__(self, call, wait):
        self.answered, self.refused, self.dead, self.late = False, None, False, None
        try:
            call()
            self.answered = True
            wait()
        except AssertionError as error:
            self.late = error
        except Dead:
            self.dead = True
        except Refused as refused:
            self.refused = refused

    def __str__(self):
        return (f"{'answered' if self.answered else ''} {'dead' if self.dead else ''} "
                f"{self.late or ''} "
                f"{self.refused or ''}")


def counts(control):
    """How often each point was passed, by its number."""
    return collections.Counter({point.number: point.passed for point in control.points()})


def some(control, passes, mode, chance, more, fired_of, tries=1):
    """
    (countdown, only) for each point that hasn't fired yet, at one of its passages, and some. An init
    passes its own in its own time, so it may be that the call is over by then: then once more.
    """
    for point in list(control.points()):
        if point.skipped or not passes[point.number] or mode == KILL and not point.changes:
            continue
        for i, when in enumerate(("before", "after") if mode == KILL else ("instead of",)):
            fired = point.fired[when]
            for attempt in range(tries if not fired_of(point)[when] else 0):
                if control.point(point.number).fired[when] > fired:
                    break
                nth = 0 if attempt else chance.randrange(passes[point.number])
                yield (2 * nth if mode == KILL else nth) + 1 + i, point.number
    for _ in range(more):
        yield 1 + chance.randrange(sum(passes.values())), None


class Walk:
    """One pass through the scenario."""

    def __init__(self, world):
        self.world, self.control = world, world.control
        self.context = Context(world)
        self.killed, self.failed = collections.Counter(), collections.Counter()
        self.tolerated = set()
        self.rests = None  # as the world is, at rest
        self.faults = []
        self.kinds = set()
        self.random = random.Random(SEED)

    def make(self, step, undo=False, arm=None):
        """Makes a step's call, always with the same ids, and waits for what comes of it."""
        if step.fresh and not undo:
            self.world.restart()
        self.control.seed(step.name + ("-undo" if undo else ""))
        before = counts(self.control)
        self.control.arm(*arm or (OFF, 0))
        outcome = Outcome(lambda: (step.undo if undo else step.do)(self.context),
                          lambda: step.await_done(self.context, undo))
        self.passes = counts(self.control) - before
        return outcome

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
        """
        The world before a step and after it, both as recovery has them. Undone, it is as before; made
        again, as after; what a change leaves is what recovery would.
        """
        world = self.world
        before = self.rests or world.settle()
        world.rest(before, why=f"before {step.name}")
        self.must(step)
        world.restart()
        after = world.settle()
        self.see(after)
        assert after != before, f"{step.name} changes nothing"
        self.must(step, undo=True)
        backward = self.passes
        world.rest(before, why=f"{step.name}, undone")
        self.must(step)
        forward = self.passes
        if not step.loose:
            world.rest(after, why=f"{step.name}, again")
        self.must(step, undo=True)
        world.rest(before, why=f"{step.name}, undone again")
        return before, after, forward, backward

    def pick(self, mode, passes):
        """Arguments for Control.arm(): which points are tried of those that a call passes."""
        if EVERY:
            return ((j, None) for j in itertools.count(1))
        return some(self.control, passes, mode, self.random, MORE, lambda point: point.fired, 4)

    def remade(self, step):
        """Of what isn't the same when it is made again: as it is now."""
        if step.loose:
            self.after = self.world.settle()

    def place(self, step, wanted, outcome, why):
        """Which of two dumps the world is as, once it is at rest after a kill."""
        world = self.world
        if step.loose and wanted[0] == self.before:
            return 1 if step.loose(self.context) else world.rest(wanted[0], why=why) and 0
        if outcome.answered:
            return world.rest(wanted[1], why=why + ", answered") or 1
        return world.rest(*wanted, why=why)

    def kill(self, step, wanted, passes, undo=False):
        """Kills at points of a call that leads from one dump to another."""
        self.context.failing = False
        for j, only in self.pick(KILL, passes):
            outcome = self.make(step, undo, arm=(KILL, j, 0, only))
            fired = self.control.disarm()
            if not fired:
                assert outcome.answered, f"{step.name}: {outcome}"
                self.forget(step, undo)
                self.place(step, wanted, outcome, f"{step.name} as ever")
                self.must(step, not undo)
                if EVERY:
                    return
                continue
            why = f"{step.name}{', undone' if undo else ''}: killed {fired[1]} {fired[0]} ({j})"
            assert self.world.killed() and not outcome.late, why + str(outcome.late)
            self.killed[fired] += 1
            self.world.restart()
            step.await_done(self.context, undo) if outcome.answered else None
            self.forget(step, undo)
            if self.place(step, wanted, outcome, why) == 1:
                self.must(step, not undo)

    def visit(self, step):
        """Tries a step and its undoing, and leaves it done."""
        self.rests, self.after, forward, backward = self.calibrate(step)
        self.before = self.rests
        for attack in (self.kill, self.fail):
            attack(step, (self.before, self.after), forward)
        self.must(step)
        self.remade(step)
        if not step.once:
            self.kill(step, (self.after, self.before), backward, undo=True)
            if not step.again:
                self.fail(step, (self.after, self.before), backward, undo=True)
        self.rests = self.after

    def walk(self):
        """Every step: visited, and made for those that follow."""
        begin(self.context)
        for step in STEPS:
            if ONLY and step.name not in ONLY.split(","):
                self.must(step)
                self.rests = None
                continue
            begun = time.monotonic()
            tried = self.tried()
            try:
                self.visit(step)
            except (AssertionError, Dead) as error:
                self.rests = None
                self.faults.append(f"{step.name}: {error}")
                print(f"FAULT: {self.faults[-1]}", flush=True)
                self.go_on(step)
            print(f"{step.name}: {self.tried() - tried} points, "
                  f"{time.monotonic() - begun:.1f} s", flush=True)
        assert not self.faults, "\n\n".join(self.faults)

    def tried(self):
        return sum(self.killed.values()) + sum(self.failed.values())

    def go_on(self, step):
        """After a fault: the step is made, as those that follow need it."""
        self.control.disarm()
        self.world.restart()
        if all(value is not None for value in self.context.ids.values()):
            try:
                self.make(step, undo=True)
            except KeyError:
                pass  # it was never made
        self.forget(step, undo=True)
        self.make(step)

    def fail(self, step, wanted, passes, undo=False):
        """Lets points of a call fail; it is refused, nothing has changed, and the next is as ever."""
        world = self.world
        self.context.failing = True
        for j, only in self.pick(FAIL, passes):
            sys = self.random.choice(KERNEL + DISK)
            begun = time.monotonic()
            outcome = self.make(step, undo, arm=(FAIL, j, sys, only))
            fired = self.control.disarm()
            why = (f"{step.name}{', undone' if undo else ''}: {fired} fails by "
                   f"{errno.errorcode[sys]} ({j}): {outcome}")
            assert world.daemon.poll() is None and not outcome.dead, why + world.tail()
            assert not outcome.late, why + world.tail()
            if outcome.refused:
                assert fired and outcome.refused.formed, why
                world.rest(wanted[0], why=why)
                self.must(step, undo)
            else:
                self.forget(step, undo)
                if fired:
                    self.tolerated.add(fired[0])
            self.place(step, wanted, Answered, why)
            self.must(step, not undo)
            took = time.monotonic() - begun
            if took > SLOW:
                print(f"slow: {took:.1f} s: {why[:200]}", flush=True)
            if fired:
                self.failed[fired] += 1
            elif EVERY:
                return


class Answered:
    """What is expected of a call that was answered."""
    answered = True


@pytest.fixture
def crashing():
    made = World()
    try:
        made.serve()
        yield made
    finally:
        made.end()


def test_steps(crashing):
    """Every step of the scenario, and back."""
    walk = Walk(crashing)
    print(f"\nCRASH_SEED={SEED}")
    walk.walk()
    # An init that fails says so or ends: none is waited for until its time is up.
    assert ": not ready" not in crashing.tail(whole=True)
    for step in reversed(STEPS):
        walk.must(step, undo=True)
    missing = kinds() - walk.kinds - UNSTORED
    assert not missing, f"the scenario makes none of these: {missing}"
    TALLY.add(walk.control, walk.tolerated)
    TALLY.limited = NO_LIMITS not in crashing.tail(whole=True)


def kinds():
    """The prefixes of all that has an id, from emulator/base/id.c."""
    with open(os.path.join(ROOT, "emulator/base/id.c"), encoding="utf-8") as file:
        return set(re.findall(r'\[KIND_\w+\] = "([a-z-]+)"', file.read()))


UNSTORED = {"group-set"}  # an index of the interfaces


class Tally:
    """What fired, over all tests: names and how often."""

    def __init__(self):
        self.fired, self.changes, self.tolerated = collections.Counter(), {}, set()
        self.limited = True

    def add(self, control, tolerated=()):
        for point in control.points():
            self.changes[point.name] = point.changes
            for when, count in point.fired.items():
                self.fired[point.name, when] += count
        self.tolerated |= set(tolerated)


TALLY = Tally()


# ---- starts and ends ----

def furnish(world):
    """A world with something of everything that a start has to find again."""
    context = Context(world)
    world.control.seed("furnish")
    for step in STEPS:
        if step.name in FURNITURE:
            step.do(context)
            step.await_done(context, False)


def attempt(world):
    """The same as far as it gets: a call may be refused, or the daemon's last."""
    try:
        furnish(world)
    except Refused as refused:
        assert refused.formed, refused
    except Dead:
        pass


FURNITURE = ("vpc", "a", "gateway", "attach", "table", "associate", "route", "group", "pings",
             "instance", "host", "lossy", "unpacked", "own")


def fresh_world(furnished=True):
    made = World()
    made.serve()
    if furnished:
        furnish(made)
    return made


def traces(world):
    """What a world that is gone may have left: of all that isn't ours."""
    return [line for line in dumps.kernel(world) if not line.startswith("file ")]


def numbers(control, passes, mode, chance):
    """The same for a start or an end, of which each trial takes a world of its own."""
    if EVERY:
        count = sum(passes.values()) * (2 if mode == KILL else 1)
        return [(j, None) for j in range(1, count + 1)]
    return list(some(control, passes, mode, chance, 5, lambda point: {
        when: TALLY.fired[point.name, when] for when in WHENS}))


def start_again(world, wanted, arm, why):
    """Starts a daemon that is disturbed, and if need be another one."""
    control = world.control
    world.kill()
    control.arm(*arm)
    world.begin()
    ready = world.ready()
    fired = control.disarm()
    why = f"{why}: {fired} {arm}"
    if not ready or world.daemon.poll() is not None:
        assert fired, why + world.tail()
        world.gone()
        world.serve()
    elif fired:
        world.restart()  # what is no failure of the start it may lack: a limit, a name
    world.rest(wanted, why=why)


@pytest.mark.parametrize("mode", [KILL, FAIL], ids=["killed", "failing"])
def test_start(mode):
    """A daemon that starts is killed, or something fails for it; the next one finds all."""
    world, chance = fresh_world(), random.Random(SEED)
    try:
        world.restart()
        wanted = world.settle()
        before = counts(world.control)
        world.restart()
        passes = counts(world.control) - before
        for countdown, only in numbers(world.control, passes, mode, chance):
            sys = chance.choice(KERNEL + DISK)
            start_again(world, wanted, (mode, countdown, sys, only),
                        f"a start, CRASH_SEED={SEED}, {errno.errorcode[sys]}")
        TALLY.add(world.control)
    finally:
        world.end()


@pytest.mark.parametrize("mode", [KILL, FAIL], ids=["killed", "failing"])
def test_first_start(mode):
    """The same with a world that is just being made, and what it does for the first time."""
    chance = random.Random(SEED)
    world = fresh_world()
    pairs = numbers(world.control, counts(world.control), mode, chance)
    world.end()
    for countdown, only in pairs:
        sys = chance.choice(KERNEL + DISK)
        world = World()
        try:
            before = traces(world)
            world.control.arm(mode, countdown, sys, only)
            world.begin()
            if world.ready():
                attempt(world)
            fired = world.control.disarm()
            why = f"a first start, CRASH_SEED={SEED}: {fired} {errno.errorcode[sys]}"
            if world.daemon.poll() is not None:
                world.gone()
                world.serve()
            TALLY.add(world.control)
            done = world.down()
            assert done.returncode == 0, why + done.stderr
            world.wait(lambda: traces(world) == before, why)
        finally:
            world.end()


@pytest.mark.parametrize("mode", [KILL, FAIL], ids=["killed", "failing"])
def test_down(mode):
    """`down` is killed, or something fails for it; the next one leaves nothing behind."""
    chance = random.Random(SEED)
    world = fresh_world()
    before = counts(world.control)
    assert world.down().returncode == 0
    pairs = numbers(world.control, counts(world.control) - before, mode, chance)
    world.end()
    for countdown, only in pairs:
        sys = chance.choice(KERNEL + DISK)
        world = World()
        try:
            before = traces(world)
            world.serve()
            furnish(world)
            world.control.arm(mode, countdown, sys, only)
            done = world.down()
            fired = world.control.disarm()
            why = f"down, CRASH_SEED={SEED}: {fired} {errno.errorcode[sys]} {done}"
            assert fired or done.returncode == 0, why
            TALLY.add(world.control)
            done = world.down()
            assert done.returncode == 0, why + done.stderr
            world.wait(lambda: traces(world) == before, why)
            assert not os.path.exists(world.state), why
        finally:
            world.end()


def test_refused_start():
    """Its control group goes, though a child of its launcher's is in there for a while longer."""
    world = World()
    try:
        world.serve()
        if NO_LIMITS in world.tail(whole=True):
            pytest.skip(NO_LIMITS)
        stops, = (point.number for point in world.control.points()
                  if point.name.startswith("unshare(CLONE_NEWUSER) hold_namespace"))
        assert world.down().returncode == 0
        world.gone()
        before = traces(world)
        world.control.close()  # nobody but we lets the child go
        for _ in range(20):
            world.control.arm(KILL, 1, 0, stops)
            with subprocess.Popen(world.command("serve", "--listen", "192.0.2.1:4566"), text=True,
                                  stderr=subprocess.PIPE, env=world.environment()) as refused:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    refused.wait(2)
                fired = world.control.get("fired")
                world.control.set("released", 1)
                said = refused.communicate(timeout=10)[1]
            assert refused.returncode == 1 and len(said.splitlines()) == 1, said
            if fired:  # the launcher may have been killed before it came so far
                break
        assert fired
        world.wait(lambda: traces(world) == before, "what it left")
    finally:
        world.control.set("released", 1)
        world.end()


def test_every_point_has_fired():
    """None is skipped: what never can is named, with the reason."""
    elsewhere = (*ELSEWHERE, *NEVER, *of_groups(), *of_kernel())
    left = [f"{name} ({when})" for name, changes in TALLY.changes.items()
            for when in (("before", "after", "instead of") if changes else ("instead of",))
            if not TALLY.fired[name, when]
            and not any(re.search(pattern, name) for pattern in elsewhere)]
    total = sum(TALLY.fired.values())
    print(f"\n{len(TALLY.changes)} calls, {sum(1 for n in TALLY.fired.values() if n)} points, "
          f"fired {total} times")
    print("tolerated:", *sorted(TALLY.tolerated), sep="\n  ")
    assert not left, f"{len(left)} points never fired:\n" + "\n".join(left)


def of_groups():
    """What can't be passed here of limits to memory: all of it, where the daemon may make no control
    groups, as it says (in a container); with version 2 what is version 1's."""
    if not TALLY.limited:
        return (r" instance/limit\.c:| (enter_limits|join_group) ",)
    with open("/proc/self/mounts", encoding="utf-8") as file:
        mounts = [line.split()[2:4] for line in file]
    if any(kind == "cgroup" and "memory" in options.split(",") for kind, options in mounts):
        return ()
    return (r' (join_group|find_group) |^openat\(group, "tasks"',)


def of_kernel():
    """What older ones don't have: the numbers of namespaces (Linux 6.11)."""
    release = tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))
    return (" namespace_number ",) if release < (6, 11) else ()


# What the daemon passes on other machines, with other settings or for others than its clients.
ELSEWHERE = {
    r" instance/alone\.c:| (mount_alone|stage_around|bind_devices) ": "`serve` without root",
    r" (instances_keep_again|limits_return|listen_is) ": "`audit`, and what it mends",
    r" instances_forget_ends ": "after thousands of ends",
    r'^mount\("tmpfs", "/sys"|^mount\("devpts", .*:126': "where the kernel refuses what comes before",
    r" instance/shift\.c:": "where the root can't be idmapped: an overlay, in a container",
    r" copy_layers instance/root\.c:|^mount_setattr.* copy_directory ": "the same, without idmaps",
    r" unshare_above ": "where the kernel numbers namespaces in another order",
    r" (limits_fork|holds_word) instance/limit\.c:": "version 1 or 2 of control groups",
    r" (limits_find|may_have_group) ": "`exec`",
    r" (disk_open_file|say) ": "the console's text: what is said there, and asked for by `logs`",
    r"SO_SNDBUF,|SO_RCVBUF,": "without privilege over the machine's buffers",
    r" netns_packet_socket ": "`capture`",
    r" services/": "answers to instances' packets: the network's settings change by none of them",
    r" world/uplink\.c:": "`serve --uplink`",
    r" (state_release|state_take) ": "a start that was refused",
    r" (on_grace_over|tool_stop) ": "thirty seconds later, and a daemon that is asked to end",
    r"^rmdir.* (netns_sweep|sysfs_show) |^mount\(DIRECTORY, DIRECTORY": "by what the machine has",
    r"^unlink.* (replace_file|netns_put) ": "after another failure",
}
