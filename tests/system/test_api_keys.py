"""Key pairs: what ssh-keygen and openssl make of ours and we of theirs; what instances keep."""
import base64
import hashlib
import os
import re
import subprocess

import pytest

from conformance import demand
from lib import IMAGE, names, refused, tag_specification, tags

NOWHERE = "key-0fedcba9876543210"


@pytest.fixture(scope="module")
def ec2(world):
    return world.ec2


@pytest.fixture(autouse=True)
def no_pairs(request):
    yield
    if "ec2" in request.fixturenames:
        ec2 = request.getfixturevalue("ec2")
        for name in names(ec2.describe_key_pairs()["KeyPairs"], "KeyName"):
            ec2.delete_key_pair(KeyName=name)


def output(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, **options).stdout


def fingerprint(digest):
    return ":".join(f"{byte:02x}" for byte in digest)


def make(tmp_path, kind, bits=None, name="key"):
    """A key of ssh-keygen's: its path."""
    path = tmp_path / name
    output("ssh-keygen", "-q", "-t", kind, *(["-b", str(bits)] if bits else []), "-N", "",
           "-C", "someone@somewhere", "-f", path)
    return path


def save(tmp_path, material):
    path = tmp_path / "private"
    path.write_text(material)
    path.chmod(0o600)
    return path


def described(ec2, name):
    pair, = ec2.describe_key_pairs(KeyNames=[name], IncludePublicKey=True)["KeyPairs"]
    return pair


def test_rsa_made(ec2, tmp_path):
    made = ec2.create_key_pair(KeyName="made")
    demand(made, ["KeyPairId", "KeyName", "KeyFingerprint", "KeyMaterial"])
    assert re.fullmatch("key-[0-9a-f]{17}", made["KeyPairId"])
    assert made["KeyMaterial"].startswith("-----BEGIN RSA PRIVATE KEY-----\n")
    path = save(tmp_path, made["KeyMaterial"])
    # All that the file says fits together, and it is the key told by DescribeKeyPairs.
    assert b"RSA key ok" in output("openssl", "rsa", "-in", path, "-check", "-noout")
    assert output("ssh-keygen", "-l", "-f", path).split()[0] == b"2048"
    line = output("ssh-keygen", "-y", "-f", path).decode().split()
    assert described(ec2, "made")["PublicKey"].split() == [*line[:2], "made"]
    der = output("openssl", "pkcs8", "-topk8", "-nocrypt", "-in", path, "-outform", "DER")
    assert made["KeyFingerprint"] == fingerprint(hashlib.sha1(der).digest())


def test_ed25519_made(ec2, tmp_path):
    made = ec2.create_key_pair(KeyName="made", KeyType="ed25519", KeyFormat="pem")
    assert made["KeyMaterial"].startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    path = save(tmp_path, made["KeyMaterial"])
    line = output("ssh-keygen", "-y", "-f", path).decode().split()
    assert line[0] == "ssh-ed25519"
    assert described(ec2, "made")["PublicKey"].split() == [*line[:2], "made"]
    digest = output("ssh-keygen", "-l", "-f", path).decode().split()[1]
    assert made["KeyFingerprint"] == digest.removeprefix("SHA256:") + "="
    # The private half is that of the public one: what it signs is verified by the public line.
    allowed, text = tmp_path / "allowed", tmp_path / "text"
    allowed.write_text(f"me {line[0]} {line[1]}\n")
    text.write_text("hello")
    output("ssh-keygen", "-q", "-Y", "sign", "-f", path, "-n", "file", text)
    output("ssh-keygen", "-q", "-Y", "verify", "-f", allowed, "-I", "me", "-n", "file", "-s",
           f"{text}.sig", input=b"hello")


def test_material_is_kept_nowhere(ec2, world):
    made = ec2.create_key_pair(KeyName="secret", KeyType="ed25519")["KeyMaterial"]
    assert "KeyMaterial" not in described(ec2, "secret")
    line = made.split("\n")[3].encode()  # of the private part alone
    for directory, _, files in os.walk(world.state):
        for name in files:
            path = os.path.join(directory, name)
            if os.path.isfile(path):
                with open(path, "rb") as file:
                    assert line not in file.read(), path
    assert b"secret" in b"".join(open(os.path.join(directory, name), "rb").read()
                                 for directory, _, files in os.walk(world.state)
                                 for name in files
                                 if os.path.isfile(os.path.join(directory, name)))


@pytest.mark.parametrize("bits", [1024, 2048, 3072, 4096])
def test_rsa_imported(ec2, tmp_path, bits):
    path = make(tmp_path, "rsa", bits)
    line = path.with_suffix(".pub").read_bytes()
    reply = ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=line)
    demand(reply, ["KeyPairId", "KeyName", "KeyFingerprint"])
    pem = output("ssh-keygen", "-e", "-m", "PKCS8", "-f", path.with_suffix(".pub"))
    der = output("openssl", "pkey", "-pubin", "-outform", "DER", input=pem)
    assert reply["KeyFingerprint"] == fingerprint(hashlib.md5(der).digest())
    pair = described(ec2, "mine")
    assert pair["PublicKey"].encode().split()[:2] == line.split()[:2]
    assert (pair["KeyType"], pair["KeyFingerprint"]) == ("rsa", reply["KeyFingerprint"])


def test_ed25519_imported(ec2, tmp_path):
    path = make(tmp_path, "ed25519")
    line = path.with_suffix(".pub").read_bytes()
    reply = ec2.import_key_pair(KeyName="mine", PublicKeyMaterial=line)
    blob = base64.b64decode(line.split()[1])
    assert reply["KeyFingerprint"] == base64.b64encode(hashlib.sha256(blob).digest()).decode()
    assert described(ec2, "mine")["KeyType"] == "ed25519"
    rfc4716 = output("ssh-keygen", "-e", "-f", path.with_suffix(".pub"))
    again = ec2.import_key_pair(KeyName="again", PublicKeyMaterial=rfc4716)
    assert again["KeyFingerprint"] == reply["KeyFingerprint"]


def test_what_is_no_key(ec2, tmp_path):
    ecdsa = make(tmp_path, "ecdsa")
    small = b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAABAD/////"
    for material in (b"banana", b"ssh-rsa", b"ssh-rsa AAAA", b"ssh-rsa AAAA\0", b"\xff\xfe", small,
                     ecdsa.read_bytes(), ecdsa.with_suffix(".pub").read_bytes()):
        refused("InvalidKey.Format", ec2.import_key_pair, KeyName="bad",
                PublicKeyMaterial=material,
                text="Key is not in valid OpenSSH public key format")
    assert ec2.describe_key_pairs()["KeyPairs"] == []


def test_names(ec2):
    ec2.create_key_pair(KeyName="taken", KeyType="ed25519")
    before = described(ec2, "taken")
    refused("InvalidKeyPair.Duplicate", ec2.create_key_pair, KeyName="taken",
            text="The keypair 'taken' already exists.")
    refused("InvalidKeyPair.Duplicate", ec2.import_key_pair, KeyName="taken",
            PublicKeyMaterial=before["PublicKey"].encode())
    assert described(ec2, "taken") == before
    for name in ("x" * 256, " leading", "trailing ", "schlüssel"):
        refused("InvalidParameterValue", ec2.create_key_pair, KeyName=name)
    refused("MissingParameter", ec2.create_key_pair, KeyName="")
    for name in ("x" * 255, "with a space", "sl/ash & <xml>"):
        ec2.create_key_pair(KeyName=name, KeyType="ed25519")
        assert described(ec2, name)["KeyName"] == name


def test_refused_choices(ec2):
    refused("UnsupportedOperation", ec2.create_key_pair, KeyName="putty", KeyFormat="ppk")
    refused("InvalidParameterValue", ec2.create_key_pair, KeyName="dsa", KeyType="dsa")
    refused("InvalidParameterValue", ec2.create_key_pair, KeyName="jks", KeyFormat="jks")
    refused("DryRunOperation", ec2.create_key_pair, KeyName="dry", DryRun=True, status=412)
    assert ec2.describe_key_pairs()["KeyPairs"] == []


def test_describe(ec2):
    made = {name: ec2.create_key_pair(
        KeyName=name, KeyType="ed25519", TagSpecifications=tag_specification(
            "key-pair", Name=name, Suite="odd" if name == "b" else "even")) for name in "abc"}

    def found(**arguments):
        return "".join(names(ec2.describe_key_pairs(**arguments)["KeyPairs"], "KeyName"))
    for pair in ec2.describe_key_pairs()["KeyPairs"]:
        demand(pair, ["KeyPairId", "KeyFingerprint", "KeyName", "KeyType", "Tags", "CreateTime"])
        assert "PublicKey" not in pair
    assert found() == "abc"
    assert found(KeyNames=["b"]) == found(KeyPairIds=[made["b"]["KeyPairId"]]) == "b"
    assert found(KeyNames=["c", "c"], KeyPairIds=[made["a"]["KeyPairId"]]) == "ac"
    for name, value, wanted in (
            ("key-name", "b", "b"), ("key-name", "*", "abc"), ("tag:Suite", "even", "ac"),
            ("tag-key", "Suite", "abc"), ("key-pair-id", made["c"]["KeyPairId"], "c"),
            ("fingerprint", made["a"]["KeyFingerprint"], "a")):
        assert found(Filters=[{"Name": name, "Values": [value]}]) == wanted, name
    refused("InvalidParameterValue", ec2.describe_key_pairs,
            Filters=[{"Name": "key-type", "Values": ["rsa"]}])
    refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyNames=["a", "nokey"],
            text="The key pair 'nokey' does not exist")
    refused("InvalidKeyPair.NotFound", ec2.describe_key_pairs, KeyPairIds=[NOWHERE])
    ec2.create_tags(Resources=[made["a"]["KeyPairId"]], Tags=tags(Colour="red"))
    assert found(Filters=[{"Name": "tag:Colour", "Values": ["red"]}]) == "a"
    assert made["a"]["Tags"] == tags(Name="a", Suite="even")


def test_delete(ec2):
    one, two = (ec2.create_key_pair(KeyName=name, KeyType="ed25519")["KeyPairId"]
                for name in ("one", "two"))
    ec2.delete_key_pair(KeyName="one")
    assert names(ec2.describe_key_pairs()["KeyPairs"], "KeyName") == ["two"]
    ec2.delete_key_pair(KeyPairId=two)
    assert ec2.describe_key_pairs()["KeyPairs"] == []
    for arguments in ({"KeyName": "one"}, {"KeyPairId": one}, {"KeyPairId": NOWHERE}):
        ec2.delete_key_pair(**arguments)
    refused("MissingParameter", ec2.delete_key_pair)


def test_quota(make_world):
    with make_world("--quota", "key-pairs-per-region=1") as world:
        world.ec2.create_key_pair(KeyName="one", KeyType="ed25519")
        refused("KeyPairLimitExceeded", world.ec2.create_key_pair, KeyName="two")
        world.client(region="eu-west-1").create_key_pair(KeyName="two", KeyType="ed25519")


def test_an_instance_keeps_its_key(world, ec2):
    subnet = world.subnet(world.vpc("10.1.0.0/16"), "10.1.1.0/24")
    ec2.create_key_pair(KeyName="login", KeyType="ed25519")
    instance, = world.run_instances(subnet, KeyName="login")
    plain, = world.run_instances(subnet)
    ec2.delete_key_pair(KeyName="login")
    assert world.instance(instance)["KeyName"] == "login"
    assert "KeyName" not in world.instance(plain)
    found = ec2.describe_instances(Filters=[{"Name": "key-name", "Values": ["log*"]}])
    assert names(found["Reservations"][0]["Instances"], "InstanceId") == [instance]
    refused("InvalidKeyPair.NotFound", ec2.run_instances, ImageId=IMAGE, MinCount=1, MaxCount=1,
            SubnetId=subnet, KeyName="login", text="The key pair 'login' does not exist")


def test_restart(make_world):
    with make_world() as world:
        world.ec2.create_key_pair(KeyName="kept", KeyType="ed25519",
                                  TagSpecifications=tag_specification("key-pair", Name="k"))
        before = described(world.ec2, "kept")
        world.restart()
        assert described(world.ec2, "kept") == before


def test_cli(world):
    made = world.aws("ec2", "create-key-pair", "--key-name", "cli", "--key-type", "ed25519")
    assert made["KeyMaterial"].startswith("-----BEGIN OPENSSH")
    world.aws("ec2", "wait", "key-pair-exists", "--key-names", "cli")
    world.aws("ec2", "delete-key-pair", "--key-name", "cli")
