/* What has changed, lately: see events.h. */
#include "world/events.h"

#include <jansson.h>

#include "store/record.h"

#define EVENTS_MAX 4096
#define BYTES_MAX  (8u << 20)
#define REPLY_MAX  (256u << 10) /* of text; the rest is asked for again */

struct event {
	uint64_t sequence;
	int64_t time;
	struct rid id;
	char account[13], region[33];
	char *name;	      /* its tag; NULL: none */
	char *before, *after; /* as the store has them; NULL: it was not, or is no more */
};

struct events {
	struct event ring[EVENTS_MAX];
	uint64_t first, next; /* sequence numbers: what there is, and the end of it; from 1 on */
	size_t bytes;
};

struct events *events_new(void)
{
	struct events *events = xcalloc(1, sizeof(*events));

	events->first = events->next = 1;
	return events;
}

static size_t size_of(const struct event *event)
{
	return (event->before ? strlen(event->before) : 0) +
	       (event->after ? strlen(event->after) : 0);
}

static void drop_first(struct events *events)
{
	struct event *event = &events->ring[events->first++ % EVENTS_MAX];

	events->bytes -= size_of(event);
	free(event->name);
	free(event->before);
	free(event->after);
	*event = (struct event){ 0 };
}

struct events *events_free(struct events *events)
{
	while (events && events->first < events->next)
		drop_first(events);
	free(events);
	return NULL;
}

/* The world's own records are nobody's to follow: one holds a key. What a stack tells of itself is
 * what we tell of it. */
static bool is_told(enum kind kind)
{
	return kind != KIND_INTERNET && kind != KIND_DEFAULTS && kind != KIND_STACK_EVENT &&
	       kind != KIND_CHANGE_SET;
}

static void add(struct events *events, int64_t now, const struct journal_entry *entry)
{
	const struct resource *resource = entry->after ? entry->after : entry->before;
	struct event *event;

	if (!resource || !is_told(resource->id.kind))
		return;
	if (events->next - events->first == EVENTS_MAX)
		drop_first(events);
	event = &events->ring[events->next % EVENTS_MAX];
	*event = (struct event){
		.sequence = events->next++,
		.time = now,
		.id = resource->id,
		.name = xstrdup_null(resource_tag(resource, "Name")),
		.before = entry->before ? record_encode(entry->before) : NULL,
		.after = entry->after ? record_encode(entry->after) : NULL,
	};
	memcpy(event->account, resource->scope->account, sizeof(event->account));
	memcpy(event->region, resource->scope->region, sizeof(event->region));
	events->bytes += size_of(event);
	while (events->bytes > BYTES_MAX && events->first + 1 < events->next)
		drop_first(events);
}

void events_add(struct events *events, const struct transaction *transaction)
{
	for_each_journal (entry, transaction)
		add(events, transaction->now, entry);
}

/* ---- what is told of it ---- */

static bool is_among(const char *const *members, size_t count, const char *member)
{
	for (size_t i = 0; i < count; i++)
		if (streq(members[i], member))
			return true;
	return false;
}

/* Nobody's business, or the daemon's own. Templates, their parameters and what comes of both may
 * hold secrets: NoEcho. */
static bool is_hidden(enum kind kind, const char *member)
{
	static const char *const of_stacks[] = { "source", "previous", "properties",  "target",
						 "before", "memo",     "token_digest" };
	static const char *const hidden[] = { "userData", "publicKey", "tokenDigest", "clientToken",
					      "pid",	  "startTime", "order",	      "hasRun" };

	return is_among(hidden, ARRAY_SIZE(hidden), member) ||
	       ((kind == KIND_STACK || kind == KIND_STACK_RESOURCE) &&
		is_among(of_stacks, ARRAY_SIZE(of_stacks), member));
}

static void put_change(json_t *changes, enum kind kind, const char *member, json_t *before,
		       json_t *after)
{
	if (is_hidden(kind, member) || json_object_get(changes, member) ||
	    (before && after && json_equal(before, after)))
		return;
	json_object_set_new(changes, member,
			    json_pack("{s:O,s:O}", "before", before ? before : json_null(), "after",
				      after ? after : json_null()));
}

static json_t *changes_of(const struct event *event)
{
	json_t *before = event->before ? json_loads(event->before, 0, NULL) : json_object();
	json_t *after = event->after ? json_loads(event->after, 0, NULL) : json_object();
	json_t *changes = json_object(), *value;
	const char *member;

	json_object_foreach(before, member, value)
	{
		put_change(changes, event->id.kind, member, value, json_object_get(after, member));
	}
	json_object_foreach(after, member, value)
	{
		put_change(changes, event->id.kind, member, json_object_get(before, member), value);
	}
	json_decref(before);
	json_decref(after);
	return changes;
}

static const char *kind_name(enum kind kind)
{
	const char *name = resource_type(kind)->tag_type;

	return name ? name : kind_prefix(kind);
}

/* Nothing, where nothing changed that is told. */
static void put_line(const struct event *event, struct buffer *text)
{
	json_t *changes = changes_of(event);
	CLEANUP(buffer_clear) struct buffer time = BUFFER_INIT;
	json_t *line;
	char *dump;

	if (event->before && event->after && !json_object_size(changes)) {
		json_decref(changes);
		return;
	}
	buffer_time(&time, event->time);
	line = json_pack("{s:I,s:s,s:s,s:s,s:s,s:s?,s:s,s:s,s:o}", "sequence",
			 (json_int_t)event->sequence, "time", time.data, "event",
			 !event->before	 ? "created"
			 : !event->after ? "deleted"
					 : "changed",
			 "kind", kind_name(event->id.kind), "id", rid_format(event->id).text,
			 "name", event->name, "account", event->account, "region", event->region,
			 "changes", changes);
	dump = line ? json_dumps(line, JSON_COMPACT) : NULL;
	if (dump)
		buffer_printf(text, "%s\n", dump);
	free(dump);
	json_decref(line);
}

void events_read(const struct events *events, uint64_t from, struct api_events *ret_events)
{
	/* Another daemon's numbers say nothing here: all of this one's are new. */
	uint64_t at = !from || from > events->next ? events->first : MAX(from, events->first);

	*ret_events = (struct api_events){ .text = BUFFER_INIT };
	ret_events->missed = from && from < events->first ? events->first - from : 0;
	for (; at < events->next && ret_events->text.length < REPLY_MAX; at++)
		put_line(&events->ring[at % EVENTS_MAX], &ret_events->text);
	ret_events->next = at;
	ret_events->more = at < events->next;
}
