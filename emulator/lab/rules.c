/* What a template's rules assert of its parameters ("Rules"): see internal.h. */
#include "lab/internal.h"

#include <errno.h>

static int check_assertion(struct checker *checker, struct node *assertion)
{
	static const char *const members[] = { "Assert", "AssertDescription", NULL };
	struct node *assert_node;
	int result = check_members(checker, assertion, members, "assertion");

	if (result < 0)
		return result;
	assert_node = node_get(assertion, "Assert");
	if (!assert_node)
		return place_fail(&checker->place, assertion,
				  "Template format error: Every assertion must contain an Assert "
				  "member.");
	return check_boolean(checker, assert_node);
}

static int read_rule(struct checker *checker, struct node *rule)
{
	static const char *const members[] = { "RuleCondition", "Assertions", NULL };
	struct node *condition, *assertions;
	int result = check_members(checker, rule, members, "rule");

	if (result < 0)
		return result;
	condition = node_get(rule, "RuleCondition");
	assertions = node_get(rule, "Assertions");
	if (!assertions || assertions->type != NODE_LIST)
		return place_fail(
			&checker->place, rule,
			"Template format error: Every Rules object must contain a list of "
			"Assertions.");
	if (condition)
		result = check_boolean(checker, condition);
	for (size_t i = 0; i < assertions->count && result == 0; i++)
		result = check_assertion(checker, assertions->items[i]);
	return result;
}

int rules_read(struct checker *checker, struct node *node)
{
	int result = node ? check_is_map(checker, node) : 0;

	checker->where = WHERE_RULES;
	checker->may_lose = checker->options->skip_unsupported;
	for (size_t i = 0; node && i < node->count && result == 0; i++) {
		const size_t before = place_enter(&checker->place, node->items[i]->key, 0);

		result = read_rule(checker, node->items[i]);
		if (result == 0 && *checker->lost) {
			check_forget(checker, node->items[i]);
			node_freep(&node->items[i]);
			array_remove(node->items, &node->count, i--);
		}
		place_leave(&checker->place, before);
	}
	checker->template->rules = node;
	return result;
}

static int evaluate_rule(struct walker *walker, const struct node *rule)
{
	const struct node *condition = node_get(rule, "RuleCondition");
	const struct node *assertions = node_get(rule, "Assertions");
	bool truth = true;
	int result = condition ? evaluate_boolean(walker, condition, &truth) : 0;

	if (result < 0 || !truth)
		return result;
	for (size_t i = 0; i < assertions->count; i++) {
		const struct node *assertion = assertions->items[i];
		const char *words = node_get_text(assertion, "AssertDescription");

		result = evaluate_boolean(walker, node_get(assertion, "Assert"), &truth);
		if (result < 0)
			return result;
		if (!truth)
			return place_fail(&walker->place, assertion, "%s",
					  words ? words : "the assertion does not hold");
	}
	return 0;
}

int rules_evaluate(const struct evaluation *evaluation, struct error *error)
{
	const struct node *rules = evaluation->template->rules;
	int result = 0;

	for (size_t i = 0; rules && i < rules->count && result == 0; i++) {
		struct walker walker = {
			.place = { BUFFER_INIT, "Rules", error },
			.evaluation = evaluation,
		};

		place_enter(&walker.place, "Rules", 0);
		place_enter(&walker.place, rules->items[i]->key, 0);
		result = evaluate_rule(&walker, rules->items[i]);
		buffer_clear(&walker.place.path);
	}
	return result;
}
