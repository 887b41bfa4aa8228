/* Socket addresses: see socket_address.h. */
#include "base/socket_address.h"

#include "base/util.h"

#include <errno.h>
#include <stdio.h>

int socket_address_parse(const char *text, struct address *ret_address, uint16_t *ret_port)
{
	const char *colon = strrchr(text, ':');
	bool bracket = text[0] == '[';
	struct address address;
	char name[ADDRESS_TEXT_MAX];
	size_t length;
	long port;

	if (!colon || colon[1] == '\0' || colon[1 + strspn(colon + 1, "0123456789")] != '\0' ||
	    strlen(colon + 1) > 5 || (bracket && (colon == text || colon[-1] != ']')))
		return -EINVAL;
	port = strtol(colon + 1, NULL, 10);
	length = (size_t)(colon - text) - (bracket ? 2 : 0);
	if (length >= sizeof(name) || port > UINT16_MAX)
		return -EINVAL;
	snprintf(name, sizeof(name), "%.*s", (int)length, text + bracket);
	if (address_parse(name, &address) < 0 || (address.family == AF_INET6) != bracket)
		return -EINVAL;
	*ret_address = address;
	*ret_port = (uint16_t)port;
	return 0;
}

socklen_t socket_address_of(struct address address, uint16_t port, union socket_address *ret_name)
{
	*ret_name = (union socket_address){ .any.sa_family = address.family };
	if (address.family == AF_INET6) {
		ret_name->v6.sin6_port = htons(port);
		memcpy(&ret_name->v6.sin6_addr, address.bytes, sizeof(ret_name->v6.sin6_addr));
		return sizeof(ret_name->v6);
	}
	ret_name->v4.sin_port = htons(port);
	memcpy(&ret_name->v4.sin_addr, address.bytes, sizeof(ret_name->v4.sin_addr));
	return sizeof(ret_name->v4);
}
