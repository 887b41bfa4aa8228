/* The consoles of instances: see struct api_hooks. */
#include "world/internal.h"

static_assert(INSTANCE_LOG_MAX == API_CONSOLE_MAX, "a console's text is a log's");

int world_console(void *context, struct rid instance, uint64_t from,
		  struct api_console *ret_console, struct error *error)
{
	struct world *world = context;
	struct instance_log log;
	int r = instances_log(world->instances, instance,
			      from == API_CONSOLE_END ? INSTANCE_LOG_END : from, &log, error);

	if (r < 0)
		return r;
	*ret_console = (struct api_console){ log.text, log.end, log.time };
	return 0;
}
