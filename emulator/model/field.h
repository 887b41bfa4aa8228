/*
 * One descriptor per resource: a table of fields that drives what clients see (XML), what they
 * filter by, what is stored, and how a resource is copied and freed. Adding a resource is adding a
 * table and its verbs.
 *
 * A scalar of any type has one text form, used on the wire, in filters and in the store.
 */
#pragma once

#include "base/buffer.h"
#include "base/cidr.h"
#include "base/id.h"

struct model;
struct resource;

enum field_type {
	FIELD_TEXT = 1, /* char *, owned */
	FIELD_BOOL,	/* bool */
	FIELD_INT,	/* int64_t */
	FIELD_TIME,	/* int64_t, seconds since 1970; 0 is absent */
	FIELD_ENUM,	/* an int, named by `names` */
	FIELD_RID,	/* struct rid */
	FIELD_ADDRESS,	/* struct address */
	FIELD_CIDR,	/* struct cidr */
	FIELD_STRUCT,	/* an embedded struct, described by `fields` */
	FIELD_LIST,	/* an owned array of structs (pointer at `offset`, size_t at `count`) */
	FIELD_CONST,	/* always the text `text` */
	FIELD_GET,	/* computed scalar: `get` */
	FIELD_CHILD,	/* computed struct: `child` with index 0 only */
	FIELD_CHILDREN, /* computed list: `child` with index 0, 1, … until it says no */
};

/* Where a field is read: `object` is what offsets count from (the resource, or a part of it). */
struct view {
	const struct model *model;
	const struct resource *resource;
	const void *object;
};

enum field_flags {
	FIELD_SHOWN = 1,  /* on the wire */
	FIELD_STORED = 2, /* on disk, copied, freed */
	FIELD_BOTH = FIELD_SHOWN | FIELD_STORED,
};

struct field {
	const char *name;   /* element name on the wire, key in the store; NULL ends a table */
	const char *filter; /* filter names, separated by spaces; NULL for none */
	enum field_type type;
	enum field_flags flags;
	size_t offset;
	size_t count; /* FIELD_LIST: offset of the size_t */
	size_t size;  /* FIELD_LIST: of one element */
	/* A list whose elements have one field named "" is a list of scalars. */
	const struct field *fields;
	const char *const *names; /* FIELD_ENUM: ends with NULL */
	const char *text;	  /* FIELD_CONST */
	/* NULL when absent. The text lives in `scratch` or is static or the resource's own. */
	const char *(*get)(const struct view *view, struct buffer *scratch);
	bool (*child)(const struct view *view, size_t index, struct view *ret_child);
};

#define FIELD_END                                                                                  \
	{                                                                                          \
		.name = NULL                                                                       \
	}

/* The usual rows. */
#define FIELD_OF(type_, member_, kind_, name_, filter_, flags_)                                    \
	{                                                                                          \
		.name = (name_), .filter = (filter_), .type = (kind_), .flags = (flags_),          \
		.offset = offsetof(type_, member_)                                                 \
	}
#define FIELD_ENUM_OF(type_, member_, names_, name_, filter_, flags_)                              \
	{                                                                                          \
		.name = (name_), .filter = (filter_), .type = FIELD_ENUM, .flags = (flags_),       \
		.offset = offsetof(type_, member_), .names = (names_)                              \
	}
#define FIELD_STRUCT_OF(type_, member_, fields_, name_, flags_)                                    \
	{                                                                                          \
		.name = (name_), .type = FIELD_STRUCT, .flags = (flags_),                          \
		.offset = offsetof(type_, member_), .fields = (fields_)                            \
	}
#define FIELD_LIST_OF(type_, member_, count_, fields_, name_, flags_)                              \
	{                                                                                          \
		.name = (name_), .type = FIELD_LIST, .flags = (flags_),                            \
		.offset = offsetof(type_, member_), .count = offsetof(type_, count_),              \
		.size = sizeof(*((type_ *)NULL)->member_), .fields = (fields_)                     \
	}
#define FIELD_CONST_OF(text_, name_, filter_)                                                      \
	{                                                                                          \
		.name = (name_), .filter = (filter_), .type = FIELD_CONST, .flags = FIELD_SHOWN,   \
		.text = (text_)                                                                    \
	}
#define FIELD_GET_OF(get_, name_, filter_)                                                         \
	{                                                                                          \
		.name = (name_), .filter = (filter_), .type = FIELD_GET, .flags = FIELD_SHOWN,     \
		.get = (get_)                                                                      \
	}
#define FIELD_CHILD_OF(child_, fields_, name_)                                                     \
	{                                                                                          \
		.name = (name_), .type = FIELD_CHILD, .flags = FIELD_SHOWN, .child = (child_),     \
		.fields = (fields_)                                                                \
	}
#define FIELD_CHILDREN_OF(child_, fields_, name_)                                                  \
	{                                                                                          \
		.name = (name_), .type = FIELD_CHILDREN, .flags = FIELD_SHOWN, .child = (child_),  \
		.fields = (fields_)                                                                \
	}

static inline bool field_is_scalar(const struct field *field)
{
	return field->type != FIELD_STRUCT && field->type != FIELD_LIST &&
	       field->type != FIELD_CHILD && field->type != FIELD_CHILDREN;
}

/* The text of a scalar, or NULL when it is absent (an unset id, address, time or text). */
const char *field_text(const struct field *field, const struct view *view, struct buffer *scratch);
/* Sets a stored scalar of `object` from its text. Returns 0 or -EINVAL. */
int field_parse(const struct field *field, void *object, const char *text);

/* The part of a nested field: element `index` of a list, or the struct at index 0; false: no more.
 */
bool field_child(const struct field *field, const struct view *view, size_t index,
		 struct view *ret_child);
/* Appends a zeroed element to a stored list of `object`. */
void *field_list_grow(const struct field *field, void *object);

/* Gives `object`, a byte copy of another, owned copies of everything the table says is owned. */
void fields_copy_owned(const struct field *fields, void *object);
/* Frees what the table says is owned. */
void fields_free_owned(const struct field *fields, void *object);
