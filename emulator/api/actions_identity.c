/*
 * Who is asking, and as whom: sts, and the accounts behind `minivpc account`. Policies there are
 * none: whoever has keys of an account of this world may be any role in any of its accounts.
 */
#include "api/actions.h"

#include <stdio.h>

#include "base/hash.h"

#define DURATION	 3600
#define DURATION_MIN	 900
#define DURATION_MAX	 43200
#define DURATION_CHAINED 3600 /* of a role that a role assumes */

#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+=,.@-"

/* What sts calls a role in a session: AROA and 16 letters that are always the same. */
static char *role_id(const char *account, const char *role)
{
	CLEANUP(freep) char *name = xasprintf("%s/%s", account, role);
	char letters[17] = "";
	uint64_t hash = hash_bytes(HASH_START, name, strlen(name));

	for (size_t i = 0; i < sizeof(letters) - 1; i++) {
		letters[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[hash & 31];
		hash = hash >> 5 | hash << 59;
	}
	return xasprintf("AROA%s", letters);
}

static char *session_arn(const char *account, const char *role, const char *name)
{
	return xasprintf("arn:aws:sts::%s:assumed-role/%s/%s", account, role, name);
}

static char *caller_arn(const struct identity *identity)
{
	return *identity->role ? session_arn(identity->account, identity->role, identity->session)
			       : xasprintf("arn:aws:iam::%s:root", identity->account);
}

int get_caller_identity(struct call *call, struct error *error)
{
	const struct identity *identity = call->identity;
	CLEANUP(freep) char *arn = caller_arn(identity);
	CLEANUP(freep) char *role = role_id(identity->account, identity->role);
	CLEANUP(freep)
	char *user = *identity->role ? xasprintf("%s:%s", role, identity->session)
				     : xstrdup(identity->account);

	(void)error;
	xml_open(call->xml, "GetCallerIdentityResult");
	xml_text(call->xml, "Arn", arn);
	xml_text(call->xml, "UserId", user);
	xml_text(call->xml, "Account", identity->account);
	xml_close(call->xml);
	return 0;
}

/* ---- AssumeRole ---- */

static int invalid(const char *value, const char *name, const char *constraint, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "1 validation error detected: Value '%s' at '%s' failed to satisfy "
			 "constraint: %s",
			 value, name, constraint);
}

static bool is_name(const char *text, size_t least)
{
	const size_t length = strlen(text);

	return length >= least && length <= SESSION_NAME_MAX &&
	       strspn(text, NAME_LETTERS) == length;
}

/* "arn:aws:iam::ACCOUNT:role/PATH/NAME": the account and the name. */
static int read_role(const char *arn, struct session *session, struct error *error)
{
	static const char prefix[] = "arn:aws:iam::", kind[] = ":role/";
	const char *account = arn + strlen(prefix), *name = strrchr(arn, '/');

	if (strncmp(arn, prefix, strlen(prefix)) != 0 || strspn(account, "0123456789") != 12 ||
	    strncmp(account + 12, kind, strlen(kind)) != 0 || !is_name(name + 1, 1))
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE, "%s is invalid", arn);
	snprintf(session->account, sizeof(session->account), "%.12s", account);
	snprintf(session->role, sizeof(session->role), "%s", name + 1);
	return 0;
}

static int read_duration(const struct call *call, struct session *session, struct error *error)
{
	const char *text = call_text(call, "DurationSeconds");
	long seconds = DURATION;
	struct error ignored = ERROR_INIT;

	if (text && *text &&
	    params_int(text, "", DURATION_MIN, DURATION_MAX, &seconds, &ignored) < 0)
		return invalid(text, "durationSeconds",
			       "Member must have value between 900 and 43200", error);
	if (*call->identity->role && seconds > DURATION_CHAINED)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "The requested DurationSeconds exceeds the 1 hour session limit "
				 "for roles assumed by role chaining");
	session->expiration = call->transaction.now + seconds;
	return 0;
}

static int read_session(const struct call *call, struct session *session, struct error *error)
{
	/* What would take permissions away: there are none to take from. */
	static const char *const refused[] = { "Policy",
					       "PolicyArns.member",
					       "Tags.member",
					       "TransitiveTagKeys.member",
					       "SerialNumber",
					       "TokenCode",
					       "SourceIdentity",
					       "ProvidedContexts.member",
					       NULL };
	const char *name = call_text(call, "RoleSessionName"), *arn = call_text(call, "RoleArn");
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 || (r = read_role(arn, session, error)) < 0)
		return r;
	if (!is_name(name, 2))
		return invalid(name, "roleSessionName",
			       "Member must satisfy regular expression pattern: [\\w+=,.@-]* and "
			       "have a length between 2 and 64",
			       error);
	snprintf(session->name, sizeof(session->name), "%s", name);
	if ((r = read_duration(call, session, error)) < 0)
		return r;
	if (!call->any_account && !credentials_find(call->accounts, session->account)) {
		CLEANUP(freep) char *caller = caller_arn(call->identity);

		return error_set(error, ERROR_FORBIDDEN,
				 "User: %s is not authorized to perform: sts:AssumeRole on "
				 "resource: %s",
				 caller, arn);
	}
	return 0;
}

static void reply_session(struct call *call, const struct session *session,
			  const struct credentials *credentials, const char *token)
{
	CLEANUP(freep) char *arn = session_arn(session->account, session->role, session->name);
	CLEANUP(freep) char *role = role_id(session->account, session->role);
	CLEANUP(freep) char *id = xasprintf("%s:%s", role, session->name);

	xml_open(call->xml, "AssumeRoleResult");
	xml_open(call->xml, "AssumedRoleUser");
	xml_text(call->xml, "AssumedRoleId", id);
	xml_text(call->xml, "Arn", arn);
	xml_close(call->xml);
	xml_open(call->xml, "Credentials");
	xml_text(call->xml, "AccessKeyId", credentials->access_key);
	xml_text(call->xml, "SecretAccessKey", credentials->secret_key);
	xml_text(call->xml, "SessionToken", token);
	xml_time(call->xml, "Expiration", session->expiration);
	xml_close(call->xml);
	xml_close(call->xml);
}

int assume_role(struct call *call, struct error *error)
{
	struct session session = { .expiration = 0 };
	CLEANUP(freep) char *token = NULL;
	struct credentials credentials;
	int r;

	if ((r = read_session(call, &session, error)) < 0 ||
	    (r = session_make(&call->accounts->items[0], &session, &credentials, &token, error)) <
		    0)
		return r;
	reply_session(call, &session, &credentials, token);
	explicit_bzero(&credentials, sizeof(credentials));
	return 0;
}

/* ---- accounts ---- */

/* No secret is told: it is in the file. */
static void reply_account(struct call *call, const struct credentials *credentials)
{
	xml_text(call->xml, "account", credentials->account);
	xml_text(call->xml, "profile", credentials_profile(credentials));
	xml_text(call->xml, "accessKeyId", credentials->access_key);
}

int create_account(struct call *call, struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	const struct credentials *credentials;
	int r = hooks->create_account(hooks->context, call_text(call, "Account"), &credentials,
				      error);

	if (r == 0)
		reply_account(call, credentials);
	return r;
}

int list_accounts(struct call *call, struct error *error)
{
	(void)error;
	xml_open(call->xml, "accountSet");
	for (size_t i = 0; i < call->accounts->count; i++) {
		xml_open(call->xml, "item");
		reply_account(call, &call->accounts->items[i]);
		xml_close(call->xml);
	}
	xml_close(call->xml);
	return 0;
}
