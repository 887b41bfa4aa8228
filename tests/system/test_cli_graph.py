"""`minivpc graph`: everything is in the picture, nothing lies over another, no name is markup."""
import html.parser
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from lib import names, tags, tag_specification

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = ["</title></text><script>alert(1)</script>", "\"'><svg onload=alert(1)> &amp; ]]>",
           "new\nline\ttab", "\u202eexe.gnp\u2028", "\x85\u009b31m", "中文" * 60, "🎉 émoji", "W" * 250,
           "end", "`md` **b** [x](http://y)", "\\n \\l \\", "%s%n #quot; {{x}} --> |"]


@pytest.fixture(scope="module")
def lab(world):
    """Two zones with a NAT gateway each, a middlebox, peered VPCs, a crowd, and bad names."""
    ec2 = world.ec2
    ids = {}

    def name(identifier, value):
        ec2.create_tags(Resources=[identifier], Tags=tags(Name=value))
        return identifier
    vpc = ids["vpc"] = name(world.vpc("10.0.0.0/16"), "lab")
    gateway = ids["gateway"] = world.gateway(vpc)
    ids["public table"] = table = name(world.route_table(vpc, None, gateway), "open")
    for i, zone in enumerate("ab"):
        public = ids[f"public {zone}"] = world.subnet(vpc, f"10.0.{i}.0/24", f"us-east-1{zone}")
        private = ids[f"private {zone}"] = world.subnet(vpc, f"10.0.{i + 10}.0/24",
                                                        f"us-east-1{zone}")
        ec2.associate_route_table(RouteTableId=table, SubnetId=public)
        nat = ids[f"nat {zone}"] = ec2.create_nat_gateway(
            SubnetId=public, AllocationId=world.elastic_ip()[0])["NatGateway"]["NatGatewayId"]
        inner = ids[f"table {zone}"] = world.route_table(vpc, private)
        ec2.create_route(RouteTableId=inner, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    box, = world.run_instances(ids["public a"], TagSpecifications=tag_specification(
        "instance", Name="box"))
    ids["box"] = box
    ec2.modify_instance_attribute(InstanceId=box, SourceDestCheck={"Value": False})
    ids["behind"] = world.subnet(vpc, "10.0.20.0/24", "us-east-1b")
    ec2.create_route(RouteTableId=world.route_table(vpc, ids["behind"]),
                     DestinationCidrBlock="198.18.0.0/24",
                     NetworkInterfaceId=world.instance(box)["NetworkInterfaces"][0][
                         "NetworkInterfaceId"])
    ids["card"] = ec2.create_network_interface(SubnetId=ids["behind"])[
        "NetworkInterface"]["NetworkInterfaceId"]
    for i, instance in enumerate(world.run_instances(ids["private b"], count=23)):
        ids[f"crowd {i}"] = instance
    ids["group"] = world.security_group(vpc, "web servers")
    ec2.authorize_security_group_ingress(GroupId=ids["group"], IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443 + port, "ToPort": 443 + port,
         "IpRanges": [{"CidrIp": "0.0.0.0/0"}]} for port in range(30)])
    other = ids["other"] = world.vpc("10.1.0.0/16")
    ids["hostile"] = subnet = name(world.subnet(other, "10.1.0.0/24"), HOSTILE[0])
    name(other, HOSTILE[1])
    for i, bad in enumerate(HOSTILE):
        instance, = world.run_instances(subnet, TagSpecifications=tag_specification(
            "instance", Name=bad))
        ids[f"hostile {i}"] = instance
    third = ids["third"] = world.vpc("10.2.0.0/16")
    ids["peering"] = world.peering(vpc, other)
    ids["unrouted"] = world.peering(other, third)
    for one, block in ((vpc, "10.1.0.0/16"), (other, "10.0.0.0/16")):
        ec2.create_route(RouteTableId=world.main_table(one)["RouteTableId"],
                         DestinationCidrBlock=block, VpcPeeringConnectionId=ids["peering"])
    ids["detached"] = world.gateway()
    return ids


class Picture:
    """An SVG's places and ways."""

    def __init__(self, text):
        self.root = ElementTree.fromstring(text)
        self.places, self.ways = {}, []
        for group in self.root.iter(SVG + "g"):
            classes = group.get("class").split()
            if "way" in classes:
                self.ways.append((group.get("data-from"), group.get("data-to"), group))
                continue
            rect = group.find(SVG + "rect")
            x, y, width, height = (float(rect.get(key)) for key in ("x", "y", "width", "height"))
            assert group.get("data-id") not in self.places
            self.places[group.get("data-id")] = {
                "in": group.get("data-in"), "box": (x, y, x + width, y + height),
                "kind": classes[1], "classes": classes, "group": group,
                "texts": [text.text for text in group.findall(SVG + "text")],
                "title": group.find(SVG + "title").text}

    def way(self, start, end):
        group, = [group for one, other, group in self.ways if (one, other) == (start, end)]
        points = re.findall(r"[ML](\d+) (\d+)", group.find(SVG + "path").get("d"))
        return [(int(x), int(y)) for x, y in points], group.find(SVG + "title").text


@pytest.fixture(scope="module")
def picture(world, lab):
    return Picture(world.run("graph", "-o", "svg").stdout)


def inside(inner, outer):
    return outer[0] <= inner[0] and outer[1] <= inner[1] and \
        inner[2] <= outer[2] and inner[3] <= outer[3]


def overlap(one, other):
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def test_everything_is_there(lab, picture):
    assert set(lab.values()) <= set(picture.places)
    parents = {"public a": "us-east-1a", "behind": "us-east-1b"}
    for subnet, zone in parents.items():
        assert picture.places[lab[subnet]]["in"] == f"{lab['vpc']} {zone}"
    assert picture.places[lab["nat a"]]["in"] == lab["public a"]
    assert picture.places[lab["peering"]]["in"] == "world"
    assert "internet" in picture.places and "host internet" in picture.places


def test_boxes_are_in_their_parents_and_apart(picture):
    canvas = (0, 0, float(picture.root.get("width")), float(picture.root.get("height")))
    siblings = {}
    for place in picture.places.values():
        outer = canvas if place["in"] == "world" else picture.places[place["in"]]["box"]
        if place["kind"] == "gateway" and "faded" not in place["classes"]:
            x, y, right, bottom = place["box"]  # on the VPC's upper border
            assert outer[0] < x and right < outer[2] and y < outer[1] < bottom < outer[3]
        else:
            assert inside(place["box"], outer), place
        siblings.setdefault(place["in"], []).append(place)
    for group in siblings.values():
        for i, one in enumerate(group):
            for other in group[:i]:
                assert not overlap(one["box"], other["box"]), (one["texts"], other["texts"])


def test_a_gateway_is_on_no_other_vpc(picture):
    for gateway in picture.places.values():
        for vpc in picture.places.values():
            if gateway["kind"] == "gateway" and vpc["kind"] in ("vpc", "zone", "subnet", "table"):
                assert vpc["group"].get("data-id") == gateway["in"] or \
                    not overlap(gateway["box"], vpc["box"])


def crosses(points, box):
    """Does the way pass through the inside of the box?"""
    return any(overlap((min(x, right), min(y, bottom), max(x, right) + 1, max(y, bottom) + 1),
                       tuple(edge + shrink for edge, shrink in zip(box, (1, 1, -1, -1))))
               for (x, y), (right, bottom) in zip(points, points[1:]))


def test_ways_begin_and_end_at_their_boxes_and_cross_no_other(picture, lab):
    assert {(lab["public a"], lab["gateway"]), (lab["public b"], lab["gateway"]),
            (lab["private a"], lab["nat a"]), (lab["private b"], lab["nat b"]),
            (lab["behind"], lab["box"]), (lab["hostile"], lab["peering"]),
            (lab["third"], lab["unrouted"]), (lab["gateway"], "internet")} <= {
                way[:2] for way in picture.ways}
    for start, end, _ in picture.ways:
        points, _ = picture.way(start, end)
        for (x, y), place in ((points[0], start), (points[-1], end)):
            left, top, right, bottom = picture.places[place]["box"]
            assert left <= x <= right and top <= y <= bottom
        for identifier, place in picture.places.items():
            if place["kind"] in ("instance", "nat", "interface", "table", "acl", "group",
                                 "gateway", "peering") and identifier not in (start, end):
                assert not crosses(points, place["box"]), (start, end, identifier)


def test_routes_are_told(lab, picture):
    assert picture.way(lab["private a"], lab["nat a"])[1].startswith("0.0.0.0/0\n")
    table = picture.places[lab["public table"]]
    assert table["texts"] == ["route table open", "10.0.0.0/16 → local",
                              f"0.0.0.0/0 → {lab['gateway']}"]
    assert lab["public a"] in table["title"] and lab["public b"] in table["title"]
    assert "public" in picture.places[lab["public a"]]["classes"]
    assert "public" not in picture.places[lab["private a"]]["classes"]
    assert "routes: open" in picture.places[lab["public a"]]["texts"]
    group = picture.places[lab["group"]]
    assert group["texts"][-1] == "… and 18 more" and "tcp 472 from" in group["title"]


def test_text_is_cut_to_its_box(picture):
    """By the widths of DejaVu Sans Bold's letters, where it is worst."""
    wide = {"W": 1.103, "中": 1.0, "i": 0.343}
    for place in picture.places.values():
        for text in place["texts"]:
            least = sum(wide.get(letter, 0.3) for letter in text) * 11
            assert least <= place["box"][2] - place["box"][0] - 10, text


def test_names_are_only_text(picture, lab, world):
    assert {element.tag for element in picture.root.iter()} == {
        SVG + tag for tag in ("svg", "style", "defs", "marker", "path", "g", "title", "rect",
                              "text")}
    assert picture.places[lab["hostile 0"]]["title"].startswith(HOSTILE[0] + "\n")
    for place in picture.places.values():
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", place["title"])
    starts = []

    class Reader(html.parser.HTMLParser):
        def handle_starttag(self, tag, attrs):
            starts.append((tag, attrs))
    page = world.run("graph", "-o", "html").stdout
    Reader().feed(page)
    assert [tag for tag, _ in starts].count("script") == 1
    assert not [attribute for _, attrs in starts for attribute in attrs
                if attribute[0].startswith("on") or attribute[0] in ("src", "href")]
    assert not re.search(r"url\((?!#)|@import", page)
    assert set(lab.values()) <= {dict(attrs).get("data-id") for _, attrs in starts}


def test_text_and_json(world, lab):
    text = world.run("graph").stdout
    assert all(identifier in text for identifier in lab.values())
    lines = text.splitlines()
    line, = [line for line in lines if lab["public a"] in line]
    assert line == f"      subnet {lab['public a']}  10.0.0.0/24; routes: open; ACL: default"
    assert f"      0.0.0.0/0 → {lab['gateway']}" in lines
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e]", text)

    found = json.loads(world.run("graph", "-o", "json").stdout)
    seen = {}

    def walk(place):
        assert place["id"] not in seen
        seen[place["id"]] = place
        for child in place["children"]:
            walk(child)
    walk(found)
    assert set(lab.values()) <= set(seen)
    assert {"kind": "route", "from": lab["private a"], "to": lab["nat a"],
            "destinations": "0.0.0.0/0"} in found["ways"]
    assert seen[lab["detached"]]["inUse"] is False


@pytest.mark.skipif(not shutil.which("dot"), reason="no Graphviz")
def test_graphviz_draws_it(world, lab):
    done = subprocess.run(["dot", "-Tsvg"], input=world.run("graph", "-o", "dot").stdout,
                          capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == ""
    titles = {title.text for title in ElementTree.fromstring(done.stdout).iter(SVG + "title")}
    assert {one for name, one in lab.items() if name.startswith("hostile ")} <= titles
    assert f"{lab['private a']}->{lab['nat a']}" in titles
    assert f"cluster {lab['vpc']}" in titles


def test_mermaid(world, lab):
    """Each line is one of Mermaid's, and no label holds what could mean something to it."""
    lines = world.run("graph", "-o", "mermaid").stdout.splitlines()
    node, label = r"\w+", r"\"(?:[\w .,:/()→…🎉\u0080-\U0010ffff-]|#\d+;|<br/>)*\""
    assert lines[0] == "flowchart BT"
    for line in lines[1:]:
        assert re.fullmatch(rf" *(subgraph )?{node}\[{label}\]|"
                            rf" *{node}_inside\((routes|\" \")\)| *end|"
                            rf" {node} (-->|-\.-|<-->)(\|{label}\|)? {node}", line), line
    assert sum("subgraph" in line for line in lines) == \
        sum(line.strip() == "end" for line in lines)
    assert all(any(identifier in line for line in lines) for identifier in lab.values())


def test_one_vpc(world, lab):
    text = world.run("graph", "--vpc", "lab").stdout
    assert lab["box"] in text and lab["peering"] in text
    assert lab["third"] not in text and lab["hostile"] not in text
    assert text == world.run("graph", "--vpc", lab["vpc"]).stdout
    Picture(world.run("graph", "--vpc", lab["third"], "-o", "svg").stdout)
    done = world.run("graph", "--vpc", "nowhere", check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == \
        "minivpc: there is no VPC 'nowhere': minivpc graph without --vpc shows all\n"


def test_the_default_vpc_is_drawn_when_it_is_used(world):
    ec2 = world.client(region="eu-west-1")
    vpc, = names(ec2.describe_vpcs()["Vpcs"], "VpcId")
    subnets = names(ec2.describe_subnets()["Subnets"], "SubnetId")
    text = world.run("graph").stdout
    assert f"VPC {vpc}  172.31.0.0/16; the default VPC: nothing is in its {len(subnets)} " \
        "subnets (shown by --vpc)" in text
    assert subnets[0] not in text
    assert subnets[0] in world.run("graph", "--vpc", vpc).stdout
    card = ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]
    assert set(subnets) <= set(Picture(world.run("graph", "-o", "svg").stdout).places)
    ec2.delete_network_interface(NetworkInterfaceId=card["NetworkInterfaceId"])


def test_nothing_at_all(own_world):
    assert own_world.run("graph").stdout == "Internet\n  internet  198.18.0.10\n"
    for form in ("svg", "html", "dot", "mermaid", "json"):
        assert own_world.run("graph", "-o", form).stdout
    assert set(Picture(own_world.run("graph", "-o", "svg").stdout).places) == {
        "internet", "host internet"}


def test_it_is_the_same_each_time(world, lab):
    for form in ("text", "svg", "dot"):
        assert world.run("graph", "-o", form).stdout == world.run("graph", "-o", form).stdout
