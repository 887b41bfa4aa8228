/* Running and undoing a transaction: see transact.h. */
#include "netlink/transact.h"

#include "netlink/netns.h"
#include "netlink/route.h"

#include <errno.h>
#include <stdio.h>
#include <sys/random.h>

static void transaction_clear(struct transaction *t)
{
	batch_clear(&t->batch);
	free(t->steps);
	free(t->links);
	map_clear(&t->doomed);
	object_list_clear(&t->found);
}

static void transaction_init(struct transaction *t, struct kernel *kernel,
			     const struct change *changes, size_t count)
{
	*t = (struct transaction){ .channels = &kernel->channels,
				   .kernel = kernel,
				   .changes = changes,
				   .count = count,
				   .steps = xcalloc(count, sizeof(*t->steps)) };
}

/* A number that no other link has: nobody else's go, whatever group they are in. */
static uint32_t new_group(void)
{
	uint32_t group = 0;

	while (group == 0)
		if (getrandom(&group, sizeof(group), 0) != sizeof(group))
			group = 0;
	return group | GROUP_DOOMED;
}

static int compare_namespaces(const void *a, const void *b, void *context)
{
	const struct change *changes = context;
	const struct rid *left = &changes[*(const size_t *)a].before.ns;
	const struct rid *right = &changes[*(const size_t *)b].before.ns;

	if (left->kind != right->kind)
		return (left->kind > right->kind) - (left->kind < right->kind);
	return (left->n > right->n) - (left->n < right->n);
}

/* Marks the links of one namespace: the batch is sent when this returns. */
static int mark_links(struct transaction *t, const size_t *steps, size_t count, uint32_t group,
		      struct error *error)
{
	for (size_t i = 0; i < count; i++) {
		const struct object *object = &t->changes[steps[i]].before;
		struct nlmsghdr *message;
		int r;

		t->object = object;
		r = transaction_open(t, object->ns, NETLINK_ROUTE, true, error);
		if (r != 0)
			return r < 0 ? r : 0;
		message = batch_message(&t->batch);
		route_set_group(message, object->link.name, group);
		batch_add(&t->batch, message, steps[i], ROLE_GROUP);
	}
	return transaction_flush(t, error);
}

/*
 * Takes the mark off again where a removal has failed: the group is what the rules know a port by.
 * Those that are gone, or were never marked after all, are fine.
 */
static void unmark_links(struct transaction *t, const size_t *steps, size_t count)
{
	struct error ignored = ERROR_INIT;

	for (size_t i = 0; i < count; i++) {
		const struct object *object = &t->changes[steps[i]].before;
		struct nlmsghdr *message;

		if (!t->steps[steps[i]].marked)
			continue;
		if (transaction_open(t, object->ns, NETLINK_ROUTE, true, &ignored) != 0)
			return;
		message = batch_message(&t->batch);
		route_set_group(message, object->link.name, object->link.group);
		batch_add(&t->batch, message, steps[i], ROLE_GROUP);
	}
	transaction_flush(t, &ignored);
}

/* Sends the removal of a group, which is that of one step's link and the others' too. */
static int remove_group(struct transaction *t, size_t step, uint32_t group, struct error *error)
{
	struct nlmsghdr *message;
	int r = transaction_open(t, t->changes[step].before.ns, NETLINK_ROUTE, false, error);

	if (r < 0)
		return r;
	message = batch_message(&t->batch);
	route_delete_group(message, group);
	batch_add(&t->batch, message, step, ROLE_DELETE);
	return transaction_flush(t, error);
}

/*
 * Removes the links of one namespace. Each RTM_DELLINK waits for the kernel's RCU grace periods
 * (some 20 ms); one for a whole group waits for them once.
 */
static int remove_links(struct transaction *t, const size_t *steps, size_t count, uint32_t group,
			struct error *error)
{
	size_t first = 0;
	int r = mark_links(t, steps, count, group, error);

	while (first < count && !t->steps[steps[first]].marked)
		first++;
	if (first == count)
		return r; /* all gone already */
	if (r == 0)
		r = remove_group(t, steps[first], group, error);
	if (r < 0)
		unmark_links(t, steps, count);
	/* Where no answer came they may be gone. */
	for (size_t i = first; i < count; i++)
		t->steps[steps[i]].removed =
			t->steps[steps[i]].marked && t->steps[steps[first]].removed;
	return r;
}

int transaction_finish_links(struct transaction *t, struct error *error)
{
	size_t count = t->link_count, end;
	uint32_t group;
	int r;

	if (!count)
		return 0;
	r = transaction_flush(t, error);
	if (r < 0)
		return r;
	group = new_group();
	qsort_r(t->links, count, sizeof(*t->links), compare_namespaces,
		(void *)(uintptr_t)t->changes);
	for (size_t i = 0; i < count && r == 0; i = end) {
		for (end = i + 1; end < count; end++)
			if (!rid_equal(t->changes[t->links[end]].before.ns,
				       t->changes[t->links[i]].before.ns))
				break;
		r = remove_links(t, t->links + i, end - i, group, error);
	}
	free(t->links);
	t->links = NULL;
	t->link_count = 0;
	return r;
}

static int remove_namespace(struct transaction *t, struct rid ns, struct step *step,
			    struct error *error)
{
	int r;

	channels_forget(t->channels, ns);
	kernel_forget(t->kernel, ns);
	r = netns_delete(ns, &step->removed, error);
	return r < 0 ? error_wrap(error, r, "%s: network namespace", rid_format(ns).text) : 0;
}

int transaction_finish_namespace(struct transaction *t, struct rid ns, struct error *error)
{
	struct step *step = map_take(&t->doomed, map_key_rid(ns));

	return step ? remove_namespace(t, ns, step, error) : 0;
}

static int finish_namespaces(struct transaction *t, struct error *error)
{
	int r = 0;

	if (!t->doomed.count)
		return 0;
	map_for_each (&t->doomed, slot) {
		struct rid ns = { (enum kind)slot->key.a, slot->key.b };

		if (r == 0)
			r = remove_namespace(t, ns, slot->value, error);
	}
	netns_sweep();
	return r;
}

static int run(struct transaction *t, struct error *error)
{
	int r = 0;

	for (size_t i = 0; i < t->count && r == 0; i++)
		r = transaction_apply(t, i, error);
	if (r == 0)
		r = transaction_flush(t, error);
	if (r == 0)
		r = transaction_finish_links(t, error);
	if (r == 0)
		r = finish_namespaces(t, error);
	return r;
}

/* What takes a step back; two OBJECT_NONE when it did nothing. */
static struct change inverse(const struct change *change, const struct step *step)
{
	struct change result;

	memset(&result, 0, sizeof(result));
	if (step->added)
		result.before = change->after;
	/* The namespace that is gone won't come back; a new one would be another. */
	if (step->removed && change->before.kind != OBJECT_NETNS)
		result.after = change->before;
	if (step->added && change->after.kind == OBJECT_SYSCTL) {
		result.after = change->after;
		result.after.sysctl.value = step->old_value;
	}
	return result;
}

/*
 * The same engine backwards. Nothing stops it; what can't be undone is told beside the error that
 * was the cause.
 */
static void undo(const struct transaction *done, struct error *error)
{
	CLEANUP(freep) struct change *changes = xcalloc(done->count, sizeof(*changes));
	CLEANUP(transaction_clear) struct transaction t;
	struct error failure = ERROR_INIT, first = ERROR_INIT;
	size_t count = 0, length;

	for (size_t i = done->count; i-- > 0;) {
		changes[count] = inverse(&done->changes[i], &done->steps[i]);
		if (changes[count].before.kind || changes[count].after.kind)
			count++;
	}
	transaction_init(&t, done->kernel, changes, count);
	t.first_failure = &first;
	for (size_t i = 0; i < count; i++)
		if (transaction_apply(&t, i, &failure) < 0 && !first.text[0])
			first = failure;
	if (transaction_flush(&t, &failure) < 0 && !first.text[0])
		first = failure;
	if (transaction_finish_links(&t, &failure) < 0 && !first.text[0])
		first = failure;
	if (finish_namespaces(&t, &failure) < 0 && !first.text[0])
		first = failure;
	length = strlen(error->text);
	if (first.text[0])
		snprintf(error->text + length, sizeof(error->text) - length,
			 "; and undoing failed: %.200s", first.text);
}

int kernel_transact(struct kernel *kernel, const struct change *changes, size_t count,
		    struct error *error)
{
	CLEANUP(transaction_clear) struct transaction t;
	int r;

	transaction_init(&t, kernel, changes, count);
	channels_refresh(&kernel->channels);
	r = run(&t, error);
	if (r < 0)
		undo(&t, error); /* what is still unsent stays so */
	return r;
}
