/*
 * Text that a person is shown, whatever somebody put into a tag: on a terminal, in a picture.
 */
#pragma once

#include "base/buffer.h"

/* Appends `text` as one line: what controls a terminal, breaks lines or turns the direction of
 * writing round is a '?' or a space. NULL is "". */
void display_line(struct buffer *buffer, const char *text);
/* The same in place; it becomes no longer. NULL is fine. */
void display_plain(char *text);
/* Appends JSON: what display_line() leaves out is escaped, and so means what it did. */
void display_json(struct buffer *buffer, const char *json);
/* How many columns of a terminal it takes: 2 for a character that is twice as wide, as in Chinese,
 * 0 for one that stands over another. */
size_t display_columns(const char *text);
/* How many bytes of it, whole characters, `columns` have room for. */
size_t display_fit(const char *text, size_t columns);
/* The character at `text`, its length at *ret_length; broken UTF-8 is a byte of U+FFFD. */
uint32_t display_character(const char *text, size_t *ret_length);
/* For XML and HTML, in content and in attributes with double quotes. Line feeds stay. */
void display_escape(struct buffer *buffer, const char *text);
