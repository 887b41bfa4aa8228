/* Images: those of the catalogue, and those of one's own. */
#include "api/actions.h"
#include "api/volume_params.h"
#include "model/catalog.h"
#include "model/instance.h"
#include "model/region.h"

#include <sys/utsname.h>

/* ---- finding ---- */

static int unknown(const char *id, struct error *error)
{
	return error_subject(error, ERROR_NOT_FOUND, "ami", "The image id '[%s]' does not exist",
			     id);
}

/* The caller's own that ImageId names, whatever its state. Those of the catalogue are others'. */
static int own_image(const struct call *call, struct image **ret_image, struct error *error)
{
	const char *id = call_text(call, "ImageId");
	struct image *image = image_of(call_model(call), id);
	struct rid rid;

	if (rid_parse(id, KIND_IMAGE, &rid) < 0)
		return malformed(KIND_IMAGE, id, error);
	if (image_find(id, NULL))
		return error_set(error, ERROR_NO_PERMISSION, "Not authorized for image:%s", id);
	if (!image || image->resource.scope != call->scope)
		return unknown(id, error);
	if (image->state == IMAGE_DEREGISTERED)
		return error_set(error, ERROR_IMAGE_UNAVAILABLE,
				 "The image ID '%s' is no longer available", id);
	*ret_image = image;
	return 0;
}

/* ---- DescribeImages ---- */

static bool owner_is(const struct call *call, const char *owner)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "Owner", &indices);

	for (size_t i = 0; owner && i < count; i++)
		if (streq(params_get(call->params, "Owner.%u", indices[i]), owner))
			return true;
	return owner && count == 0;
}

/* Public images are everybody's to launch, and nobody is named by any image: it has no launch
 * permissions. */
static bool is_executable(const struct call *call, const struct image *image)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	const size_t count = params_indices(call->params, "ExecutableBy", &indices);

	for (size_t i = 0; image->listed && i < count; i++)
		if (streq(params_get(call->params, "ExecutableBy.%u", indices[i]), "all"))
			return true;
	return count == 0;
}

static bool is_wanted(const struct call *call, const struct image *image)
{
	const struct public_image *listed = image->listed;

	if (listed)
		return owner_is(call, listed->owner) || owner_is(call, listed->owner_alias);
	return owner_is(call, "self") || owner_is(call, call->scope->account);
}

static bool is_seen(const struct call *call, const struct image *image)
{
	return image->resource.scope == call->scope && image->state != IMAGE_DEREGISTERED;
}

static void add_wanted(const struct call *call, const struct image *image, struct rows *rows)
{
	if (is_executable(call, image) && is_wanted(call, image))
		rows_add(rows, call, image->listed ? NULL : &image->resource, image);
}

/* Of images that are no resources: one for each that may be shown. */
struct wrapping {
	struct image *images;
	struct public_image *listed;
	size_t count;
};

static void wrapping_clear(struct wrapping *wrapping)
{
	free(wrapping->images);
	free(wrapping->listed);
}

static int named_images(const struct call *call, struct wrapping *wrapping, struct rows *rows,
			struct error *error)
{
	CLEANUP(freep) unsigned int *indices = NULL;
	size_t count = params_indices(call->params, "ImageId", &indices);

	wrapping->images = xcalloc(count, sizeof(*wrapping->images));
	wrapping->listed = xcalloc(count, sizeof(*wrapping->listed));
	for (size_t i = 0; i < count; i++) {
		const char *text = params_get(call->params, "ImageId.%u", indices[i]);
		const struct image *own = image_of(call_model(call), text);
		struct rid id;

		if (rid_parse(text, KIND_IMAGE, &id) < 0)
			return malformed(KIND_IMAGE, text, error);
		if (own && !is_seen(call, own))
			return unknown(text, error);
		if (!own) {
			wrapping->images[i].listed = image_find(text, &wrapping->listed[i]);
			own = &wrapping->images[i];
		}
		add_wanted(call, own, rows);
	}
	return 0;
}

static void all_images(const struct call *call, struct wrapping *wrapping, struct rows *rows)
{
	for (size_t i = 0; image_at(i); i++)
		array_grow(&wrapping->images, &wrapping->count)->listed = image_at(i);
	for (size_t i = 0; i < wrapping->count; i++)
		add_wanted(call, &wrapping->images[i], rows);
	for_each_resource (struct image, image, call->scope, KIND_IMAGE)
		if (is_seen(call, image))
			add_wanted(call, image, rows);
}

int describe_images(struct call *call, struct error *error)
{
	static const struct listing listing = {
		.list = "imagesSet",
		.kind = KIND_IMAGE,
		.ids = "ImageId",
		.mixed = true,
		.minimum = 1,
		.maximum = 1000,
		.absent = "free-tier-eligible image-allowed "
			  "image-watermark.source-image-creation-time "
			  "image-watermark.source-image-id "
			  "image-watermark.source-image-region "
			  "image-watermark.watermark-creation-time "
			  "image-watermark.watermark-key kernel-id platform product-code "
			  "product-code.type public-ssm-parameter-name ramdisk-id "
			  "source-image-id source-image-region source-instance-id",
	};
	CLEANUP(wrapping_clear) struct wrapping wrapping = { NULL, NULL, 0 };
	CLEANUP(rows_clear) struct rows rows = { NULL, 0 };
	int r;

	if (!call_has_list(call, "ImageId"))
		all_images(call, &wrapping, &rows);
	else if ((r = named_images(call, &wrapping, &rows, error)) < 0)
		return r;
	return describe_rows(call, &listing, &rows, error);
}

/* ---- registering ---- */

/* What the machine calls itself, in AWS's words. */
static const char *own_architecture(void)
{
	static struct utsname name;

	if (uname(&name) < 0)
		return "x86_64";
	return streq(name.machine, "aarch64") ? "arm64" : name.machine;
}

static bool is_among(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (streq(text, *words))
			return true;
	return false;
}

static int invalid(const char *name, const char *value, struct error *error)
{
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid.", value, name);
}

static int unsupported(const char *name, const char *value, const char *why, struct error *error)
{
	return error_set(error, ERROR_UNSUPPORTED_OPERATION,
			 "The parameter %s is not supported with the value %s: %s.", name, value,
			 why);
}

/* NULL when it is absent or empty. */
static const char *given(const struct call *call, const char *name)
{
	const char *text = call_text(call, name);

	return text && *text ? text : NULL;
}

static int read_words(const struct call *call, struct image_request *request, struct error *error)
{
	static const char *const architectures[] = { "i386",	   "x86_64",	"arm64",
						     "x86_64_mac", "arm64_mac", NULL };
	static const char *const virtualizations[] = { "hvm", "paravirtual", NULL };
	const char *architecture = given(call, "Architecture");
	const char *virtualization = given(call, "VirtualizationType");
	const char *device = given(call, "RootDeviceName");

	request->sriov = given(call, "SriovNetSupport");
	request->description = given(call, "Description");
	request->ena = call_bool(call, "EnaSupport", false);
	request->architecture = architecture ? architecture : own_architecture();
	if (architecture && !is_among(architecture, architectures))
		return invalid("architecture", architecture, error);
	if (virtualization && !is_among(virtualization, virtualizations))
		return invalid("virtualizationType", virtualization, error);
	if (virtualization && !streq(virtualization, virtualizations[0]))
		return unsupported("VirtualizationType", virtualization, "all are hvm", error);
	if (device && !streq(device, ROOT_DEVICE))
		return unsupported("RootDeviceName", device, "an instance's disk is " ROOT_DEVICE,
				   error);
	if (request->sriov && !streq(request->sriov, "simple"))
		return invalid("sriovNetSupport", request->sriov, error);
	return 0;
}

/* "file:///absolute/path", or the path alone. */
static int read_location(const struct call *call, struct image_request *request,
			 struct error *error)
{
	static const char scheme[] = "file://";
	const char *location = given(call, "ImageLocation");

	if (!location)
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "An image is registered from a directory or an archive of this "
				 "machine's, not from a snapshot: ImageLocation must be "
				 "file:///ABSOLUTE/PATH");
	request->location = location;
	if (strncmp(location, scheme, strlen(scheme)) == 0)
		location += strlen(scheme);
	if (*location != '/')
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Value (%s) for parameter imageLocation is invalid. It must be "
				 "file:///ABSOLUTE/PATH.",
				 request->location);
	request->path = location;
	return 0;
}

static int make_image(struct call *call, struct image_request *request, struct image **ret_image,
		      struct error *error)
{
	const struct api_hooks *hooks = call->hooks;
	bool directory;
	int r;

	if ((r = hooks->look_at(hooks->context, request->path, &directory, error)) < 0)
		return r;
	request->unpacked = !directory;
	return image_register(&call->transaction, call->scope, request, ret_image, error);
}

/* BlockDeviceMapping.N: an image has its root, and nothing beside it. */
static int read_root(const struct call *call, struct volume_request *ret_root, struct error *error)
{
	/* as a launch of some image says it */
	struct launch_request launch = { .options.image_id = (char[]){ "ami-00000000000000000" } };
	int r = read_volumes(call, &launch, error);

	if (r == 0 && launch.volume_count)
		r = error_set(error, ERROR_UNSUPPORTED_OPERATION,
			      "BlockDeviceMapping: an image has no volume but its root, %s",
			      ROOT_DEVICE);
	*ret_root = launch.root;
	free(launch.volumes);
	return r;
}

int register_image(struct call *call, struct error *error)
{
	static const char *const refused[] = { "KernelId",    "RamdiskId",  "BillingProduct",
					       "BootMode",    "TpmSupport", "UefiData",
					       "ImdsSupport", NULL };
	struct image_request request = { .name = call_text(call, "Name") };
	struct image *image;
	int r;

	if ((r = call_refuse(call, refused, error)) < 0 ||
	    (r = read_words(call, &request, error)) < 0 ||
	    (r = read_root(call, &request.root, error)) < 0 ||
	    (r = read_location(call, &request, error)) < 0 ||
	    (r = make_image(call, &request, &image, error)) < 0 ||
	    (r = call_tag(call, image, error)) < 0)
		return r;
	reply_member(call, "imageId", image);
	return 0;
}

int deregister_image(struct call *call, struct error *error)
{
	struct image *image;
	int r;

	if ((r = own_image(call, &image, error)) < 0)
		return r;
	image_deregister(&call->transaction, image);
	return reply_true(call);
}

/* ---- attributes ---- */

static const char *const attributes[] = {
	"description",	      "kernel",		 "ramdisk",  "launchPermission", "productCodes",
	"blockDeviceMapping", "sriovNetSupport", "bootMode", "tpmSupport",	 "uefiData",
	"lastLaunchedTime",   "imdsSupport",	 NULL
};

int describe_image_attribute(struct call *call, struct error *error)
{
	/* What no image here has a value of. */
	static const char *const empty[] = { "launchPermission", "productCodes", NULL };
	const char *name = call_text(call, "Attribute");
	CLEANUP(buffer_clear) struct buffer scratch = BUFFER_INIT;
	struct image *image;
	const char *text;
	int r;

	if (!is_among(name, attributes))
		return invalid("attribute", name, error);
	if ((r = own_image(call, &image, error)) < 0)
		return r;
	reply_member(call, "imageId", image);
	if (streq(name, "blockDeviceMapping")) {
		reply_member(call, name, image);
		return 0;
	}
	xml_open(call->xml, name);
	if (!is_among(name, empty)) {
		text = member_text(call, name, image, &scratch);
		if (text)
			xml_text(call->xml, "value", text);
	}
	xml_close(call->xml);
	return 0;
}

int modify_image_attribute(struct call *call, struct error *error)
{
	static const char *const refused[] = { "LaunchPermission.Add",
					       "LaunchPermission.Remove",
					       "OperationType",
					       "ProductCode",
					       "UserGroup",
					       "UserId",
					       "OrganizationArn",
					       "OrganizationalUnitArn",
					       "ImdsSupport.Value",
					       NULL };
	const char *name = given(call, "Attribute"), *text = call_text(call, "Description.Value");
	struct image *image;
	int r;

	if (name && !is_among(name, attributes))
		return invalid("attribute", name, error);
	if ((r = call_refuse(call, refused, error)) < 0 || (r = own_image(call, &image, error)) < 0)
		return r;
	if (name && !streq(name, "description"))
		return error_set(error, ERROR_UNSUPPORTED_OPERATION,
				 "The attribute %s can't be changed here.", name);
	text = text ? text : name ? call_text(call, "Value") : NULL;
	if (!text)
		return error_set(error, ERROR_MISSING_PARAMETER,
				 "The request must contain the parameter Description.Value");
	transaction_edit(&call->transaction, image);
	free(image->description);
	image->description = *text ? xstrdup(text) : NULL;
	return reply_true(call);
}

/* ---- behind `minivpc image` ---- */

static void reply_image(struct call *call, const struct image *image)
{
	xml_text(call->xml, "imageId", rid_format(image->resource.id).text);
	xml_text(call->xml, "name", image->name);
	xml_text(call->xml, "state", image_state_names[image->state]);
	xml_text(call->xml, "path", image->path);
	xml_text(call->xml, "reason", image->reason);
	xml_text(call->xml, "region", image->resource.scope->region);
	xml_text(call->xml, "account", image->resource.scope->account);
}

int import_image(struct call *call, struct error *error)
{
	struct image_request request = {
		.name = call_text(call, "Name"),
		.path = call_text(call, "Path"),
		.architecture = own_architecture(),
		.ena = true,
	};
	CLEANUP(freep) char *location = xasprintf("file://%s", request.path);
	const char *region = call->identity->region;
	struct image *image;
	int r;

	if (!region_find(region))
		return error_set(error, ERROR_AUTH_FAILURE, "There is no region %s.", region);
	call->scope = model_scope(call_model(call), call->identity->account, region);
	request.location = location;
	r = make_image(call, &request, &image, error);
	if (r == 0)
		reply_image(call, image);
	return r;
}

/* By id or name; of which there may be one in each region. */
static bool is_called(const struct image *image, const char *text)
{
	return streq(image->name, text) || streq(rid_format(image->resource.id).text, text);
}

int list_images(struct call *call, struct error *error)
{
	const char *text = given(call, "Image");
	const struct model *model = call_model(call);

	(void)error;
	xml_open(call->xml, "imageSet");
	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct image, image, model->scopes[i], KIND_IMAGE) {
			if (image->state == IMAGE_DEREGISTERED || (text && !is_called(image, text)))
				continue;
			xml_open(call->xml, "item");
			reply_image(call, image);
			xml_close(call->xml);
		}
	}
	xml_close(call->xml);
	return 0;
}

int delete_image(struct call *call, struct error *error)
{
	const struct model *model = call_model(call);
	const char *text = call_text(call, "Image");
	struct image *found = NULL;
	size_t matches = 0;

	for (size_t i = 0; i < model->scope_count; i++) {
		for_each_resource (struct image, image, model->scopes[i], KIND_IMAGE) {
			if (image->state == IMAGE_DEREGISTERED || !is_called(image, text))
				continue;
			found = image;
			matches++;
		}
	}
	if (!matches)
		return error_subject(error, ERROR_NOT_FOUND, "ami", "There is no image '%s'", text);
	if (matches > 1)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "%zu images are named '%s': use an image id", matches, text);
	image_deregister(&call->transaction, found);
	return reply_true(call);
}
