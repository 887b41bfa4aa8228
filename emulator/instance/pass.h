/* A packet that brings a descriptor, between processes of ours. System calls only. */
#pragma once

#include <sys/types.h>

/* `data` is only read and `fd` lent, -1 for none. As send(2); a closed socket is no signal. */
ssize_t pass_send(int socket, void *data, size_t size, int fd);
/* As recv(2). `ret_fd` is the caller's to close; -1: none came. */
ssize_t pass_receive(int socket, void *data, size_t size, int flags, int *ret_fd);
