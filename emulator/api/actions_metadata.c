/* Instance metadata's options: of an instance, and what an account's launches begin with. */
#include "api/actions.h"
#include "api/launch_params.h"
#include "model/defaults.h"

#define HOPS	      "HttpPutResponseHopLimit"
#define HOPS_MAX      64
#define NO_PREFERENCE "no-preference"

static const struct word {
	const char *name;
	const char *const words[2];
	size_t offset;
	bool has_default; /* an account may have one for its launches */
} words[] = {
	{ "HttpTokens",
	  { "optional", "required" },
	  offsetof(struct instance_template, http_tokens),
	  true },
	{ "HttpEndpoint",
	  { "enabled", "disabled" },
	  offsetof(struct instance_template, http_endpoint),
	  true },
	{ "InstanceMetadataTags",
	  { "disabled", "enabled" },
	  offsetof(struct instance_template, metadata_tags),
	  true },
	{ "HttpProtocolIpv6",
	  { "disabled", "enabled" },
	  offsetof(struct instance_template, metadata_ipv6),
	  false },
};

static char **member(struct instance_template *options, const struct word *word)
{
	return (char **)((char *)options + word->offset);
}

/* Sets it only when it is given. `neutral`: it may also be "no-preference". */
static int read_word(const struct call *call, const char *prefix, const struct word *word,
		     bool neutral, char **ret, struct error *error)
{
	CLEANUP(freep) char *name = xasprintf("%s%s", prefix, word->name);
	const char *text = call_text(call, name);

	if (!text || !*text)
		return 0;
	if (!streq(text, word->words[0]) && !streq(text, word->words[1]) &&
	    !(neutral && streq(text, NO_PREFERENCE)))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter %s is invalid.", text, name);
	*ret = xstrdup(text);
	return 0;
}

/* `neutral`: -1 is "no preference". */
static int read_hops(const struct call *call, const char *prefix, bool neutral, int64_t *ret,
		     struct error *error)
{
	CLEANUP(freep) char *name = xasprintf("%s" HOPS, prefix);
	const char *text = call_text(call, name);
	long hops;
	int r;

	if (!text || !*text)
		return 0;
	if (neutral && streq(text, "-1")) {
		*ret = -1;
		return 0;
	}
	if ((r = params_int(text, "httpPutResponseHopLimit", 1, HOPS_MAX, &hops, error)) < 0)
		return r;
	*ret = hops;
	return 0;
}

static int read_options(const struct call *call, const char *prefix, bool neutral,
			struct instance_template *options, struct error *error)
{
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if ((!neutral || words[i].has_default) &&
		    (r = read_word(call, prefix, &words[i], neutral, member(options, &words[i]),
				   error)) < 0)
			return r;
	return read_hops(call, prefix, neutral, &options->hop_limit, error);
}

int read_metadata_options(const struct call *call, struct instance_template *options,
			  struct error *error)
{
	int r = read_options(call, "MetadataOptions.", false, options, error);

	if (r < 0)
		return r;
	defaults_fill_metadata(call->scope, options);
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!*member(options, &words[i]))
			*member(options, &words[i]) = xstrdup(words[i].words[0]);
	options->hop_limit = options->hop_limit ? options->hop_limit : 1;
	return 0;
}

/* Frees what was read. */
static void options_clear(struct instance_template *options)
{
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		freep(member(options, &words[i]));
}

int modify_instance_metadata_options(struct call *call, struct error *error)
{
	CLEANUP(options_clear) struct instance_template wanted = { 0 };
	struct instance *instance;
	int r;

	if ((r = call_resource(call, "InstanceId", KIND_INSTANCE, &instance, error)) < 0 ||
	    (r = read_options(call, "", false, &wanted, error)) < 0 ||
	    (r = instance_set_metadata(&call->transaction, instance, &wanted, error)) < 0)
		return r;
	xml_text(call->xml, "instanceId", rid_format(instance->resource.id).text);
	xml_open(call->xml, "instanceMetadataOptions");
	reply_fields(call, instance_metadata_fields,
		     &(struct view){ call_model(call), &instance->resource, instance });
	xml_close(call->xml);
	return 0;
}

int get_instance_metadata_defaults(struct call *call, struct error *error)
{
	const struct defaults *defaults = defaults_get(call->scope);

	(void)error;
	xml_open(call->xml, "accountLevel");
	reply_fields(call, defaults_metadata_fields,
		     &(struct view){ call_model(call), &defaults->resource, defaults });
	xml_close(call->xml);
	return 0;
}

int modify_instance_metadata_defaults(struct call *call, struct error *error)
{
	CLEANUP(options_clear) struct instance_template wanted = { 0 };
	const char *enforced = call_text(call, "HttpTokensEnforced");
	int r = read_options(call, "", true, &wanted, error);

	if (r < 0)
		return r;
	if (enforced && !streq(enforced, "disabled") && !streq(enforced, NO_PREFERENCE))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The parameter HttpTokensEnforced is not supported yet.");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (streq(*member(&wanted, &words[i]), NO_PREFERENCE))
			**member(&wanted, &words[i]) = '\0';
	defaults_set_metadata(&call->transaction, defaults_get(call->scope), &wanted);
	return reply_true(call);
}
