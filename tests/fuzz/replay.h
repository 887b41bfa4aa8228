/*
 * Around a harness that is not built with libFuzzer (-DFUZZER): a main() that runs seeds through it
 * and then inputs made of them, the same ones every time.
 *
 *	fuzz_x COUNT SEED…
 *
 * A harness that takes long defines REPLAY_COST, by which COUNT is divided.
 *
 * The input that runs lies in the file that FUZZ_INPUT names, whatever becomes of the program.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZER
#include "base/util.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define REPLAY_MAX   ((size_t)1 << 16)
#define REPLAY_SEEDS 64
#ifndef REPLAY_COST
#define REPLAY_COST 1
#endif

struct replay_input {
	uint8_t *data;
	size_t size;
};

static struct replay_input replay_seeds[REPLAY_SEEDS], replay_now;
static size_t replay_seed_count;
static uint64_t replay_state = 0x9e3779b97f4a7c15u;

/* xorshift64: 0 … below - 1 */
static size_t replay_random(size_t below)
{
	replay_state ^= replay_state << 13;
	replay_state ^= replay_state >> 7;
	replay_state ^= replay_state << 17;
	return below ? (size_t)(replay_state % below) : 0;
}

static void replay_read(const char *path)
{
	struct replay_input *seed = &replay_seeds[replay_seed_count++];
	FILE *file = fopen(path, "re");

	if (!file || replay_seed_count == REPLAY_SEEDS) {
		perror(path);
		exit(1);
	}
	seed->data = xcalloc(REPLAY_MAX, 1);
	seed->size = fread(seed->data, 1, REPLAY_MAX, file);
	fclose(file);
}

/* A page that is the file's, so that nothing has to be written when the program dies. */
static void replay_open(void)
{
	const char *path = getenv("FUZZ_INPUT");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;

	if (path && (fd < 0 || ftruncate(fd, (off_t)REPLAY_MAX) < 0)) {
		perror(path);
		exit(1);
	}
	replay_now.data = mmap(NULL, REPLAY_MAX, PROT_READ | PROT_WRITE,
			       path ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	if (replay_now.data == MAP_FAILED)
		exit(1);
}

/* Puts `size` bytes in at `at`. */
static void replay_insert(size_t at, const uint8_t *bytes, size_t size)
{
	size = MIN(size, REPLAY_MAX - replay_now.size);
	memmove(replay_now.data + at + size, replay_now.data + at, replay_now.size - at);
	memcpy(replay_now.data + at, bytes, size);
	replay_now.size += size;
}

static void replay_bend(void)
{
	static const uint8_t odd[] = "\0\xff\xfe\x80\n\r%&=+.;:,/<>\"'!*09-~";
	const struct replay_input *other = &replay_seeds[replay_random(replay_seed_count)];
	const size_t at = replay_random(replay_now.size + 1);
	const size_t rest = replay_random(MIN(replay_now.size - at, (size_t)32) + 1);
	const size_t from = replay_random(other->size + 1);
	uint8_t copy[32];

	switch (replay_random(6)) {
	case 0:
		if (at < replay_now.size)
			replay_now.data[at] ^= (uint8_t)(1U << replay_random(8));
		break;
	case 1:
		if (at < replay_now.size)
			replay_now.data[at] = odd[replay_random(sizeof(odd))];
		break;
	case 2:
		replay_insert(at, &odd[replay_random(sizeof(odd))], 1);
		break;
	case 3:
		memmove(replay_now.data + at, replay_now.data + at + rest,
			replay_now.size - at - rest);
		replay_now.size -= rest;
		break;
	case 4:
		memcpy(copy, replay_now.data + at, rest);
		replay_insert(replay_random(replay_now.size + 1), copy, rest);
		break;
	default:
		replay_insert(at, other->data + from,
			      replay_random(MIN(other->size - from, (size_t)256) + 1));
	}
}

/* Each in memory of its own size: what reads past its end is found. */
static void replay_run(void)
{
	uint8_t *copy = malloc(replay_now.size ? replay_now.size : 1);

	if (!copy)
		abort();
	memcpy(copy, replay_now.data, replay_now.size);
	LLVMFuzzerTestOneInput(copy, replay_now.size);
	free(copy);
}

static void replay_seed(const struct replay_input *seed)
{
	memcpy(replay_now.data, seed->data, seed->size);
	replay_now.size = seed->size;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s COUNT SEED…\n", argv[0]);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		replay_read(argv[i]);
	replay_open();
	for (size_t i = 0; i < replay_seed_count; i++) {
		replay_seed(&replay_seeds[i]);
		replay_run();
	}
	for (unsigned long count = strtoul(argv[1], NULL, 10) / REPLAY_COST; count; count--) {
		replay_seed(&replay_seeds[replay_random(replay_seed_count)]);
		for (size_t bends = 1 + replay_random(8); bends; bends--)
			replay_bend();
		replay_run();
	}
	return 0;
}
#endif
