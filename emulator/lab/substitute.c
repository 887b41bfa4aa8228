/* Texts with variables (Fn::Sub): see internal.h. */
#include "lab/internal.h"

/* More than a resource's name, a dot and an attribute's; what is longer is plain text. */
#define VARIABLE_LENGTH 1024

/* "${Name}", but not "${!Literal}", nor what has no end; its length. */
static size_t name_at(const char *text)
{
	const char *end;

	if (text[0] != '$' || text[1] != '{' || text[2] == '!')
		return 0;
	end = memchr(text, '}', strnlen(text, VARIABLE_LENGTH));
	return end ? (size_t)(end + 1 - text) : 0;
}

bool sub_next(const char **at, struct sub_piece *ret_piece)
{
	const char *text = *at, *end = text;
	const size_t length = name_at(text);

	if (!*text)
		return false;
	if (length) {
		*ret_piece = (struct sub_piece){ text + 2, length - 3, true };
		*at = text + length;
		return true;
	}
	/* "${!" is "${", and the "!" is nobody's. */
	while (*end && !name_at(end) && strncmp(end, "${!", 3) != 0)
		end++;
	*at = end;
	if (*end && end[2] == '!') {
		end += 2;
		*at = end + 1;
	}
	*ret_piece = (struct sub_piece){ text, (size_t)(end - text), false };
	return true;
}
