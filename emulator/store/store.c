/* The model on disk: see store.h. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "model/whole.h"
#include "store/inject.h"
#include "store/migrate.h"
#include "store/record.h"

#define APPLICATION_ID 0x6d767063 /* "mvpc": tells our files from anybody else's */

struct store {
	sqlite3 *database;
	int migrated; /* the format it has been brought from, uncommitted; 0: none */
	sqlite3_stmt *put;
	sqlite3_stmt *remove;
	sqlite3_stmt *orphan;
	sqlite3_stmt *provisional;
};

static uint32_t number_at(const unsigned char *header, size_t at)
{
	return (uint32_t)header[at] << 24 | (uint32_t)header[at + 1] << 16 |
	       (uint32_t)header[at + 2] << 8 | header[at + 3];
}

/* https://www.sqlite.org/fileformat.html: a magic text, and the application's id at 68. */
int store_probe(const char *path, struct error *error)
{
	static const char magic[16] = "SQLite format 3";
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char header[72];
	ssize_t length;

	if (fd < 0)
		return error_sys(error, errno, "%s", path);
	length = read(fd, header, sizeof(header));
	if (length == 0)
		return 0;
	if (length != sizeof(header) || memcmp(header, magic, sizeof(magic)) != 0 ||
	    number_at(header, 68) != APPLICATION_ID) {
		error_set(error, ERROR_INTERNAL, "%s is not a minivpc database", path);
		return -EBADMSG;
	}
	return 0;
}

static const char schema[] =
	"CREATE TABLE resource (id TEXT PRIMARY KEY, account TEXT NOT NULL, region TEXT NOT NULL,"
	" body TEXT NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE orphan (id TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE provisional (id TEXT PRIMARY KEY, fresh INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA application_id = 1836478563;"
	"PRAGMA user_version = 3;";
static_assert(STORE_FORMAT == 3, "the schema says its format");

static int failed(struct store *store, struct error *error)
{
	int sys = sqlite3_system_errno(store->database);

	error_set(error, ERROR_INTERNAL, "database: %s", sqlite3_errmsg(store->database));
	error->sys = sys;
	return sys ? -sys : -EIO;
}

static int run(struct store *store, const char *sql, struct error *error)
{
	if (sqlite3_exec(store->database, sql, NULL, NULL, NULL) != SQLITE_OK)
		return failed(store, error);
	return 0;
}

static int prepare(struct store *store, const char *sql, sqlite3_stmt **ret, struct error *error)
{
	if (sqlite3_prepare_v2(store->database, sql, -1, ret, NULL) != SQLITE_OK)
		return failed(store, error);
	return 0;
}

static int query_int(struct store *store, const char *sql, int *ret, struct error *error)
{
	sqlite3_stmt *statement;
	int r = 0;

	if (sqlite3_prepare_v2(store->database, sql, -1, &statement, NULL) != SQLITE_OK)
		return failed(store, error);
	if (sqlite3_step(statement) == SQLITE_ROW)
		*ret = sqlite3_column_int(statement, 0);
	else
		r = failed(store, error);
	sqlite3_finalize(statement);
	return r;
}

/* In words, for whoever has the wrong minivpc. */
static int refuse_format(int format, struct error *error)
{
	error_set(
		error, ERROR_INTERNAL,
		"it has format %d, of a later minivpc; this one knows 1 to %d: use the later one, "
		"or name another directory with --state",
		format, STORE_FORMAT);
	return -EBADMSG;
}

/*
 * A new file gets the schema; a file that is there must be ours. An older one is brought to today's
 * format in a transaction that store_load() commits, when what it made can be read.
 */
static int check_schema(struct store *store, struct error *error)
{
	int tables, application, format, r;

	if ((r = query_int(store, "SELECT count(*) FROM sqlite_master", &tables, error)) < 0 ||
	    (r = query_int(store, "PRAGMA application_id", &application, error)) < 0 ||
	    (r = query_int(store, "PRAGMA user_version", &format, error)) < 0)
		return r;
	if (tables == 0 && application == 0) {
		if ((r = run(store, "BEGIN IMMEDIATE", error)) < 0 ||
		    (r = run(store, schema, error)) < 0)
			return r;
		return run(store, "COMMIT", error);
	}
	if (application != APPLICATION_ID || format < 1) {
		error_set(error, ERROR_INTERNAL, "it is not a minivpc database");
		return -EBADMSG;
	}
	if (format > STORE_FORMAT)
		return refuse_format(format, error);
	if (format == STORE_FORMAT)
		return 0;
	if ((r = run(store, "BEGIN IMMEDIATE", error)) < 0 ||
	    (r = migrate(store->database, format, error)) < 0)
		return r;
	store->migrated = format;
	return 0;
}

/*
 * What a killed daemon has left in the log goes into the file when it is closed, but not before the
 * file is known to be sound.
 */
static void leave_log(struct store *store, const char *path, bool leave)
{
	CLEANUP(freep) char *log = path ? xasprintf("%s-wal", path) : NULL;
	struct stat status;

	if (!leave || (stat(log, &status) == 0 && status.st_size))
		sqlite3_db_config(store->database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, leave, NULL);
}

static int prepare_all(struct store *store, struct error *error)
{
	int r;

	if ((r = prepare(store, "REPLACE INTO resource VALUES (?, ?, ?, ?)", &store->put, error)) <
		    0 ||
	    (r = prepare(store, "DELETE FROM resource WHERE id = ?", &store->remove, error)) < 0 ||
	    (r = prepare(store, "REPLACE INTO orphan VALUES (?)", &store->orphan, error)) < 0)
		return r;
	return prepare(store, "REPLACE INTO provisional VALUES (?, ?)", &store->provisional, error);
}

int store_open(const char *path, struct store **ret_store, struct error *error)
{
	CLEANUP(store_closep) struct store *store = xcalloc(1, sizeof(*store));
	int r;

	store_inject();
	if (sqlite3_open(path, &store->database) != SQLITE_OK)
		return error_wrap(error, failed(store, error), "%s", path);
	sqlite3_busy_timeout(store->database, 2000);
	leave_log(store, path, true);
	/* The schema goes into the file itself, before there is a log: see store_probe(). */
	if ((r = run(store,
		     "PRAGMA synchronous = FULL; PRAGMA cache_size = -512;"
		     "PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF",
		     error)) < 0 ||
	    (r = check_schema(store, error)) < 0 || (r = prepare_all(store, error)) < 0)
		return error_wrap(error, r, "%s", path);
	*ret_store = steal(&store);
	return 0;
}

struct store *store_close(struct store *store)
{
	if (!store)
		return NULL;
	sqlite3_finalize(store->put);
	sqlite3_finalize(store->remove);
	sqlite3_finalize(store->orphan);
	sqlite3_finalize(store->provisional);
	sqlite3_close(store->database);
	free(store);
	return NULL;
}

void store_closep(struct store **store)
{
	*store = store_close(*store);
}

static const char *column(sqlite3_stmt *statement, int index)
{
	return (const char *)sqlite3_column_text(statement, index);
}

static int load_row(sqlite3_stmt *statement, struct model *model, struct error *error)
{
	const char *text = column(statement, 0);
	const char *account = column(statement, 1), *region = column(statement, 2);
	const char *body = column(statement, 3);
	struct resource *resource;
	struct rid id;
	int r;

	if (!text || !account || !region || !body || rid_parse_any(text, &id) < 0 ||
	    !resource_type(id.kind) || !streq(rid_format(id).text, text)) {
		error_set(error, ERROR_INTERNAL, "there is a record of %s, which is nothing",
			  text ? text : "no name");
		return -EBADMSG;
	}
	resource = resource_new(id.kind, id);
	r = record_decode(body, (size_t)sqlite3_column_bytes(statement, 3), resource, error);
	if (r == 0 && (strlen(account) >= sizeof(((struct scope *)NULL)->account) ||
		       strlen(region) >= sizeof(((struct scope *)NULL)->region))) {
		error_set(error, ERROR_INTERNAL, "%s is of no account and region", text);
		r = -EBADMSG;
	}
	if (r < 0) {
		resource_free(resource);
		return r;
	}
	model_insert(model, model_scope(model, account, region), resource);
	return 0;
}

static int load_rows(struct store *store, struct model *model, struct error *error)
{
	sqlite3_stmt *statement;
	int r = 0, step;

	if (sqlite3_prepare_v2(store->database, "SELECT id, account, region, body FROM resource",
			       -1, &statement, NULL) != SQLITE_OK)
		return failed(store, error);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW && r == 0)
		r = load_row(statement, model, error);
	if (r == 0 && step != SQLITE_DONE)
		r = failed(store, error);
	sqlite3_finalize(statement);
	return r;
}

/* Of pages that nobody reads otherwise too. */
static int check_pages(struct store *store, struct error *error)
{
	sqlite3_stmt *statement;
	int r = prepare(store, "PRAGMA quick_check(1)", &statement, error);

	if (r < 0)
		return r;
	if (sqlite3_step(statement) != SQLITE_ROW) {
		r = failed(store, error);
	} else if (!streq(column(statement, 0), "ok")) {
		error_set(error, ERROR_INTERNAL, "database: %s", column(statement, 0));
		r = -EBADMSG;
	}
	sqlite3_finalize(statement);
	return r;
}

int store_load(struct store *store, struct model *model, struct error *error)
{
	const char *path = sqlite3_db_filename(store->database, NULL);
	int r;

	if ((r = check_pages(store, error)) < 0 || (r = load_rows(store, model, error)) < 0 ||
	    (r = model_check(model, error)) < 0 ||
	    (store->migrated && (r = run(store, "COMMIT", error)) < 0))
		return error_wrap(error, r, "%s", path);
	if (store->migrated)
		log_info("%s had format %d, and has format %d now", path, store->migrated,
			 STORE_FORMAT);
	store->migrated = 0;
	leave_log(store, NULL, false);
	return run(store, "PRAGMA journal_mode = WAL", error);
}

static int step_once(struct store *store, sqlite3_stmt *statement, struct error *error)
{
	int step = sqlite3_step(statement);

	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
	return step == SQLITE_DONE ? 0 : failed(store, error);
}

static int put(struct store *store, const struct resource *resource, struct error *error)
{
	struct rid_text id = rid_format(resource->id);
	char *body = record_encode(resource);

	sqlite3_bind_text(store->put, 1, id.text, -1, SQLITE_TRANSIENT);
	sqlite3_bind_text(store->put, 2, resource->scope->account, -1, SQLITE_STATIC);
	sqlite3_bind_text(store->put, 3, resource->scope->region, -1, SQLITE_STATIC);
	sqlite3_bind_text(store->put, 4, body, -1, free);
	return step_once(store, store->put, error);
}

/* Until the next save, what is erased is listed as an orphan: its kernel objects go after this. */
static int erase(struct store *store, struct rid id, struct error *error)
{
	struct rid_text text = rid_format(id);
	int r;

	sqlite3_bind_text(store->remove, 1, text.text, -1, SQLITE_STATIC);
	if ((r = step_once(store, store->remove, error)) < 0)
		return r;
	sqlite3_bind_text(store->orphan, 1, text.text, -1, SQLITE_STATIC);
	return step_once(store, store->orphan, error);
}

#define FORGET "DELETE FROM orphan; DELETE FROM provisional"

static int save_all(struct store *store, const struct transaction *transaction, bool forward,
		    struct error *error)
{
	int r = run(store, FORGET, error); /* what the last call left is gone by now */

	for_each_journal (entry, transaction) {
		const struct resource *next = forward ? entry->after : entry->before;
		const struct resource *other = forward ? entry->before : entry->after;

		if (r < 0)
			return r;
		if (next)
			r = put(store, next, error);
		else if (other)
			r = erase(store, other->id, error);
	}
	return r;
}

int store_orphans(struct store *store, struct rid **ret_ids, size_t *ret_count, struct error *error)
{
	CLEANUP(freep) struct rid *ids = NULL;
	sqlite3_stmt *statement;
	size_t count = 0;
	int step;

	if (sqlite3_prepare_v2(store->database, "SELECT id FROM orphan", -1, &statement, NULL) !=
	    SQLITE_OK)
		return failed(store, error);
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct rid id;

		if (rid_parse_any(column(statement, 0), &id) == 0)
			*array_grow(&ids, &count) = id;
	}
	sqlite3_finalize(statement);
	if (step != SQLITE_DONE)
		return failed(store, error);
	*ret_ids = steal(&ids);
	*ret_count = count;
	return 0;
}

static int save_provisional(struct store *store, const struct provisional *launched, size_t count,
			    struct error *error)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		struct rid_text id = rid_format(launched[i].id);

		sqlite3_bind_text(store->provisional, 1, id.text, -1, SQLITE_STATIC);
		sqlite3_bind_int(store->provisional, 2, launched[i].fresh);
		r = step_once(store, store->provisional, error);
	}
	return r;
}

static int save(struct store *store, const struct transaction *transaction, bool forward,
		const struct provisional *launched, size_t count, struct error *error)
{
	struct error ignored = ERROR_INIT;
	int r;

	if ((r = run(store, "BEGIN IMMEDIATE", error)) < 0)
		return r;
	r = save_all(store, transaction, forward, error);
	if (r == 0)
		r = save_provisional(store, launched, count, error);
	if (r == 0)
		r = run(store, "COMMIT", error);
	if (r < 0)
		run(store, "ROLLBACK", &ignored);
	return r;
}

int store_save(struct store *store, const struct transaction *transaction, bool forward,
	       struct error *error)
{
	return transaction->count ? save(store, transaction, forward, NULL, 0, error) : 0;
}

int store_save_launch(struct store *store, const struct transaction *transaction,
		      const struct provisional *launched, size_t count, struct error *error)
{
	return save(store, transaction, true, launched, count, error);
}

int store_confirm(struct store *store, struct error *error)
{
	return run(store, "DELETE FROM provisional", error);
}

int store_provisional(struct store *store, struct provisional **ret_launched, size_t *ret_count,
		      struct error *error)
{
	CLEANUP(freep) struct provisional *launched = NULL;
	sqlite3_stmt *statement;
	size_t count = 0;
	int step, r;

	if ((r = prepare(store, "SELECT id, fresh FROM provisional", &statement, error)) < 0)
		return r;
	while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
		struct provisional one = { .fresh = sqlite3_column_int(statement, 1) };

		if (rid_parse_any(column(statement, 0), &one.id) == 0)
			*array_grow(&launched, &count) = one;
	}
	sqlite3_finalize(statement);
	if (step != SQLITE_DONE)
		return failed(store, error);
	*ret_launched = steal(&launched);
	*ret_count = count;
	return 0;
}
