/* A hash map: see map.h. Linear probing; removal shifts the followers back, so no tombstones. */
#include "base/map.h"

static size_t home(const struct map *map, struct map_key key)
{
	uint64_t h = (key.a ^ 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;

	h = (h ^ (h >> 29) ^ key.b) * 0x94d049bb133111ebu;
	return (size_t)(h ^ (h >> 32)) & (map->capacity - 1);
}

static struct map_slot *find(const struct map *map, struct map_key key)
{
	size_t i = home(map, key);

	while (map->slots[i].value &&
	       (map->slots[i].key.a != key.a || map->slots[i].key.b != key.b))
		i = (i + 1) & (map->capacity - 1);
	return &map->slots[i];
}

static void grow(struct map *map)
{
	struct map bigger = { .capacity = map->capacity ? map->capacity * 2 : 16 };

	bigger.slots = xcalloc(bigger.capacity, sizeof(*bigger.slots));
	map_for_each (map, slot)
		*find(&bigger, slot->key) = *slot;
	bigger.count = map->count;
	free(map->slots);
	*map = bigger;
}

void map_clear(struct map *map)
{
	free(map->slots);
	*map = (struct map){ 0 };
}

void *map_get(const struct map *map, struct map_key key)
{
	return map->capacity ? find(map, key)->value : NULL;
}

void *map_put(struct map *map, struct map_key key, void *value)
{
	struct map_slot *slot;
	void *old;

	if (map->count * 4 >= map->capacity * 3)
		grow(map);
	slot = find(map, key);
	old = slot->value;
	*slot = (struct map_slot){ key, value };
	map->count += old == NULL;
	return old;
}

void *map_take(struct map *map, struct map_key key)
{
	struct map_slot *slot;
	size_t hole, next;
	void *old;

	if (!map->capacity)
		return NULL;
	slot = find(map, key);
	old = slot->value;
	if (!old)
		return NULL;
	hole = (size_t)(slot - map->slots);
	for (next = (hole + 1) & (map->capacity - 1); map->slots[next].value;
	     next = (next + 1) & (map->capacity - 1)) {
		size_t wanted = home(map, map->slots[next].key);

		/* May it move to the hole? Only if its home is not between hole and next. */
		if (((next - wanted) & (map->capacity - 1)) >=
		    ((next - hole) & (map->capacity - 1))) {
			map->slots[hole] = map->slots[next];
			hole = next;
		}
	}
	map->slots[hole].value = NULL;
	map->count--;
	return old;
}
