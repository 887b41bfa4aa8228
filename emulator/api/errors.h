/*
 * The one table from our error codes to what an AWS client matches on: a code name, an HTTP status,
 * and the document they travel in.
 */
#pragma once

#include "http/http.h"

struct error_reply {
	unsigned int status;
	const char *code; /* static: "InvalidVpcID.NotFound" */
};

/* A subject the table doesn't know gets its code's general name ("InvalidParameterValue"). */
struct error_reply error_reply(const struct error *error);

/*
 * Fills in `reply`: status, content type, request id and the body, replacing what was there. EC2's
 * envelope for "ec2", "minivpc" and "" (not known yet); the query protocol's <ErrorResponse> for
 * any other service ("sts").
 */
void error_document(const struct error *error, const char *service, const char *request_id,
		    struct http_reply *reply);
