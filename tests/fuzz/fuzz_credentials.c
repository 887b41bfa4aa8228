/* objects: emulator/base/credentials.o emulator/base/buffer.o emulator/base/error.o emulator/base/util.o */
/*
 * The file of access keys, which people edit. What is read of it is whole. With libFuzzer: -DFUZZER
 * -fsanitize=fuzzer.
 */
#include "base/credentials.h"
#include "replay.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(credentials_clear) struct credentials_list list = { NULL, 0 };
	struct error error = ERROR_INIT;
	char path[64];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("credentials", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (credentials_load(path, &list, &error) < 0) {
		if (!*error.text)
			abort();
		return 0;
	}
	for (size_t i = 0; i < list.count; i++)
		if (!credentials_is_account(list.items[i].account) || !*list.items[i].access_key ||
		    !*list.items[i].secret_key || !credentials_find(&list, list.items[i].account))
			abort();
	return 0;
}
