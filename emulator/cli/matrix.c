/* See matrix.h. */
#include "cli/matrix.h"

#include "base/display.h"
#include "cli/drops.h"
#include "cli/listing.h"
#include "cli/paint.h"
#include "cli/probe.h"
#include "cli/why.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <time.h>

#define PATIENCE    1500 /* milliseconds; those that nobody is to answer take less */
#define WIDTH	    100	 /* of a table with names above its columns */
#define NAMED_PAIRS 6
#define SLICE	    8000
#define WAVES	    6 /* of packets, at most: 32 instances in one subnet need one */

struct member {
	char *id, *name, *vpc, *address; /* owned; no name: NULL */
	uint64_t pid, start_time;
	int process;
	struct probe_source *source;
};

struct pair {
	size_t from, to;
	char *verdict, *kind, *at, *by, *filter, *summary; /* owned */
	bool assumes;
	bool excused; /* lost for want of room in the machine's table of neighbours */
	struct probe probe;
};

struct matrix {
	struct member *members;
	size_t count;
	struct pair *pairs; /* by sender, then by receiver */
	size_t pair_count;
	const char *port; /* NULL: ICMP */
	struct drops drops;
	size_t disagreements;
	uint64_t full; /* times that the machine's table of neighbours was, and it had to wait */
};

static void matrix_clear(struct matrix *matrix)
{
	for (size_t i = 0; i < matrix->count; i++) {
		struct member *member = &matrix->members[i];

		free(member->id);
		free(member->name);
		free(member->vpc);
		free(member->address);
		free(member->source);
		closep(&member->process);
	}
	for (size_t i = 0; i < matrix->pair_count; i++) {
		struct pair *pair = &matrix->pairs[i];

		free(pair->verdict);
		free(pair->kind);
		free(pair->at);
		free(pair->by);
		free(pair->filter);
		free(pair->summary);
	}
	free(matrix->members);
	free(matrix->pairs);
	drops_clear(&matrix->drops);
}

/* ---- what the model says ---- */

static uint64_t item_number(const void *item, const char *name)
{
	CLEANUP(freep) char *text = reply_item_text(item, name);

	return text ? strtoull(text, NULL, 10) : 0;
}

static void read_members(const struct reply *reply, struct matrix *matrix)
{
	const void *item = NULL;

	while ((item = reply_next(reply, "instanceSet", item)))
		*array_grow(&matrix->members, &matrix->count) = (struct member){
			.id = reply_item_text(item, "instanceId"),
			.name = reply_item_text(item, "name"),
			.vpc = reply_item_text(item, "vpcId"),
			.address = reply_item_text(item, "privateIpAddress"),
			.pid = item_number(item, "pid"),
			.start_time = item_number(item, "startTime"),
			.process = -1,
		};
}

/* From `hint` on, for they come in order; `count`: none has the id. */
static size_t member_of(const struct matrix *matrix, const char *id, size_t hint)
{
	for (size_t i = 0; i < matrix->count; i++) {
		const size_t index = (hint + i) % matrix->count;

		if (streq(matrix->members[index].id, id))
			return index;
	}
	return matrix->count;
}

static int bad_reply(struct error *error)
{
	error_set(error, ERROR_INTERNAL, "the reply holds no usable pairs");
	return -EBADMSG;
}

static int read_pair(const void *item, struct matrix *matrix, struct error *error)
{
	CLEANUP(freep) char *from = reply_item_text(item, "from");
	CLEANUP(freep) char *to = reply_item_text(item, "to");
	CLEANUP(freep) char *destination = reply_item_text(item, "destination");
	CLEANUP(freep) char *assumes = reply_item_text(item, "assumes");
	const struct pair *last =
		matrix->pair_count ? &matrix->pairs[matrix->pair_count - 1] : NULL;
	const size_t hint = last ? last->from : 0, next = last ? last->to + 1 : 0;
	struct pair pair = { .from = member_of(matrix, from, hint),
			     .to = member_of(matrix, to, next) };

	if (pair.from == matrix->count || pair.to == matrix->count || !destination ||
	    address_parse(destination, &pair.probe.destination) < 0)
		return bad_reply(error);
	pair.verdict = reply_item_text(item, "verdict");
	pair.kind = reply_item_text(item, "kind");
	pair.at = reply_item_text(item, "at");
	pair.by = reply_item_text(item, "by");
	pair.filter = reply_item_text(item, "filter");
	pair.summary = reply_item_text(item, "summary");
	pair.assumes = streq(assumes, "true");
	*array_grow(&matrix->pairs, &matrix->pair_count) = pair;
	return 0;
}

static int ask(const struct client *client, const struct request *request, struct matrix *matrix,
	       struct error *error)
{
	const struct parameter parameters[] = { { "VpcId", request->vpc },
						{ "Protocol", request->port ? "tcp" : "icmp" },
						{ "Port", request->port },
						{ NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL;
	const void *item = NULL;
	int r = client_call(client, "TracePaths", parameters, &reply, error);

	if (r < 0)
		return r;
	read_members(reply, matrix);
	while (r == 0 && (item = reply_next(reply, "pairSet", item)))
		r = read_pair(item, matrix, error);
	return r;
}

/* ---- what the packets say ---- */

static int open_members(const struct cli_hooks *hooks, struct matrix *matrix, struct error *error)
{
	for (size_t i = 0; i < matrix->count; i++) {
		struct member *member = &matrix->members[i];
		int r = hooks->open((pid_t)member->pid, member->start_time, &member->process,
				    error);

		if (r < 0)
			return error_wrap(error, r, "%s", member->id);
		member->source = xcalloc(1, sizeof(*member->source));
		member->source->process = member->process;
		member->source->icmp = -1;
		if (!member->address ||
		    address_parse(member->address, &member->source->address) < 0)
			return bad_reply(error);
	}
	return 0;
}

static struct probe probe_of(const struct matrix *matrix, const struct pair *pair)
{
	return (struct probe){
		.source = matrix->members[pair->from].source,
		.destination = pair->probe.destination,
		.protocol = matrix->port ? IPPROTO_TCP : IPPROTO_ICMP,
		.port = matrix->port ? (uint16_t)atoi(matrix->port) : 0,
		.expected = !streq(pair->verdict, "stopped"),
	};
}

/* Each connection takes a descriptor, so not all of them at once. */
static int send_slices(struct probe *probes, size_t count, struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i += SLICE)
		r = probes_run(probes + i, MIN(count - i, (size_t)SLICE), PATIENCE, error);
	return r;
}

/* Those that were lost although somebody was to answer, or all. */
static int send_wave(struct matrix *matrix, bool all, size_t *ret_lost, struct error *error)
{
	CLEANUP(freep) struct probe *probes = xcalloc(matrix->pair_count, sizeof(*probes));
	CLEANUP(freep) size_t *indices = xcalloc(matrix->pair_count, sizeof(*indices));
	size_t count = 0;
	int r;

	for (size_t i = 0; i < matrix->pair_count; i++) {
		struct pair *pair = &matrix->pairs[i];

		if (all || (pair->probe.expected && pair->probe.result == PROBE_SILENT)) {
			probes[count] = probe_of(matrix, pair);
			indices[count++] = i;
		}
	}
	r = send_slices(probes, count, error);
	*ret_lost = 0;
	for (size_t i = 0; i < count; i++) {
		matrix->pairs[indices[i]].probe = probes[i];
		*ret_lost += probes[i].expected && probes[i].result == PROBE_SILENT;
	}
	return r;
}

/* Where the machine's table of neighbours was full, those that were lost for it try again. */
static int send_all(struct matrix *matrix, struct error *error)
{
	const struct timespec pause = { PROBE_NEIGHBOUR_MS / 1000,
					PROBE_NEIGHBOUR_MS % 1000 * 1000000L };
	uint64_t full = probe_neighbours_full();
	bool excused = false;
	size_t lost = 0;
	int r = send_wave(matrix, true, &lost, error);

	for (int wave = 1; r == 0 && lost; wave++) {
		const uint64_t now = probe_neighbours_full();

		excused = now != full;
		matrix->full += now - full;
		full = now;
		if (!excused || wave == WAVES)
			break;
		nanosleep(&pause, NULL);
		r = send_wave(matrix, false, &lost, error);
	}
	for (size_t i = 0; i < matrix->pair_count; i++)
		matrix->pairs[i].excused = excused && matrix->pairs[i].probe.expected &&
					   matrix->pairs[i].probe.result == PROBE_SILENT;
	return r;
}

static bool is_reached(const struct pair *pair)
{
	return pair->probe.result == PROBE_OPEN || pair->probe.result == PROBE_REFUSED;
}

/* One that the model leaves open can't be wrong. */
static bool disagrees(const struct pair *pair)
{
	if (pair->assumes || pair->excused || streq(pair->verdict, "sometimes"))
		return false;
	return streq(pair->verdict, "reaches") != is_reached(pair);
}

static int probe_all(const struct client *client, const struct cli_hooks *hooks,
		     struct matrix *matrix, struct error *error)
{
	CLEANUP(drops_clear) struct drops before = { NULL, 0 };
	int r;

	if ((r = open_members(hooks, matrix, error)) < 0 ||
	    (r = drops_read(client, &before, error)) < 0 || (r = send_all(matrix, error)) < 0 ||
	    (r = drops_read(client, &matrix->drops, error)) < 0)
		return r;
	drops_subtract(&before, &matrix->drops);
	for (size_t i = 0; i < matrix->pair_count; i++)
		matrix->disagreements += disagrees(&matrix->pairs[i]);
	return 0;
}

/* ---- as a table ---- */

static const char *label(const struct member *member)
{
	return member->name && *member->name ? member->name : member->id;
}

/* Characters, not bytes. */
/* What stands for a pair: in full, and as one letter. */
static const struct {
	const char *kind, *word, *letter;
} cells[] = {
	{ "security-group", "group", "g" }, { "network-acl", "acl", "a" },
	{ "route", "route", "r" },	    { "source-check", "check", "c" },
	{ "internet-gateway", "igw", "i" }, { "nat-gateway", "nat", "n" },
	{ "peering", "peering", "p" },	    { "internet", "internet", "w" },
	{ "delivery", "address", "d" },	    { "fault", "fault", "f" },
};

static const char *cell_of(const struct pair *pair, bool letters)
{
	if (disagrees(pair))
		return letters ? "!" : is_reached(pair) ? "OPEN!" : "LOST!";
	if (pair->probe.result == PROBE_OPEN)
		return letters ? "." : "ok";
	if (pair->probe.result == PROBE_REFUSED)
		return letters ? "x" : "closed";
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		if (streq(cells[i].kind, pair->kind))
			return letters ? cells[i].letter : cells[i].word;
	return letters ? "?" : "silent";
}

/* NULL: nobody asked, as of oneself. */
static const struct pair *pair_at(const struct matrix *matrix, size_t from, size_t to)
{
	const size_t row = matrix->count - 1, index = from * row + to - (to > from);

	if (from == to)
		return NULL;
	/* Where one lost its address meanwhile there are fewer. */
	if (index < matrix->pair_count && matrix->pairs[index].from == from &&
	    matrix->pairs[index].to == to)
		return &matrix->pairs[index];
	for (size_t i = 0; i < matrix->pair_count; i++)
		if (matrix->pairs[i].from == from && matrix->pairs[i].to == to)
			return &matrix->pairs[i];
	return NULL;
}

static void put_padded(struct buffer *text, const char *what, int width, const char *colour)
{
	buffer_printf(text, "%s%s%s%*s", colour, what, *colour ? PAINT_OFF : "",
		      MAX(width - (int)display_columns(what), 0), "");
}

/* The narrowest that names and words fit in. */
static int column_width(const struct member *member)
{
	return MAX((int)display_columns(label(member)), (int)strlen("peering")) + 2;
}

static void put_cell(const struct matrix *matrix, size_t from, size_t to, bool letters,
		     struct buffer *text)
{
	const bool colours = paint_is_wanted();
	const struct pair *pair = pair_at(matrix, from, to);
	const char *colour = pair && is_reached(pair) ? PAINT_GREEN : PAINT_RED;
	const int width = letters ? 3 : column_width(&matrix->members[to]);

	if (!pair)
		put_padded(text, letters ? " " : "-", width, "");
	else
		put_padded(text, cell_of(pair, letters), width, paint(colours, colour));
}

static void trim(struct buffer *text)
{
	while (text->length && text->data[text->length - 1] == ' ')
		text->data[--text->length] = '\0';
	buffer_putc(text, '\n');
}

/* A name stands for one instance alone, else its id does. */
static void make_plain(struct matrix *matrix)
{
	for (size_t i = 0; i < matrix->count; i++) {
		struct member *member = &matrix->members[i];

		for (size_t j = 0; j < i && member->name; j++)
			if (streq(matrix->members[j].name, member->name))
				freep(&member->name);
		display_plain(member->name);
	}
	for (size_t i = 0; i < matrix->pair_count; i++)
		display_plain(matrix->pairs[i].summary);
}

/* Names above the columns where they fit, else numbers. */
static void put_table(const struct matrix *matrix, struct buffer *text)
{
	int first = 0, whole = 0;
	bool letters;

	for (size_t i = 0; i < matrix->count; i++) {
		first = MAX(first, (int)display_columns(label(&matrix->members[i])) + 2);
		whole += column_width(&matrix->members[i]);
	}
	letters = first + whole > WIDTH;
	buffer_printf(text, "%*s", letters ? first + 4 : first, "");
	for (size_t i = 0; i < matrix->count; i++)
		if (letters)
			buffer_printf(text, "%-3zu", i + 1);
		else
			put_padded(text, label(&matrix->members[i]),
				   column_width(&matrix->members[i]), "");
	trim(text);
	for (size_t i = 0; i < matrix->count; i++) {
		if (letters)
			buffer_printf(text, "%-3zu ", i + 1);
		put_padded(text, label(&matrix->members[i]), first, "");
		for (size_t j = 0; j < matrix->count; j++)
			put_cell(matrix, i, j, letters, text);
		trim(text);
	}
	if (!letters)
		return;
	buffer_puts(text, "(. ok, x closed port");
	for (size_t i = 0; i < ARRAY_SIZE(cells); i++)
		buffer_printf(text, ", %s %s", cells[i].letter, cells[i].word);
	buffer_puts(text, ", ! disagreement)\n");
}

/* The same rules keep them apart. */
static bool is_same_reason(const struct pair *a, const struct pair *b)
{
	return streq(a->kind, b->kind) && streq(a->by, b->by) && streq(a->filter, b->filter) &&
	       (a->by || streq(a->at, b->at));
}

static bool is_refusal(const struct pair *pair)
{
	return pair->kind && !is_reached(pair) && !disagrees(pair);
}

/* What those rules dropped; false: nobody counts that. */
static bool counted_for(const struct matrix *matrix, const struct pair *example,
			uint64_t *ret_packets)
{
	const bool by_subnet = streq(example->kind, "network-acl");

	*ret_packets = 0;
	if (!by_subnet && !streq(example->kind, "security-group") &&
	    !streq(example->kind, "source-check"))
		return false;
	for (size_t i = 0; i < matrix->drops.count; i++) {
		const struct drop *drop = &matrix->drops.items[i];
		bool found = false;

		if (!streq(drop->reason, example->kind) ||
		    (example->filter && !streq(drop->direction, example->filter)))
			continue;
		for (size_t j = 0; j < matrix->pair_count && !found; j++)
			found = is_refusal(&matrix->pairs[j]) &&
				is_same_reason(&matrix->pairs[j], example) &&
				streq(by_subnet ? drop->subnet : drop->interface,
				      matrix->pairs[j].at);
		*ret_packets += found ? drop->packets : 0;
	}
	return true;
}

/* Every pair that they keep apart, beginning with `first`. */
static void put_reason(const struct matrix *matrix, size_t first, struct buffer *text)
{
	const struct pair *example = &matrix->pairs[first];
	uint64_t packets;
	size_t count = 0;

	for (size_t i = first; i < matrix->pair_count; i++) {
		const struct pair *pair = &matrix->pairs[i];

		if (!is_refusal(pair) || !is_same_reason(pair, example))
			continue;
		if (count++ < NAMED_PAIRS)
			buffer_printf(text, "%s%s > %s", count > 1 ? ", " : "",
				      label(&matrix->members[pair->from]),
				      label(&matrix->members[pair->to]));
	}
	if (count > NAMED_PAIRS)
		buffer_printf(text, " and %zu more", count - NAMED_PAIRS);
	buffer_printf(text, ":\n    %s\n", example->summary);
	if (!counted_for(matrix, example, &packets))
		buffer_puts(text, "    the kernel counts nothing there\n");
	else
		buffer_printf(text, "    the kernel counted %llu dropped there\n",
			      (unsigned long long)packets);
}

static void put_reasons(const struct matrix *matrix, struct buffer *text)
{
	for (size_t i = 0; i < matrix->pair_count; i++) {
		const struct pair *pair = &matrix->pairs[i];
		bool told = !is_refusal(pair);

		for (size_t j = 0; j < i && !told; j++)
			told = is_refusal(&matrix->pairs[j]) &&
			       is_same_reason(&matrix->pairs[j], pair);
		if (told)
			continue;
		buffer_putc(text, '\n');
		put_reason(matrix, i, text);
	}
}

static void put_full(const struct matrix *matrix, struct buffer *text)
{
	if (matrix->full)
		buffer_printf(
			text,
			"\nThis machine's ARP table, one for all instances of all worlds, was "
			"full %llu times, and packets had to wait: a larger "
			"net.ipv4.neigh.default.gc_thresh3 helps.\n",
			(unsigned long long)matrix->full);
}

static void put_disagreements(const struct matrix *matrix, struct buffer *text)
{
	const bool colours = paint_is_wanted();

	if (!matrix->disagreements)
		return;
	buffer_printf(
		text,
		"\n%sTHE MODEL AND %zu PACKETS DISAGREE%s: the world has changed meanwhile, or "
		"minivpc is wrong in one of the two\n",
		paint(colours, PAINT_RED), matrix->disagreements, paint(colours, PAINT_OFF));
	for (size_t i = 0; i < matrix->pair_count; i++) {
		const struct pair *pair = &matrix->pairs[i];

		if (disagrees(pair))
			buffer_printf(text, "    %s > %s: the packet %s; the model: %s\n",
				      label(&matrix->members[pair->from]),
				      label(&matrix->members[pair->to]),
				      is_reached(pair) ? "was answered" : "was not answered",
				      pair->summary ? pair->summary : pair->verdict);
	}
}

/* ---- as JSON ---- */

static json_t *text_json(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *pair_json(const struct matrix *matrix, const struct pair *pair)
{
	static const char *const results[] = {
		[PROBE_SILENT] = "silent",
		[PROBE_OPEN] = "answered",
		[PROBE_REFUSED] = "refused",
		[PROBE_UNSENT] = "not-sent",
	};
	json_t *object = json_object();

	json_object_set_new(object, "from", text_json(matrix->members[pair->from].id));
	json_object_set_new(object, "to", text_json(matrix->members[pair->to].id));
	json_object_set_new(object, "address",
			    json_string(address_format(pair->probe.destination).text));
	json_object_set_new(object, "result", json_string(results[pair->probe.result]));
	json_object_set_new(object, "verdict", text_json(pair->verdict));
	json_object_set_new(object, "assumes", json_boolean(pair->assumes));
	json_object_set_new(object, "kind", text_json(pair->kind));
	json_object_set_new(object, "at", text_json(pair->at));
	json_object_set_new(object, "by", text_json(pair->by));
	json_object_set_new(object, "summary", text_json(pair->summary));
	json_object_set_new(object, "agree", json_boolean(!disagrees(pair)));
	return object;
}

static void put_json(const struct matrix *matrix, struct buffer *text)
{
	json_t *object = json_object(), *members = json_array(), *pairs = json_array();

	for (size_t i = 0; i < matrix->count; i++) {
		const struct member *member = &matrix->members[i];
		json_t *row = json_object();

		json_object_set_new(row, "instanceId", text_json(member->id));
		json_object_set_new(row, "name", text_json(member->name));
		json_object_set_new(row, "vpcId", text_json(member->vpc));
		json_object_set_new(row, "privateIpAddress", text_json(member->address));
		json_array_append_new(members, row);
	}
	for (size_t i = 0; i < matrix->pair_count; i++)
		json_array_append_new(pairs, pair_json(matrix, &matrix->pairs[i]));
	json_object_set_new(object, "instances", members);
	json_object_set_new(object, "pairs", pairs);
	json_object_set_new(object, "disagreements",
			    json_integer((json_int_t)matrix->disagreements));
	listing_document(object, text);
}

int matrix_run(const struct client *client, const struct cli_hooks *hooks,
	       const struct request *request, struct buffer *text, int *ret_status,
	       struct error *error)
{
	CLEANUP(matrix_clear) struct matrix matrix = { .port = request->port };
	int r = ask(client, request, &matrix, error);

	if (r == 0)
		r = probe_all(client, hooks, &matrix, error);
	if (r < 0)
		return r;
	*ret_status = matrix.disagreements ? WHY_DISAGREE : 0;
	if (streq(request->output, "json")) {
		put_json(&matrix, text);
	} else if (matrix.count < 2) {
		buffer_puts(text, "there are no two running instances\n");
	} else {
		make_plain(&matrix);
		put_table(&matrix, text);
		put_reasons(&matrix, text);
		put_full(&matrix, text);
		put_disagreements(&matrix, text);
	}
	return 0;
}
