/* minivpc: hands the two verbs of the daemon's side, and the way into instances, to the CLI. */
#include "cli/cli.h"
#include "instance/instance.h"
#include "world/world.h"

static int serve(const struct serve_options *options, struct error *error)
{
	const struct world_options world = {
		.paths = options->paths,
		.listen = options->listen,
		.region = options->region,
		.accept_any_credentials = options->accept_any_credentials,
	};

	return world_serve(&world, error);
}

static int enter(pid_t pid, uint64_t start_time, char *const argv[], int *ret_status,
		 struct error *error)
{
	return process_exec((struct process){ pid, start_time }, argv, ret_status, error);
}

int main(int argc, char **argv)
{
	static const struct cli_hooks hooks = { .serve = serve, .down = world_down, .exec = enter };

	return cli_main(argc, argv, &hooks);
}
