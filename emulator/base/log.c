/* One line on standard error per message: see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static void PRINTF(2, 0) print(const char *level, const char *format, va_list arguments)
{
	char line[1024], stamp[32];
	struct timespec now;
	struct tm broken;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &broken);
	strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &broken);
	vsnprintf(line, sizeof(line), format, arguments);
	fprintf(stderr, "%s.%03ldZ %s %s\n", stamp, now.tv_nsec / 1000000, level, line);
}

void log_info(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print("info", format, arguments);
	va_end(arguments);
}

void log_error(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print("error", format, arguments);
	va_end(arguments);
}
