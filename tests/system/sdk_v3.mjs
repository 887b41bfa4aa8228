// The AWS SDK for JavaScript v3 against a world: what test_sdk_javascript.py judges, as one JSON object.
import {
  AllocateAddressCommand, AuthorizeSecurityGroupIngressCommand, CreateNatGatewayCommand,
  CreateSecurityGroupCommand, CreateSubnetCommand, CreateTagsCommand, CreateVpcCommand,
  DeleteNatGatewayCommand, DeleteSubnetCommand, DeleteVpcCommand, DescribeInstancesCommand,
  DescribeNatGatewaysCommand, DescribeSecurityGroupsCommand, DescribeVpcsCommand, EC2, EC2Client,
  EC2ServiceException, ModifyVpcAttributeCommand, RunInstancesCommand, StopInstancesCommand,
  TerminateInstancesCommand, paginateDescribeInstances, paginateDescribeSubnets,
  waitUntilInstanceRunning, waitUntilInstanceStopped, waitUntilInstanceTerminated,
  waitUntilNatGatewayAvailable, waitUntilNatGatewayDeleted, waitUntilNetworkInterfaceAvailable,
  waitUntilSubnetAvailable, waitUntilVpcAvailable, waitUntilVpcExists,
} from "@aws-sdk/client-ec2";

const [endpoint, accessKeyId, secretAccessKey, image] = process.argv.slice(2);
const settings = { endpoint, region: "us-east-1", credentials: { accessKeyId, secretAccessKey } };
const client = new EC2Client({ ...settings, maxAttempts: 1 });
const call = (Command, input = {}) => client.send(new Command(input));
const said = {};

async function refused(Command, input, by = client) {
  try {
    await by.send(new Command(input));
  } catch (error) {
    return {
      name: error.name, code: error.Code, message: error.message, fault: error.$fault,
      status: error.$metadata.httpStatusCode, requestId: error.$metadata.requestId,
      kind: error instanceof EC2ServiceException, attempts: error.$metadata.attempts,
    };
  }
  return null;
}

async function network() {
  const made = await call(CreateVpcCommand, {
    CidrBlock: "10.0.0.0/16",
    TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "Name", Value: "ä & <b>" }] }],
  });
  const vpc = made.Vpc.VpcId;
  said.created = { vpc: made.Vpc, metadata: made.$metadata };
  await call(ModifyVpcAttributeCommand, { VpcId: vpc, EnableDnsHostnames: { Value: true } });
  const subnets = [];
  for (let i = 0; i < 7; i++) {
    const subnet = await call(CreateSubnetCommand, { VpcId: vpc, CidrBlock: `10.0.${i}.0/24` });
    subnets.push(subnet.Subnet.SubnetId);
  }
  const filters = [{ Name: "vpc-id", Values: [vpc] }];
  said.pages = [];
  for await (const page of paginateDescribeSubnets({ client, pageSize: 5 }, { Filters: filters }))
    said.pages.push(page.Subnets.map((entry) => entry.SubnetId));
  said.subnets = subnets;
  const bounds = { client, maxWaitTime: 20 };
  said.waited = [
    (await waitUntilVpcExists(bounds, { VpcIds: [vpc] })).state,
    (await waitUntilVpcAvailable(bounds, { VpcIds: [vpc] })).state,
    (await waitUntilSubnetAvailable(bounds, { SubnetIds: subnets })).state,
  ];
  return { vpc, subnet: subnets[0], filters, bounds };
}

async function rules({ vpc, filters }) {
  const group = await call(CreateSecurityGroupCommand, {
    VpcId: vpc, GroupName: "web", Description: "for the web" });
  const opened = await call(AuthorizeSecurityGroupIngressCommand, {
    GroupId: group.GroupId,
    IpPermissions: [{ IpProtocol: "tcp", FromPort: 80, ToPort: 80,
      IpRanges: [{ CidrIp: "0.0.0.0/0", Description: "all" }] }],
  });
  said.rules = opened.SecurityGroupRules;
  const found = await call(DescribeSecurityGroupsCommand, { Filters: filters });
  said.groups = found.SecurityGroups.map((entry) => entry.GroupName).sort();
}

async function machines({ subnet, bounds }) {
  const launch = { ImageId: image, InstanceType: "t3.micro", SubnetId: subnet, MinCount: 1,
    MaxCount: 1 };
  const ids = [];
  for (let i = 0; i < 6; i++) {
    const made = await call(RunInstancesCommand, launch);
    ids.push(made.Instances[0].InstanceId);
  }
  const all = { InstanceIds: ids };
  said.running = (await waitUntilInstanceRunning(bounds, all)).state;
  const first = await call(DescribeInstancesCommand, { InstanceIds: [ids[0]] });
  const instance = first.Reservations[0].Instances[0];
  said.instance = { ...instance, dated: instance.LaunchTime instanceof Date };
  said.found = [];
  for await (const page of paginateDescribeInstances({ client, pageSize: 5 }, {
    Filters: [{ Name: "subnet-id", Values: [subnet] }] }))
    said.found.push(page.Reservations.length);
  await call(CreateTagsCommand, { Resources: ids, Tags: [{ Key: "Name", Value: "one" }] });
  await call(StopInstancesCommand, { InstanceIds: [ids[0]] });
  said.stopped = (await waitUntilInstanceStopped(bounds, { InstanceIds: [ids[0]] })).state;
  await call(TerminateInstancesCommand, all);
  said.terminated = (await waitUntilInstanceTerminated(bounds, all)).state;
}

async function nat({ subnet, bounds }) {
  const made = await call(CreateNatGatewayCommand, {
    SubnetId: subnet, ConnectivityType: "private", ClientToken: "once" });
  const one = { NatGatewayIds: [made.NatGateway.NatGatewayId] };
  said.nat = [(await waitUntilNatGatewayAvailable(bounds, one)).state];
  await call(DeleteNatGatewayCommand, { NatGatewayId: one.NatGatewayIds[0] });
  said.nat.push((await waitUntilNatGatewayDeleted(bounds, one)).state);
  said.nat.push((await call(DescribeNatGatewaysCommand, one)).NatGateways[0].State);
}

async function errors({ vpc }) {
  const stranger = new EC2Client({ ...settings, maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: "no" } });
  said.errors = {
    notFound: await refused(DeleteVpcCommand, { VpcId: "vpc-0123456789abcdef0" }),
    malformed: await refused(DeleteSubnetCommand, { SubnetId: "banana" }),
    dependency: await refused(DeleteVpcCommand, { VpcId: vpc }),
    dryRun: await refused(AllocateAddressCommand, { DryRun: true }),
    missing: await refused(CreateSubnetCommand, { CidrBlock: "10.0.0.0/24" }),
    secret: await refused(DescribeVpcsCommand, {}, stranger),
  };
  try {
    await waitUntilNetworkInterfaceAvailable({ client, maxWaitTime: 30 }, {
      NetworkInterfaceIds: ["eni-0123456789abcdef0"] });
  } catch (error) {
    said.waiterError = `${error.name} ${error.message}`;
  }
  // The client of all commands, which says nothing of retries: three attempts, where they help.
  const whole = new EC2(settings);
  said.whole = (await whole.describeVpcs({ VpcIds: [vpc] })).Vpcs.length;
}

const place = await network();
await rules(place);
await machines(place);
await nat(place);
await errors(place);
console.log(JSON.stringify(said));
