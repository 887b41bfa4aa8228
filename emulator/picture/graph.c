/* The world as a picture: see graph.h. */
#include "picture/graph.h"

#include "picture/picture.h"

static const struct {
	const char *name;
	void (*put)(struct topology *topology, struct buffer *buffer);
} formats[] = {
	{ "text", picture_text }, { "dot", picture_dot },   { "mermaid", picture_mermaid },
	{ "svg", picture_svg },	  { "html", picture_html }, { "json", picture_json },
};

static size_t find_format(const char *name)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(formats) && !streq(formats[i].name, name))
		i++;
	return i;
}

bool graph_knows(const char *format)
{
	return find_format(format) < ARRAY_SIZE(formats);
}

int graph_make(const struct client *client, const char *format, const char *vpc,
	       struct buffer *ret_picture, struct error *error)
{
	const struct parameter none[] = { { NULL, NULL } };
	CLEANUP(reply_freep) struct reply *reply = NULL, *hosts = NULL;
	CLEANUP(topology_clear) struct topology topology = { NULL, NULL, 0 };
	int r;

	if ((r = client_call(client, "GetTopology", none, &reply, error)) < 0 ||
	    (r = client_call(client, "ListInternetHosts", none, &hosts, error)) < 0 ||
	    (r = topology_read(reply, hosts, vpc, &topology, error)) < 0)
		return r;
	formats[find_format(format ? format : "text")].put(&topology, ret_picture);
	return 0;
}
