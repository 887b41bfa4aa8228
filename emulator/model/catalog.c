/*
 * What a region offers: see catalog.h. Names and owners are those that templates look for: Amazon
 * (137112412989), Canonical (099720109477), Debian (136693071363). Types: EC2 instance type
 * specifications; interface limits: EC2 guide, "IP addresses per network interface per instance
 * type".
 */
#include "model/catalog.h"

#define AMAZON	  "137112412989", "amazon"
#define CANONICAL "099720109477", NULL
#define DEBIAN	  "136693071363", NULL

static const struct public_image images[] = {
	{ "ami-0a10000000000a123", "al2023-ami-2023.6.20241010.0-kernel-6.1-x86_64", AMAZON,
	  "Amazon Linux 2023 AMI 2023.6.20241010.0 x86_64 HVM kernel-6.1", "x86_64",
	  "2024-10-10T00:00:00.000Z" },
	{ "ami-0a20000000000a123", "al2023-ami-2023.6.20241010.0-kernel-6.1-arm64", AMAZON,
	  "Amazon Linux 2023 AMI 2023.6.20241010.0 arm64 HVM kernel-6.1", "arm64",
	  "2024-10-10T00:00:00.000Z" },
	{ "ami-0a30000000000a123", "al2023-ami-minimal-2023.6.20241010.0-kernel-6.1-x86_64", AMAZON,
	  "Amazon Linux 2023 AMI 2023.6.20241010.0 x86_64 Minimal HVM kernel-6.1", "x86_64",
	  "2024-10-10T00:00:00.000Z" },
	{ "ami-0a40000000000a002", "amzn2-ami-hvm-2.0.20241001.0-x86_64-gp2", AMAZON,
	  "Amazon Linux 2 AMI 2.0.20241001.0 x86_64 HVM gp2", "x86_64",
	  "2024-10-01T00:00:00.000Z" },
	{ "ami-0a50000000000a002", "amzn2-ami-kernel-5.10-hvm-2.0.20241001.0-x86_64-gp2", AMAZON,
	  "Amazon Linux 2 Kernel 5.10 AMI 2.0.20241001.0 x86_64 HVM gp2", "x86_64",
	  "2024-10-01T00:00:00.000Z" },
	{ "ami-0a60000000000a123", "al2023-ami-minimal-2023.6.20241010.0-kernel-6.1-arm64", AMAZON,
	  "Amazon Linux 2023 AMI 2023.6.20241010.0 arm64 Minimal HVM kernel-6.1", "arm64",
	  "2024-10-10T00:00:00.000Z" },
	{ "ami-0a70000000000a002", "amzn2-ami-hvm-2.0.20241001.0-arm64-gp2", AMAZON,
	  "Amazon Linux 2 LTS Arm64 AMI 2.0.20241001.0 arm64 HVM gp2", "arm64",
	  "2024-10-01T00:00:00.000Z" },
	{ "ami-0a80000000000a002", "amzn2-ami-kernel-5.10-hvm-2.0.20241001.0-arm64-gp2", AMAZON,
	  "Amazon Linux 2 LTS Arm64 Kernel 5.10 AMI 2.0.20241001.0 arm64 HVM gp2", "arm64",
	  "2024-10-01T00:00:00.000Z" },
	{ "ami-0b10000000000b004",
	  "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20241004", CANONICAL,
	  "Canonical, Ubuntu, 24.04, amd64 noble image", "x86_64", "2024-10-04T00:00:00.000Z" },
	{ "ami-0b20000000000b004", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20241002",
	  CANONICAL, "Canonical, Ubuntu, 22.04 LTS, amd64 jammy image build on 2024-10-02",
	  "x86_64", "2024-10-02T00:00:00.000Z" },
	{ "ami-0b30000000000b004", "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-20241002",
	  CANONICAL, "Canonical, Ubuntu, 22.04 LTS, arm64 jammy image build on 2024-10-02", "arm64",
	  "2024-10-02T00:00:00.000Z" },
	{ "ami-0b40000000000b004", "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-amd64-server-20241002",
	  CANONICAL, "Canonical, Ubuntu, 20.04 LTS, amd64 focal image build on 2024-10-02",
	  "x86_64", "2024-10-02T00:00:00.000Z" },
	{ "ami-0b50000000000b004",
	  "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20241004", CANONICAL,
	  "Canonical, Ubuntu, 24.04, arm64 noble image", "arm64", "2024-10-04T00:00:00.000Z" },
	{ "ami-0b60000000000b004", "ubuntu/images/hvm-ssd/ubuntu-focal-20.04-arm64-server-20241002",
	  CANONICAL, "Canonical, Ubuntu, 20.04 LTS, arm64 focal image build on 2024-10-02", "arm64",
	  "2024-10-02T00:00:00.000Z" },
	{ "ami-0d10000000000d012", "debian-12-amd64-20241004-1890", DEBIAN,
	  "Debian 12 (20241004-1890)", "x86_64", "2024-10-04T00:00:00.000Z" },
	{ "ami-0d20000000000d012", "debian-12-arm64-20241004-1890", DEBIAN,
	  "Debian 12 (20241004-1890)", "arm64", "2024-10-04T00:00:00.000Z" },
	{ "ami-0d30000000000d011", "debian-11-amd64-20240929-1885", DEBIAN,
	  "Debian 11 (20240929-1885)", "x86_64", "2024-09-29T00:00:00.000Z" },
	{ "ami-0d40000000000d011", "debian-11-arm64-20240929-1885", DEBIAN,
	  "Debian 11 (20240929-1885)", "arm64", "2024-09-29T00:00:00.000Z" },
};

static const struct instance_type types[] = {
	{ "t2.nano", "x86_64", 1, 512, 2, 2 },	    { "t2.micro", "x86_64", 1, 1024, 2, 2 },
	{ "t2.small", "x86_64", 1, 2048, 3, 4 },    { "t2.medium", "x86_64", 2, 4096, 3, 6 },
	{ "t2.large", "x86_64", 2, 8192, 3, 12 },   { "t3.nano", "x86_64", 2, 512, 2, 2 },
	{ "t3.micro", "x86_64", 2, 1024, 2, 2 },    { "t3.small", "x86_64", 2, 2048, 3, 4 },
	{ "t3.medium", "x86_64", 2, 4096, 3, 6 },   { "t3.large", "x86_64", 2, 8192, 3, 12 },
	{ "t3.xlarge", "x86_64", 4, 16384, 4, 15 }, { "t3a.nano", "x86_64", 2, 512, 2, 2 },
	{ "t3a.micro", "x86_64", 2, 1024, 2, 2 },   { "t3a.small", "x86_64", 2, 2048, 2, 4 },
	{ "t3a.medium", "x86_64", 2, 4096, 3, 6 },  { "t4g.nano", "arm64", 2, 512, 2, 2 },
	{ "t4g.micro", "arm64", 2, 1024, 2, 2 },    { "t4g.small", "arm64", 2, 2048, 3, 4 },
	{ "t4g.medium", "arm64", 2, 4096, 3, 6 },   { "m1.small", "x86_64", 1, 1740, 2, 4 },
	{ "m5.large", "x86_64", 2, 8192, 3, 10 },   { "m5.xlarge", "x86_64", 4, 16384, 4, 15 },
	{ "m6i.large", "x86_64", 2, 8192, 3, 10 },  { "m6g.medium", "arm64", 1, 4096, 2, 4 },
	{ "m7i.large", "x86_64", 2, 8192, 3, 10 },  { "c5.large", "x86_64", 2, 4096, 3, 10 },
	{ "c5.xlarge", "x86_64", 4, 8192, 4, 15 },  { "c5.4xlarge", "x86_64", 16, 32768, 8, 30 },
	{ "c5n.large", "x86_64", 2, 5376, 3, 10 },  { "c6i.large", "x86_64", 2, 4096, 3, 10 },
	{ "c6g.medium", "arm64", 1, 2048, 2, 4 },   { "c7g.medium", "arm64", 1, 2048, 2, 4 },
	{ "r5.large", "x86_64", 2, 16384, 3, 10 },  { "r6i.large", "x86_64", 2, 16384, 3, 10 },
};

#define TEXT_GETTER(name_, type_, member_)                                                         \
	static const char *name_(const struct view *view, struct buffer *scratch)                  \
	{                                                                                          \
		(void)scratch;                                                                     \
		return ((const struct type_ *)view->object)->member_;                              \
	}
#define INT_GETTER(name_, member_)                                                                 \
	static const char *name_(const struct view *view, struct buffer *scratch)                  \
	{                                                                                          \
		return get_print(                                                                  \
			scratch, "%lld",                                                           \
			(long long)((const struct instance_type *)view->object)->member_);         \
	}

const struct public_image *image_at(size_t index)
{
	return index < ARRAY_SIZE(images) ? &images[index] : NULL;
}

const struct public_image *image_find(const char *text, struct public_image *storage)
{
	for (size_t i = 0; i < ARRAY_SIZE(images); i++)
		if (streq(images[i].id, text))
			return &images[i];
	if (!storage)
		return NULL;
	*storage = (struct public_image){ text,	    "minivpc-default",
					  AMAZON,   "This machine's own root",
					  "x86_64", "2024-01-01T00:00:00.000Z" };
	return storage;
}

TEXT_GETTER(get_type_name, instance_type, name)
TEXT_GETTER(get_type_architecture, instance_type, architecture)
INT_GETTER(get_cpus, cpus)
INT_GETTER(get_memory, memory_mib)
INT_GETTER(get_interfaces, interfaces)
INT_GETTER(get_addresses, addresses)

bool instance_type_is_burstable(const char *name)
{
	return name[0] == 't';
}

static const char *get_burstable(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return instance_type_is_burstable(((const struct instance_type *)view->object)->name)
		       ? "true"
		       : "false";
}

static bool child_one(const struct view *view, size_t index, struct view *ret_child)
{
	*ret_child = *view;
	return index == 0;
}

static const struct field architecture_items[] = {
	FIELD_GET_OF(get_type_architecture, "", "processor-info.supported-architecture"),
	FIELD_END,
};
static const struct field usage_items[] = {
	FIELD_CONST_OF("on-demand", "", "supported-usage-class"), FIELD_END
};
static const struct field root_items[] = { FIELD_CONST_OF("ebs", "", "supported-root-device-type"),
					   FIELD_END };
static const struct field virtualization_items[] = {
	FIELD_CONST_OF("hvm", "", "supported-virtualization-type"), FIELD_END
};

/* Types from before Nitro: no NVMe, and no optimisation for volumes. */
static bool is_old(const struct view *view)
{
	const char *name = ((const struct instance_type *)view->object)->name;

	return strncmp(name, "t2.", 3) == 0 || strncmp(name, "m1.", 3) == 0;
}

static const char *get_nvme(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return is_old(view) ? "unsupported" : "required";
}

static const char *get_optimized(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return is_old(view) ? "unsupported" : "default";
}

static const struct field ebs_info_fields[] = {
	FIELD_GET_OF(get_optimized, "ebsOptimizedSupport", "ebs-info.ebs-optimized-support"),
	FIELD_CONST_OF("supported", "encryptionSupport", "ebs-info.encryption-support"),
	FIELD_GET_OF(get_nvme, "nvmeSupport", "ebs-info.nvme-support"),
	FIELD_END,
};

/* One word of a list that depends on the type; the view's object is the word. */
static const char *get_word(const struct view *view, struct buffer *scratch)
{
	(void)scratch;
	return view->object;
}

static bool word_at(const char *const *words, size_t index, struct view *ret_child)
{
	for (size_t i = 0; i <= index; i++)
		if (!words[i])
			return false;
	*ret_child = (struct view){ .object = words[index] };
	return true;
}

static bool child_boot_mode(const struct view *view, size_t index, struct view *ret_child)
{
	static const char *const both[] = { "legacy-bios", "uefi", NULL };
	static const char *const legacy[] = { "legacy-bios", NULL }, *const uefi[] = { "uefi",
										       NULL };
	const struct instance_type *type = view->object;

	if (streq(type->architecture, "arm64"))
		return word_at(uefi, index, ret_child);
	return word_at(is_old(view) ? legacy : both, index, ret_child);
}

static bool child_strategy(const struct view *view, size_t index, struct view *ret_child)
{
	static const char *const all[] = { "partition", "spread", "cluster", NULL };
	static const char *const most[] = { "partition", "spread", NULL };
	const struct instance_type *type = view->object;

	return word_at(instance_type_is_burstable(type->name) ? most : all, index, ret_child);
}

static const struct field boot_mode_items[] = { FIELD_GET_OF(get_word, "", "supported-boot-mode"),
						FIELD_END };
static const struct field strategy_items[] = { FIELD_GET_OF(get_word, "", NULL), FIELD_END };

static const struct field placement_group_fields[] = {
	FIELD_CHILDREN_OF(child_strategy, strategy_items, "supportedStrategies"),
	FIELD_END,
};

static const struct field processor_fields[] = {
	FIELD_CHILDREN_OF(child_one, architecture_items, "supportedArchitectures"),
	FIELD_END,
};
/* As many as there are is what an instance gets. */
static const struct field core_items[] = { FIELD_GET_OF(get_cpus, "", "vcpu-info.valid-cores"),
					   FIELD_END };
static const struct field thread_items[] = {
	FIELD_CONST_OF("1", "", "vcpu-info.valid-threads-per-core"), FIELD_END
};
static const struct field cpu_fields[] = {
	FIELD_GET_OF(get_cpus, "defaultVCpus", "vcpu-info.default-vcpus"),
	FIELD_GET_OF(get_cpus, "defaultCores", "vcpu-info.default-cores"),
	FIELD_CONST_OF("1", "defaultThreadsPerCore", "vcpu-info.default-threads-per-core"),
	FIELD_CHILDREN_OF(child_one, core_items, "validCores"),
	FIELD_CHILDREN_OF(child_one, thread_items, "validThreadsPerCore"),
	FIELD_END,
};
static const struct field memory_fields[] = {
	FIELD_GET_OF(get_memory, "sizeInMiB", "memory-info.size-in-mib"),
	FIELD_END,
};
static const struct field card_fields[] = {
	FIELD_CONST_OF("0", "networkCardIndex", NULL),
	FIELD_CONST_OF("Up to 5 Gigabit", "networkPerformance", NULL),
	FIELD_GET_OF(get_interfaces, "maximumNetworkInterfaces", NULL),
	FIELD_END,
};
static const struct field network_fields[] = {
	FIELD_CONST_OF("Up to 5 Gigabit", "networkPerformance", "network-info.network-performance"),
	FIELD_CHILDREN_OF(child_one, card_fields, "networkCards"),
	FIELD_CONST_OF("1", "ipv6AddressesPerInterface",
		       "network-info.ipv6-addresses-per-interface"),
	FIELD_GET_OF(get_interfaces, "maximumNetworkInterfaces",
		     "network-info.maximum-network-interfaces"),
	FIELD_CONST_OF("1", "maximumNetworkCards", NULL),
	FIELD_CONST_OF("0", "defaultNetworkCardIndex", NULL),
	FIELD_GET_OF(get_addresses, "ipv4AddressesPerInterface",
		     "network-info.ipv4-addresses-per-interface"),
	FIELD_CONST_OF("false", "ipv6Supported", "network-info.ipv6-supported"),
	FIELD_CONST_OF("supported", "enaSupport", "network-info.ena-support"),
	FIELD_CONST_OF("false", "efaSupported", "network-info.efa-supported"),
	FIELD_CONST_OF("false", "enaSrdSupported", NULL),
	FIELD_CONST_OF("false", "encryptionInTransitSupported",
		       "network-info.encryption-in-transit-supported"),
	FIELD_END,
};

const struct field instance_type_fields[] = {
	FIELD_GET_OF(get_type_name, "instanceType", "instance-type"),
	FIELD_CONST_OF("true", "currentGeneration", "current-generation"),
	FIELD_CONST_OF("false", "freeTierEligible", "free-tier-eligible"),
	FIELD_CHILDREN_OF(child_one, usage_items, "supportedUsageClasses"),
	FIELD_CHILDREN_OF(child_one, root_items, "supportedRootDeviceTypes"),
	FIELD_CHILDREN_OF(child_one, virtualization_items, "supportedVirtualizationTypes"),
	FIELD_CONST_OF("false", "bareMetal", "bare-metal"),
	FIELD_CONST_OF("nitro", "hypervisor", "hypervisor"),
	FIELD_CHILD_OF(child_self, processor_fields, "processorInfo"),
	FIELD_CHILD_OF(child_self, cpu_fields, "vCpuInfo"),
	FIELD_CHILD_OF(child_self, memory_fields, "memoryInfo"),
	FIELD_CONST_OF("false", "instanceStorageSupported", "instance-storage-supported"),
	FIELD_CHILD_OF(child_self, ebs_info_fields, "ebsInfo"),
	FIELD_CHILD_OF(child_self, network_fields, "networkInfo"),
	FIELD_CHILD_OF(child_self, placement_group_fields, "placementGroupInfo"),
	FIELD_CHILDREN_OF(child_boot_mode, boot_mode_items, "supportedBootModes"),
	FIELD_GET_OF(get_burstable, "burstablePerformanceSupported",
		     "burstable-performance-supported"),
	FIELD_CONST_OF("false", "dedicatedHostsSupported", "dedicated-hosts-supported"),
	FIELD_CONST_OF("false", "autoRecoverySupported", "auto-recovery-supported"),
	FIELD_CONST_OF("false", "hibernationSupported", "hibernation-supported"),
	FIELD_END,
};

const struct instance_type *instance_type_at(size_t index)
{
	return index < ARRAY_SIZE(types) ? &types[index] : NULL;
}

const struct instance_type *instance_type_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (streq(types[i].name, name))
			return &types[i];
	return NULL;
}
