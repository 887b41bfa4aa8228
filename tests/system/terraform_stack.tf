# What a VPC can hold, for test_terraform_stack.py, which puts a provider before it. The first
# generation keeps clear of the ten seconds that the provider sleeps before it looks at an attribute
# it has changed (of a VPC or subnet); the second one makes such changes in place.
variable "generation" { default = "one" }
locals {
  changed = var.generation != "one"
  zones   = ["us-east-1a", "us-east-1b", "us-east-1c"]
}
data "aws_availability_zones" "all" { state = "available" }
data "aws_caller_identity" "me" {}
data "aws_region" "here" {}
data "aws_ami" "debian" {
  most_recent = true
  owners      = ["136693071363"]
  filter {
    name   = "name"
    values = ["debian-12-*"]
  }
  filter {
    name   = "architecture"
    values = ["x86_64"]
  }
}

resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_hostnames = local.changed
  tags                 = { Name = "main", Generation = var.generation }
}
resource "aws_vpc_ipv4_cidr_block_association" "second" {
  vpc_id     = aws_vpc.main.id
  cidr_block = "10.1.0.0/16"
}
resource "aws_subnet" "public" {
  count                   = 3
  vpc_id                  = aws_vpc.main.id
  availability_zone       = local.zones[count.index]
  map_public_ip_on_launch = local.changed
  cidr_block              = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  tags                    = { Name = "public-${count.index}", Generation = var.generation }
}
resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  availability_zone = local.zones[count.index]
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, 100 + count.index)
  tags              = { Name = "private-${count.index}" }
}
resource "aws_subnet" "second" {
  vpc_id            = aws_vpc_ipv4_cidr_block_association.second.vpc_id
  availability_zone = local.zones[1]
  cidr_block        = "10.1.1.0/24"
}
resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
  tags   = { Name = "main" }
}
resource "aws_eip" "nat" {
  count  = 3
  domain = "vpc"
  tags   = { Name = "nat-${count.index}" }
}
resource "aws_nat_gateway" "main" {
  count         = 3
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = { Name = "nat-${count.index}" }
  depends_on    = [aws_internet_gateway.main]
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.main.id
  }
  route {
    cidr_block                = "10.9.0.0/16"
    vpc_peering_connection_id = aws_vpc_peering_connection.main.id
  }
  dynamic "route" {
    for_each = local.changed ? ["10.20.0.0/16"] : []
    content {
      cidr_block           = route.value
      network_interface_id = aws_network_interface.web.id
    }
  }
  tags = { Name = "public" }
}
resource "aws_route_table_association" "public" {
  count          = 3
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}
resource "aws_main_route_table_association" "main" {
  vpc_id         = aws_vpc.main.id
  route_table_id = aws_route_table.main.id
}
resource "aws_route_table" "main" {
  vpc_id = aws_vpc.main.id
  tags   = { Name = "main" }
}
resource "aws_route_table" "private" {
  count  = 3
  vpc_id = aws_vpc.main.id
  tags   = { Name = "private-${count.index}" }
}
resource "aws_route" "out" {
  count                  = 3
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main[count.index].id
}
resource "aws_route" "listed" {
  route_table_id             = aws_route_table.private[0].id
  destination_prefix_list_id = aws_ec2_managed_prefix_list.far.id
  vpc_peering_connection_id  = aws_vpc_peering_connection.main.id
}
resource "aws_route_table_association" "private" {
  count          = 3
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[count.index].id
}

resource "aws_security_group" "inline" {
  name        = "inline"
  description = "rules of its own"
  vpc_id      = aws_vpc.main.id
  ingress {
    description = "ssh"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["0.0.0.0/0"]
  }
  ingress {
    from_port = 8080
    to_port   = 8080
    protocol  = "tcp"
    self      = true
  }
  ingress {
    description     = "from the listed"
    from_port       = -1
    to_port         = -1
    protocol        = "icmp"
    prefix_list_ids = [aws_ec2_managed_prefix_list.near.id]
    security_groups = [aws_security_group.separate.id]
  }
  dynamic "ingress" {
    for_each = local.changed ? [9090] : []
    content {
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = { Name = "inline" }
}
resource "aws_security_group" "separate" {
  name_prefix = "separate-"
  vpc_id      = aws_vpc.main.id
}
resource "aws_security_group_rule" "icmp" {
  type              = "ingress"
  security_group_id = aws_security_group.separate.id
  protocol          = "icmp"
  from_port         = -1
  to_port           = -1
  cidr_blocks       = ["10.0.0.0/8", "198.18.0.0/15"]
  description       = "pings"
}
resource "aws_security_group_rule" "web" {
  type                     = "ingress"
  security_group_id        = aws_security_group.separate.id
  protocol                 = "tcp"
  from_port                = 80
  to_port                  = 80
  source_security_group_id = aws_security_group.inline.id
}
resource "aws_security_group_rule" "out" {
  type              = "egress"
  security_group_id = aws_security_group.separate.id
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}
resource "aws_security_group" "atoms" {
  name   = "atoms"
  vpc_id = aws_vpc.main.id
}
resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = aws_security_group.atoms.id
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = "10.0.0.0/8"
  description       = "web ${var.generation}"
  tags              = { Name = "web" }
}
resource "aws_vpc_security_group_ingress_rule" "peer" {
  security_group_id            = aws_security_group.atoms.id
  ip_protocol                  = "icmp"
  from_port                    = -1
  to_port                      = -1
  referenced_security_group_id = aws_security_group.separate.id
}
resource "aws_vpc_security_group_ingress_rule" "listed" {
  security_group_id = aws_security_group.atoms.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_ec2_managed_prefix_list.near.id
}
resource "aws_vpc_security_group_egress_rule" "out" {
  security_group_id = aws_security_group.atoms.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
resource "aws_vpc_security_group_egress_rule" "s3" {
  security_group_id = aws_security_group.atoms.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  prefix_list_id    = aws_vpc_endpoint.s3.prefix_list_id
}

resource "aws_network_acl" "public" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = [aws_subnet.public[2].id]
  ingress {
    rule_no    = 90
    action     = "deny"
    protocol   = "tcp"
    from_port  = 8081
    to_port    = 8081
    cidr_block = "0.0.0.0/0"
  }
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
  tags = { Name = "public" }
}
resource "aws_network_acl" "private" {
  vpc_id = aws_vpc.main.id
}
resource "aws_network_acl_association" "private" {
  network_acl_id = aws_network_acl.private.id
  subnet_id      = aws_subnet.private[2].id
}
resource "aws_network_acl_rule" "ping" {
  for_each       = { in = false, out = true }
  network_acl_id = aws_network_acl.private.id
  rule_number    = 10
  egress         = each.value
  protocol       = "icmp"
  rule_action    = "deny"
  icmp_type      = 8
  icmp_code      = -1
  cidr_block     = "10.0.1.0/24"
}
resource "aws_network_acl_rule" "all" {
  for_each       = { in = false, out = true }
  network_acl_id = aws_network_acl.private.id
  rule_number    = 100
  egress         = each.value
  protocol       = "-1"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
}

resource "aws_vpc" "peer" {
  cidr_block           = "10.9.0.0/16"
  enable_dns_hostnames = local.changed
}
resource "aws_subnet" "peer" {
  vpc_id            = aws_vpc.peer.id
  availability_zone = "us-east-1a"
  cidr_block        = "10.9.0.0/24"
}
resource "aws_default_route_table" "peer" {
  default_route_table_id = aws_vpc.peer.default_route_table_id
  route {
    cidr_block                = "10.0.0.0/16"
    vpc_peering_connection_id = aws_vpc_peering_connection.main.id
  }
  route {
    cidr_block                = "10.1.0.0/16"
    vpc_peering_connection_id = aws_vpc_peering_connection.main.id
  }
  tags = { Name = "peer" }
}
resource "aws_default_security_group" "peer" {
  vpc_id = aws_vpc.peer.id
  ingress {
    protocol    = "icmp"
    from_port   = -1
    to_port     = -1
    cidr_blocks = ["10.0.0.0/15"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_default_network_acl" "peer" {
  default_network_acl_id = aws_vpc.peer.default_network_acl_id
  subnet_ids             = [aws_subnet.peer.id]
  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "icmp"
    icmp_type  = -1
    icmp_code  = -1
    from_port  = 0
    to_port    = 0
    cidr_block = "10.0.0.0/15"
  }
  egress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 0
    to_port    = 0
    cidr_block = "0.0.0.0/0"
  }
}
resource "aws_default_vpc_dhcp_options" "default" {}
resource "aws_default_vpc" "default" {
  tags = { Name = "default" }
}
resource "aws_default_subnet" "default" {
  availability_zone = "us-east-1a"
  tags              = { Name = "default" }
}
resource "aws_vpc_peering_connection" "main" {
  vpc_id      = aws_vpc.main.id
  peer_vpc_id = aws_vpc.peer.id
  # No block can be added while a connection is pending acceptance.
  depends_on = [aws_vpc_ipv4_cidr_block_association.second]
  tags       = { Name = "main" }
}
resource "aws_vpc_peering_connection_accepter" "peer" {
  vpc_peering_connection_id = aws_vpc_peering_connection.main.id
  auto_accept               = true
  tags                      = { Name = "main" }
}
resource "aws_vpc_peering_connection_options" "main" {
  count                     = local.changed ? 1 : 0
  vpc_peering_connection_id = aws_vpc_peering_connection_accepter.peer.id
  requester { allow_remote_vpc_dns_resolution = true }
  accepter { allow_remote_vpc_dns_resolution = true }
}

resource "aws_vpc_dhcp_options" "main" {
  domain_name         = "stack.internal"
  domain_name_servers = ["AmazonProvidedDNS"]
  ntp_servers         = ["169.254.169.123"]
  tags                = { Name = "main" }
}
resource "aws_vpc_dhcp_options_association" "main" {
  vpc_id          = aws_vpc.main.id
  dhcp_options_id = aws_vpc_dhcp_options.main.id
}

resource "aws_ec2_managed_prefix_list" "near" {
  name           = "near"
  address_family = "IPv4"
  max_entries    = 5
  entry {
    cidr        = "10.0.0.0/16"
    description = "main"
  }
  entry {
    cidr = local.changed ? "10.2.0.0/16" : "10.1.0.0/16"
  }
  tags = { Generation = var.generation }
}
resource "aws_ec2_managed_prefix_list" "far" {
  name           = "far"
  address_family = "IPv4"
  max_entries    = 3
}
resource "aws_ec2_managed_prefix_list_entry" "far" {
  prefix_list_id = aws_ec2_managed_prefix_list.far.id
  cidr           = "10.9.0.0/16"
  description    = "the peer"
}

resource "aws_key_pair" "main" {
  key_name   = "main"
  public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0bFPuVmFnCS8JEUhLFvFDGVM3XhGl1Z8MhNZ2VAXRJ main"
}
resource "aws_network_interface" "web" {
  subnet_id               = aws_subnet.public[0].id
  private_ip_list_enabled = true # of a set any one is the primary
  private_ip_list         = ["10.0.0.50", "10.0.0.51"]
  security_groups         = [aws_security_group.separate.id]
  source_dest_check       = false
  description             = "web ${var.generation}"
  tags                    = { Name = "web" }
}
resource "aws_network_interface" "second" {
  subnet_id       = aws_subnet.second.id
  security_groups = [aws_security_group.inline.id]
  lifecycle { ignore_changes = [security_groups] }
}
resource "aws_network_interface_attachment" "second" {
  instance_id          = aws_instance.public.id
  network_interface_id = aws_network_interface.second.id
  device_index         = 1
  depends_on           = [aws_eip_association.public]
}
resource "aws_network_interface_sg_attachment" "second" {
  security_group_id    = aws_security_group.atoms.id
  network_interface_id = aws_network_interface.second.id
}
resource "aws_instance" "web" {
  ami           = data.aws_ami.debian.id
  instance_type = "t3.micro"
  key_name      = aws_key_pair.main.key_name
  network_interface {
    network_interface_id = aws_network_interface.web.id
    device_index         = 0
  }
  user_data = <<-EOT
    #!/bin/sh
    mkdir -p /srv/web && echo hello > /srv/web/index.html
    cd /srv/web && nohup python3 -m http.server 80 >/dev/null 2>&1 &
  EOT
  tags      = { Name = "web", Generation = var.generation }
}
resource "aws_instance" "public" {
  ami                    = data.aws_ami.debian.id
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.public[1].id
  vpc_security_group_ids = [aws_security_group.inline.id]
  root_block_device {
    volume_size = 10
    volume_type = "gp3"
  }
  metadata_options {
    http_tokens = "required"
  }
  volume_tags = { Name = "public" }
  tags        = { Name = "public" }
}
resource "aws_instance" "private" {
  count                  = 3
  subnet_id              = aws_subnet.private[count.index].id
  vpc_security_group_ids = [aws_security_group.separate.id, aws_security_group.atoms.id]
  user_data_base64       = base64encode("#!/bin/sh\nhostname > /root/booted\n")
  launch_template {
    id      = aws_launch_template.private.id
    version = "$Latest"
  }
  tags       = { Name = "private-${count.index}" }
  depends_on = [aws_vpc_dhcp_options_association.main]
}
resource "aws_instance" "peer" {
  ami           = data.aws_ami.debian.id
  instance_type = local.changed ? "t3.small" : "t3.micro"
  subnet_id     = aws_subnet.peer.id
  tags          = { Name = "peer" }
  depends_on    = [aws_default_security_group.peer]
}
resource "aws_launch_template" "private" {
  name_prefix   = "private-"
  image_id      = data.aws_ami.debian.id
  instance_type = "t3.small"
  key_name      = aws_key_pair.main.key_name
  metadata_options {
    http_endpoint = "enabled"
    http_tokens   = "required"
  }
  monitoring { enabled = false }
  tag_specifications {
    resource_type = "volume"
    tags          = { From = "template" }
  }
  update_default_version = true
  tags                   = { Generation = var.generation }
}
resource "aws_eip" "web" {
  domain                    = "vpc"
  network_interface         = aws_network_interface.web.id
  associate_with_private_ip = "10.0.0.50"
  depends_on                = [aws_internet_gateway.main]
}
resource "aws_eip" "public" {
  domain = "vpc"
}
resource "aws_eip_association" "public" {
  allocation_id = aws_eip.public.id
  instance_id   = aws_instance.public.id
  depends_on    = [aws_internet_gateway.main]
}
resource "aws_ebs_volume" "data" {
  availability_zone = "us-east-1a"
  size              = 8
  type              = "gp3"
  tags              = { Name = "data" }
}
resource "aws_volume_attachment" "data" {
  count       = local.changed ? 1 : 0
  device_name = "/dev/sdh"
  volume_id   = aws_ebs_volume.data.id
  instance_id = aws_instance.web.id
}

resource "aws_flow_log" "vpc" {
  vpc_id          = aws_vpc.main.id
  traffic_type    = "ALL"
  iam_role_arn    = "arn:aws:iam::123456789012:role/flow"
  log_destination = "arn:aws:logs:us-east-1:123456789012:log-group:flow"
  tags            = { Generation = var.generation }
}
resource "aws_flow_log" "subnet" {
  subnet_id                = aws_subnet.private[0].id
  traffic_type             = local.changed ? "ALL" : "REJECT"
  log_destination_type     = "s3"
  log_destination          = "arn:aws:s3:::bucket/flow"
  max_aggregation_interval = 60
  log_format               = "$${version} $${srcaddr} $${dstaddr} $${action}"
  destination_options {
    file_format        = "parquet"
    per_hour_partition = true
  }
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.us-east-1.s3"
  route_table_ids = [aws_route_table.public.id]
  tags            = { Name = "s3", Generation = var.generation }
}
resource "aws_vpc_endpoint_route_table_association" "s3" {
  vpc_endpoint_id = aws_vpc_endpoint.dynamodb.id
  route_table_id  = aws_route_table.private[0].id
}
resource "aws_vpc_endpoint" "dynamodb" {
  vpc_id       = aws_vpc.main.id
  service_name = "com.amazonaws.us-east-1.dynamodb"
}
resource "aws_vpc_endpoint" "ssm" {
  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.us-east-1.ssm"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = aws_subnet.private[*].id
  security_group_ids  = [aws_security_group.separate.id]
  private_dns_enabled = local.changed
}
resource "aws_vpc_endpoint_policy" "dynamodb" {
  vpc_endpoint_id = aws_vpc_endpoint.dynamodb.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "dynamodb:*", Resource = "*" }]
  })
}
data "aws_prefix_list" "s3" { name = "com.amazonaws.us-east-1.s3" }
data "aws_vpc_endpoint_service" "ssm" { service = "ssm" }
output "web" { value = aws_instance.web.id }
output "web_public" { value = aws_eip.web.public_ip }
output "public" { value = aws_instance.public.id }
output "private" { value = aws_instance.private[*].id }
output "peer" { value = aws_instance.peer.id }
