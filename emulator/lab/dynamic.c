/* Dynamic references: {{resolve:ssm:NAME}}, of public parameters. See internal.h. */
#include "lab/internal.h"

#define OPEN "{{resolve:"

struct reference {
	const char *start, *end; /* of all of it */
	const char *service, *key;
	size_t service_length, key_length;
};

/* The next one at or after `text`; false: there is none that ends. */
static bool find_reference(const char *text, struct reference *ret_reference)
{
	struct reference reference = { .start = strstr(text, OPEN) };
	const char *close = reference.start ? strstr(reference.start, "}}") : NULL;

	if (!close)
		return false;
	reference.end = close + 2;
	reference.service = reference.start + strlen(OPEN);
	reference.service_length = strcspn(reference.service, ":}");
	reference.key = reference.service + reference.service_length;
	if (*reference.key == ':')
		reference.key++;
	reference.key_length = (size_t)(close - reference.key);
	*ret_reference = reference;
	return true;
}

static bool is_public(const struct reference *reference)
{
	return reference->service_length == 3 && memcmp(reference->service, "ssm", 3) == 0 &&
	       reference->key_length;
}

#define LACK "{{resolve:%.*s:…}} is not supported"

int dynamic_check(struct checker *checker, const struct node *node)
{
	struct reference reference;

	for (const char *at = node->text; find_reference(at, &reference); at = reference.end)
		if (!is_public(&reference))
			return check_lack(checker, node, LACK,
					  (int)MIN(reference.service_length, (size_t)40),
					  reference.service);
	return 0;
}

static int append_value(struct walker *walker, const struct node *node,
			const struct reference *reference, struct buffer *text)
{
	const struct template_answers *answers = walker->evaluation->answers;
	CLEANUP(freep) char *name = xasprintf("%.*s", (int)reference->key_length, reference->key);
	const size_t before = text->length;
	char *value;
	int result;

	if (!is_public(reference))
		return place_fail(&walker->place, node, LACK,
				  (int)MIN(reference->service_length, (size_t)40),
				  reference->service);
	result = answers->parameter(answers->context, name, &value, walker->place.error);
	if (result < 0)
		return place_wrap(&walker->place, node, result);
	buffer_puts(text, value);
	free(value);
	return evaluate_spend(walker, node, text->length - before);
}

int dynamic_resolve(struct walker *walker, struct node *node)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;
	struct reference reference;
	const char *at = node->text;
	int result = 0;

	if (!strstr(at, OPEN))
		return 0;
	while (result == 0 && find_reference(at, &reference)) {
		buffer_append(&text, at, (size_t)(reference.start - at));
		result = append_value(walker, node, &reference, &text);
		at = reference.end;
	}
	if (result < 0)
		return result;
	buffer_puts(&text, at);
	free(node->text);
	node->text = buffer_steal(&text);
	return 0;
}
