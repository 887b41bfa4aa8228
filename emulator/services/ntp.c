/* The time: see ntp.h. */
#include "services/ntp.h"

#include <arpa/nameser.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define AT_ONCE	   256
#define FROM_1900  2208988800u /* seconds until 1970 */
#define CLIENT	   3
#define SERVER	   4
#define STRATUM	   4	       /* how far the machine's clock is from a good one, it doesn't say */
#define PRECISION  0xec	       /* 2^-20 s */
#define DISPERSION 0x20	       /* of 1/65536 s: 0.5 ms */
#define REFERENCE  0xa9fea97au /* 169.254.169.122, as Amazon's servers say */

static void put_time(uint8_t *at, struct timespec time)
{
	ns_put32((unsigned long)(uint32_t)((uint64_t)time.tv_sec + FROM_1900), at);
	ns_put32((unsigned long)(((uint64_t)time.tv_nsec << 32) / 1000000000u), at + 4);
}

bool ntp_answer(const uint8_t *request, size_t size, struct timespec now,
		uint8_t ret_answer[NTP_SIZE])
{
	unsigned int version = size ? request[0] >> 3 & 7u : 0;

	if (size < NTP_SIZE || (request[0] & 7) != CLIENT || version < 1 || version > 4)
		return false;
	memset(ret_answer, 0, NTP_SIZE);
	ret_answer[0] = (uint8_t)(version << 3 | SERVER);
	ret_answer[1] = STRATUM;
	ret_answer[2] = request[2]; /* how often it asks */
	ret_answer[3] = PRECISION;
	ns_put32(DISPERSION, ret_answer + 8);
	ns_put32(REFERENCE, ret_answer + 12);
	put_time(ret_answer + 16, (struct timespec){ now.tv_sec, 0 }); /* when it was last set */
	memcpy(ret_answer + 24, request + 40, 8);
	put_time(ret_answer + 32, now);
	put_time(ret_answer + 40, now);
	return true;
}

void ntp_receive(int fd)
{
	uint8_t request[NTP_SIZE + 1024], answer[NTP_SIZE]; /* extensions are passed over */

	for (int i = 0; i < AT_ONCE; i++) {
		struct sockaddr_in peer;
		socklen_t peer_size = sizeof(peer);
		ssize_t size = recvfrom(fd, request, sizeof(request), MSG_DONTWAIT,
					(struct sockaddr *)&peer, &peer_size);
		struct timespec now;

		if (size < 0)
			return;
		clock_gettime(CLOCK_REALTIME, &now);
		if (ntp_answer(request, (size_t)size, now, answer))
			(void)!sendto(fd, answer, sizeof(answer), MSG_DONTWAIT | MSG_NOSIGNAL,
				      (struct sockaddr *)&peer, peer_size);
	}
}
