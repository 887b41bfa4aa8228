/*
 * How a resource type is told in a table (types_*.c), for type.c which reads it. Whatever a table
 * can't say has a function in type_more.c.
 */
#pragma once

#include "lab/type.h"

enum shape {
	SHAPE_TEXT,
	SHAPE_BYTES, /* a text that calls take in base64 */
	SHAPE_FLAG,
	SHAPE_NUMBER,
	SHAPE_LIST,	  /* of texts */
	SHAPE_STRUCTURE,  /* a map of `members` */
	SHAPE_STRUCTURES, /* a list of them */
	SHAPE_TAGS,	  /* the resource's own: a list of Key and Value */
	SHAPE_TEXTS,	  /* a map of texts */
	SHAPE_JSON,	  /* a document, as a text or as a map */
	SHAPE_EMPTY,	  /* its being there is all it says */
};

/*
 * Calls are written as an action and words with spaces between them, each of them parameters:
 *
 *	*			every property of the type, as its row says
 *	Name			that property, as its row says
 *	A=text			a text, with these in it (a word that names what
 *				isn't there is none)
 *		{Name}			a property, or the item's member: its text
 *		{Name|text}		the same, or else the text
 *		{-Name}			what the property was before the update
 *		{id} {kept}		see struct type_call
 *		{token}			of the creation
 *	A=.			the value that the row is about, as parameter A ("" for none: =.)
 */
struct wording {
	const char *action; /* NULL: no call */
	const char *words;  /* NULL: it has no parameters */
};

struct property {
	const char *name; /* NULL ends a table */
	enum shape shape;
	enum update update;
	bool required;
	const char *parameter; /* in "*": NULL: as `name`; "": not at all */
	const struct property *members;
	/* The call that sets the value: after the creation when `parameter` is "", and in place. */
	struct wording change;
	const char *fallback; /* what it is when it isn't given: need not be set at a creation */
	/* Calls for what is new in a list and for what has gone from it: one for all texts ("A=."),
	 * or one for each structure. Without an action of its own `removes` is more words of the
	 * other's. `removes` beside `change`: for a value that is no longer given. */
	struct wording adds, removes;
	/* We can't honour it, but for these values, with spaces between them, which ask for
	 * nothing; "": whatever it is. */
	const char *lacks;
};

struct attribute {
	const char *name; /* NULL ends a table */
	const char *path; /* see type_attribute() */
};

struct step {
	struct wording call; /* without action: ends a list */
	const char *yields, *keep;
	const char *keep_path; /* with {Name} as in a word */
	const char *const *tolerates, *const *retries;
	const char *when; /* made where this property is given */
};

#define STEPS_MAX 4

struct plan;

struct type {
	const char *name;
	const char *tags; /* as TagSpecification's ResourceType; NULL: it has none */
	const struct property *properties;
	const struct attribute *attributes;
	/* Sets of properties of which one at least must be given: "A B;C D". */
	const char *one_of;
	struct step create[STEPS_MAX + 1];
	/* For what changed in place and has no call of its own. */
	struct step update[STEPS_MAX + 1];
	struct step delete[STEPS_MAX + 1];
	struct step describe[STEPS_MAX + 1];
	/* Around an update with interruptions. */
	struct step stop, start;
	const char *const *change_retries; /* of properties' own calls */
	/* When tags aren't of the physical id: what keeps "{tagged}". */
	struct step tag_lookup;
	void (*more_create)(struct plan *plan);
	void (*first_update)(struct plan *plan); /* before properties' own calls */
	void (*more_update)(struct plan *plan);
	struct type_states states;
	bool played;
};

/* What calls are made from; the list is being written. */
struct plan {
	const struct type *type;
	const struct node *before, *after; /* properties; NULL where there are none */
	const char *id, *token;		   /* NULL: not known */
	struct type_calls *calls;
};

/*
 * Adds a call written as above; `self` (NULL: none) is what "=." is about, of `property`. Returns
 * it, to be completed.
 */
struct type_call *plan_call(struct plan *plan, struct wording call, const struct property *property,
			    const struct node *self);
/* More words of the last call. */
void plan_words(struct plan *plan, const char *words, const struct property *property,
		const struct node *self);
/* A call without all that. */
struct type_call *plan_plain(struct plan *plan, const char *action, const char *words);
/* Adds a parameter to the last call; the value is copied. */
void plan_parameter(struct plan *plan, const char *value, const char *format, ...) PRINTF(3, 4);
/* A tag's Key and Value each, as NAME.N.Key and …Value. */
void plan_tags(struct plan *plan, const char *name, const struct node *tags);
void plan_step(struct plan *plan, const struct step *step);
void plan_steps(struct plan *plan, const struct step *steps); /* to the end of the list */

/* NULL: there is no such row. */
const struct property *property_find(const struct property *rows, const char *name);
/* type_check() of properties without functions. */
int type_check_values(const struct type *type, const struct node *properties, struct error *error);

/* type_more.c */
void plan_new_group(struct plan *plan), plan_group_rules(struct plan *plan);
void plan_ingress(struct plan *plan), plan_egress(struct plan *plan);
void plan_monitoring(struct plan *plan), plan_named_groups(struct plan *plan);
void plan_dhcp_options(struct plan *plan);
void plan_list_entries(struct plan *plan);
void plan_block_given(struct plan *plan), plan_block_taken(struct plan *plan);
void plan_nat_addresses(struct plan *plan);

/* Every type, in tables by theme that end with a NULL. */
extern const struct type *const types_network[],
	*const types_interface[], *const types_vpc[], *const types_instance[],
							      *const types_launch[],
								      *const types_played[];

/* Errors that are tried again: what depends on it is still going away. */
extern const char *const type_in_use[];
