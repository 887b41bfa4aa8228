/* What can be typed behind a service: see help.h. */
#include "aws/help.h"

#include <stdio.h>

#define INDENT	  "      "
#define DEPTH_MAX 4

static const char *word_of(char type)
{
	switch (type) {
	case 'i':
		return "integer";
	case 'd':
		return "number";
	case 'b':
		return "boolean";
	case 't':
		return "timestamp";
	case 'x':
		return "blob";
	case 'm':
		return "{KEY=string,...}";
	default:
		return "string";
	}
}

static void put_shorthand(struct aws_model *model, const struct aws_shape *shape, size_t depth,
			  struct buffer *text);

/* A member's value in shorthand; a structure inside one needs its brackets. */
static void put_value(struct aws_model *model, const struct aws_member *member, size_t depth,
		      struct buffer *text)
{
	const struct aws_shape *shape = aws_model_inside(model, member);

	buffer_puts(text, member->lists && shape ? "[" : "");
	if (shape && depth < DEPTH_MAX) {
		buffer_putc(text, '{');
		put_shorthand(model, shape, depth + 1, text);
		buffer_putc(text, '}');
	} else {
		buffer_puts(text, shape ? "{...}" : word_of(member->type));
	}
	if (member->lists)
		buffer_puts(text, shape ? ",...]" : ",...");
}

static void put_shorthand(struct aws_model *model, const struct aws_shape *shape, size_t depth,
			  struct buffer *text)
{
	for (size_t i = 0; i < shape->count; i++) {
		buffer_printf(text, "%s%s=", i ? "," : "", shape->members[i].name);
		put_value(model, &shape->members[i], depth, text);
	}
}

static void put_option(struct aws_model *model, const struct aws_option *option,
		       struct buffer *text)
{
	const struct aws_member *member = option->member;
	const struct aws_shape *shape = member ? aws_model_inside(model, member) : NULL;
	const char *more = option->takes == AWS_TAKES_MANY ? "..." : "";

	buffer_printf(text, "  --%s", option->name);
	if (option->takes == AWS_TAKES_MAYBE)
		buffer_puts(text, " [Value=boolean]");
	else if (option->takes != AWS_TAKES_YES && option->takes != AWS_TAKES_NO)
		buffer_printf(text, " %s%s",
			      shape	? "STRUCTURE"
			      : !member ? "VALUE"
					: word_of(member->type),
			      more);
	buffer_puts(text, member && member->needed && option->takes != AWS_TAKES_NO ? "  (needed)\n"
										    : "\n");
	if (!shape || option->takes == AWS_TAKES_MAYBE || option->takes == AWS_TAKES_NO)
		return;
	buffer_puts(text, INDENT);
	put_shorthand(model, shape, 1, text);
	buffer_putc(text, '\n');
}

static void put_options(struct aws_model *model, const struct aws_line *line, struct buffer *text)
{
	buffer_printf(text, "usage: minivpc %s %s%s [OPTION]...\n\n", aws_model_name(model),
		      line->waiter ? "wait " : "",
		      line->waiter ? line->service_word : line->action->verb);
	for (size_t i = 0; i < line->option_count; i++)
		put_option(model, &line->options[i], text);
	buffer_puts(text,
		    "\nA STRUCTURE is shorthand, as shown, or JSON; a value of file://PATH is in "
		    "that file, "
		    "of fileb://PATH\nas it is. Every verb takes --region, --profile, --output "
		    "json|text|table, --query, --no-paginate\nand --cli-input-json.\n");
}

static void put_verbs(const struct aws_model *model, struct buffer *text)
{
	const struct aws_action *action;
	CLEANUP(buffer_clear) struct buffer waiters = BUFFER_INIT;

	buffer_printf(text,
		      "usage: minivpc %s VERB [OPTION]...\n\nVerbs, as the AWS CLI has them:\n",
		      aws_model_name(model));
	for (size_t i = 0; (action = aws_model_action(model, i)); i++)
		buffer_printf(text, "  %s\n", action->verb);
	aws_model_waiters(model, &waiters);
	if (waiters.length)
		buffer_puts(text, "\nWaiters, behind `wait`:\n");
	for (char *line = waiters.data ? strtok(waiters.data, "\n") : NULL; line;
	     line = strtok(NULL, "\n"))
		buffer_printf(text, "  %s\n", line);
	buffer_printf(text, "\nminivpc %s VERB help lists a verb's options.\n",
		      aws_model_name(model));
}

void aws_help_print(struct aws_model *model, const struct aws_line *line)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	if (line->action)
		put_options(model, line, &text);
	else
		put_verbs(model, &text);
	fwrite(text.data, 1, text.length, stdout);
}
