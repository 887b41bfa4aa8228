"""Fixtures of the system tests: a world of one's own, and proof that nothing is left of it."""
import os
import shutil
import tempfile

import pytest

import isolation
import outside
from host import Snapshot
from lib import World


def pytest_cmdline_main(config):
    if not isolation.wanted(config) or config.option.collectonly or config.option.help:
        return None
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.suspend_global_capture(in_=True)
    return isolation.run(list(config.invocation_params.args), str(config.invocation_params.dir))


class Names:
    """What fails is named at once, and why: a run may take hours, and may be broken off."""

    def __init__(self, config):
        self.config = config

    def pytest_runtest_logreport(self, report):
        terminal = self.config.pluginmanager.getplugin("terminalreporter")
        if report.failed and terminal:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = f"{crash.path}:{crash.lineno}: {crash.message}" if crash else report.longreprtext
            terminal.write(f"\nFAILED {report.nodeid} ({report.when})\n{why}\n")


def pytest_configure(config):
    config.addinivalue_line("markers", "alone: it needs the machine for itself")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Names(config))


def pytest_collection_modifyitems(items):
    if os.geteuid() != 0:
        for item in items:
            item.add_marker(pytest.mark.skip(reason="needs root"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    """A failure shows what the daemon said."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, World):
                report.sections.append(("daemon log (end)", value.log_tail()))


@pytest.fixture(scope="session", autouse=True)
def untouched_host():
    """Whatever the tests did, the host is as it was."""
    before = Snapshot()
    yield
    before.assert_same(within=10)


@pytest.fixture(scope="session")
def scratch():
    directory = tempfile.mkdtemp(prefix="minivpc-test-", dir=os.environ.get(outside.RUN))
    os.chmod(directory, 0o755)
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def make_world(scratch):
    """Context managers: `with make_world() as world:`; gone and checked at the end."""
    def make(*serve_arguments, **options):
        directory = os.path.join(tempfile.mkdtemp(dir=scratch), "world")
        return World(directory, *serve_arguments, **options)
    return make


@pytest.fixture(scope="module")
def world(make_world):
    """One world for the tests of a module."""
    with make_world() as running:
        yield running


@pytest.fixture(scope="module")
def ec2(world):
    """The world's client."""
    return world.ec2


@pytest.fixture
def tidy(world):
    """Nothing of one test is there for the next."""
    yield
    world.clear()


@pytest.fixture(autouse=True)
def daemon_lives(request):
    """A dead daemon fails the tests of its module in short."""
    running = request.getfixturevalue("world") if "world" in request.fixturenames else None
    if running and running.daemon.poll() is not None:
        pytest.fail(f"the daemon has ended: status {running.daemon.returncode}", pytrace=False)
    yield
    if running and running.daemon.poll() is not None:
        pytest.fail(f"ended the daemon: status {running.daemon.returncode}", pytrace=False)


@pytest.fixture
def own_world(make_world):
    """A world for one test that breaks things."""
    with make_world() as running:
        yield running
