/* objects: emulator/lab/check.o emulator/lab/cidr_function.o emulator/lab/dynamic.o emulator/lab/evaluate.o emulator/lab/evaluation.o emulator/lab/functions.o emulator/lab/intrinsic.o emulator/lab/lines.o emulator/lab/node.o emulator/lab/node_json.o emulator/lab/node_yaml.o emulator/lab/order.o emulator/lab/parameters.o emulator/lab/pattern.o emulator/lab/place.o emulator/lab/resources.o emulator/lab/rules.o emulator/lab/sections.o emulator/lab/substitute.o emulator/lab/template.o emulator/lab/values.o emulator/base/base64.o emulator/base/cidr.o emulator/base/id.o emulator/base/error.o emulator/base/text.o emulator/base/buffer.o emulator/base/util.o */
/* libs: yaml-0.1 jansson nettle */
/*
 * A template, read strictly and leniently, and all its values: what is read is small and quick, and
 * says in words what is wrong. With libFuzzer: -DFUZZER -fsanitize=fuzzer.
 */
#include "../unit/answers.h"
#include "../unit/types.h"
#include "replay.h"

#include <stdio.h>

static void expect_words(const struct error *error)
{
	if (!*error->text)
		abort();
}

/* What is written as JSON is the same when it is read. */
static void expect_same(const struct node *node)
{
	CLEANUP(buffer_clear) struct buffer json = BUFFER_INIT;
	CLEANUP(node_freep) struct node *again = NULL;
	struct error error = ERROR_INIT;

	node_json(node, &json);
	if (json.length < (size_t)1 << 19 &&
	    (node_parse(json.data, json.length, &again, &error) < 0 || !node_equal(node, again))) {
		fprintf(stderr, "%s\n%s\n", error.text, json.data);
		abort();
	}
}

static void evaluate_all(const struct template *template, const struct template_values *values)
{
	CLEANUP(evaluation_freep) struct evaluation *evaluation = NULL;
	CLEANUP(template_outputs_clear) struct template_outputs outputs = { NULL, 0 };
	struct error error = ERROR_INIT;

	if (evaluation_open(template, values, &answers, &evaluation, &error) < 0) {
		expect_words(&error);
		return;
	}
	for (size_t i = 0; i < template_resource_count(template); i++) {
		const struct template_resource *resource = template_resource_at(template, i);
		CLEANUP(node_freep) struct node *properties = NULL;

		if (evaluation_properties(evaluation, resource, &properties, &error) < 0)
			expect_words(&error);
		else
			expect_same(properties);
	}
	if (evaluation_outputs(evaluation, &outputs, &error) < 0)
		expect_words(&error);
}

/* Those without a default get something. */
static void give_values(const struct template *template)
{
	const size_t count = template_parameter_count(template);
	CLEANUP(template_values_clear) struct template_values given = { NULL, 0 };
	CLEANUP(template_values_clear) struct template_values values = { NULL, 0 };
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < count; i++) {
		const struct template_parameter *parameter = template_parameter_at(template, i);

		if (!parameter->fallback)
			*array_grow(&given.items, &given.count) =
				(struct template_value){ xstrdup(parameter->name),
							 xstrdup(i % 2 ? "a,1" : "1") };
	}
	if (template_check_values(template, &answers, given.items, given.count, &values, &error) <
	    0)
		expect_words(&error);
	else
		evaluate_all(template, &values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP(buffer_clear) struct buffer text = BUFFER_INIT;

	buffer_append(&text, data, size);
	for (int lenient = 0; lenient < 2; lenient++) {
		const struct template_options options = { lenient };
		CLEANUP(text_lines_clear) struct text_lines warnings = { NULL, 0 };
		CLEANUP(template_freep) struct template *template = NULL;
		struct error error = ERROR_INIT;

		if (template_parse(text.data, text.length, &options, &template, &warnings, &error) <
		    0)
			expect_words(&error);
		else
			give_values(template);
	}
	return 0;
}
