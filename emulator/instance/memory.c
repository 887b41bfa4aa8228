/* Unmapping what the launcher doesn't need: see memory.h. */
#include "instance/memory.h"

#include <errno.h>
#include <link.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_SANITIZER 1
#endif
#endif
#ifndef HAS_SANITIZER
#define HAS_SANITIZER 0
#endif

#define MAPPINGS_MAX 1024 /* further ones stay */

struct mapping {
	uintptr_t start, end;
	uint64_t file; /* the inode; 0: no file */
	bool is_heap;
	bool is_special; /* the stack, the kernel's own pages */
	bool stays;
};

static bool is_bound_now(void)
{
	for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++)
		if ((entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_BIND_NOW)) ||
		    (entry->d_tag == DT_FLAGS_1 && (entry->d_un.d_val & DF_1_NOW)))
			return true;
	return false;
}

/* "START-END rwxp OFFSET DEVICE INODE   NAME" */
static bool parse(const char *line, struct mapping *ret_mapping)
{
	struct mapping mapping = { 0 };
	unsigned long start, end, file;
	char name[8] = "";

	if (sscanf(line, "%lx-%lx %*s %*s %*s %lu %7s", &start, &end, &file, name) < 3)
		return false;
	mapping.start = start;
	mapping.end = end;
	mapping.file = file;
	mapping.is_heap = streq(name, "[heap]");
	mapping.is_special = name[0] == '[' && !mapping.is_heap && strncmp(name, "[anon", 5) != 0;
	*ret_mapping = mapping;
	return true;
}

static size_t read_mappings(int maps, struct mapping *mappings)
{
	FILE *file = fdopen(dup(maps), "r");
	size_t count = 0;
	char line[512];

	if (!file)
		return 0;
	while (count < MAPPINGS_MAX && fgets(line, sizeof(line), file))
		count += parse(line, &mappings[count]);
	fclose(file);
	return count;
}

static const struct mapping *find(const struct mapping *mappings, size_t count, uintptr_t address)
{
	for (size_t i = 0; i < count; i++)
		if (mappings[i].start <= address && address < mappings[i].end)
			return &mappings[i];
	return NULL;
}

/* This program, libc and the dynamic linker, with what has no file at the end of each: its .bss. */
static void keep_needed(struct mapping *mappings, size_t count, const void *keep)
{
	const uintptr_t needed[] = {
		(uintptr_t)memory_narrow,  (uintptr_t)write, (uintptr_t)getauxval(AT_BASE),
		(uintptr_t)&errno, /* thread-local storage */
		(uintptr_t)keep,
#ifdef INJECT
		(uintptr_t)inject_control,
#endif
	};

	for (size_t n = 0; n < ARRAY_SIZE(needed); n++) {
		const struct mapping *holder = find(mappings, count, needed[n]);

		for (size_t i = 0; holder && i < count; i++)
			mappings[i].stays |= &mappings[i] == holder ||
					     (holder->file && mappings[i].file == holder->file);
	}
	for (size_t i = 0; i < count; i++)
		mappings[i].stays |=
			mappings[i].is_special ||
			(i > 0 && mappings[i - 1].stays && !mappings[i].file &&
			 !mappings[i].is_heap && mappings[i - 1].end == mappings[i].start);
}

void memory_narrow(int maps, const void *keep)
{
	struct mapping mappings[MAPPINGS_MAX];
	bool heap_only = !is_bound_now();
	size_t count;

	if (HAS_SANITIZER)
		return;
	count = read_mappings(maps, mappings);
	keep_needed(mappings, count, keep);
	/* From the first munmap() on: nothing but system calls. */
	for (size_t i = 0; i < count; i++)
		if (!mappings[i].stays && (mappings[i].is_heap || !heap_only))
			munmap((void *)mappings[i].start, mappings[i].end - mappings[i].start);
}
