"""
The suite runs in mount, network and process namespaces of its own: what it sees as "the host" is
fresh and belongs to it alone, other worlds on the machine neither disturb it nor are disturbed, and
when pytest dies, however it dies, the kernel removes everything the tests made.

MINIVPC_TEST_HOST=1 runs the tests on the machine itself.

Files run side by side where pytest-xdist starts its workers by this file, each in namespaces of its
own: `--dist loadfile --tx '2*popen//python=/usr/bin/python3 -B tests/system/isolation.py'`.
"""
import os
import signal
import subprocess
import sys

INSIDE = "MINIVPC_TEST_INSIDE"
PASSING = ("/run/", "/tmp/", "/var/tmp/", "/var/lib/docker/", "/var/lib/containers/")


COMMAND = ["setpriv", "--pdeathsig", "KILL",
           "unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc",
           sys.executable, "-B", os.path.abspath(__file__)]


def wanted(config):
    return os.geteuid() == 0 and INSIDE not in os.environ and \
        "MINIVPC_TEST_HOST" not in os.environ and not getattr(config.option, "tx", None)


def run(arguments, directory):
    """Runs pytest again, inside; returns its exit status."""
    command = [*COMMAND, "-m", "pytest", *arguments]
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)  # the inner pytest handles it
    try:
        return subprocess.run(command, cwd=directory, check=False,
                              preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
                              env={**os.environ, INSIDE: "1"}).returncode
    finally:
        signal.signal(signal.SIGINT, previous)


def prepare():
    """A host as systemd leaves it: shared propagation, an empty /run, loopback up."""
    # What is mounted there is the machine's, and may vanish while we look; unless we are in it.
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        points = [line.split()[4] for line in file]
    below = [point for point in points if point.startswith(PASSING)
             and not os.path.abspath(__file__).startswith(point + "/")]
    for point in reversed(below):
        subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)
    for command in (["mount", "--make-rshared", "/"],
                    ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
                    ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)


def main():
    """Python with these arguments, inside. Process 1 there: reaps what is orphaned, ends with it."""
    if INSIDE not in os.environ:
        os.execvpe(COMMAND[0], [*COMMAND, *sys.argv[1:]], {**os.environ, INSIDE: "1"})
    prepare()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-B", *sys.argv[1:]],
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main()
