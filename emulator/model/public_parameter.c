/*
 * Public parameters: see public_parameter.h. The names are those that Amazon (EC2 guide, "Reference
 * AMIs using Systems Manager parameters"), Canonical ("Finding Ubuntu images with the AWS SSM
 * Parameter Store") and Debian (wiki, "Cloud/AmazonEC2Image") publish.
 */
#include "model/public_parameter.h"

#include "model/catalog.h"

#define AMAZON	  "/aws/service/ami-amazon-linux-latest/"
#define CANONICAL "/aws/service/canonical/ubuntu/server/"
#define DEBIAN	  "/aws/service/debian/release/"

/* A release of Ubuntu is called by its number and its name; an image is the current one of it. */
#define UBUNTU(number_, name_, disk_, architecture_, image_)                                       \
	{ CANONICAL number_ "/stable/current/" architecture_ "/hvm/ebs-" disk_ "/ami-id",          \
	  image_ },                                                                                \
	{                                                                                          \
		CANONICAL name_ "/stable/current/" architecture_ "/hvm/ebs-" disk_ "/ami-id",      \
			image_                                                                     \
	}

static const struct {
	const char *name, *image;
} table[] = {
	{ AMAZON "al2023-ami-kernel-6.1-arm64", "ami-0a20000000000a123" },
	{ AMAZON "al2023-ami-kernel-6.1-x86_64", "ami-0a10000000000a123" },
	{ AMAZON "al2023-ami-kernel-default-arm64", "ami-0a20000000000a123" },
	{ AMAZON "al2023-ami-kernel-default-x86_64", "ami-0a10000000000a123" },
	{ AMAZON "al2023-ami-minimal-kernel-6.1-arm64", "ami-0a60000000000a123" },
	{ AMAZON "al2023-ami-minimal-kernel-6.1-x86_64", "ami-0a30000000000a123" },
	{ AMAZON "al2023-ami-minimal-kernel-default-arm64", "ami-0a60000000000a123" },
	{ AMAZON "al2023-ami-minimal-kernel-default-x86_64", "ami-0a30000000000a123" },
	{ AMAZON "amzn2-ami-hvm-arm64-gp2", "ami-0a70000000000a002" },
	{ AMAZON "amzn2-ami-hvm-x86_64-gp2", "ami-0a40000000000a002" },
	{ AMAZON "amzn2-ami-kernel-5.10-hvm-arm64-gp2", "ami-0a80000000000a002" },
	{ AMAZON "amzn2-ami-kernel-5.10-hvm-x86_64-gp2", "ami-0a50000000000a002" },
	UBUNTU("20.04", "focal", "gp2", "amd64", "ami-0b40000000000b004"),
	UBUNTU("20.04", "focal", "gp2", "arm64", "ami-0b60000000000b004"),
	UBUNTU("22.04", "jammy", "gp2", "amd64", "ami-0b20000000000b004"),
	UBUNTU("22.04", "jammy", "gp2", "arm64", "ami-0b30000000000b004"),
	UBUNTU("24.04", "noble", "gp3", "amd64", "ami-0b10000000000b004"),
	UBUNTU("24.04", "noble", "gp3", "arm64", "ami-0b50000000000b004"),
	{ DEBIAN "11/latest/amd64", "ami-0d30000000000d011" },
	{ DEBIAN "11/latest/arm64", "ami-0d40000000000d011" },
	{ DEBIAN "12/latest/amd64", "ami-0d10000000000d012" },
	{ DEBIAN "12/latest/arm64", "ami-0d20000000000d012" },
};

static void fill(size_t index, struct public_parameter *parameter)
{
	const struct public_image *image = image_find(table[index].image, NULL);

	*parameter =
		(struct public_parameter){ table[index].name, table[index].image, image->created };
}

/* How many names are before this one: there are few. */
static size_t rank(size_t index)
{
	size_t before = 0;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		before += strcmp(table[i].name, table[index].name) < 0;
	return before;
}

bool public_parameter_at(size_t index, struct public_parameter *ret_parameter)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (rank(i) == index) {
			fill(i, ret_parameter);
			return true;
		}
	return false;
}

bool public_parameter_find(const char *name, struct public_parameter *ret_parameter)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (streq(table[i].name, name)) {
			fill(i, ret_parameter);
			return true;
		}
	return false;
}
