/*
 * AWS Signature Version 4, the verifier's side: see sigv4.h, and base/signature.h for what is
 * signed. What is hashed is what was received: the raw Host header, the raw path, the body's real
 * hash.
 */
#include "api/sigv4.h"

#include "base/signature.h"

#include <ctype.h>
#include <nettle/memops.h>
#include <stdio.h>
#include <strings.h>
#include <time.h>

#define ALGORITHM	   SIGNATURE_ALGORITHM
#define TERMINATOR	   SIGNATURE_TERMINATOR
#define MAX_SKEW	   (15 * 60)
#define SIGNED_HEADERS_MAX 100
#define MAX_EXPIRES	   604800
#define SIGNATURE_KEY	   "X-Amz-Signature"
#define TOKEN		   "X-Amz-Security-Token"

/* What the request says about its own signature; every text is owned, NULL when absent. */
struct claim {
	char *credential;
	char *signed_headers;
	char *signature;
	char *timestamp; /* 20240501T123456Z */
	char *expires;	 /* presigned only */
	char *token;	 /* of temporary credentials */
	bool presigned;
	/* taken from the credential */
	char date[9];
	struct identity identity;
};

static void claim_clear(struct claim *claim)
{
	free(claim->credential);
	free(claim->signed_headers);
	free(claim->signature);
	free(claim->timestamp);
	free(claim->expires);
	free(claim->token);
}

static int incomplete(struct error *error, const char *text)
{
	return error_set(error, ERROR_INCOMPLETE_SIGNATURE, "%s", text);
}

static int hex_digit(char c)
{
	const char *digits = "0123456789abcdef", *found = c ? strchr(digits, tolower(c)) : NULL;

	return found ? (int)(found - digits) : -1;
}

/* Decodes a part of a query, '+' included. A bad escape stands for itself. */
static void decode(const char *text, size_t length, struct buffer *ret_text)
{
	for (size_t i = 0; i < length; i++) {
		int high = -1, low = -1;

		if (text[i] == '%' && i + 2 < length) {
			high = hex_digit(text[i + 1]);
			low = hex_digit(text[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			buffer_putc(ret_text, (char)(high << 4 | low));
			i += 2;
		} else {
			buffer_putc(ret_text, text[i] == '+' ? ' ' : text[i]);
		}
	}
}

/* A query's "name=value" pairs, each part decoded and encoded again: one spelling for one text. */
struct pair {
	char *name, *value;
};

static char *normalise(const char *text, size_t length)
{
	CLEANUP(buffer_clear) struct buffer plain = BUFFER_INIT;
	struct buffer encoded = BUFFER_INIT;

	decode(text, length, &plain);
	buffer_escape(&encoded, plain.data, plain.length, "");
	return buffer_steal(&encoded);
}

static size_t query_pairs(const char *query, struct pair **ret_pairs)
{
	struct pair *pairs = NULL;
	size_t count = 0;

	while (*query) {
		size_t length = strcspn(query, "&"), name = strcspn(query, "&=");
		const char *value = query + name + (name < length ? 1 : 0);

		if (length)
			*array_grow(&pairs, &count) =
				(struct pair){ normalise(query, name),
					       normalise(value, (size_t)(query + length - value)) };
		query += length + (query[length] ? 1 : 0);
	}
	*ret_pairs = pairs;
	return count;
}

static int compare_pairs(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int order = strcmp(a->name, b->name);

	return order ? order : strcmp(a->value, b->value);
}

static void canonical_query(const char *query, bool presigned, struct buffer *ret_text)
{
	const char *separator = "";
	struct pair *pairs;
	size_t count = query_pairs(query, &pairs);

	if (count)
		qsort(pairs, count, sizeof(*pairs), compare_pairs);
	for (size_t i = 0; i < count; i++) {
		if (!presigned || !streq(pairs[i].name, SIGNATURE_KEY)) {
			buffer_printf(ret_text, "%s%s=%s", separator, pairs[i].name,
				      pairs[i].value);
			separator = "&";
		}
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

/* "/a//b/../c/" → "/a/c/", then encoded (once more: every service but S3 does so). */
static void canonical_path(const char *path, struct buffer *ret_text)
{
	CLEANUP(buffer_clear) struct buffer plain = BUFFER_INIT;
	bool directory = true;

	while (*path) {
		size_t length = strcspn(path, "/");

		if (length == 2 && strncmp(path, "..", 2) == 0) {
			while (plain.length && plain.data[--plain.length] != '/')
				;
		} else if (length && !(length == 1 && *path == '.')) {
			buffer_putc(&plain, '/');
			buffer_append(&plain, path, length);
		}
		directory = path[length] == '/';
		path += length + (directory ? 1 : 0);
	}
	if (directory || plain.length == 0)
		buffer_putc(&plain, '/');
	buffer_escape(ret_text, plain.data, plain.length, "/");
}

/* Trimmed, inner runs of spaces folded. */
static void canonical_value(const char *value, struct buffer *ret_text)
{
	bool space = false, first = true;

	for (; *value; value++) {
		if (*value == ' ' || *value == '\t') {
			space = true;
			continue;
		}
		if (space && !first)
			buffer_putc(ret_text, ' ');
		buffer_putc(ret_text, *value);
		space = first = false;
	}
}

/* "name:value,value\n" for every name of the list. A name the request lacks has no value. */
static void canonical_headers(const struct http_request *request, const char *names,
			      struct buffer *ret_text)
{
	while (*names) {
		size_t length = strcspn(names, ";");
		const char *separator = "";

		buffer_append(ret_text, names, length);
		buffer_putc(ret_text, ':');
		for (size_t i = 0; i < request->header_count; i++) {
			const struct http_header *header = &request->headers[i];

			if (strncasecmp(header->name, names, length) != 0 || header->name[length])
				continue;
			buffer_puts(ret_text, separator);
			canonical_value(header->value, ret_text);
			separator = ",";
		}
		buffer_putc(ret_text, '\n');
		names += length + (names[length] ? 1 : 0);
	}
}

static void canonical_request(const struct http_request *request, const struct claim *claim,
			      struct buffer *ret_text)
{
	buffer_printf(ret_text, "%s\n", request->method);
	canonical_path(request->path, ret_text);
	buffer_putc(ret_text, '\n');
	canonical_query(request->query, claim->presigned, ret_text);
	buffer_putc(ret_text, '\n');
	canonical_headers(request, claim->signed_headers, ret_text);
	buffer_printf(ret_text, "\n%s\n", claim->signed_headers);
	signature_append_hash(ret_text, request->body, request->body_length);
}

/* "Credential=…, SignedHeaders=…, Signature=…": with or without the spaces, in any order. */
static int read_authorization(const char *value, struct claim *claim, struct error *error)
{
	size_t scheme = strcspn(value, " ");

	if (scheme != strlen(ALGORITHM) || strncmp(value, ALGORITHM, scheme) != 0)
		return incomplete(error, "Authorization header requires the algorithm " ALGORITHM);
	value += scheme;
	while (*value) {
		size_t blank = strspn(value, " ,"), length = strcspn(value + blank, " ,");
		struct field {
			const char *name;
			char **text;
		} fields[] = { { "Credential=", &claim->credential },
			       { "SignedHeaders=", &claim->signed_headers },
			       { "Signature=", &claim->signature } };

		value += blank;
		for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
			size_t name = strlen(fields[i].name);

			if (strncmp(value, fields[i].name, name) != 0)
				continue;
			free(*fields[i].text);
			*fields[i].text = xasprintf("%.*s", (int)(length - name), value + name);
		}
		value += length;
	}
	if (!claim->credential || !claim->signed_headers || !claim->signature)
		return incomplete(error, "Authorization header requires the parameters "
					 "'Credential', 'SignedHeaders' and 'Signature'.");
	return 0;
}

/* X-Amz-Date as it is; a Date header in the basic form or as HTTP writes it. */
static char *header_time(const struct http_request *request)
{
	const char *date = http_header_get(request, "X-Amz-Date");
	struct tm tm = { 0 };
	char text[32];
	const char *rest;

	if (date)
		return xstrdup(date);
	date = http_header_get(request, "Date");
	rest = date ? strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &tm) : NULL;
	if (!rest || *rest)
		return xstrdup_null(date);
	strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm);
	return xstrdup(text);
}

/* Takes one X-Amz-… parameter's decoded value from the query, or leaves NULL. */
static char *query_value(const char *query, const char *name)
{
	struct buffer value = BUFFER_INIT;
	size_t length = strlen(name);

	while (*query) {
		size_t pair = strcspn(query, "&");

		if (pair > length && strncmp(query, name, length) == 0 && query[length] == '=') {
			decode(query + length + 1, pair - length - 1, &value);
			return buffer_steal(&value);
		}
		query += pair + (query[pair] ? 1 : 0);
	}
	return NULL;
}

static int read_query(const char *query, struct claim *claim, struct error *error)
{
	CLEANUP(freep) char *algorithm = query_value(query, "X-Amz-Algorithm");

	claim->presigned = true;
	claim->credential = query_value(query, "X-Amz-Credential");
	claim->signed_headers = query_value(query, "X-Amz-SignedHeaders");
	claim->signature = query_value(query, SIGNATURE_KEY);
	claim->timestamp = query_value(query, "X-Amz-Date");
	claim->expires = query_value(query, "X-Amz-Expires");
	claim->token = query_value(query, TOKEN);
	if (!streq(algorithm, ALGORITHM) || !claim->credential || !claim->signed_headers ||
	    !claim->signature || !claim->timestamp || !claim->expires)
		return incomplete(error, "AWS query-string parameters must include "
					 "'X-Amz-Algorithm', 'X-Amz-Credential', "
					 "'X-Amz-SignedHeaders', 'X-Amz-Signature', 'X-Amz-Date' "
					 "and 'X-Amz-Expires'.");
	return 0;
}

/* Copies a part of the credential scope: [a-z0-9-]{1,32}. */
static bool read_name(const char *part, size_t length, char ret_name[33])
{
	if (length == 0 || length > 32 ||
	    strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789-") < length)
		return false;
	memcpy(ret_name, part, length);
	ret_name[length] = '\0';
	return true;
}

/* "AKID/20240501/us-east-1/ec2/aws4_request" */
static int read_credential(struct claim *claim, struct error *error)
{
	struct identity *identity = &claim->identity;
	const char *part[5] = { claim->credential };
	size_t length[5];

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		length[i] = strcspn(part[i], "/");
		if ((part[i][length[i]] == '/') != (i + 1 < ARRAY_SIZE(part)))
			return incomplete(error, "Credential must have exactly 5 slash-delimited "
						 "elements: keyid/date/region/service/" TERMINATOR);
		if (i + 1 < ARRAY_SIZE(part))
			part[i + 1] = part[i] + length[i] + 1;
	}
	if (length[0] == 0 || length[0] >= sizeof(identity->access_key) ||
	    length[1] + 1 != sizeof(claim->date) || !streq(part[4], TERMINATOR) ||
	    !read_name(part[2], length[2], identity->region) ||
	    !read_name(part[3], length[3], identity->service))
		return incomplete(error, "Credential must name a key, a date (YYYYMMDD), a region, "
					 "a service and '" TERMINATOR "'.");
	memcpy(identity->access_key, part[0], length[0]);
	memcpy(claim->date, part[1], sizeof(claim->date) - 1);
	return 0;
}

static int read_claim(const struct http_request *request, struct claim *claim, struct error *error)
{
	const char *authorization = http_header_get(request, "Authorization");
	CLEANUP(freep) char *presigned = query_value(request->query, SIGNATURE_KEY);
	int r;

	if (authorization) {
		r = read_authorization(authorization, claim, error);
		claim->timestamp = header_time(request);
		claim->token = xstrdup_null(http_header_get(request, TOKEN));
	} else if (presigned) {
		r = read_query(request->query, claim, error);
	} else {
		return error_set(error, ERROR_MISSING_TOKEN,
				 "Request is missing Authentication Token");
	}
	return r < 0 ? r : read_credential(claim, error);
}

/*
 * "content-type;host;x-amz-date": lower-case, ascending, each once, so that what is hashed is
 * never more than what was sent; `host` among them.
 */
static int check_signed_headers(const char *list, struct error *error)
{
	bool has_host = false;
	char last[128] = "", name[128];

	for (size_t n = 0; n == 0 || *list; n++) {
		size_t length = strcspn(list, ";");

		if (n == SIGNED_HEADERS_MAX || length == 0 || length >= sizeof(name))
			return incomplete(error, "'SignedHeaders' can't be read.");
		memcpy(name, list, length);
		name[length] = '\0';
		if (strcmp(last, name) >= 0 || strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ:\n"))
			return incomplete(error, "'SignedHeaders' must be in lower case, sorted.");
		has_host |= streq(name, "host");
		memcpy(last, name, length + 1);
		list += length + (list[length] ? 1 : 0);
	}
	return has_host ? 0 : incomplete(error, "'Host' must be a SignedHeader.");
}

static int check_time(const struct claim *claim, int64_t now, struct error *error)
{
	int64_t life = MAX_SKEW, signed_at;
	struct tm tm = { 0 };
	const char *rest =
		claim->timestamp ? strptime(claim->timestamp, "%Y%m%dT%H%M%SZ", &tm) : NULL;

	if (!rest || *rest || strlen(claim->timestamp) != strlen("20240501T123456Z"))
		return incomplete(error, "A date in the form YYYYMMDDTHHMMSSZ must be given in "
					 "'X-Amz-Date' (or a 'Date' header).");
	if (strncmp(claim->date, claim->timestamp, sizeof(claim->date) - 1) != 0)
		return incomplete(error, "Date in Credential scope does not match the date of the "
					 "request.");
	signed_at = timegm(&tm);
	if (claim->presigned) {
		size_t digits = strspn(claim->expires, "0123456789");

		life = digits && digits < 9 && !claim->expires[digits] ? atol(claim->expires) : 0;
		if (life < 1 || life > MAX_EXPIRES)
			return incomplete(error, "X-Amz-Expires must be a number of seconds from "
						 "1 to 604800.");
	}
	if (signed_at > now + MAX_SKEW || signed_at + life < now)
		return error_set(error, ERROR_REQUEST_EXPIRED, "Request has expired.");
	return 0;
}

/* Whose keys these are said to be; the caller looks at the signature. */
struct signer {
	struct credentials credentials;
	struct session session; /* of temporary ones */
	bool known;
};

/* An unknown one gets somebody's secret: it takes as long to be refused as a known. */
static struct signer find_signer(const struct claim *claim, const struct credentials_list *list)
{
	struct signer signer = { .credentials = list->items[0] };
	const char *key = claim->identity.access_key;

	for (size_t i = 0; i < list->count; i++)
		if (streq(list->items[i].access_key, key)) {
			signer.credentials = list->items[i];
			signer.known = true;
		}
	/* An account's own key is good without a token, and with one that a shell still had. */
	if (!signer.known && claim->token)
		signer.known = session_read(&list->items[0], key, claim->token, &signer.session,
					    &signer.credentials) == 0;
	return signer;
}

static void identify(const struct signer *signer, struct identity *identity)
{
	memcpy(identity->account, signer->credentials.account, sizeof(identity->account));
	memcpy(identity->role, signer->session.role, sizeof(identity->role));
	memcpy(identity->session, signer->session.name, sizeof(identity->session));
}

static int check_signature(const struct http_request *request, const struct claim *claim,
			   const struct signer *signer, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer canonical = BUFFER_INIT;
	/* The timestamp begins with the scope's date: check_time(). */
	const struct signature_scope scope = { claim->timestamp, claim->identity.region,
					       claim->identity.service };
	char signature[SIGNATURE_SIZE];
	bool same;

	canonical_request(request, claim, &canonical);
	signature_make(signer->credentials.secret_key, &scope, &canonical, signature);
	/* Both are looked at, whatever the first says. */
	same = strlen(claim->signature) == SIGNATURE_SIZE - 1 &&
	       memeql_sec(claim->signature, signature, SIGNATURE_SIZE - 1);
	/* EC2 answers both alike; the other services name the second (see errors.c). */
	if (!signer->known || !same)
		return error_subject(
			error, ERROR_AUTH_FAILURE, signer->known ? "signature" : NULL,
			"AWS was not able to validate the provided access credentials");
	return 0;
}

static int verify(const struct http_request *request, const struct sigv4_policy *policy,
		  struct claim *claim, struct error *error)
{
	struct signer signer;
	int r = read_claim(request, claim, error);

	if (r < 0)
		return r;
	r = check_signed_headers(claim->signed_headers, error);
	if (r == 0)
		r = check_time(claim, policy->now, error);
	if (r < 0)
		return r;
	signer = find_signer(claim, policy->credentials);
	r = check_signature(request, claim, &signer, error);
	if (r == 0 && *signer.session.account && signer.session.expiration <= policy->now)
		r = error_subject(error, ERROR_REQUEST_EXPIRED, "token", "Request has expired.");
	if (r == 0)
		identify(&signer, &claim->identity);
	explicit_bzero(&signer, sizeof(signer));
	return r;
}

/* Nothing is verified: the claim is believed. */
static void believe(const struct http_request *request, const struct sigv4_policy *policy,
		    struct claim *claim)
{
	struct identity *identity = &claim->identity;
	struct error ignored = ERROR_INIT;
	struct signer signer;

	if (read_claim(request, claim, &ignored) < 0)
		*identity = (struct identity){ 0 };
	signer = find_signer(claim, policy->credentials);
	if (!signer.known && credentials_is_account(identity->access_key))
		snprintf(signer.credentials.account, sizeof(signer.credentials.account), "%.12s",
			 identity->access_key);
	else if (!signer.known)
		memcpy(signer.credentials.account, DEFAULT_ACCOUNT, sizeof(DEFAULT_ACCOUNT));
	identify(&signer, identity);
	explicit_bzero(&signer, sizeof(signer));
}

int sigv4_verify(const struct http_request *request, const struct sigv4_policy *policy,
		 struct identity *ret_identity, struct error *error)
{
	CLEANUP(claim_clear) struct claim claim = { 0 };
	int r = 0;

	if (policy->accept_any)
		believe(request, policy, &claim);
	else
		r = verify(request, policy, &claim, error);
	if (r < 0) {
		/* Who is refused still learns it in the form that his service has. */
		memcpy(ret_identity->service, claim.identity.service,
		       sizeof(ret_identity->service));
		return r;
	}
	*ret_identity = claim.identity;
	return 0;
}
