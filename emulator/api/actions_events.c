/* The private action behind `minivpc events`. */
#include "api/actions.h"

#include <limits.h>

int list_events(struct call *call, struct error *error)
{
	const char *from = call_text(call, "From");
	struct api_events events;
	long sequence = 0;
	int r;

	if (from && (r = params_int(from, "From", 0, LONG_MAX, &sequence, error)) < 0)
		return r;
	call->hooks->events(call->hooks->context, (uint64_t)sequence, &events);
	xml_bytes(call->xml, "output", &events.text);
	xml_int(call->xml, "next", (int64_t)events.next);
	xml_int(call->xml, "missed", (int64_t)events.missed);
	xml_bool(call->xml, "more", events.more);
	buffer_clear(&events.text);
	return 0;
}
