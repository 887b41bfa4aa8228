/*
 * What has changed, lately: each commit's journal, kept in memory for those who follow it. A commit
 * pays for writing its resources down as the store does; what is different is found when somebody
 * asks.
 */
#pragma once

#include "api/call.h"

struct events;

struct events *events_new(void);
struct events *events_free(struct events *events); /* NULL is fine; always NULL */
/* Of a transaction that is about to be kept. */
void events_add(struct events *events, const struct transaction *transaction);
/* See struct api_hooks. */
void events_read(const struct events *events, uint64_t from, struct api_events *ret_events);
