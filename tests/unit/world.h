/*
 * What tests over the model share: one model, an account's region in it and an open transaction,
 * and the resources that most of them begin with. tests/plan/ stands on it too.
 */
#pragma once

#include "model/elastic_ip.h"
#include "model/instance.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define NOW 1700000000

extern struct model model;
extern struct scope *scope;
extern struct transaction transaction;
/* What the last refusal said. Hidden: libc has a function of this name. */
extern struct error error __attribute__((visibility("hidden")));

/* What a launch asks for that has no wishes; its texts are for reading only. */
extern const struct instance_template plain_instance;

/* The scope and the transaction; nothing is in the model. */
void begin_world(void);
/* cmocka's tear-down. */
int end_world(void **state);

/* Each fails the test when it is refused, but try_launch(). */
struct cidr cidr_of(const char *text);
struct vpc *make_vpc(const char *cidr);
struct subnet *make_subnet_in(struct vpc *vpc, const char *cidr, const char *zone);
struct interface *make_interface(struct subnet *subnet, size_t more);
struct elastic_ip *allocate(void);
/* With one interface each: 0 or a negative errno, and why in `error`. */
int try_launch(struct subnet *subnet, int64_t minimum, int64_t maximum);
/* The instance that came last. */
struct instance *newest(void);
