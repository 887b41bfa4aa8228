"""ssh to instances: from a neighbour, from the Internet, by the key pair of the launch alone."""
import re
import signal
import subprocess
import types

import pytest

import guest
from lib import INTERNET, environment, wait_for

QUIET = ["-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
         "-o", "LogLevel=ERROR", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5"]
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"


def put_key(world, place, text, path="/root/key"):
    world.exec(place, ["sh", "-c", f"umask 077; cat >{path}"], input=text)


def open_port(world, group, port, source="0.0.0.0/0"):
    world.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": source}]}])


def reboot(world, *instances):
    """An sshd that came later is found at the next start."""
    before = {instance: world.pids(instance) for instance in instances}
    world.ec2.reboot_instances(InstanceIds=list(instances))
    wait_for(lambda: all(world.pids(instance) and world.pids(instance) != before[instance]
                         for instance in instances), 10, "rebooted")
    world.await_state("running", *instances)


def listens(world, instance):
    return ":22" in world.exec(instance, "ss -Hltn")


@pytest.fixture(scope="module")
def lab(world):
    """A public instance with a key pair, and its neighbour with the private half."""
    vpc = world.vpc()
    subnet = world.subnet(vpc, "10.0.1.0/24")
    world.route_table(vpc, subnet, world.gateway(vpc))
    key = world.ec2.create_key_pair(KeyName="mine", KeyType="ed25519")["KeyMaterial"]
    group = world.security_group(vpc, "ssh")
    open_port(world, group, 22)
    server, client = world.run_instances(subnet, count=2, public=None, KeyName="mine",
                                         SecurityGroupIds=[group])
    world.elastic_ip(server)
    guest.install_sshd(world, server, client)
    reboot(world, server, client)
    wait_for(lambda: listens(world, server) and listens(world, client), 5, "init listens")
    for place in (client, INTERNET):
        put_key(world, place, key)
    return types.SimpleNamespace(vpc=vpc, subnet=subnet, group=group, key=key, server=server,
                                 client=client, address=world.private(server),
                                 public=world.public(server))


def ssh(world, place, address, *words, options=(), user="root", key="/root/key", **more):
    return world.exec(place, ["ssh", *options, *QUIET, "-i", key, f"{user}@{address}", *words],
                      check=False, **more)


def said(done, status=0):
    assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
    return done.stdout


def test_nothing_runs_until_somebody_comes(world, lab):
    """Its init alone listens, and is alone again when the visitor has gone."""
    assert len(world.pids(lab.server)) == 1
    assert said(ssh(world, lab.client, lab.address, "pgrep -c sshd")).strip() == "1"
    wait_for(lambda: len(world.pids(lab.server)) == 1, 5, "sshd has gone")


def test_a_command(world, lab):
    name = "ip-" + lab.address.replace(".", "-")
    done = ssh(world, lab.client, lab.address, "hostname; id -u; pwd")
    assert said(done) == f"{name}\n0\n/root\n"
    done = ssh(world, lab.client, lab.address, "echo to stderr >&2; cat; exit 7", input="through\n")
    assert said(done, 7) == "through\n" and done.stderr == "to stderr\n"
    assert said(ssh(world, lab.client, lab.address, "echo $SSH_CONNECTION")).split()[0] == \
        world.private(lab.client)
    assert "eth0" in said(ssh(world, lab.client, lab.address, "ls /sys/class/net"))
    assert said(ssh(world, lab.client, "localhost", "hostname")).startswith("ip-10-0-1-")


def test_from_the_internet(world, lab):
    assert said(ssh(world, INTERNET, lab.public, "cat /etc/hostname")) == \
        "ip-" + lab.address.replace(".", "-") + "\n"


def test_a_terminal(world, lab):
    said_there = said(ssh(world, lab.client, lab.address, "tty; stty size; exit 3",
                          options=["-tt"]), 3)
    assert re.match(r"/dev/pts/\d+\n\d+ \d+\n", said_there), said_there
    # A login shell, spoken to as somebody at a keyboard does.
    shell = ssh(world, lab.client, lab.address, options=["-tt"],
                input="stty -echo; PS1=; cd /tmp\npwd; shopt login_shell; exit 5\n")
    assert "/tmp\nlogin_shell    \ton\n" in said(shell, 5)


def test_files(world, lab):
    """scp, which is sftp now, and the old way; sftp itself."""
    world.exec(lab.client, ["sh", "-c", "head -c 3000000 /dev/urandom >/root/big"])
    wanted = world.exec(lab.client, "sha256sum /root/big").split()[0]
    for way, name in ((), "/root/new"), (("-O",), "/root/old"):
        world.exec(lab.client, ["scp", *way, *QUIET, "-i", "/root/key", "/root/big",
                                f"root@{lab.address}:{name}"])
        assert said(ssh(world, lab.client, lab.address, f"sha256sum {name}")).split()[0] == wanted
    listing = world.exec(lab.client, ["sftp", *QUIET, "-i", "/root/key", "-b", "-",
                                      f"root@{lab.address}"], input="ls /root\n")
    assert "/root/new" in listing and "/root/old" in listing


def test_forwarding(world, lab):
    """A port, a hop through a bastion, and one with its agent."""
    serve = ["python3", "-c", "import socket; s = socket.create_server(('127.0.0.1', 8000))\n"
             "print('ready', flush=True)\nc, _ = s.accept(); c.sendall(b'from inside'); c.close()"]
    server = world.spawn(lab.server, serve)
    assert server.stdout.readline() == b"ready\n"
    fetch = ("import socket; s = socket.create_connection(('127.0.0.1', 9000), 5); "
             "print(s.recv(100).decode())")
    line = (f"ssh {' '.join(QUIET)} -i /root/key -f -o ExitOnForwardFailure=yes "
            f"-L 9000:127.0.0.1:8000 root@{lab.address} sleep 2 && python3 -c \"{fetch}\"")
    assert world.exec(lab.client, ["sh", "-c", line]) == "from inside\n"
    # From the Internet to who has no public address.
    inner = world.private(lab.client)
    jump = f"ProxyCommand=ssh {' '.join(QUIET)} -i /root/key -W %h:%p root@{lab.public}"
    assert said(ssh(world, INTERNET, inner, "hostname", options=["-o", jump])) == \
        "ip-" + inner.replace(".", "-") + "\n"
    agent = (f"ssh-agent sh -c 'ssh-add -q /root/key && ssh {' '.join(QUIET)} -A "
             f"root@{lab.public} ssh {' '.join(QUIET)} root@{inner} hostname'")
    assert world.exec(INTERNET, ["sh", "-c", agent]).startswith("ip-")


def test_who_is_refused(world, lab):
    """Another key, another user, a password."""
    world.exec(lab.client, "ssh-keygen -q -t ed25519 -N '' -f /root/other")
    for done in (ssh(world, lab.client, lab.address, "true", key="/root/other"),
                 ssh(world, lab.client, lab.address, "true", user="nobody"),
                 ssh(world, lab.client, lab.address, "true",
                     options=["-o", "PreferredAuthentications=password,keyboard-interactive"])):
        assert done.returncode == 255 and "Permission denied (publickey)" in done.stderr, done


def test_groups_judge_it(world, lab):
    """Nothing comes back from a closed one, not even a refusal."""
    rule = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
             "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    world.ec2.revoke_security_group_ingress(GroupId=lab.group, IpPermissions=rule)
    try:
        for place, address in (lab.client, lab.address), (INTERNET, lab.public):
            done = ssh(world, place, address, "true", options=["-o", "ConnectTimeout=1"])
            assert done.returncode == 255 and "timed out" in done.stderr, done
    finally:
        world.ec2.authorize_security_group_ingress(GroupId=lab.group, IpPermissions=rule)
    said(ssh(world, lab.client, lab.address, "true"))


def host_key(world, lab, address=None):
    found = world.exec(lab.client, f"ssh-keyscan -T 5 -t ed25519 {address or lab.address}")
    return found.split()[2]


def test_the_host_key_is_its_own_and_stays(world, lab):
    first = host_key(world, lab)
    assert first in world.exec(lab.server, f"cat {HOST_KEY}.pub")
    assert world.exec(lab.server, f"stat -c %a:%U {HOST_KEY}") == "600:root\n"
    assert host_key(world, lab, world.private(lab.client)) != first
    world.ec2.stop_instances(InstanceIds=[lab.server])
    world.await_state("stopped", lab.server)
    done = ssh(world, lab.client, lab.address, "true", options=["-o", "ConnectTimeout=1"])
    assert done.returncode == 255
    world.ec2.start_instances(InstanceIds=[lab.server])
    world.await_state("running", lab.server)
    wait_for(lambda: listens(world, lab.server), 5, "init listens")
    assert host_key(world, lab) == first
    reboot(world, lab.server)
    wait_for(lambda: listens(world, lab.server), 5, "init listens")
    assert host_key(world, lab) == first
    said(ssh(world, lab.client, lab.address, "true"))


def test_without_a_daemon(world, lab):
    """A session goes on, and who comes is let in."""
    session = world.spawn(lab.client, ["ssh", *QUIET, "-i", "/root/key", f"root@{lab.address}",
                                       "echo there; cat"], stdin=subprocess.PIPE)
    assert session.stdout.readline() == b"there\n"
    into = world.where(lab.client, ["ssh", *QUIET, "-i", "/root/key", f"root@{lab.address}",
                                    "hostname"])
    pid = world.pids(lab.client)[0]
    world.kill(signal.SIGKILL)
    try:
        # The command line asks the daemon for names: by its own means, then.
        done = subprocess.run(["nsenter", "--target", str(pid), "--user", "--net", "--mount",
                               "--pid", "--setuid", "0", "--setgid", "0", *into[3:]],
                              capture_output=True, text=True, check=False, timeout=20,
                              stdin=subprocess.DEVNULL, env=environment())
        assert said(done).startswith("ip-10-0-1-")
    finally:
        world.serve()
    session.stdin.write(b"still\n")
    session.stdin.close()
    assert session.stdout.readline() == b"still\n"
    session.wait(10)
    said(ssh(world, lab.client, lab.address, "true"))


def test_without_a_key_pair_or_an_sshd(world, lab):
    """Nobody listens: refused, and at once."""
    keyless, bare = (world.run_instances(lab.subnet, SecurityGroupIds=[lab.group], **more)[0]
                     for more in ({}, {"KeyName": "mine"}))
    guest.install_sshd(world, keyless)
    world.exec(bare, f"rm -f {guest.SSHD}")
    reboot(world, keyless, bare)
    for instance in (keyless, bare):
        assert not listens(world, instance)
        done = ssh(world, lab.client, world.private(instance), "true")
        assert done.returncode == 255 and "Connection refused" in done.stderr, done
    world.ec2.terminate_instances(InstanceIds=[keyless, bare])


def fresh(world, lab):
    instance, = world.run_instances(lab.subnet, SecurityGroupIds=[lab.group], KeyName="mine")
    guest.install_sshd(world, instance)
    reboot(world, instance)
    wait_for(lambda: listens(world, instance), 5, "init listens")
    return instance


def test_many_first_visitors(world, lab):
    """One host key is made for all of them, and all are let in."""
    instance = fresh(world, lab)
    address = world.private(instance)
    assert "No such file" in world.exec(instance, f"ls {HOST_KEY}", check=False).stderr
    line = (f"for i in $(seq 12); do ssh {' '.join(QUIET)} -i /root/key root@{address} "
            f"cat {HOST_KEY}.pub & done; wait")
    lines = world.exec(lab.client, ["sh", "-c", line]).splitlines()
    assert len(lines) == 12 and len(set(lines)) == 1, lines
    world.ec2.terminate_instances(InstanceIds=[instance])


def test_a_flood_of_strangers(world, lab):
    """So many wait to log in, and no more; when they have gone there is room again."""
    instance = fresh(world, lab)
    address = world.private(instance)
    flood = world.spawn(lab.client, ["python3", "-c", (
        "import socket, sys\n"
        f"held = [socket.create_connection(('{address}', 22)) for _ in range(120)]\n"
        "answered = []\n"
        "for one in held:\n"
        "    one.settimeout(10)\n"
        "    try:\n"
        "        answered.append(one.recv(4) == b'SSH-')\n"
        "    except ConnectionResetError:\n"
        "        answered.append(False)\n"
        "print(sum(answered), flush=True)\n"
        "sys.stdin.read()\n")], stdin=subprocess.PIPE)
    assert int(flood.stdout.readline()) == 50
    assert len(world.pids(instance)) <= 101  # each with one that holds no privileges
    assert ssh(world, lab.client, address, "true").returncode == 255
    assert world.exec(instance, ["hostname"]).startswith("ip-")
    flood.stdin.close()
    flood.wait(10)
    wait_for(lambda: len(world.pids(instance)) == 1, 10, "they have gone")
    said(ssh(world, lab.client, address, "true"))
    world.ec2.terminate_instances(InstanceIds=[instance])


def test_a_configuration_of_its_own(world, lab):
    """What is written in the instance is gone by; what the package left on this machine is not."""
    instance = fresh(world, lab)
    address = world.private(instance)
    world.exec(instance, ["sh", "-c", (
        "printf '%s\\n' 'Banner /etc/banner' 'ForceCommand echo forced' >/etc/ssh/sshd_config; "
        "echo keep out >/etc/banner")])
    done = ssh(world, lab.client, address, "hostname", options=["-o", "LogLevel=INFO"])
    assert said(done) == "forced\n" and "keep out" in done.stderr
    # As its package leaves it: by PAM, to which a locked password is no locked account.
    world.exec(instance, ["sh", "-c", (
        "echo 'UsePAM yes' >/etc/ssh/sshd_config; useradd --create-home bob; cd ~bob; "
        "cp -r /root/.ssh .; chown -R bob .ssh")])
    assert said(ssh(world, lab.client, address, "id -un; pwd", user="bob")) == "bob\n/home/bob\n"
    world.exec(instance, "rm /etc/ssh/sshd_config")
    assert said(ssh(world, lab.client, address, "hostname")).startswith("ip-")
    world.ec2.terminate_instances(InstanceIds=[instance])


def test_the_port_is_taken(world, lab):
    """As where an sshd runs."""
    done = world.exec(lab.server, ["python3", "-c", "import socket\n"
                                   "socket.create_server(('0.0.0.0', 22))"], check=False)
    assert "Address already in use" in done.stderr
