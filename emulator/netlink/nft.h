/*
 * nftables: the skeletons and the elements of their maps, as messages and from dumps.
 *
 * The table's comment is its mark: "minivpc", the skeleton and its version. A table of our name
 * without it is somebody else's: it is never changed, and dumps pass it by.
 */
#pragma once

#include "netlink/batch.h"
#include "netlink/object.h"

struct skeleton_text;
/* A table and all that is in it; one of that name must not be there. */
void nft_put_text(struct batch *batch, size_t step, const struct skeleton_text *text);
void nft_delete_text(struct batch *batch, size_t step, const struct skeleton_text *text);
void nft_put_skeleton(struct batch *batch, size_t step, enum skeleton skeleton);
void nft_delete_skeleton(struct batch *batch, size_t step, enum skeleton skeleton);
void nft_put_element(struct batch *batch, size_t step, const struct element_object *element);
void nft_delete_element(struct batch *batch, size_t step, const struct element_object *element);

/* Appends the skeletons and elements of `ns`. -EINTR: it changed meanwhile, repeat. */
int nft_dump(struct channels *channels, struct rid ns, struct object_list *objects,
	     struct error *error);
/* Appends the drop counters of a subnet's skeleton. -EINTR as above. */
int nft_drops(struct channels *channels, struct rid ns, struct drop_list *list,
	      struct error *error);
