/* What the AWS CLI knows of a service: see model.h. */
#include "aws/model.h"

#include "aws/shapes.h"

#include <ctype.h>

static const struct {
	const char *name;
	const char *shapes;
} services[] = {
	{ "cloudformation", aws_shapes_cloudformation },
	{ "ec2", aws_shapes_ec2 },
	{ "ssm", aws_shapes_ssm },
	{ "sts", aws_shapes_sts },
};

struct aws_model {
	const char *name;
	const char *text;
	enum aws_protocol protocol;
	char **head; /* the words of the first line */
	struct aws_action *actions;
	size_t action_count;
	struct aws_shape **shapes; /* those that were asked for */
	size_t shape_count;
};

const char *aws_model_service(size_t index)
{
	return index < ARRAY_SIZE(services) ? services[index].name : NULL;
}

void aws_words_freep(char ***words)
{
	for (char **word = *words; word && *word; word++)
		free(*word);
	free(*words);
	*words = NULL;
}

/* What is between `separator`s up to the end of the line; ends in NULL. */
static char **split(const char *text, char separator)
{
	const char ends[] = { separator, '\n', '\0' };
	char **words = NULL;
	size_t count = 0;

	for (;;) {
		size_t length = strcspn(text, ends);
		char *word = xcalloc(length + 1, 1);

		memcpy(word, text, length);
		*array_grow(&words, &count) = word;
		text += length;
		if (*text != separator)
			break;
		text++;
	}
	*array_grow(&words, &count) = NULL;
	return words;
}

/*
 * "DescribeVpcs" as it is typed, "describe-vpcs": a dash before each capital that follows a small
 * letter or a digit, or is followed by a small letter.
 */
static char *verb_of(const char *name)
{
	struct buffer verb = BUFFER_INIT;

	for (const char *c = name; *c; c++) {
		if (c > name && isupper((unsigned char)*c) &&
		    (islower((unsigned char)c[-1]) || isdigit((unsigned char)c[-1]) ||
		     islower((unsigned char)c[1])))
			buffer_putc(&verb, '-');
		buffer_putc(&verb, (char)tolower((unsigned char)*c));
	}
	return buffer_steal(&verb);
}

/* NAME or NAME|TYPED: `name` is cut at the bar. */
static char *typed(char *name)
{
	char *bar = strchr(name, '|');

	if (!bar)
		return verb_of(name);
	*bar = '\0';
	return xstrdup(bar + 1);
}

static void read_action(const char *line, struct aws_action *action)
{
	char **words = split(line, ' ');

	action->verb = typed(words[0]);
	action->name = words[0];
	action->input = words[1];
	action->output = words[2];
	action->results = words[3];
	action->limited = !streq(words[4], "-");
	action->besides = words[5] ? words[5] : xstrdup("");
	free(words[4]);
	free(words);
}

struct aws_model *aws_model_open(const char *service)
{
	static const char *const protocols[] = { "ec2", "query", "json" };
	struct aws_model *model;
	size_t i = 0;

	while (i < ARRAY_SIZE(services) && !streq(services[i].name, service))
		i++;
	if (i == ARRAY_SIZE(services))
		return NULL;
	model = xcalloc(1, sizeof(*model));
	model->name = services[i].name;
	model->text = services[i].shapes;
	model->head = split(model->text, ' ');
	while (!streq(model->head[0], protocols[model->protocol]))
		model->protocol++;
	for (const char *line = strchr(model->text, '\n'); line && line[1] == '@';
	     line = strchr(line + 1, '\n'))
		read_action(line + 2, array_grow(&model->actions, &model->action_count));
	return model;
}

static void clear_shape(struct aws_shape *shape)
{
	for (size_t i = 0; i < shape->count; i++) {
		struct aws_member *member = &shape->members[i];

		free(member->name);
		free(member->option);
		free(member->wire);
		free(member->query);
		free(member->shape_name);
	}
	free(shape->members);
	free(shape->name);
	free(shape);
}

void aws_model_freep(struct aws_model **model)
{
	if (!*model)
		return;
	for (size_t i = 0; i < (*model)->action_count; i++) {
		struct aws_action *action = &(*model)->actions[i];

		free(action->name);
		free(action->verb);
		free(action->input);
		free(action->output);
		free(action->results);
		free(action->besides);
	}
	for (size_t i = 0; i < (*model)->shape_count; i++)
		clear_shape((*model)->shapes[i]);
	aws_words_freep(&(*model)->head);
	free((*model)->actions);
	free((*model)->shapes);
	free(*model);
	*model = NULL;
}

const char *aws_model_name(const struct aws_model *model)
{
	return model->name;
}

enum aws_protocol aws_model_protocol(const struct aws_model *model)
{
	return model->protocol;
}

const char *aws_model_version(const struct aws_model *model)
{
	return model->head[1];
}

const char *aws_model_target(const struct aws_model *model)
{
	return model->head[2];
}

const struct aws_action *aws_model_action(const struct aws_model *model, size_t index)
{
	return index < model->action_count ? &model->actions[index] : NULL;
}

const struct aws_action *aws_model_find(const struct aws_model *model, const char *word)
{
	for (size_t i = 0; i < model->action_count; i++)
		if (streq(model->actions[i].verb, word) || streq(model->actions[i].name, word))
			return &model->actions[i];
	return NULL;
}

/* Cuts `text` at the first of `marks`; what is behind it, or NULL when none is there. */
static char *cut(char *text, const char *marks)
{
	char *mark = strpbrk(text, marks);

	if (!mark)
		return NULL;
	*mark = '\0';
	return mark + 1;
}

static char *with_first(const char *name, int (*change)(int))
{
	char *copy = xstrdup(name);

	*copy = (char)change((unsigned char)*copy);
	return copy;
}

/* See model.h; `word` is cut to pieces. */
static void read_member(const struct aws_model *model, char *word, struct aws_member *member)
{
	char *type = cut(word, ":");
	char *query = cut(word, "~"), *wire = cut(word, "=");
	const char *least = type ? cut(type, ">") : NULL;

	if (!type)
		abort(); /* not our table */
	if (least)
		member->least = strtol(least, NULL, 10);
	member->needed = type[strlen(type) - 1] == '!';
	member->token = type[strlen(type) - 1] == '#';
	cut(type, "!#");
	member->lists = strspn(type, "*");
	type += member->lists;
	member->type = type[1] ? 'S' : *type;
	member->shape_name = type[1] ? xstrdup(type) : NULL;
	member->option = typed(word);
	member->name = xstrdup(word);
	if (wire)
		member->wire = xstrdup(*wire ? wire : word);
	else
		member->wire = model->protocol == AWS_PROTOCOL_EC2 ? with_first(word, tolower)
								   : xstrdup(word);
	if (query)
		member->query = xstrdup(query);
	else
		member->query = model->protocol == AWS_PROTOCOL_EC2
					? with_first(member->wire, toupper)
					: xstrdup(member->wire);
}

static struct aws_shape *read_shape(const struct aws_model *model, const char *name)
{
	CLEANUP(freep) char *start = xasprintf("\n:%s", name);
	const size_t length = strlen(start);
	const char *line = strstr(model->text, start);
	struct aws_shape *shape = xcalloc(1, sizeof(*shape));
	char **words;

	shape->name = xstrdup(name);
	while (line && line[length] != ' ' && line[length] != '\n')
		line = strstr(line + 1, start);
	if (!line || line[length] == '\n')
		return shape;
	words = split(line + length + 1, ' ');
	for (char **word = words; *word; word++)
		read_member(model, *word, array_grow(&shape->members, &shape->count));
	aws_words_freep(&words);
	return shape;
}

const struct aws_shape *aws_model_shape(struct aws_model *model, const char *name)
{
	struct aws_shape *shape;

	if (streq(name, "-"))
		return NULL;
	for (size_t i = 0; i < model->shape_count; i++)
		if (streq(model->shapes[i]->name, name))
			return model->shapes[i];
	shape = read_shape(model, name);
	*array_grow(&model->shapes, &model->shape_count) = shape;
	return shape;
}

const struct aws_shape *aws_model_inside(struct aws_model *model, const struct aws_member *member)
{
	if (member->type != 'S')
		return NULL;
	/* Members are the model's own: found once, it is remembered. */
	if (!member->shape) {
		struct aws_member *mine;

		memcpy(&mine, &member, sizeof(mine));
		mine->shape = aws_model_shape(model, member->shape_name);
	}
	return member->shape;
}

const struct aws_member *aws_shape_member(const struct aws_shape *shape, const char *name)
{
	for (size_t i = 0; shape && i < shape->count; i++)
		if (streq(shape->members[i].name, name))
			return &shape->members[i];
	return NULL;
}

bool aws_model_waiter(const struct aws_model *model, const char *verb, char ***ret_words)
{
	for (const char *line = strstr(model->text, "\n^"); line; line = strstr(line + 1, "\n^")) {
		char **words = split(line + 2, '\t');
		CLEANUP(freep) char *mine = typed(words[0]);

		if (streq(mine, verb)) {
			*ret_words = words;
			return true;
		}
		aws_words_freep(&words);
	}
	return false;
}

void aws_model_waiters(const struct aws_model *model, struct buffer *verbs)
{
	for (const char *line = strstr(model->text, "\n^"); line; line = strstr(line + 1, "\n^")) {
		char **words = split(line + 2, '\t');
		CLEANUP(freep) char *verb = typed(words[0]);

		buffer_printf(verbs, "%s\n", verb);
		aws_words_freep(&words);
	}
}
