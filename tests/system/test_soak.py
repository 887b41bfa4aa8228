"""
Random calls from eight clients in three accounts at once, each answer foretold by a model
(soak_model.py), and real packets foretold too; the daemon is killed now and then. At the end of each
turn the world is empty again, and the daemon is as small as it was.

SOAK_SECONDS=… lasts as long (120), SOAK_SEED=… makes the same choices; a failure prints it.
SOAK_GO_ON=1 lets the other clients go on where one has found something.
"""
import collections
import concurrent.futures
import contextlib
import copy
import os
import random
import threading
import time
import traceback

import pytest

from lib import wait_for
from soak_client import Broken, Call, Line, Reply
from soak_dice import Dice, RACING, WEIGHTS, call_name
from soak_growth import Weight
from soak_doubt import found_reply
from soak_model import Model, check
from soak_network import Again
from soak_packets import Packets
from soak_values import differences

SEED = os.environ.get("SOAK_SEED") or str(random.SystemRandom().randrange(10 ** 9))
SECONDS = float(os.environ.get("SOAK_SECONDS", "120"))
GO_ON = "SOAK_GO_ON" in os.environ
CLIENTS = 8
ACCOUNTS = ("210987654321", "333333333333")  # besides the first
LONGEST_TURN = 60
DEATHS = 3  # of the daemon, in each turn of the first third
COMMON = 0.1  # calls about what several clients share, beside their own
PATIENCE = 6000  # questions: a minute at least
ENOUGH = 10000  # calls: by then every action has been granted


# What these make is shown for an hour or two when it is no more.
SHOWN_AFTERWARDS = ("RunInstances", "CreateNatGateway", "CreateVpcPeeringConnection")
GRADUAL = ("AcceptVpcPeeringConnection", "CreateVpcPeeringConnection")
# These end the processes of an instance.
ENDING = ("RebootInstances", "StopInstances", "TerminateInstances")


class Divergence(Exception):
    """minivpc and the model disagree."""


class Client:
    """One of the eight: its model, its line, and what it did last."""

    def __init__(self, soak, number, account, key, secret):
        self.soak, self.account = soak, account
        self.model = Model(f"client{number}", account)
        self.line, self.second = Line(soak.world, key, secret), Line(soak.world, key, secret)
        self.last = collections.deque(maxlen=25)
        self.found = None  # by its own last question
        self.views = self.again = self.doubts = self.heard = self.races = 0
        self.granted, self.codes = collections.Counter(), collections.Counter()
        self.packets = Packets(self, number)

    # Asking.

    def ask(self, call):
        """The model's own questions, which have an answer: waits before it asks the same again."""
        if isinstance(call, Again):
            time.sleep(0.01)
            self.again += 1
            if self.again > PATIENCE:
                self.fail([f"{call}: waited for, in vain", f"{self.found}"])
        else:
            self.again = 0
        while True:
            try:
                reply = self.line.ask(call)
                break
            except Broken:
                self.soak.up.wait()
        if reply.code:
            self.fail([f"{call}: {reply}"])
        self.found = reply.tree
        return self.found

    def call(self, call):
        """Whether there was an answer, or what the call does is done."""
        world, instance = self.soak.world, call.parameters.get("InstanceId.1")
        if call.action in ENDING:
            self.packets.forget(instance)
        before = world.init(instance) if call.action == "RebootInstances" else None
        self.last.append(f"{call}")
        self.again = 0
        try:
            reply = self.line.ask(call)
        except Broken:
            self.last[-1] += "\n      -> in doubt"
            self.soak.up.wait()
            if call.action == "RebootInstances":  # its init may go at any time: now it will
                return self.call(call)
            return self.resolve(call)
        self.last[-1] += f"\n      -> {reply.code or 'ok'}"
        wrong = check(self.model, call, reply, self.ask)
        self.granted[call.action] += not reply.code
        self.codes[reply.code] += bool(reply.code)
        if wrong:
            self.fail(wrong)
        if call.action == "RebootInstances" and not reply.code:
            wait_for(lambda: world.init(instance) not in (None, before), 60,
                     f"{self.model.name}: {instance} has rebooted")
        return True

    def resolve(self, call):
        """Nobody heard the answer: the call is whole, or there was none. Whether it is."""
        self.doubts += 1
        self.model.see_cut_short(call, self.ask)
        absent = self.wrong_views()
        if not absent:
            return False
        self.last[-1] += ", but it was heard"
        self.heard += 1
        reply = Reply(None, None, found_reply(self.model, call, self.ask))
        wrong = check(self.model, call, reply, self.ask, lenient=True)
        for _ in range(PATIENCE):  # peerings are accepted in steps
            wrong = wrong or self.wrong_views()
            if not wrong or call.action not in GRADUAL:
                break
            wrong = time.sleep(0.01)
        if wrong:
            self.fail(["not absent:", *absent, "not whole:", *wrong])
        return True

    def wrong_views(self):
        for views in (self.model.views(), self.model.rule_views()):
            for action, parameters, member, expected in views:
                wrong = self.wrong_view(action, parameters, member, expected)
                if wrong:
                    return wrong
        return []

    def race(self, dice):
        """Two calls at once, by two connections: the answers are those of one order or the other."""
        calls = [dice.next(RACING), dice.next(RACING)]
        if dice.chance(0.5):
            calls[1] = calls[0]
        self.last.append(f"at once: {calls[0]}\n     and: {calls[1]}")
        for line, call in zip((self.line, self.second), calls):
            line.send(call)
        replies = [self.line.hear(), self.second.hear()]
        self.last[-1] += f"\n      -> {replies[0].code or 'ok'}, {replies[1].code or 'ok'}"
        before, wrong = self.model, []
        pairs = list(zip(calls, replies))
        for order in (pairs, pairs[::-1]):
            self.model = copy.deepcopy(before)
            found = [line for call, reply in order
                     for line in check(self.model, call, reply, self.ask)] or self.wrong_views()
            if not found:
                break
            wrong += found
        else:
            self.fail(wrong)
        dice.model = self.model
        self.races += 1
        for call, reply in pairs:
            self.granted[call.action] += not reply.code
            self.codes[reply.code] += bool(reply.code)

    def wrong_view(self, action, parameters, member, expected):
        tree = self.ask(Call(action, parameters))
        self.views += 1
        wrong = differences(expected, tree.get(member), action)
        return [f"{action} {parameters}", *wrong] if wrong else []

    def compare(self):
        """All there is with all there should be."""
        wrong = self.wrong_views()
        if wrong:
            self.fail(wrong)

    def fail(self, wrong):
        raise Divergence("\n".join([f"SOAK_SEED={SEED} {self.model.name}:", *wrong, "last calls:",
                                    *self.last]))

    # A turn.

    def turn(self, number, deadline):
        try:
            dice = Dice(f"{SEED} {self.model.name} {number}", self.model,
                        self.soak.strangers(self.account), number)
            while time.monotonic() < deadline and not self.soak.failed.is_set():
                self.step(dice)
                if self.account == self.soak.commons.account and dice.chance(COMMON):
                    self.soak.commons.lend(self)
            if not self.soak.failed.is_set():
                self.drain()
        except Exception as error:
            if not GO_ON:
                self.soak.failed.set()
            if not isinstance(error, Divergence):
                self.fail([traceback.format_exc()])
            raise

    def step(self, dice):
        """A call, sometimes more."""
        self.call(dice.next())
        if dice.chance(0.03) and not self.soak.deadly:
            self.race(dice)
        if dice.chance(0.05):
            wrong = self.packets.check(dice)
            if wrong:
                self.fail(wrong)
        if dice.chance(0.03):
            self.compare()

    def insist(self, call):
        """Once more where the daemon died of the first and had done nothing."""
        while not self.call(call):
            pass

    def drain(self):
        """Deletes all it has, each in the right order; every call of it has to succeed."""
        things = self.model.things

        def every(kind, action, parameter, found=None):
            for identifier in list(found if found is not None else things[kind]):
                self.insist(Call(action, {parameter: identifier}))
        for instance in list(things["i"].values()):
            if instance["_protected"]:
                self.insist(Call("ModifyInstanceAttribute", {
                    "InstanceId": instance["instanceId"], "DisableApiTermination.Value": "false"}))
        every("i", "TerminateInstances", "InstanceId.1",
              [key for key, thing in things["i"].items() if thing["_state"] != "terminated"])
        every("vpce", "DeleteVpcEndpoints", "VpcEndpointId.1")
        every("nat", "DeleteNatGateway", "NatGatewayId",
              [key for key, thing in things["nat"].items() if thing["state"] == "available"])
        every("eipalloc", "DisassociateAddress", "AssociationId",
              [address["associationId"] for address in things["eipalloc"].values()
               if address["_at"]])
        every("eipalloc", "ReleaseAddress", "AllocationId")
        every("eni", "DeleteNetworkInterface", "NetworkInterfaceId")
        every("vol", "DeleteVolume", "VolumeId")
        every("pcx", "DeleteVpcPeeringConnection", "VpcPeeringConnectionId",
              [key for key, thing in things["pcx"].items()
               if thing["_status"] in ("active", "pending-acceptance")])
        every("subnet", "DeleteSubnet", "SubnetId")
        for table in list(things["rtb"].values()):
            if not self.model.is_main(table):
                every("rtb", "DeleteRouteTable", "RouteTableId", [table["routeTableId"]])
        every("acl", "DeleteNetworkAcl", "NetworkAclId",
              [key for key, thing in things["acl"].items() if thing["default"] == "false"])
        self.drain_groups()
        for gateway in list(things["igw"].values()):
            for attachment in gateway["attachmentSet"]:
                self.insist(Call("DetachInternetGateway", {
                    "InternetGatewayId": gateway["internetGatewayId"],
                    "VpcId": attachment["vpcId"]}))
        every("igw", "DeleteInternetGateway", "InternetGatewayId")
        every("vpc", "DeleteVpc", "VpcId")
        every("pl", "DeleteManagedPrefixList", "PrefixListId")
        every("dopt", "DeleteDhcpOptions", "DhcpOptionsId")
        every("lt", "DeleteLaunchTemplate", "LaunchTemplateId")
        every("key", "DeleteKeyPair", "KeyName",
              [pair["keyName"] for pair in things["key"].values()])
        self.compare()
        self.line.close()
        self.second.close()
        for kind in ("nat", "pcx"):  # what is there no longer, and shown for an hour yet
            things[kind].clear()

    def drain_groups(self):
        """They may name one another."""
        groups = self.model.things["sg"]
        for identifier, group in list(groups.items()):
            for egress, protocol, first, last, kind, peer in list(group["_rules"].values()):
                if kind != "cidr":
                    member = {"group": "Groups.1.GroupId",
                              "prefixes": "PrefixListIds.1.PrefixListId"}[kind]
                    ports = {"IpPermissions.1.FromPort": str(first),
                             "IpPermissions.1.ToPort": str(last)} \
                        if protocol in ("tcp", "udp", "icmp") else {}
                    self.insist(Call(f"RevokeSecurityGroup{'Egress' if egress else 'Ingress'}", {
                        "GroupId": identifier, "IpPermissions.1.IpProtocol": protocol,
                        f"IpPermissions.1.{member}": peer, **ports}))
        for identifier, group in list(groups.items()):
            if group["groupName"] != "default":
                self.insist(Call("DeleteSecurityGroup", {"GroupId": identifier}))


class Commons(Client):
    """What several clients change in turn, each by its own lines."""

    def __init__(self, soak, number, account):
        super().__init__(soak, number, account, None, None)
        self.lock, self.own = threading.Lock(), (self.line, self.second)
        self.dice = None

    def begin(self, turn):
        self.dice = Dice(f"{SEED} {self.model.name} {turn}", self.model,
                         self.soak.strangers(self.account), turn)

    def drain_after(self, others):
        concurrent.futures.wait(others)
        if not self.soak.failed.is_set():
            self.drain()

    def lend(self, client):
        with self.lock:
            self.line, self.second = client.line, client.second
            self.last.append(f"(by {client.model.name})")
            self.step(self.dice)
            self.line, self.second = self.own


class Soak:
    """All clients, in turns."""

    def __init__(self, world):
        self.world, self.failed, self.up = world, threading.Event(), threading.Event()
        self.up.set()
        # A verb of the command line starts a daemon where it finds none: not while one is dead.
        self.verbs = threading.Semaphore(CLIENTS)
        self.deaths, self.deadly = 0, False
        keys = [(None, None)]
        self.accounts = ["123456789012", *ACCOUNTS]
        for account in ACCOUNTS:
            world.run("account create", account)
            exports = world.run("env", "--account", account).stdout
            keys.append(tuple(line.split("'")[1] for line in exports.splitlines()
                              if "KEY" in line.split("=")[0]))
        self.clients = [Client(self, number, self.accounts[number % 3], *keys[number % 3])
                        for number in range(CLIENTS)]
        self.commons = Commons(self, CLIENTS, self.accounts[0])
        self.all = [*self.clients, self.commons]

    def close(self):
        for client in self.all:
            client.packets.close()

    def summed(self, name):
        """A counter of all clients."""
        return sum((getattr(client, name) for client in self.all), collections.Counter())

    def never(self):
        """What was not granted even once."""
        actions = {call_name(name) for name in WEIGHTS} - {"Revoke", "AuthorizeIngress",
                                                           "AuthorizeEgress"}
        return actions - set(self.summed("granted"))

    def told(self):
        granted, codes = self.summed("granted"), self.summed("codes")
        packets = [client.packets for client in self.all]
        return (f"{granted.total() + codes.total()} calls, {codes.total()} refused by {len(codes)} "
                f"codes; {sum(client.views for client in self.all)} descriptions; "
                f"{sum(one.sent for one in packets)} packets sent, "
                f"{sum(one.arrived for one in packets)} heard; {self.deaths} deaths, "
                f"{sum(client.doubts for client in self.all)} calls in doubt, "
                f"{sum(client.heard for client in self.all)} of them whole, "
                f"{sum(client.races for client in self.all)} pairs at once")

    def strangers(self, account):
        """Ids that other accounts' clients have had at the beginning of the turn."""
        return [identifier for client in self.all if client.account != account
                for things in client.model.things.values() for identifier in list(things)]

    def turn(self, number, seconds, kills=0):
        """With so many deaths of the daemon in it."""
        deadline, self.deadly = time.monotonic() + seconds, kills > 0
        dice = random.Random(f"{SEED} deaths {number}")
        self.commons.begin(number)
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            running = [pool.submit(client.turn, number, deadline) for client in self.clients]
            for _ in range(kills):
                self.failed.wait(dice.uniform(0.5, 1.3) * seconds / (kills + 1))
                self.up.clear()
                for _ in self.clients:
                    self.verbs.acquire()
                try:
                    self.world.restart()
                finally:
                    self.up.set()
                    self.verbs.release(CLIENTS)
                self.deaths += 1
            if not self.failed.is_set():
                running.append(pool.submit(self.commons.drain_after, running[:]))
        wrong = [done.exception() for done in running if done.exception()]
        if wrong:
            pytest.fail("\n\n".join(map(str, wrong)), pytrace=False)


def still(measure, first):
    """The kernel tidies up in its own time: what is there once it has."""
    end = time.monotonic() + 60
    while True:
        found = measure()
        if first is None or not found.differences(first) or time.monotonic() > end:
            return found
        time.sleep(0.2)


def test_soak(make_world, capsys):
    def say(text):
        with contextlib.nullcontext() if "PYTEST_XDIST_WORKER" in os.environ else capsys.disabled():
            print(text, flush=True)  # a worker's own output nobody sees
    say(f"[SOAK_SEED={SEED}]")
    with make_world() as world:
        soak = Soak(world)
        turns = max(3, round(SECONDS / LONGEST_TURN))
        weights = []
        try:
            for number in range(turns):
                # Memory is compared with what the same daemon had, so that it may live later on.
                soak.turn(number, SECONDS / turns, DEATHS if number < turns / 3 else 0)
                shown = sum(soak.summed("granted")[action] for action in SHOWN_AFTERWARDS)
                weights.append(still(lambda: Weight(world, shown), weights[0] if weights else None))
                say(f"turn {number}: {soak.told()}; {weights[-1].resident >> 10} KiB, "
                    f"{weights[-1].stored >> 10} KiB stored; {shown} made that are shown when gone")
                weights[-1].assert_no_more_than(next(
                    weight for weight in weights if weight.pid == weights[-1].pid))
        finally:
            soak.close()
        say(f"refused: {dict(soak.summed('codes').most_common())}")
        if soak.summed("granted").total() > ENOUGH:
            assert not (never := soak.never()), f"always refused: {never}"
