/*
 * What can be typed, as tables: verbs, sub-verbs, options, operands, each with its help. The parser
 * (parse.h) walks them and the usage text (help.h) is printed from them.
 */
#pragma once

#include "base/util.h"

enum verb {
	VERB_NONE = 0,
	VERB_SERVE,
	VERB_ENV,
	VERB_AWS,
	VERB_SERVICE,
	VERB_EXEC,
	VERB_SHELL,
	VERB_CP,
	VERB_LOGS,
	VERB_INTERNET_EXEC,
	VERB_INTERNET_ADDRESS,
	VERB_INTERNET_CREATE,
	VERB_INTERNET_LIST,
	VERB_INTERNET_DELETE,
	VERB_IMAGE_IMPORT,
	VERB_IMAGE_LIST,
	VERB_IMAGE_DELETE,
	VERB_ACCOUNT_CREATE,
	VERB_ACCOUNT_LIST,
	VERB_PS,
	VERB_LABS,
	VERB_LAB,
	VERB_ACTIONS,
	VERB_GRAPH,
	VERB_CAPTURE,
	VERB_WHY,
	VERB_PING_MATRIX,
	VERB_FAULT_AZ,
	VERB_FAULT_NAT,
	VERB_FAULT_SUBNET,
	VERB_FAULT_INSTANCE,
	VERB_FAULT_LINK,
	VERB_FAULT_LIST,
	VERB_FAULT_HEAL,
	VERB_CHECK,
	VERB_AUDIT,
	VERB_UP,
	VERB_STACKS,
	VERB_OUTPUTS,
	VERB_EVENTS,
	VERB_DOWN,
	VERB_COMPLETION,
	VERB_COMPLETE,
	VERB_VERSION,
	VERB_MAX,
};

enum token_kind {
	TOKEN_END = 0,
	TOKEN_WORD,    /* a verb or sub-verb; `next` follows it */
	TOKEN_HELP,    /* a word: what follows is explained, not done */
	TOKEN_FLAG,    /* an option without a value: sets the bool at `field` */
	TOKEN_OPTION,  /* an option with a value: sets the text at `field` */
	TOKEN_LIST,    /* an option that may come again: appends to the text_list at `field` */
	TOKEN_OPERAND, /* one argument: sets the text at `field` */
	TOKEN_COMMAND, /* all that is left, once every operand is there */
};

struct token {
	enum token_kind kind;
	const char *word;     /* what is typed; an operand's or command's name */
	const char *argument; /* TOKEN_OPTION, TOKEN_LIST: its value's name */
	const char *help;     /* NULL: a spelling that the usage text leaves out */
	const char *example;  /* TOKEN_WORD with a verb and a help: lines that can be typed */
	const struct token *next;
	enum verb verb; /* TOKEN_WORD; VERB_NONE: a sub-verb must follow */
	size_t field;	/* offset in struct request */
	/* TOKEN_OPERAND: may be left out, and comes only with the flag at this offset; 0: needed */
	size_t with;
	/* TOKEN_OPERAND: may be left out; before a command it is there when "--" follows it */
	bool optional;
	bool (*valid)(const char *value); /* NULL: anything but "" */
	bool dashes;			  /* TOKEN_COMMAND: a leading "--" is dropped */
};

/* The values of an option that may be given several times, in their order. */
struct text_list {
	const char *items[32];
	size_t count;
};

#define TOKEN_DEPTH 2 /* words that lead to a verb, at most */

struct request {
	enum verb verb;
	const struct token *path[TOKEN_DEPTH]; /* the words that led here, NULL-padded */
	bool help;			       /* explain `path`, do nothing */
	const char *state;		       /* options and operands; NULL: not given */
	const char *listen;
	const char *region;
	const char *disk;
	const char *memory;
	const char *from, *to;
	const char *output;
	const char *instance;
	const char *host;
	const char *image;
	const char *path_of_image;
	const char *lab;
	const char *lab_files;
	const char *address;
	const char *account;
	const char *vpc;
	const char *file;
	const char *count;
	const char *seconds;
	const char *service, *port;
	const char *target;
	const char *shell;
	const char *template;
	const char *stack;
	struct text_list parameters;
	const char *loss, *rate, *delay;
	struct text_list quotas;
	bool accept_any_credentials;
	bool uplink;
	bool memory_limits;
	bool check;
	bool all;
	bool drops;
	bool nat;
	bool repair;
	bool follow;
	bool model_only;
	bool skip_unsupported;
	bool dry_run;
	char **command; /* the NULL-terminated tail of argv */
};

extern const struct token token_verbs[];
extern const struct token token_common[]; /* options that every verb takes */
