"""A world under test: its daemon, its clients, and what its instances can do."""
import json
import os
import re
import select
import shlex
import signal
import subprocess
import time

import boto3
import botocore.config
import pytest
from botocore.exceptions import ClientError

import conformance
from host import Snapshot, see_groups

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.path.abspath(os.environ.get("MINIVPC_BINARY", os.path.join(ROOT, "build", "minivpc")))
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"  # Debian's AWS CLI, whatever else is installed
IMAGE = "ami-0123456789abcdef0"
ACCOUNT = "123456789012"
INTERNET = "internet"
# How many times as long as here whatever is waited for may take: more on an emulated machine.
PATIENCE = float(os.environ.get("TEST_PATIENCE", "1"))


def wait_for(condition, seconds, what):
    """Polls until `condition()` is true and returns its value."""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def environment(**more):
    """No AWS setting of the caller's reaches a test, and no test the machine's own world."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    kept["MINIVPC_STATE"] = "/nonexistent/minivpc"
    return {**kept, "PATH": PATH, "LC_ALL": "C.UTF-8", "AWS_PAGER": "",
            "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_EC2_METADATA_DISABLED": "true", **more}


def read_line(process, seconds, what):
    """The next line of a process's standard output (unbuffered binary pipe)."""
    line = b""
    seconds *= PATIENCE
    end = time.monotonic() + seconds
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0, end - time.monotonic()))
        if not ready:
            pytest.fail(f"{what}: no line within {seconds} s, so far {line!r}")
        byte = os.read(process.stdout.fileno(), 1)
        if not byte:
            break
        line += byte
    return line.decode().rstrip("\n")


def alive(pid):
    """False for a zombie too: nobody may have reaped it yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


class Ping:
    """What ping(8) reported."""

    def __init__(self, text):
        self.text = text
        numbers = re.search(r"(\d+) packets transmitted, (\d+) received", text)
        self.sent, self.received = (int(numbers[1]), int(numbers[2])) if numbers else (0, 0)
        self.errors = re.findall(r"^From .*", text, re.MULTILINE)

    def __repr__(self):
        return self.text


class Error(Exception):
    """A refused call, as one comparable value."""

    def __init__(self, error):
        super().__init__(str(error))
        self.code = error.response["Error"]["Code"]
        self.message = error.response["Error"]["Message"]
        self.status = error.response["ResponseMetadata"]["HTTPStatusCode"]


def refused(code, call, *args, status=400, text=None, **kwargs):
    """Calls, and demands this refusal; `text` is the whole message or a compiled pattern."""
    try:
        reply = call(*args, **kwargs)
    except ClientError as error:
        found = Error(error)
    else:
        reply.pop("ResponseMetadata", None)
        pytest.fail(f"{code} expected, but the call succeeded: {reply}")
    assert (found.code, found.status) == (code, status), found
    if isinstance(text, str):
        assert found.message == text
    elif text is not None:
        assert text.search(found.message), found.message
    return found


def tags(**pairs):
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def tag_specification(kind, **pairs):
    return [{"ResourceType": kind, "Tags": tags(**pairs)}]


def names(found, member):
    return [entry[member] for entry in found]


def vpc_of(ec2, vpc):
    return ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]


def own_prefix_lists(ec2):
    """Without those that are Amazon's."""
    return [entry for entry in ec2.describe_managed_prefix_lists()["PrefixLists"]
            if entry["OwnerId"] != "AWS"]


def table_of(ec2, table):
    return ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]


def routes_of(ec2, table):
    """As they are described, by their destinations."""
    return {route.get("DestinationCidrBlock") or route["DestinationPrefixListId"]: route
            for route in table_of(ec2, table)["Routes"]}


class World:
    """`minivpc serve` in a state directory of its own, its clients, and its end."""

    def __init__(self, state, *arguments, region="us-east-1"):
        self.state = state
        self.arguments = arguments
        self.region = region
        self.log = state + ".log"
        self.daemon = None
        self.url = None
        self.spawned = []
        self.clients = {}
        self.secret = None

    def __enter__(self):
        self.before = Snapshot()
        try:
            self.serve()
        except BaseException:
            self.end()
            raise
        return self

    def __exit__(self, kind, *_):
        self.end()
        if os.path.exists(self.state):
            pytest.fail(f"left behind in {self.state}: {os.listdir(self.state)}")
        self.before.assert_same(within=15 * PATIENCE)

    def end(self):
        for process in self.spawned:
            stop(process)
        drifted = self.drifted()
        down = self.run("down", check=False, timeout=120)
        if self.daemon:
            # A daemon that `down` left running is a defect; it must not outlive the test for it.
            try:
                self.daemon.wait(10 * PATIENCE)
            except subprocess.TimeoutExpired:
                stop(self.daemon)
                pytest.fail("minivpc down left the daemon running")
            finally:
                self.daemon.stdout.close()
        assert down.returncode == 0, f"down: {down.stderr}"
        assert not drifted, f"model and kernel differ:\n{drifted}"

    def drifted(self):
        """What `minivpc audit` tells, of a world whose daemon runs."""
        if not self.daemon or self.daemon.poll() is not None:
            return ""
        done = self.run("audit", check=False)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    # The daemon.

    def serve(self, *more, seconds=15):
        """Starts the daemon and waits until it is ready."""
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen(
                self.command("serve", "--listen", "127.0.0.1:0", *self.arguments, *more),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log,
                env=environment(), start_new_session=True, bufsize=0)
        line = read_line(self.daemon, seconds, "minivpc serve")
        match = re.fullmatch(r"ready (http://127\.0\.0\.1:(\d+))", line)
        assert match, f"not a ready line: {line!r}\n{self.log_tail()}"
        self.url, self.port = match[1], int(match[2])
        see_groups()
        self.clients = {}
        exports = self.run("env").stdout
        self.exports = dict(re.findall(r"^export (\w+)=(.*?);?$", exports, re.MULTILINE))
        self.exports = {name: "".join(shlex.split(value)) for name, value in self.exports.items()}
        self.key = self.exports["AWS_ACCESS_KEY_ID"]
        self.secret = self.exports["AWS_SECRET_ACCESS_KEY"]

    def kill(self, how=signal.SIGKILL, seconds=10):
        """Ends the daemon only; returns its exit status."""
        self.daemon.send_signal(how)
        status = self.daemon.wait(seconds * PATIENCE)
        self.daemon.stdout.close()
        return status

    def restart(self, how=signal.SIGKILL):
        self.kill(how)
        self.serve()

    def log_size(self):
        return os.path.getsize(self.log)

    def log_since(self, size):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            file.seek(size)
            return file.read()

    def log_tail(self):
        try:
            with open(self.log, encoding="utf-8", errors="replace") as file:
                return file.read()[-20000:]
        except OSError:
            return ""

    # The command line.

    def command(self, verb, *arguments):
        """`verb` may be of two words."""
        return [BINARY, "--state", self.state, *verb.split(), *arguments]

    def run(self, verb, *arguments, check=True, timeout=60, **options):
        if "input" not in options and "stdin" not in options:
            options["stdin"] = subprocess.DEVNULL
        done = subprocess.run(self.command(verb, *arguments), capture_output=True, check=False,
                              text=options.pop("text", True), timeout=timeout * PATIENCE,
                              env=environment(), **options)
        if check:
            assert done.returncode == 0, f"{verb} {arguments}: {done.returncode}\n{done.stderr}"
        return done

    def where(self, place, command):
        verb = ("exec", place)
        if place.split(":")[0] == INTERNET:  # or one of its hosts: "internet:NAME"
            verb = ("internet exec", *place.split(":")[1:])
        if isinstance(command, str):
            command = shlex.split(command)
        return [*verb, "--", *command]

    def exec(self, place, command, check=True, **options):
        """Runs a command in an instance, or on the Internet's host: its standard output."""
        done = self.run(*self.where(place, command), check=check, **options)
        return done.stdout if check else done

    def internet(self, command, **options):
        return self.exec(INTERNET, command, **options)

    def internet_address(self):
        return self.run("internet address").stdout.strip()

    def spawn(self, place, command, stdin=subprocess.DEVNULL, **options):
        """A command that goes on; ends with the world at the latest."""
        words = self.where(place, command)
        process = subprocess.Popen(self.command(*words), stdin=stdin,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
                                   env=environment(), start_new_session=True, **options)
        self.spawned.append(process)
        return process

    def aws(self, *arguments, check=True):
        """The AWS CLI as Debian ships it; the reply as JSON."""
        done = self.run("aws", *arguments, "--output", "json", check=check)
        if not check:
            return done
        return json.loads(done.stdout) if done.stdout.strip() else None

    # API clients.

    def client(self, service="ec2", region=None, key=None, secret=None, checked=True):
        region = region or self.region
        name = (service, region, key, secret, checked)
        if name not in self.clients:
            self.clients[name] = self.session(region, key, secret).client(
                service, endpoint_url=self.url, config=CONFIG)
            if checked:
                conformance.watch(self.clients[name])
        return self.clients[name]

    def session(self, region=None, key=None, secret=None):
        return boto3.session.Session(key or self.key, secret or self.secret,
                                     region_name=region or self.region)

    def resource(self):
        return self.session().resource("ec2", endpoint_url=self.url, config=CONFIG)

    @property
    def ec2(self):
        return self.client()

    # What the network does.

    def ping(self, place, address, count=2, interval=0.1, wait=0.5, options=""):
        done = self.exec(place, f"ping -n -c {count} -i {interval} -W {wait} {options} {address}",
                         check=False)
        assert "packets transmitted" in done.stdout, done.stdout + done.stderr
        return Ping(done.stdout)

    def assert_reaches(self, place, address, **options):
        ping = self.ping(place, address, **options)
        assert ping.sent == ping.received > 0, ping

    def assert_silent(self, place, address, **options):
        """No answer, and no word from a router either."""
        ping = self.ping(place, address, **options)
        assert ping.sent > 0 and ping.received == 0, ping
        assert not ping.errors, ping

    def talk(self, server, client, address, kind="tcp", port=7000):
        """A conversation: who each side took the other for."""
        serving = self.spawn(server, ["python3", "-c", SERVER, kind, str(port)])
        assert read_line(serving, 10, "server") == "ready"
        calling = self.exec(client, ["python3", "-c", CLIENT, kind, address, str(port),
                                     str(2 * PATIENCE)], check=False)
        if calling.returncode != 0:
            stop(serving)
            return None
        seen = read_line(serving, 10, "server")
        serving.wait(10)
        said, peer, local = calling.stdout.split()
        assert said == seen
        return {"server_saw": seen, "client_saw": peer, "client_is": local}

    # Building blocks.

    def vpc(self, cidr="10.0.0.0/16", **more):
        return self.ec2.create_vpc(CidrBlock=cidr, **more)["Vpc"]["VpcId"]

    def open_vpc(self, cidr="10.0.0.0/16", **more):
        """A VPC whose default group lets everything in: the test is not about filters."""
        vpc = self.vpc(cidr, **more)
        self.open(vpc)
        return vpc

    def default_group(self, vpc, ec2=None):
        return (ec2 or self.ec2).describe_security_groups(Filters=[
            {"Name": "vpc-id", "Values": [vpc]},
            {"Name": "group-name", "Values": ["default"]}])["SecurityGroups"][0]["GroupId"]

    def open(self, vpc, ec2=None):
        (ec2 or self.ec2).authorize_security_group_ingress(
            GroupId=self.default_group(vpc, ec2), IpPermissions=[
                {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])

    def subnet(self, vpc, cidr, zone="us-east-1a", **more):
        return self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone,
                                      **more)["Subnet"]["SubnetId"]

    def gateway(self, vpc=None):
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        if vpc:
            self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return gateway

    def elastic_ip(self, target=None, **more):
        """An allocation and its address, associated with an instance or interface if one is given."""
        made = self.ec2.allocate_address(Domain="vpc")
        if target:
            kind = "InstanceId" if target.startswith("i-") else "NetworkInterfaceId"
            self.ec2.associate_address(AllocationId=made["AllocationId"], **{kind: target}, **more)
        return made["AllocationId"], made["PublicIp"]

    def release(self, *allocations):
        """Whatever they are associated with."""
        for entry in self.ec2.describe_addresses(AllocationIds=list(allocations))["Addresses"]:
            if "AssociationId" in entry:
                self.ec2.disassociate_address(AssociationId=entry["AssociationId"])
            self.ec2.release_address(AllocationId=entry["AllocationId"])

    def peering(self, vpc, peer, accept=True, ec2=None, **more):
        """A request from one VPC to another, accepted or not; its id."""
        ec2 = ec2 or self.ec2
        identifier = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer, **more)[
            "VpcPeeringConnection"]["VpcPeeringConnectionId"]
        if accept:
            ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=identifier)
        return identifier

    def security_group(self, vpc, name="web", **more):
        return self.ec2.create_security_group(VpcId=vpc, GroupName=name, Description=name,
                                              **more)["GroupId"]

    def route_table(self, vpc, subnet=None, gateway=None):
        table = self.ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        if gateway:
            self.ec2.create_route(RouteTableId=table, GatewayId=gateway,
                                  DestinationCidrBlock="0.0.0.0/0")
        if subnet:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def delete_table(self, table):
        """And what it is associated with."""
        for association in table_of(self.ec2, table)["Associations"]:
            self.ec2.disassociate_route_table(
                AssociationId=association["RouteTableAssociationId"])
        self.ec2.delete_route_table(RouteTableId=table)

    def main_table(self, vpc):
        found = self.ec2.describe_route_tables(Filters=[
            {"Name": "vpc-id", "Values": [vpc]}, {"Name": "association.main", "Values": ["true"]}])
        return found["RouteTables"][0]

    def run_instances(self, subnet, count=1, public=None, address=None, **more):
        """Ids, once every one is running."""
        interface = {"SubnetId": subnet, **({"PrivateIpAddress": address} if address else {})}
        if public is None:
            more.update(interface)
        else:
            more["NetworkInterfaces"] = [
                {"DeviceIndex": 0, "AssociatePublicIpAddress": public, **interface}]
        reply = self.ec2.run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count,
                                       InstanceType="t3.micro", **more)
        ids = names(reply["Instances"], "InstanceId")
        self.await_state("running", *ids)
        return ids

    def remove_default_vpc(self, ec2=None):
        """As a script does that cleans an account; returns the VPC's id."""
        ec2 = ec2 or self.ec2
        vpc, = names(ec2.describe_vpcs(Filters=[
            {"Name": "is-default", "Values": ["true"]}])["Vpcs"], "VpcId")
        for subnet in names(ec2.describe_subnets(Filters=[
                {"Name": "vpc-id", "Values": [vpc]}])["Subnets"], "SubnetId"):
            ec2.delete_subnet(SubnetId=subnet)
        gateway, = names(ec2.describe_internet_gateways(Filters=[
            {"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"],
            "InternetGatewayId")
        ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        ec2.delete_internet_gateway(InternetGatewayId=gateway)
        ec2.delete_vpc(VpcId=vpc)
        return vpc

    def default_instance(self, region, address):
        """An instance in a region's default subnet 172.31.0.0/20, once it runs."""
        ec2 = self.client(region=region)
        subnet, = ec2.describe_subnets(Filters=[
            {"Name": "cidr", "Values": ["172.31.0.0/20"]}])["Subnets"]
        self.open(subnet["VpcId"], ec2)
        launched = ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1,
                                     SubnetId=subnet["SubnetId"], PrivateIpAddress=address)
        identifier = launched["Instances"][0]["InstanceId"]

        def running():
            found, = ec2.describe_instances(InstanceIds=[identifier])["Reservations"][0]["Instances"]
            return found if found["State"]["Name"] == "running" else None
        return wait_for(running, 10, f"the instance in {region}")

    def instance(self, identifier):
        found = self.ec2.describe_instances(InstanceIds=[identifier])
        return found["Reservations"][0]["Instances"][0]

    def instances(self, *ids):
        found = self.ec2.describe_instances(InstanceIds=list(ids))["Reservations"]
        return [entry for reservation in found for entry in reservation["Instances"]]

    def private(self, identifier):
        return self.instance(identifier)["PrivateIpAddress"]

    def public(self, identifier):
        return self.instance(identifier)["PublicIpAddress"]

    def await_state(self, state, *ids, seconds=20):
        wait_for(lambda: all(entry["State"]["Name"] == state for entry in self.instances(*ids)),
                 seconds, f"{len(ids)} instances {state}")

    def reboot(self, identifier, how=None):
        """Until it has another init; `how` reboots it otherwise than by the API."""
        before = self.init(identifier)
        if how:
            how()
        else:
            self.ec2.reboot_instances(InstanceIds=[identifier])

        def again():
            return self.init(identifier) not in (None, before) and \
                self.exec(identifier, "true", check=False).returncode == 0
        wait_for(again, 20, f"{identifier} has rebooted")

    def init(self, identifier):
        """Its pid here, or None."""
        for pid in self.pids(identifier):
            try:
                with open(f"/proc/{pid}/status", encoding="ascii") as file:
                    line, = (line for line in file if line.startswith("NSpid:"))
            except (OSError, ValueError):
                continue
            if line.split()[-1] == "1":
                return pid
        return None

    def clear(self):
        """Removes every VPC but the default one, with all that is in it."""
        ec2 = self.ec2
        ids = [entry["InstanceId"] for reservation in ec2.describe_instances(Filters=[{
            "Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"],
        }])["Reservations"] for entry in reservation["Instances"]]
        if ids:
            ec2.terminate_instances(InstanceIds=ids)
            self.await_state("terminated", *ids)
        for nat in names(ec2.describe_nat_gateways(Filters=[
                {"Name": "state", "Values": ["available"]}])["NatGateways"], "NatGatewayId"):
            ec2.delete_nat_gateway(NatGatewayId=nat)
        addresses = names(ec2.describe_addresses()["Addresses"], "AllocationId")
        if addresses:
            self.release(*addresses)
        for peering in ec2.describe_vpc_peering_connections(Filters=[
                {"Name": "status-code", "Values": ["active"]}])["VpcPeeringConnections"]:
            ec2.delete_vpc_peering_connection(
                VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
        endpoints = names(ec2.describe_vpc_endpoints()["VpcEndpoints"], "VpcEndpointId")
        if endpoints:
            ec2.delete_vpc_endpoints(VpcEndpointIds=endpoints)
        for vpc in names(ec2.describe_vpcs(Filters=[
                {"Name": "is-default", "Values": ["false"]}])["Vpcs"], "VpcId"):
            inside = {"Filters": [{"Name": "vpc-id", "Values": [vpc]}]}
            for interface in names(ec2.describe_network_interfaces(**inside)["NetworkInterfaces"],
                                   "NetworkInterfaceId"):
                ec2.delete_network_interface(NetworkInterfaceId=interface)
            for subnet in names(ec2.describe_subnets(**inside)["Subnets"], "SubnetId"):
                ec2.delete_subnet(SubnetId=subnet)
            for table in ec2.describe_route_tables(**inside)["RouteTables"]:
                for entry in table["Associations"]:
                    if "GatewayId" in entry:
                        ec2.disassociate_route_table(
                            AssociationId=entry["RouteTableAssociationId"])
                if not any(entry["Main"] for entry in table["Associations"]):
                    ec2.delete_route_table(RouteTableId=table["RouteTableId"])
            for acl in ec2.describe_network_acls(**inside)["NetworkAcls"]:
                if not acl["IsDefault"]:
                    ec2.delete_network_acl(NetworkAclId=acl["NetworkAclId"])
            groups = ec2.describe_security_groups(**inside)["SecurityGroups"]
            for group in groups:
                if group["IpPermissions"]:  # they may name one another
                    ec2.revoke_security_group_ingress(GroupId=group["GroupId"],
                                                      IpPermissions=group["IpPermissions"])
                if group["IpPermissionsEgress"]:
                    ec2.revoke_security_group_egress(GroupId=group["GroupId"],
                                                     IpPermissions=group["IpPermissionsEgress"])
            for group in groups:
                if group["GroupName"] != "default":
                    ec2.delete_security_group(GroupId=group["GroupId"])
            for gateway in names(ec2.describe_internet_gateways(Filters=[
                    {"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"],
                    "InternetGatewayId"):
                ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
            for gateway in ec2.describe_egress_only_internet_gateways()[
                    "EgressOnlyInternetGateways"]:
                if gateway["Attachments"][0]["VpcId"] == vpc:
                    ec2.delete_egress_only_internet_gateway(
                        EgressOnlyInternetGatewayId=gateway["EgressOnlyInternetGatewayId"])
            ec2.delete_vpc(VpcId=vpc)
        used = names(ec2.describe_vpcs()["Vpcs"], "DhcpOptionsId")
        for options in names(ec2.describe_dhcp_options()["DhcpOptions"], "DhcpOptionsId"):
            if options not in used:
                ec2.delete_dhcp_options(DhcpOptionsId=options)
        for prefixes in own_prefix_lists(ec2):
            ec2.delete_managed_prefix_list(PrefixListId=prefixes["PrefixListId"])
        for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
            if not gateway["Attachments"]:
                ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])

    def pids(self, namespace):
        """Processes of a network namespace, as ip(8) finds them; none where it is not there. It
        fails where one ends meanwhile, any process of the machine."""
        for attempt in range(20):
            done = subprocess.run(["ip", "netns", "pids", namespace], check=attempt == 19,
                                  capture_output=True, text=True, env=environment())
            if done.returncode == 0:
                return [int(word) for word in done.stdout.split()]
            if namespace not in namespaces():
                break
        return []


def namespaces():
    """The names that ip(8) lists."""
    done = subprocess.run(["ip", "-j", "netns", "list"], check=True, capture_output=True, text=True,
                          env=environment())
    return names(json.loads(done.stdout or "[]"), "name")


def stop(process):
    """Ends a process that we started, with the session it leads."""
    if process.poll() is None:
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait(10)
    if process.stdout:
        process.stdout.close()


CONFIG = botocore.config.Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=5 * PATIENCE,
    read_timeout=120 * PATIENCE, max_pool_connections=4)

SERVER = """
import socket, sys
kind, port = sys.argv[1], int(sys.argv[2])
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(('0.0.0.0', port))
s.settimeout(10)
if kind == 'tcp':
    s.listen()
print('ready', flush=True)
if kind == 'tcp':
    peer, address = s.accept()
    peer.sendall(address[0].encode())
    peer.shutdown(socket.SHUT_WR)
else:
    _, address = s.recvfrom(100)
    s.sendto(address[0].encode(), address)
print(address[0], flush=True)
"""

CLIENT = """
import socket, sys
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM if kind == 'tcp' else socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[4]))
if kind == 'tcp':
    s.connect((address, port))
    said, peer, local = s.recv(100), s.getpeername(), s.getsockname()
else:
    s.sendto(b'hello', (address, port))
    said, peer = s.recvfrom(100)
    s.connect((address, port))
    local = s.getsockname()
print(said.decode(), peer[0], local[0])
"""


def api_state(world):
    """Everything the API tells, as one comparable value."""
    ec2 = world.ec2
    state = {}
    for call in ("describe_vpcs", "describe_subnets", "describe_internet_gateways",
                 "describe_egress_only_internet_gateways",
                 "describe_route_tables", "describe_instances", "describe_network_interfaces",
                 "describe_security_groups", "describe_security_group_rules",
                 "describe_network_acls", "describe_dhcp_options", "describe_managed_prefix_lists",
                 "describe_vpc_peering_connections", "describe_nat_gateways", "describe_addresses",
                 "describe_addresses_attribute", "describe_tags", "describe_instance_status",
                 "describe_volumes", "describe_key_pairs", "describe_launch_templates",
                 "describe_flow_logs", "describe_vpc_endpoints", "describe_prefix_lists"):
        state[call] = getattr(ec2, call)()
        del state[call]["ResponseMetadata"]
    for vpc in state["describe_vpcs"]["Vpcs"]:
        reply = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute="enableDnsHostnames")
        state[vpc["VpcId"]] = reply["EnableDnsHostnames"]
    return state


def living(world):
    """Instances that have a namespace."""
    found = world.ec2.describe_instances(Filters=[
        {"Name": "instance-state-name", "Values": ["pending", "running"]}])["Reservations"]
    return {entry["InstanceId"] for reservation in found for entry in reservation["Instances"]}


def assert_kernel_agrees(world):
    """The kernel holds a namespace for what the API tells, and nothing else of ours."""
    ec2, listed = world.ec2, namespaces()

    def of(prefix):
        return {name for name in listed if name.startswith(prefix + "-")}
    default = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"] if vpc["IsDefault"]}
    vpcs = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    subnets = {entry["SubnetId"]: entry["VpcId"] for entry in ec2.describe_subnets()["Subnets"]}
    own = {subnet for subnet, vpc in subnets.items() if vpc not in default}
    peerings = set(names(ec2.describe_vpc_peering_connections(Filters=[
        {"Name": "status-code", "Values": ["active"]}])["VpcPeeringConnections"],
        "VpcPeeringConnectionId"))
    nats = set(names(ec2.describe_nat_gateways(Filters=[
        {"Name": "state", "Values": ["available"]}])["NatGateways"], "NatGatewayId"))
    for kind, least, most in (
            ("pcx", peerings, peerings), ("nat", nats, nats),
            ("vpc", vpcs - default, vpcs), ("subnet", own, set(subnets)),
            ("igw", set(), set(names(ec2.describe_internet_gateways()["InternetGateways"],
                                     "InternetGatewayId"))),
            ("i", living(world), living(world))):
        assert least <= of(kind), f"no namespace: {least - of(kind)}"
        assert of(kind) <= most, f"only a namespace: {of(kind) - most}"
    assert orphans() == []


def orphans():
    """Processes in a network namespace that has no name."""
    named = [os.stat("/proc/self/ns/net").st_ino]
    for name in namespaces():
        try:
            named.append(os.stat(f"/run/netns/{name}").st_ino)
        except FileNotFoundError:
            pass
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.stat(f"/proc/{name}/ns/net").st_ino not in named and alive(name):
                found.append(int(name))
        except OSError:
            pass
    return found


def links(namespace):
    """Names of the devices in a namespace."""
    done = subprocess.run(["ip", "-n", namespace, "-j", "link"], check=True, capture_output=True,
                          text=True, env=environment())
    return {entry["ifname"] for entry in json.loads(done.stdout)}
