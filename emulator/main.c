/* minivpc: hands the two verbs of the daemon's side, and the way into instances, to the CLI. */
#include "cli/cli.h"
#include "instance/process.h"
#include "model/quota.h"
#include "netlink/netns.h"
#include "world/world.h"

static int check_quotas(const char *const *texts, size_t count, struct error *error)
{
	struct quotas quotas;

	return quotas_parse(texts, count, &quotas, error);
}

static int serve(const struct serve_options *options, struct error *error)
{
	struct world_options world = {
		.paths = options->paths,
		.listen = options->listen,
		.region = options->region,
		.accept_any_credentials = options->accept_any_credentials,
		.uplink = options->uplink,
		.memory = options->memory_any ? LIMITS_NONE : options->memory,
		.limit_memory = options->limit_memory,
		.disk_size = options->disk_size,
	};

	int r = quotas_parse(options->quotas, options->quota_count, &world.quotas, error);

	if (r < 0)
		return r;
	return world_serve(&world, error);
}

static int enter(pid_t pid, uint64_t start_time, char *const argv[], int *ret_status,
		 struct error *error)
{
	return process_exec((struct process){ pid, start_time }, argv, ret_status, error);
}

static int open_process(pid_t pid, uint64_t start_time, int *ret_pidfd, struct error *error)
{
	return process_open((struct process){ pid, start_time }, ret_pidfd, error);
}

int main(int argc, char **argv)
{
	static const struct cli_hooks hooks = {
		.check_quotas = check_quotas,
		.serve = serve,
		.down = world_down,
		.exec = enter,
		.packet_socket = netns_packet_socket,
		.open = open_process,
		.check = world_check,
	};

	return cli_main(argc, argv, &hooks);
}
