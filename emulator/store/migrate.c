/*
 * The formats that the store has had, and the steps from each to the next: see migrate.h. A step is
 * SQL alone, over rows and the JSON in them, so that it means the same whatever the program has
 * become. Once released, a step never changes; tests/system/schemas keeps a world of each format.
 *
 * 1: a security group's rules are in its own record, an ACL's entries know no protocols; or already
 * as in 2, but for some that have no table of what is provisional.
 * 2: an instance has one volume or, before there were any, none; and no name options.
 */
#include "store/migrate.h"

#include <errno.h>

#include "store/store.h"

/* clang-format off */

/* The rules of a group come after all there is; what is null in a patch is left out. */
static const char rules_of_their_own[] =
	"CREATE TABLE IF NOT EXISTS orphan (id TEXT PRIMARY KEY) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS provisional (id TEXT PRIMARY KEY, fresh INTEGER NOT NULL)"
	" WITHOUT ROWID;"

	"INSERT INTO resource SELECT rule.value ->> '$.id', r.account, r.region, json_patch("
	"   json_object("
	"      'order', CAST(row_number() OVER (ORDER BY r.id, rule.key) +"
	"         (SELECT max(CAST(body ->> '$.order' AS INTEGER)) FROM resource) AS TEXT),"
	"      'tagSet', json('[]'), 'groupId', r.id, 'isEgress', rule.value ->> '$.egress',"
	"      'protocol', '-1', 'fromPort', '-1', 'toPort', '-1'),"
	"   json_object('cidr', rule.value ->> '$.cidr', 'peer', rule.value ->> '$.group'))"
	" FROM resource AS r, json_each(r.body, '$.rules') AS rule WHERE r.id GLOB 'sg-*';"

	"UPDATE resource SET body = json_remove(body, '$.rules') WHERE id GLOB 'sg-*';"

	"UPDATE resource SET body = json_set(body, '$.entrySet', ("
	"   SELECT json_group_array(json(json_patch("
	"      '{\"protocol\":\"-1\",\"from\":\"-1\",\"to\":\"-1\"}', json_patch(entry.value,"
	"      json_object('cidrBlock', NULL, 'cidr',"
	"         coalesce(entry.value ->> '$.cidr', entry.value ->> '$.cidrBlock'))))))"
	"   FROM json_each(body, '$.entrySet') AS entry))"
	" WHERE id GLOB 'acl-*';";

/* Who ran before there were volumes has a root volume too: nothing starts without one. */
static const char several_volumes[] =
	"UPDATE resource SET body ="
	"   json_remove(json_set(body, '$.volumes', json_array(body ->> '$.volume')), '$.volume')"
	" WHERE id GLOB 'i-*' AND body ->> '$.volume' IS NOT NULL;"

	"UPDATE resource SET body ="
	"   json_set(body, '$.volumes', json_array('vol-0' || lower(hex(randomblob(8)))))"
	" WHERE id GLOB 'i-*' AND body -> '$.volumes' IS NULL"
	"   AND body ->> '$.state' <> 'terminated';"

	"INSERT INTO resource SELECT volume.value, i.account, i.region, json_object("
	"   'order', CAST(row_number() OVER (ORDER BY i.id) +"
	"      (SELECT max(CAST(body ->> '$.order' AS INTEGER)) FROM resource) AS TEXT),"
	"   'tagSet', json('[]'), 'size', '8', 'createTime', i.body ->> '$.launchTime',"
	"   'snapshotId', 'snap-' || substr(i.body ->> '$.imageId', 5), 'volumeType', 'gp3',"
	"   'instance', i.id, 'zone', i.body ->> '$.zone', 'iopsGiven', '3000',"
	"   'throughputGiven', '125', 'deleteOnTermination', 'true',"
	"   'attachTime', i.body ->> '$.launchTime')"
	" FROM resource AS i, json_each(i.body, '$.volumes') AS volume WHERE i.id GLOB 'i-*'"
	"   AND NOT EXISTS (SELECT * FROM resource AS other WHERE other.id = volume.value);"

	"UPDATE resource SET body = json_set(body, '$.device', '/dev/xvda', '$.told', 'true')"
	" WHERE id GLOB 'vol-*' AND body ->> '$.instance' IS NOT NULL"
	"   AND body ->> '$.device' IS NULL;"

	"UPDATE resource SET body = json_set(body, '$.privateDnsNameOptions', json('"
	"   {\"hostnameType\":\"ip-name\",\"enableResourceNameDnsARecord\":\"false\","
	"   \"enableResourceNameDnsAAAARecord\":\"false\"}'))"
	" WHERE id GLOB 'i-*' AND body -> '$.privateDnsNameOptions' IS NULL;";

/* clang-format on */

#define STRINGIFY(x) #x
#define TEXT_OF(x)   STRINGIFY(x)

/* From the format that is the index. */
static const char *const steps[] = { [1] = rules_of_their_own, [2] = several_volumes };
static_assert(ARRAY_SIZE(steps) == STORE_FORMAT, "every older format has a step to the next");

int migrate(sqlite3 *database, int format, struct error *error)
{
	for (int at = format; at < STORE_FORMAT; at++) {
		if (sqlite3_exec(database, steps[at], NULL, NULL, NULL) == SQLITE_OK)
			continue;
		error_set(error, ERROR_INTERNAL,
			  "it has format %d, and can't be brought to format %d: %s", format, at + 1,
			  sqlite3_errmsg(database));
		return -EIO;
	}
	if (sqlite3_exec(database, "PRAGMA user_version = " TEXT_OF(STORE_FORMAT), NULL, NULL,
			 NULL) == SQLITE_OK)
		return 0;
	error_set(error, ERROR_INTERNAL, "%s", sqlite3_errmsg(database));
	return -EIO;
}
