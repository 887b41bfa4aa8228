/* What RunInstances may ask of instances: see launch_options.h. */
#include "api/launch_options.h"

#include "base/base64.h"
#include "model/catalog.h"
#include "model/instance.h"

#define USER_DATA_MAX 16384 /* before encoding */

/* Words that ask for nothing, and so may be said; "" always may. */
static const struct {
	const char *name;
	const char *words[3];
} refused[] = {
	{ "Placement.Affinity", { NULL } },
	{ "Placement.AvailabilityZoneId", { NULL } },
	{ "Placement.GroupId", { NULL } },
	{ "Placement.GroupName", { NULL } },
	{ "Placement.HostId", { NULL } },
	{ "Placement.HostResourceGroupArn", { NULL } },
	{ "Placement.PartitionNumber", { "0" } },
	{ "Placement.SpreadDomain", { NULL } },
	{ "IamInstanceProfile.Arn", { NULL } },
	{ "IamInstanceProfile.Name", { NULL } },
	{ "InstanceMarketOptions.MarketType", { NULL } },
	{ "HibernationOptions.Configured", { "false" } },
	{ "EnclaveOptions.Enabled", { "false" } },
	{ "CapacityReservationSpecification.CapacityReservationPreference", { "open", "none" } },
	{ "CpuOptions.AmdSevSnp", { "disabled" } },
	{ "CpuOptions.NestedVirtualization", { "disabled" } },
	{ "CpuOptions.ThreadsPerCore", { "1" } },
};

/* NULL when absent or empty, which is how some clients leave a parameter out. */
static const char *given(const struct call *call, const char *name)
{
	const char *text = call_text(call, name);

	return text && *text ? text : NULL;
}

static int check_word(const char *text, const char *name, const char *one, const char *other,
		      struct error *error)
{
	if (streq(text, one) || streq(text, other))
		return 0;
	return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
			 "Value (%s) for parameter %s is invalid.", text, name);
}

/* As many as the type has is what an instance gets. */
static int check_cores(const struct call *call, struct error *error)
{
	const char *cores = given(call, "CpuOptions.CoreCount"),
		   *name = given(call, "InstanceType");
	const struct instance_type *type = name ? instance_type_find(name) : NULL;

	if (!cores || (type && strtoll(cores, NULL, 10) == type->cpus))
		return 0;
	return error_set(error, ERROR_UNSUPPORTED_OPERATION,
			 "The parameter CpuOptions.CoreCount is not supported with the value %s.",
			 cores);
}

int check_launch_options(const struct call *call, struct error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		const char *text = given(call, refused[i].name);
		bool neutral = !text;

		for (const char *const *word = refused[i].words; !neutral && *word; word++)
			neutral = strcasecmp(text, *word) == 0;
		if (!neutral)
			return error_set(error, ERROR_UNSUPPORTED_OPERATION,
					 "The parameter %s is not supported with the value %s.",
					 refused[i].name, text);
	}
	return check_cores(call, error);
}

int check_cpu_credits(const char *text, struct error *error)
{
	return check_word(text, "cpuCredits", "standard", "unlimited", error);
}

int check_auto_recovery(const char *text, struct error *error)
{
	return check_word(text, "autoRecovery", "default", "disabled", error);
}

int read_launch_options(const struct call *call, struct instance_template *options,
			struct error *error)
{
	const char *cpu = given(call, "CreditSpecification.CpuCredits");
	const char *recovery = given(call, "MaintenanceOptions.AutoRecovery");
	int r;

	if (cpu && (r = check_cpu_credits(cpu, error)) < 0)
		return r;
	if (cpu && !instance_type_is_burstable(options->type))
		return error_set(error, ERROR_INVALID_PARAMETER_COMBINATION,
				 "The parameter creditSpecification cannot be used with the "
				 "instance type %s.",
				 options->type);
	if (recovery && (r = check_auto_recovery(recovery, error)) < 0)
		return r;
	options->cpu_credits = xstrdup_null(cpu);
	options->auto_recovery = xstrdup_null(recovery);
	return 0;
}

int check_hostname_type(const char *text, const char *name, struct error *error)
{
	return check_word(text, name, "ip-name", "resource-name", error);
}

int read_names(const struct call *call, bool storage[2], struct name_request *ret_names,
	       struct error *error)
{
	const char *type = given(call, "PrivateDnsNameOptions.HostnameType");

	*ret_names = (struct name_request){
		.type = type,
		.a = call_optional_bool(call, "PrivateDnsNameOptions.EnableResourceNameDnsARecord",
					&storage[0]),
		.aaaa = call_optional_bool(
			call, "PrivateDnsNameOptions.EnableResourceNameDnsAAAARecord", &storage[1]),
	};
	return type ? check_hostname_type(type, "hostnameType", error) : 0;
}

int check_user_data(const char *text, struct error *error)
{
	CLEANUP(buffer_clear) struct buffer decoded = BUFFER_INIT;

	if (base64_read(text, strlen(text), &decoded) < 0)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "Invalid BASE64 encoding of user data");
	if (decoded.length > USER_DATA_MAX)
		return error_set(error, ERROR_INVALID_PARAMETER_VALUE,
				 "User data is limited to 16384 bytes");
	return 0;
}
