"""
The database outlives the program: worlds of every format the store has had open as what they were,
a newer one and a broken one are refused in one line, and nothing is changed by that.
"""
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time

import pytest

import formats
from host import Snapshot
from lib import BINARY, World, assert_kernel_agrees, environment

TODAY = formats.today()


def sql(name):
    with open(os.path.join(formats.KEPT, name + ".sql"), encoding="utf-8") as file:
        return file.read()


@pytest.fixture
def state(scratch):
    path = os.path.join(tempfile.mkdtemp(dir=scratch), "world")
    yield path
    shutil.rmtree(os.path.dirname(path))


def database(state):
    return os.path.join(state, "world.db")


def ask(state, query, *values):
    connection = sqlite3.connect(database(state))
    try:
        with connection:
            return connection.execute(query, values).fetchall()
    finally:
        connection.close()


# What was, is.

# An instance of before there were volumes has got one, and prefix lists of Amazon's came later.
CHANGED = re.compile(r"(RootDeviceType|BlockDeviceMappings|Volumes|PrefixLists)\b")


def is_over(entry):
    """Such records are forgotten, or change, with time."""
    return isinstance(entry, dict) and (
        entry.get("State") == {"Code": 48, "Name": "terminated"} or
        "ExpirationTime" in entry)


def differences(was, now, path=""):
    """Where `now` doesn't hold what was; it may hold more."""
    if isinstance(was, dict) and isinstance(now, dict):
        for name, value in was.items():
            if name in now:
                yield from differences(value, now[name], f"{path}.{name}")
            else:
                yield f"{path}.{name} is gone"
    elif isinstance(was, list) and isinstance(now, list):
        was, now = ([entry for entry in each if not is_over(entry)] for each in (was, now))
        if len(was) != len(now):
            yield f"{path}: {len(was)} were {len(now)}"
        for number, pair in enumerate(zip(was, now)):
            yield from differences(*pair, f"{path}[{number}]")
    elif was != now:
        yield f"{path}: {was!r} was {now!r}"


def living(reservations):
    """Without those reservations that held none but terminated instances."""
    return [each for each in reservations if not all(map(is_over, each["Instances"]))]


@pytest.mark.parametrize("name", formats.kept())
def test_a_kept_world_opens_as_what_it_was(state, name):
    formats.restore(sql(name), state)
    with open(os.path.join(formats.KEPT, name + ".json"), encoding="utf-8") as file:
        told = json.load(file)
    assert len(told) >= 10
    with World(state) as world:
        assert ask(state, "PRAGMA user_version") == [(TODAY,)]
        for call, was in told.items():
            now = formats.read(world.ec2, call)
            for reply in (was, now):
                if "Reservations" in reply:
                    reply["Reservations"] = living(reply["Reservations"])
            found = [line for line in differences(was, now, call)
                     if int(name[0]) == TODAY or not CHANGED.search(line)]
            assert not found, found
        assert_kernel_agrees(world)
        works(world)
        before = {call: formats.read(world.ec2, call) for call in told}
        world.restart(signal.SIGKILL)
        assert {call: formats.read(world.ec2, call) for call in told} == before


def works(world):
    """Everything heals, starts, is reached and takes more."""
    world.run("fault", "heal", check=False)
    stopped = [entry["InstanceId"] for reservation in world.ec2.describe_instances(Filters=[
        {"Name": "instance-state-name", "Values": ["stopped"]}])["Reservations"]
               for entry in reservation["Instances"]]
    assert len(stopped) > 1
    world.ec2.start_instances(InstanceIds=stopped)
    world.await_state("running", *stopped)
    for entry in world.instances(*stopped):
        world.assert_reaches(entry["InstanceId"], entry["PrivateIpAddress"], count=1)
        root, = [mapping for mapping in entry["BlockDeviceMappings"]
                 if mapping["DeviceName"] == entry["RootDeviceName"]]
        assert root["Ebs"]["Status"] == "attached"
    world.run_instances(entry["SubnetId"])
    world.vpc("10.200.0.0/16")


def test_the_kept_world_of_today_holds_every_kind():
    with open(os.path.join(formats.KEPT, f"{TODAY}.fields"), encoding="utf-8") as file:
        kinds = sorted({line.split(".")[0] for line in file})
    assert formats.kinds(os.path.join(formats.KEPT, f"{TODAY}.sql")) == kinds
    assert {int(name[0]) for name in formats.kept()} == set(range(1, TODAY + 1))


# What is refused.

def serve(state, seconds=10):
    return subprocess.run([BINARY, "--state", state, "serve", "--listen", "127.0.0.1:0"],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=seconds, check=False, env=environment())


def files(state):
    """All but the lock, which holds who looked last."""
    found = {}
    for name in os.listdir(state):
        if name != "lock":
            with open(os.path.join(state, name), "rb") as file:
                found[name] = file.read()
    return found


def assert_refused(state, about=""):
    """By the daemon and by `down`, in one line, and nothing is touched."""
    before, host = files(state), Snapshot()
    for verb in ("serve", "down"):
        done = serve(state) if verb == "serve" else subprocess.run(
            [BINARY, "--state", state, "down"], capture_output=True, text=True, timeout=10,
            stdin=subprocess.DEVNULL, check=False, env=environment())
        assert (done.returncode, done.stdout) == (1, ""), (verb, done)
        line, = done.stderr.splitlines()
        assert line.startswith("minivpc: ") and database(state) in line and about in line, line
        assert files(state) == before, verb
    host.assert_same(within=3)
    return line


def test_a_newer_world_is_refused(state):
    formats.restore(sql(str(TODAY)), state)
    ask(state, f"PRAGMA user_version = {TODAY + 1}")
    assert assert_refused(state) == (
        f"minivpc: {database(state)}: it has format {TODAY + 1}, of a later minivpc; this one "
        f"knows 1 to {TODAY}: use the later one, or name another directory with --state")


def test_a_newer_world_that_was_killed_keeps_its_log(state):
    """Its last changes are in the log only, where a close would move them from."""
    formats.restore(sql(str(TODAY)), state)
    left = state + ".left"
    connection = sqlite3.connect(database(state))
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA user_version = {TODAY + 1}")
    shutil.copytree(state, left)
    connection.close()
    os.unlink(os.path.join(left, "world.db-shm"))
    assert os.path.getsize(os.path.join(left, "world.db-wal"))
    before = files(left)
    assert f"format {TODAY + 1}" in serve(left).stderr
    after = files(left)
    after.pop("world.db-shm", None)  # how the log is found, made anew by whoever opens it
    assert after == before


WORLD = sql(str(TODAY))
BIG = WORLD.replace("COMMIT;", "") + """
    CREATE TABLE filler (text); WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n
    WHERE i < 400) INSERT INTO filler SELECT hex(randomblob(200)) FROM n; COMMIT;"""


def body(change, where):
    """A change of one record that fits `where`."""
    return f"UPDATE resource SET body = {change} WHERE id = (SELECT id FROM resource WHERE {where} LIMIT 1)"


def changed(path, value, where):
    return body(f"json_set(body, '$.{path}', '{value}')", where)


A_VPC, A_SUBNET, AN_INSTANCE = (f"id GLOB '{kind}-*'" for kind in ("vpc", "subnet", "i"))
A_CARD = "id GLOB 'eni-*' AND body ->> '$.instanceId' IS NOT NULL"

ROWS = {
    "no JSON": (body("'{'", A_VPC), "vpc-"),
    "half of the JSON": (body("substr(body, 1, length(body) / 2)", A_VPC), "vpc-"),
    "text after it": (body("body || 'x'", A_VPC), "vpc-"),
    "a list": (body("'[]'", A_VPC), "is no object"),
    "deep": (body("replace(hex(zeroblob(5000)), '00', '[')", A_VPC), "vpc-"),
    "a member twice": (body("'{\"order\":\"1\",\"order\":\"2\"}'", A_VPC), "vpc-"),
    "not UTF-8": (body("CAST(x'7b22ff223a312d7d' AS TEXT)", A_VPC), "vpc-"),
    "a NUL": (body("CAST(x'7b00' AS TEXT) || body", A_VPC), "vpc-"),
    "an unknown member": (changed("color", "red", A_VPC), "color is unknown"),
    "one inside": (body("json_set(body, '$.cidrBlockAssociationSet[0].color', 'red')", A_VPC),
                   "cidrBlockAssociationSet[0].color is unknown"),
    "a number": (body("json_set(body, '$.order', 7)", A_VPC), "order is no string"),
    "no number": (changed("order", "seven", A_VPC), "order has a value"),
    "no address": (changed("privateIpAddress", "10.0.0.256", A_CARD), "privateIpAddress"),
    "no state": (changed("state", "asleep", AN_INSTANCE), "state has a value"),
    "a string for a list": (changed("tagSet", "x", A_VPC), "tagSet is no list"),
    "another's order": (
        "UPDATE resource SET body = json_set(body, '$.order', '1') WHERE id GLOB 'vpc-*'",
        "order is another one's too"),
    "an id of nothing": ("UPDATE resource SET id = 'banana' WHERE id = (SELECT min(id) FROM resource)",
                         "banana"),
    "an id in capitals": ("UPDATE resource SET id = upper(id) WHERE id GLOB 'vpc-*'", "VPC-"),
    "a reservation": ("UPDATE resource SET id = 'r-0123456789abcdef0'"
                      " WHERE id = (SELECT min(id) FROM resource)", "r-0123456789abcdef0"),
    "an account too long": ("UPDATE resource SET account = account || '3'", "account"),
    "a region too far": ("UPDATE resource SET region = 'mars-north-1' WHERE id GLOB 'subnet-*'",
                         "account or region"),
    "a VPC gone": ("DELETE FROM resource WHERE id GLOB 'vpc-*'", "is not there"),
    "no VPC": (body("json_remove(body, '$.vpcId')", A_SUBNET), "vpcId names nothing"),
    "a subnet for a VPC": (body(
        "json_set(body, '$.vpcId', (SELECT id FROM resource WHERE id GLOB 'subnet-*'))", A_SUBNET),
        "vpcId is of another kind"),
    "interfaces gone": ("DELETE FROM resource WHERE id GLOB 'eni-*'", "is not there"),
    "an instance gone": (f"DELETE FROM resource WHERE {AN_INSTANCE} AND body ->> '$.state' ="
                         " 'stopped'", "is not there"),
    "volumes gone": ("DELETE FROM resource WHERE id GLOB 'vol-*'", "is not there"),
    "a card that is another's": (body("json_remove(body, '$.instanceId')", A_CARD),
                                 "not attached"),
    "a card that nobody knows": (body("json_set(body, '$.interfaces', json('[]'))",
                                      f"{AN_INSTANCE} AND body ->> '$.state' = 'stopped'"),
                                 "does not know of it"),
    "one address twice": ("UPDATE resource SET body = json_set(body, '$.privateIpAddress',"
                          " '10.0.1.9') WHERE id GLOB 'eni-*'", "is another one's too"),
    "a zone too far": (changed("zone", "77", A_SUBNET), "zone is none of its region's"),
    "a zone before": (changed("zone", "-1", AN_INSTANCE), "zone is none of its region's"),
    "the ACLs gone": ("DELETE FROM resource WHERE id GLOB 'acl-*'", "network ACL is not there"),
    "the tables gone": ("DELETE FROM resource WHERE id GLOB 'rtb-*'",
                        "main route table is not there"),
    "a time with more": (body("json_set(body, '$.launchTime', body ->> '$.launchTime' || 'x')",
                              AN_INSTANCE), "launchTime has a value"),
    "a time long ago": (changed("launchTime", "0026-11-23T07:53:07.000Z", AN_INSTANCE),
                        "launchTime has a value"),
    "a stack gone": ("DELETE FROM resource WHERE id GLOB 'stack-0*'", "is not there"),
}


@pytest.mark.parametrize("what", ROWS)
def test_a_broken_record_is_refused(state, what):
    statement, about = ROWS[what]
    formats.restore(WORLD, state)
    before = files(state)
    ask(state, statement)
    assert files(state) != before
    assert_refused(state, about)


def cut(data):
    return data[:len(data) // 2 // 4096 * 4096 + 100]


def garbage(data):
    noise = random.Random(1)
    return data[:4096 * 5] + bytes(noise.randrange(256) for _ in range(4096 * 8)) + \
        data[4096 * 13:]


FILES = {
    "half a file": cut, "garbage pages": garbage,
    "pages of zeroes": lambda data: data[:8192] + bytes(len(data) - 8192),
    "a first page alone": lambda data: data[:4096],
    "a header alone": lambda data: data[:100],
    "less than a header": lambda data: data[:50],
    "another magic": lambda data: b"X" + data[1:],
    "another application": lambda data: data[:68] + b"\1\2\3\4" + data[72:],
    "format 0": lambda data: data[:60] + bytes(4) + data[64:],
    "a format below 0": lambda data: data[:60] + b"\xff" * 4 + data[64:],
    "page size 1": lambda data: data[:16] + b"\0\3" + data[18:],
}


@pytest.mark.parametrize("what", FILES)
def test_a_broken_file_is_refused(state, what):
    formats.restore(BIG, state)
    with open(database(state), "rb") as file:
        data = file.read()
    assert len(data) > 4096 * 20
    with open(database(state), "wb") as file:
        file.write(FILES[what](data))
    assert_refused(state)


@pytest.mark.parametrize("statement", [
    "DROP TABLE resource", "DROP TABLE orphan", "ALTER TABLE resource DROP COLUMN region",
    "ALTER TABLE resource RENAME TO resources"])
def test_other_tables_are_refused(state, statement):
    formats.restore(WORLD, state)
    ask(state, statement)
    assert_refused(state)


# A migration is whole or has not been.

@pytest.mark.parametrize("name, statement", [
    ("1-first", "UPDATE resource SET body = '{' WHERE id GLOB 'acl-*'"),
    ("1-rules", "UPDATE resource SET body = json_set(body, '$.order', 'x') WHERE id GLOB 'acl-*'"),
    ("2-first", "DELETE FROM resource WHERE id GLOB 'subnet-*'"),
    ("2-first", "CREATE TRIGGER t BEFORE INSERT ON resource BEGIN SELECT RAISE(ABORT, 'no'); END"),
])
def test_a_migration_that_fails_has_not_been(state, name, statement):
    """In the step, or because what it made is no world."""
    formats.restore(sql(name), state)
    ask(state, statement)
    assert_refused(state)
    assert ask(state, "PRAGMA user_version") == [(int(name[0]),)]


LARGE = """
    WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 1500)
    INSERT INTO resource SELECT printf('sg-0%016x', i), account, region, json_patch(json_remove(
    body, '$.rules'), printf('{"order":"%d","groupName":"g%d","rules":[{"id":"sgr-0%016x",' ||
    '"egress":"true","cidr":"0.0.0.0/0"},{"id":"sgr-0f%015x","egress":"false","group":' ||
    '"sg-0%016x"}]}', 100000 + i, i, i, i, i)) FROM n, (SELECT * FROM resource
    WHERE id GLOB 'sg-*' LIMIT 1);"""


def test_a_migration_that_is_killed_has_not_been(state):
    """Or has been, whole; and the next start ends it."""
    text = sql("1-first").replace("COMMIT;", LARGE + "COMMIT;")
    formats.restore(text, state)
    before, host, killed = ask(state, "SELECT * FROM resource ORDER BY id"), Snapshot(), 0
    for turn in range(40):
        daemon = subprocess.Popen(
            [BINARY, "--state", state, "serve", "--listen", "127.0.0.1:0"], env=environment(),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(0.005 + 0.005 * turn)
        daemon.kill()
        daemon.communicate()
        version, = ask(state, "PRAGMA user_version")[0]
        if version != 1:
            break
        killed += 1
        assert ask(state, "SELECT * FROM resource ORDER BY id") == before
        assert ask(state, "PRAGMA integrity_check") == [("ok",)]
    assert killed > 1
    with World(state) as world:
        world.before = host
        rules = world.ec2.describe_security_group_rules(MaxResults=1000)
        assert len(rules["SecurityGroupRules"]) == 1000 and rules["NextToken"]
        assert ask(state, "SELECT count(*) FROM resource WHERE id GLOB 'sgr-*'") >= [(3000,)]
        assert ask(state, "PRAGMA user_version") == [(TODAY,)]
