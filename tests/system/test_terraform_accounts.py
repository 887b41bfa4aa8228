"""Terraform with two accounts and two regions: a role of the other's, a peering, an image's name."""
from terraform import Terraform, needed

from lib import ACCOUNT
from test_accounts import OTHER

pytestmark = needed

STACK = f"""
provider "aws" {{
  alias  = "other"
  region = "eu-west-1"
  assume_role {{
    role_arn     = "arn:aws:iam::{OTHER}:role/terraform"
    session_name = "stack"
  }}
}}
data "aws_caller_identity" "own" {{}}
data "aws_caller_identity" "other" {{
  provider = aws.other
}}
data "aws_ssm_parameter" "image" {{
  name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64"
}}
data "aws_ami" "found" {{
  owners = ["amazon"]
  filter {{
    name   = "image-id"
    values = [nonsensitive(data.aws_ssm_parameter.image.value)]
  }}
}}
resource "aws_vpc" "own" {{
  cidr_block = "10.1.0.0/16"
}}
resource "aws_vpc" "other" {{
  provider   = aws.other
  cidr_block = "10.2.0.0/16"
}}
resource "aws_vpc_peering_connection" "main" {{
  vpc_id        = aws_vpc.own.id
  peer_vpc_id   = aws_vpc.other.id
  peer_owner_id = data.aws_caller_identity.other.account_id
  peer_region   = "eu-west-1"
  tags          = {{ Side = "Requester" }}
}}
resource "aws_vpc_peering_connection_accepter" "main" {{
  provider                  = aws.other
  vpc_peering_connection_id = aws_vpc_peering_connection.main.id
  auto_accept               = true
  tags                      = {{ Side = "Accepter" }}
}}
resource "aws_route" "own" {{
  route_table_id            = aws_vpc.own.main_route_table_id
  destination_cidr_block    = "10.2.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.main.id
}}
resource "aws_subnet" "own" {{
  vpc_id     = aws_vpc.own.id
  cidr_block = "10.1.1.0/24"
}}
resource "aws_instance" "own" {{
  ami           = nonsensitive(data.aws_ssm_parameter.image.value)
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.own.id
}}
output "accounts" {{
  value = "${{data.aws_caller_identity.own.account_id}} ${{data.aws_caller_identity.other.account_id}}"
}}
output "arn" {{
  value = data.aws_caller_identity.other.arn
}}
output "peering" {{
  value = aws_vpc_peering_connection.main.id
}}
output "image" {{
  value = data.aws_ami.found.name
}}
"""


def test_two_accounts(make_world, tmp_path):
    with make_world() as world:
        world.run("account create", OTHER)
        terraform = Terraform(world, tmp_path)
        terraform.apply(STACK)
        assert terraform.output("accounts") == f"{ACCOUNT} {OTHER}"
        assert terraform.output("arn") == f"arn:aws:sts::{OTHER}:assumed-role/terraform/stack"
        assert terraform.output("image").startswith("al2023-ami-2023")
        found, = world.ec2.describe_vpc_peering_connections(
            VpcPeeringConnectionIds=[terraform.output("peering")])["VpcPeeringConnections"]
        assert found["Status"]["Code"] == "active"
        assert (found["AccepterVpcInfo"]["OwnerId"], found["AccepterVpcInfo"]["Region"]) == (
            OTHER, "eu-west-1")
        terraform.destroy()
        assert all(vpc["IsDefault"] for vpc in world.ec2.describe_vpcs()["Vpcs"])
