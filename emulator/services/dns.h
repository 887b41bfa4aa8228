/*
 * The DNS server: what comes by a subnet's sockets, or the Internet's, is answered by names.h, or
 * by the host's resolver.
 */
#pragma once

#include "base/loop.h"
#include "model/model.h"

struct dns;

/* `recursive`: what is not known here is asked elsewhere; else it is refused. */
struct dns *dns_new(struct loop *loop, const struct model *model, bool recursive);
struct dns *dns_free(struct dns *dns); /* NULL is fine; always NULL */

/*
 * Answers what has arrived at a UDP socket of the subnet, or the Internet, `place`. The socket is
 * used until dns_forget().
 */
void dns_receive(struct dns *dns, int fd, struct rid place);
/* Takes over a TCP connection that came in there. */
void dns_accept(struct dns *dns, int fd, struct rid place);
/* Closes the connections there, and answers nothing there any more. */
void dns_forget(struct dns *dns, struct rid place);

/*
 * The answer to any message, without asking elsewhere; 0: none is due. `ret_elsewhere` says that
 * whoever can is to ask.
 */
size_t dns_answer_to(const struct model *model, struct rid place, const uint8_t *data, size_t size,
		     uint8_t *ret_answer, bool *ret_elsewhere);
