"""
Worlds of the store's formats, kept in schemas/: NAME.sql, all that the database held, and NAME.json,
what the API told of it. As root, `python3 tests/system/formats.py` makes today's: once, when a format
is released, for what is kept is what that version wrote.
"""
import json
import os
import re
import sqlite3
import sys
import tempfile

import isolation
import stacks
from lib import ROOT, World
from minimal import furnish

KEPT = os.path.join(ROOT, "tests", "system", "schemas")

READS = """
    describe_addresses describe_dhcp_options describe_egress_only_internet_gateways
    describe_flow_logs describe_images describe_instances describe_internet_gateways
    describe_key_pairs describe_launch_templates describe_managed_prefix_lists
    describe_nat_gateways describe_network_acls describe_network_interfaces describe_route_tables
    describe_security_group_rules describe_security_groups describe_subnets describe_volumes
    describe_vpc_endpoints describe_vpc_peering_connections describe_vpcs""".split()


def today():
    """The format that this tree writes."""
    with open(os.path.join(ROOT, "emulator", "store", "store.h"), encoding="ascii") as file:
        return int(re.search(r"#define STORE_FORMAT (\d+)", file.read())[1])


def kept():
    return sorted(name[:-4] for name in os.listdir(KEPT) if name.endswith(".sql"))


def read(ec2, name):
    more = {"Owners": ["self"]} if name == "describe_images" else {}
    reply = getattr(ec2, name)(**more)
    reply.pop("ResponseMetadata")
    return json.loads(json.dumps(reply, default=str))


def dump(database):
    """What SQLite needs to make it again."""
    connection = sqlite3.connect(database)
    pragmas = [f"PRAGMA {name} = {connection.execute(f'PRAGMA {name}').fetchone()[0]};"
               for name in ("application_id", "user_version")]
    lines = [*pragmas, *connection.iterdump()]
    connection.close()
    return "\n".join(lines) + "\n"


def restore(text, state):
    """A state directory that holds such a dump."""
    os.mkdir(state, 0o700)
    connection = sqlite3.connect(os.path.join(state, "world.db"))
    connection.executescript("PRAGMA journal_mode = WAL;" + text)
    connection.close()


def still(world):
    """Nothing runs: a daemon that finds the database alone has nothing to mend."""
    running = [entry["InstanceId"] for reservation in world.ec2.describe_instances()["Reservations"]
               for entry in reservation["Instances"] if entry["State"]["Name"] == "running"]
    world.ec2.stop_instances(InstanceIds=running)
    world.await_state("stopped", *running)


def furnish_all(world, place):
    """Every kind of resource that there is."""
    things = furnish(world, place)
    gone, = world.run_instances(things["subnet"])
    world.ec2.terminate_instances(InstanceIds=[gone])
    world.await_state("terminated", gone)
    world.run("internet create", "example")
    cloudformation = world.client("cloudformation")
    body = stacks.template({**stacks.network(), "Web": stacks.web()})
    stacks.create(cloudformation, "first", body)
    cloudformation.create_change_set(
        StackName="first", ChangeSetName="next",
        TemplateBody=json.dumps(stacks.template({**stacks.network(), "Web": stacks.web(),
                                                 "More": stacks.web()})))
    still(world)
    world.run("fault", "az", "us-east-1b")


def make():
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        place = os.path.join(scratch, "image")
        os.mkdir(place)
        with World(os.path.join(scratch, "world")) as world:
            furnish_all(world, place)
            told = {name: read(world.ec2, name) for name in READS}
            world.kill()
            base = os.path.join(KEPT, str(today()))
            with open(base + ".sql", "w", encoding="utf-8") as file:
                file.write(dump(os.path.join(world.state, "world.db")).replace(place, "/image"))
            with open(base + ".json", "w", encoding="utf-8") as file:
                text = json.dumps(told, sort_keys=True, separators=(",", ":"))
                file.write(text.replace(place, "/image").replace('},{', '},\n{') + "\n")
    print(base, *kinds(base + ".sql"))


def kinds(path):
    with open(path, encoding="utf-8") as file:
        return sorted({match[1] for match in re.finditer(
            r"INSERT INTO \"resource\" VALUES\('([a-z-]+)-[0-9a-f]+'", file.read())})


if __name__ == "__main__":
    if os.environ.get(isolation.INSIDE):
        isolation.prepare()
        make()
    else:
        os.execvpe("unshare", ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child",
                               "--mount-proc", sys.executable, "-B", *sys.argv],
                   {**os.environ, isolation.INSIDE: "1"})
