/*
 * The parameters that make network interfaces, shared by the calls that do.
 */
#pragma once

#include "api/call.h"
#include "model/instance.h"

/* An IPv4 address; ERROR_INVALID_PARAMETER_VALUE. */
int read_address(const char *text, struct address *ret_address, struct error *error);
/*
 * `prefix`PrivateIpAddress, …PrivateIpAddresses.N and …SecondaryPrivateIpAddressCount; `prefix` is
 * "" or ends with a dot; `request` has its subnet. ERROR_INVALID_PARAMETER_COMBINATION,
 * ERROR_UNSUPPORTED_OPERATION (a subnet that gives IPv6 addresses), and that of read_address().
 */
int read_addresses(const struct call *call, const char *prefix, struct interface_request *request,
		   struct error *error);
/* The distinct addresses of `name`.N, appended to an owned array; the same error. */
int read_listed(const struct call *call, const char *name, struct interface_address **addresses,
		size_t *count, struct error *error);
/* A count parameter, 0 when absent; ERROR_INVALID_PARAMETER_VALUE. */
int read_count(const struct call *call, const char *name, size_t *ret_count, struct error *error);
/* The interface of NetworkInterfaceId, to be changed: it is the caller's to manage. As
 * call_resource(); ERROR_NO_PERMISSION. */
int call_interface(const struct call *call, struct interface **ret_interface, struct error *error);
/* Only "interface" is here, and card 0; ERROR_UNSUPPORTED_OPERATION, …VALUE. */
int check_card(const struct call *call, const char *prefix, struct error *error);

/*
 * RunInstances: NetworkInterface.N, or one from what the instance level says. The caller has read
 * the counts, and clears the request; `storage` keeps what `public_address` points at.
 */
int read_launch_interfaces(const struct call *call, struct launch_request *request, bool *storage,
			   struct error *error);
