/* objects: emulator/services/ntp.o emulator/base/util.o */
/* libs: -lresolv */
/*
 * A datagram that an instance sends to the time's port: only a client's request is answered, and
 * with what it has to be. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "replay.h"
#include "services/ntp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t answer[NTP_SIZE];

	if (!ntp_answer(data, size, (struct timespec){ 1700000000, 5 }, answer))
		return 0;
	/* From a client, to it as its server, with the time that it sent. */
	if (size < NTP_SIZE || (data[0] & 7) != 3 || (answer[0] & 7) != 4 ||
	    memcmp(answer + 24, data + 40, 8) != 0)
		abort();
	return 0;
}
