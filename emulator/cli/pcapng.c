/* Packets in a file: see pcapng.h. All numbers are in this machine's byte order, as the format has
 * it: the magic number in the section header tells a reader which that is. */
#include "cli/pcapng.h"

enum block {
	BLOCK_SECTION = 0x0a0d0d0a,
	BLOCK_INTERFACE = 1,
	BLOCK_STATISTICS = 5,
	BLOCK_PACKET = 6,
};

enum option {
	OPTION_END = 0,
	SECTION_APPLICATION = 4,
	INTERFACE_NAME = 2,
	INTERFACE_DESCRIPTION = 3,
	INTERFACE_RESOLUTION = 9,
	PACKET_FLAGS = 2,
	STATISTICS_RECEIVED = 4,
	STATISTICS_DROPPED = 5,
};

#define MAGIC	    0x1a2b3c4dU
#define ETHERNET    1
#define NANOSECONDS 9 /* 10^-9 s */
#define INBOUND	    1
#define OUTBOUND    2

static void put16(struct buffer *buffer, uint16_t number)
{
	buffer_append(buffer, &number, sizeof(number));
}

static void put32(struct buffer *buffer, uint32_t number)
{
	buffer_append(buffer, &number, sizeof(number));
}

static void put64(struct buffer *buffer, uint64_t number)
{
	buffer_append(buffer, &number, sizeof(number));
}

static void put_padded(struct buffer *buffer, const void *data, size_t length)
{
	buffer_append(buffer, data, length);
	buffer_append(buffer, "\0\0\0", ROUND_UP(length, 4) - length);
}

static void put_option(struct buffer *buffer, enum option option, const void *data, size_t length)
{
	put16(buffer, (uint16_t)option);
	put16(buffer, (uint16_t)length);
	put_padded(buffer, data, length);
}

/* Returns where the block begins. */
static size_t open_block(struct buffer *buffer, enum block type)
{
	put32(buffer, type);
	put32(buffer, 0);
	return buffer->length - 8;
}

/* Its length is at both ends. */
static void close_block(struct buffer *buffer, size_t start)
{
	uint32_t length = (uint32_t)(buffer->length + 4 - start);

	put32(buffer, length);
	memcpy(buffer->data + start + 4, &length, sizeof(length));
}

void pcapng_begin(struct buffer *buffer)
{
	static const char application[] = "minivpc capture";
	size_t start = open_block(buffer, BLOCK_SECTION);

	put32(buffer, MAGIC);
	put16(buffer, 1); /* version 1.0 */
	put16(buffer, 0);
	put64(buffer, UINT64_MAX); /* the section's length isn't known */
	put_option(buffer, SECTION_APPLICATION, application, strlen(application));
	put_option(buffer, OPTION_END, NULL, 0);
	close_block(buffer, start);
}

void pcapng_device(struct buffer *buffer, const char *name, const char *description)
{
	size_t start = open_block(buffer, BLOCK_INTERFACE);
	const uint8_t resolution = NANOSECONDS;

	put16(buffer, ETHERNET);
	put16(buffer, 0);
	put32(buffer, PCAPNG_SNAP);
	put_option(buffer, INTERFACE_NAME, name, strlen(name));
	if (description)
		put_option(buffer, INTERFACE_DESCRIPTION, description, strlen(description));
	put_option(buffer, INTERFACE_RESOLUTION, &resolution, sizeof(resolution));
	put_option(buffer, OPTION_END, NULL, 0);
	close_block(buffer, start);
}

/* A time is two halves, the upper one first. */
static void put_time(struct buffer *buffer, uint64_t time)
{
	put32(buffer, (uint32_t)(time >> 32));
	put32(buffer, (uint32_t)time);
}

void pcapng_packet(struct buffer *buffer, const struct sighting *sighting)
{
	size_t start = open_block(buffer, BLOCK_PACKET);
	const uint32_t flags = sighting->outbound ? OUTBOUND : INBOUND;

	put32(buffer, (uint32_t)sighting->device);
	put_time(buffer, sighting->time);
	put32(buffer, (uint32_t)sighting->length);
	put32(buffer, (uint32_t)sighting->original);
	put_padded(buffer, sighting->bytes, sighting->length);
	put_option(buffer, PACKET_FLAGS, &flags, sizeof(flags));
	put_option(buffer, OPTION_END, NULL, 0);
	close_block(buffer, start);
}

void pcapng_statistics(struct buffer *buffer, size_t device, uint64_t time, uint64_t received,
		       uint64_t dropped)
{
	size_t start = open_block(buffer, BLOCK_STATISTICS);

	put32(buffer, (uint32_t)device);
	put_time(buffer, time);
	put_option(buffer, STATISTICS_RECEIVED, &received, sizeof(received));
	put_option(buffer, STATISTICS_DROPPED, &dropped, sizeof(dropped));
	put_option(buffer, OPTION_END, NULL, 0);
	close_block(buffer, start);
}
