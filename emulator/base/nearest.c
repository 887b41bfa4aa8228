/* The word that somebody may have meant: see nearest.h. */
#include "base/nearest.h"

#define LENGTH_MAX 64

struct nearest nearest_to(const char *typed)
{
	/* Of three letters one may be wrong. */
	return (struct nearest){ .typed = typed, .distance = strlen(typed) / 3 + 1 };
}

/* How many letters to put in, to take out or to change (Levenshtein), row by row. */
static size_t distance(const char *a, const char *b)
{
	size_t row[LENGTH_MAX + 1], length = strlen(b);

	for (size_t j = 0; j <= length; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t corner = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < length; j++) {
			size_t changed = corner + (a[i] != b[j]);

			corner = row[j + 1];
			row[j + 1] = MIN(changed, MIN(row[j], row[j + 1]) + 1);
		}
	}
	return row[length];
}

void nearest_try(struct nearest *nearest, const char *word)
{
	size_t apart;

	if (strlen(word) > LENGTH_MAX || strlen(nearest->typed) > LENGTH_MAX)
		return;
	apart = distance(nearest->typed, word);
	if (apart < nearest->distance) {
		nearest->distance = apart;
		nearest->word = word;
	}
}
