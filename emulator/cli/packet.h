/*
 * A packet in one line, in tcpdump's spirit:
 *
 *	IP 10.0.1.4.49152 > 10.0.2.4.80: tcp SYN, length 0
 */
#pragma once

#include "base/buffer.h"

/* `length` bytes of an Ethernet frame; whatever they are, nothing beyond them is read. */
void packet_describe(struct buffer *buffer, const unsigned char *bytes, size_t length);
