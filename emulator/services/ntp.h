/*
 * Amazon Time Sync: NTP version 4, server side, RFC 5905, from this machine's clock.
 */
#pragma once

#include <time.h>

#include "base/util.h"

#define NTP_SIZE 48

/* The answer to a client's request that came at `now`; false: it is none. */
bool ntp_answer(const uint8_t *request, size_t size, struct timespec now,
		uint8_t ret_answer[NTP_SIZE]);
/* Answers what has arrived at a UDP socket. */
void ntp_receive(int fd);
