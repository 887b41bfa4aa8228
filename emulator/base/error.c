/* What a user must read: see error.h. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *error, enum error_code code, const char *format, ...)
{
	va_list arguments;

	error->code = code;
	error->sys = 0;
	error->subject = NULL;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int error_subject(struct error *error, enum error_code code, const char *subject,
		  const char *format, ...)
{
	va_list arguments;

	error->code = code;
	error->sys = 0;
	error->subject = subject;
	va_start(arguments, format);
	vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	return -EINVAL;
}

int error_sys(struct error *error, int sys, const char *format, ...)
{
	va_list arguments;
	int length;

	sys = sys < 0 ? -sys : sys;
	error->code = ERROR_INTERNAL;
	error->sys = sys;
	error->subject = NULL;
	va_start(arguments, format);
	length = vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(error->text))
		snprintf(error->text + length, sizeof(error->text) - (size_t)length, ": %s",
			 strerror(sys));
	return sys ? -sys : -EINVAL;
}

int error_wrap(struct error *error, int result, const char *format, ...)
{
	char old[sizeof(error->text)];
	va_list arguments;
	int length;

	memcpy(old, error->text, sizeof(old));
	va_start(arguments, format);
	length = vsnprintf(error->text, sizeof(error->text), format, arguments);
	va_end(arguments);
	if (length >= 0 && (size_t)length < sizeof(error->text))
		snprintf(error->text + length, sizeof(error->text) - (size_t)length, ": %s", old);
	return result;
}
