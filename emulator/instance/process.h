/* A process that can't be mistaken for a later one with the same pid: the parts shared in here. */
#pragma once

#include "instance/instance.h"

/* Reads the start time of `pid`. -ESRCH when there is none or it is a zombie. */
int process_start_time(pid_t pid, uint64_t *ret_start_time);

/* A pidfd of exactly this process. -ESRCH when it is not alive (or is another one); -EMFILE. */
int process_open(struct process process, int *ret_pidfd, struct error *error);

/* Waits until the process of `pidfd` is gone and reaps it if it is our child. -ETIMEDOUT. */
int process_wait(int pidfd, int64_t deadline);
