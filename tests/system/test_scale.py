"""
More instances in one subnet than a Linux bridge has ports. MINIVPC_TEST_INSTANCES is how many
(1100 unless told).
"""
import os
import time

import pytest

from lib import IMAGE, INTERNET, links, names, namespaces, wait_for

# 1,100 instances at once, and their end, which the kernel works off for all namespaces in turn.
pytestmark = pytest.mark.alone

COUNT = int(os.environ.get("MINIVPC_TEST_INSTANCES", "1100"))


def test_a_subnet_full_of_instances(own_world):
    vpc = own_world.open_vpc()
    subnet = own_world.subnet(vpc, "10.0.16.0/20")
    far = own_world.subnet(vpc, "10.0.32.0/24", "us-east-1b")
    own_world.route_table(vpc, subnet, own_world.gateway(vpc))
    witness, = own_world.run_instances(far)
    public, = own_world.run_instances(subnet, public=True)
    before = links(subnet)
    started = time.monotonic()
    reply = own_world.ec2.run_instances(ImageId=IMAGE, MinCount=COUNT, MaxCount=COUNT,
                                        SubnetId=subnet)
    ids = names(reply["Instances"], "InstanceId")
    assert len(set(ids)) == COUNT
    addresses = dict(zip(ids, names(reply["Instances"], "PrivateIpAddress")))
    assert len(set(addresses.values())) == COUNT
    own_world.await_state("running", *ids, seconds=30)
    print(f"{COUNT} instances running after {time.monotonic() - started:.2f} s")
    assert set(ids) <= set(namespaces())
    free = own_world.ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]
    assert free["AvailableIpAddressCount"] == 4091 - 1 - COUNT
    sample = sorted({0, 1, COUNT // 2, min(1022, COUNT - 1), min(1023, COUNT - 1), COUNT - 1})
    for index in sample:
        instance, other = ids[index], ids[(index + COUNT // 3) % COUNT]
        own_world.assert_reaches(instance, addresses[other])
        own_world.assert_reaches(witness, addresses[instance])
        own_world.assert_reaches(instance, own_world.private(witness))
    own_world.assert_reaches(public, own_world.internet_address())
    own_world.assert_reaches(INTERNET, own_world.public(public))
    # The daemon still starts, and finds them all.
    own_world.restart()
    own_world.assert_reaches(ids[-1], addresses[ids[0]])
    started = time.monotonic()
    own_world.ec2.terminate_instances(InstanceIds=ids)
    own_world.await_state("terminated", *ids, seconds=30)
    wait_for(lambda: not set(ids) & set(namespaces()), 30, "their namespaces gone")
    print(f"{COUNT} instances gone after {time.monotonic() - started:.2f} s")
    wait_for(lambda: links(subnet) == before, 10, "their devices gone")
    own_world.assert_silent(witness, addresses[ids[-1]])
    own_world.assert_reaches(public, own_world.private(witness))
