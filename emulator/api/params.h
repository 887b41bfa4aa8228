/*
 * The parameters of a Query API call: decoding the form, looking values up, and checking the lot
 * against a specification. Names are case-sensitive.
 */
#pragma once

#include "http/http.h"

#define PARAMS_MAX 20000

struct params;

/*
 * The query string, then the body of a POST; "%XX" and '+' are decoded. Of two values for one name
 * the last wins, as a form's usually does. X-Amz-… parameters (a presigned URL's) are kept apart:
 * no function here sees them. ERROR_MALFORMED_QUERY: a bad escape, a NUL, a parameter with no name,
 * more than PARAMS_MAX of them.
 */
int params_parse(const struct http_request *request, struct params **ret_params,
		 struct error *error);
void params_freep(struct params **params);

/* The value of exactly that name, or NULL; borrowed from `params`. "" is a value. */
const char *params_get(const struct params *params, const char *format, ...) PRINTF(2, 3);
/*
 * The distinct N of `prefix`.N and `prefix`.N.…, ascending; gaps are fine. Returns how many; the
 * caller frees the array, which is NULL when there are none. An index is 1 … 999,999,999.
 */
size_t params_indices(const struct params *params, const char *prefix, unsigned int **ret_indices);

/*
 * Checks every parameter against `specification`: words separated by spaces, each one parameter.
 *
 *	VpcId		a string			MaxResults:i	an integer
 *	VpcId!		required			DryRun:b	a boolean
 *	VpcId.N		a list				StartTime:t	a time
 *	Tag.N.Key	a list of structures		Value:base64	anything, decoded elsewhere
 *	Tag.N!.Key	a list that is required (one element, whatever its fields)
 *	Filter.N	Filter.N.Name and Filter.N.Value.M
 *	TagSpecification.N.*	….N.ResourceType, ….N.Tag.M.Key, ….N.Tag.M.Value
 *
 * Only what stands at the top can be required, empty counts as missing.
 * Action, Version, DryRun, a SigV2 client's leftovers and X-Amz-… are always allowed. A list sent
 * as "Name=" is an absent list; an empty integer, boolean or time is absent too.
 * ERROR_UNKNOWN_PARAMETER, then ERROR_MISSING_PARAMETER, then ERROR_INVALID_PARAMETER_VALUE.
 */
int params_check(const struct params *params, const char *specification, struct error *error);

/* "true" and "false" in any case; else ERROR_INVALID_PARAMETER_VALUE naming `name`. */
int params_bool(const char *value, const char *name, bool *ret_value, struct error *error);
/* Decimal, min … max; else ERROR_INVALID_PARAMETER_VALUE naming `name`. */
int params_int(const char *value, const char *name, long min, long max, long *ret_value,
	       struct error *error);
/* The parameter at a place, in the order of names; false: there is none. */
bool params_at(const struct params *params, size_t place, const char **ret_name,
	       const char **ret_value);
/* Parameters made of pairs, which are copied; of two values for one name the last wins. */
struct param_pair {
	const char *name, *value;
};
struct params *params_make(const struct param_pair *pairs, size_t count);
/* A number made of every name and value: equal requests have equal ones (FNV-1a, 64 bits). */
uint64_t params_digest(const struct params *params);
