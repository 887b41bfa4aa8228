/* What comes after what: see internal.h. */
#include "lab/internal.h"

enum mark {
	MARK_NEW,
	MARK_OPEN,
	MARK_DONE,
};

struct order {
	const struct edges *edges;
	const size_t *first; /* the edges of a place begin there */
	enum mark *marks;
	size_t *stack, depth;
	size_t *order, done;
};

static int compare_edges(const void *a, const void *b)
{
	const struct edge *one = a, *other = b;

	if (one->from != other->from)
		return one->from < other->from ? -1 : 1;
	return one->to < other->to ? -1 : one->to > other->to;
}

/* False: the places of a circle are the stack's last ones, from *ret_start on. */
static bool visit(struct order *order, size_t place, size_t *ret_start)
{
	order->marks[place] = MARK_OPEN;
	order->stack[order->depth++] = place;
	for (size_t i = order->first[place]; i < order->first[place + 1]; i++) {
		const size_t to = order->edges->items[i].to;

		if (order->marks[to] == MARK_OPEN) {
			*ret_start = to;
			return false;
		}
		if (order->marks[to] == MARK_NEW && !visit(order, to, ret_start))
			return false;
	}
	order->marks[place] = MARK_DONE;
	order->depth--;
	order->order[order->done++] = place;
	return true;
}

bool order_find(size_t count, struct edges *edges, size_t *ret_order, size_t *ret_circle)
{
	CLEANUP(freep) size_t *first = xcalloc(count + 1, sizeof(*first));
	CLEANUP(freep) size_t *stack = xcalloc(count + 1, sizeof(*stack));
	CLEANUP(freep) enum mark *marks = xcalloc(count + 1, sizeof(*marks));
	struct order order = {
		.edges = edges, .first = first, .marks = marks, .stack = stack, .order = ret_order
	};
	size_t start, length = 0;

	if (edges->count)
		qsort(edges->items, edges->count, sizeof(*edges->items), compare_edges);
	for (size_t i = 0, place = 0; place <= count; place++) {
		while (i < edges->count && edges->items[i].from < place)
			i++;
		first[place] = i;
	}
	for (size_t i = 0; i < count; i++) {
		if (marks[i] != MARK_NEW || visit(&order, i, &start))
			continue;
		while (stack[order.depth - 1 - length] != start)
			length++;
		memcpy(ret_order, stack + order.depth - 1 - length, (length + 1) * sizeof(*stack));
		*ret_circle = length + 1;
		return false;
	}
	return true;
}
