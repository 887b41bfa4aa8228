"""Terraform makes, attaches and takes away volumes, and names instances by their ids."""
from terraform import Terraform, counts, needed

from lib import IMAGE

pytestmark = needed

STACK = """
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_subnet" "main" {
  vpc_id                                      = aws_vpc.main.id
  cidr_block                                  = "10.0.1.0/24"
  availability_zone                           = "us-east-1a"
  private_dns_hostname_type_on_launch         = "resource-name"
  enable_resource_name_dns_a_record_on_launch = true
}
resource "aws_instance" "main" {
  ami           = "IMAGE"
  instance_type = "t3.micro"
  subnet_id     = aws_subnet.main.id
  root_block_device {
    volume_size = 12
    encrypted   = true
  }
  ebs_block_device {
    device_name = "/dev/sdf"
    volume_size = 20
    volume_type = "gp3"
  }
  tags = { Name = "main" }
  lifecycle { ignore_changes = [ebs_block_device] }
}
resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  size              = 10
  type              = "gp3"
  throughput        = 200
  tags              = { Name = "data" }
}
resource "aws_volume_attachment" "data" {
  device_name = "/dev/sdh"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.main.id
}
output "instance" { value = aws_instance.main.id }
output "name" { value = aws_instance.main.private_dns }
output "volume" { value = aws_ebs_volume.data.id }
"""


def test_volumes(own_world, tmp_path):
    """Once only, for its waiters sleep before they look: a change of a volume would for 30 s."""
    world, ec2 = own_world, own_world.ec2
    terraform = Terraform(world, tmp_path)
    assert counts(terraform.apply(STACK.replace("IMAGE", IMAGE))) == (5, 0, 0)
    instance, volume = terraform.output("instance"), terraform.output("volume")
    assert terraform.output("name") == f"{instance}.ec2.internal"
    devices = {device["DeviceName"]: device["Ebs"]["VolumeId"]
               for device in world.instance(instance)["BlockDeviceMappings"]}
    assert list(devices) == ["/dev/xvda", "/dev/sdf", "/dev/sdh"] and devices["/dev/sdh"] == volume
    terraform.destroy()
    assert ec2.describe_volumes()["Volumes"] == []
