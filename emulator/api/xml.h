/*
 * XML out, into memory, compact. The result is always well-formed UTF-8:
 * what XML can't carry (control characters, broken UTF-8) becomes U+FFFD. Names come from us and
 * are written as they are; NULL values write nothing.
 */
#pragma once

#include "base/buffer.h"

struct xml;

struct xml *xml_new(void);
void xml_freep(struct xml **xml);

void xml_open(struct xml *xml, const char *name);
void xml_open_ns(struct xml *xml, const char *name, const char *namespace_uri);
void xml_close(struct xml *xml); /* the innermost open element; <name/> when empty */

void xml_text(struct xml *xml, const char *name, const char *text);
/* Any bytes, in base64; nothing for none. */
void xml_bytes(struct xml *xml, const char *name, const struct buffer *bytes);
void xml_bool(struct xml *xml, const char *name, bool value);
void xml_int(struct xml *xml, const char *name, int64_t value);
/* 2024-05-01T12:34:56.000Z; nothing for 0. */
void xml_time(struct xml *xml, const char *name, int64_t unix_seconds);

/*
 * Closes what is open and appends the document, declaration included, to `ret_body`. `xml` can only
 * be freed afterwards.
 */
void xml_finish(struct xml *xml, struct buffer *ret_body);
