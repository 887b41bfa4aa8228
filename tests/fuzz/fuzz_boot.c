/* objects: emulator/instance/boot.o emulator/base/base64.o emulator/base/buffer.o emulator/base/util.o */
/* libs: -lyaml -lnettle */
/*
 * User data and a public key, which callers of the API write: they become a script. The first line
 * of the input is the key, the rest the user data. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "instance/boot.h"
#include "replay.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(freep) char *input = xcalloc(size + 1, 1), *script = NULL;
	char *rest = input;

	if (size)
		memcpy(input, data, size);
	strsep(&rest, "\n");
	const struct boot_plan plan = {
		.id = "i-0123456789abcdef0",
		.first = true,
		.public_key = *input ? input : NULL,
		.user_data = rest,
		.user_data_size = rest ? (size_t)(input + size - rest) : 0, /* NULs and all */
	};
	script = boot_script(&plan);
	return 0;
}
