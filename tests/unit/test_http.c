/* objects: emulator/http/http.o emulator/http/microhttpd.o emulator/base/library.o emulator/api/front.o emulator/api/errors.o emulator/api/xml.o emulator/base/base64.o emulator/base/loop.o emulator/base/cidr.o emulator/base/socket_address.o emulator/base/error.o emulator/base/buffer.o emulator/base/util.o emulator/base/text.o */
/* libs: nettle */
/*
 * The HTTP server in a child process with its own loop; the test is its client, over real sockets.
 * The child leaves when its control pipe closes, so that a leak checker sees its end.
 */
#include "api/front.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define MIB (1024 * 1024)
#define BIG (24 * MIB) /* more than the sockets of both sides hold */

struct server {
	pid_t pid;
	int control;
	char url[128];
	char authority[64]; /* "127.0.0.1:4566" */
	uint16_t port;
};

static void echo(void *context, const struct http_request *request, struct http_reply *reply)
{
	const char *test = http_header_get(request, "x-test");

	(void)context;
	assert(request->body[request->body_length] == '\0');
	buffer_printf(&reply->body, "%s %s ?%s %zu [%s] ", request->method, request->path,
		      request->query, request->body_length, test ? test : "-");
	buffer_append(&reply->body, request->body, MIN(request->body_length, (size_t)32));
	if (streq(request->path, "/big"))
		for (int i = 0; i < BIG / 64; i++)
			buffer_printf(&reply->body, "%063d\n", i);
	if (streq(request->path, "/error"))
		reply->status = 412;
}

static void on_control(void *context, uint32_t events)
{
	(void)events;
	loop_stop(context);
}

static _Noreturn void serve(const char *listen, unsigned int patience, int control, int ready)
{
	struct error error = ERROR_INIT;
	const struct front_options options = { listen, echo, NULL };
	struct front *front = NULL;
	struct loop *loop = NULL;
	struct loop_source *source;

	if (loop_new(&loop, &error) < 0 || front_open(loop, &options, &front, &error) < 0 ||
	    loop_add_fd(loop, control, EPOLLIN, on_control, loop, &source, &error) < 0) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	if (patience)
		http_set_patience(front_http(front), patience);
	dprintf(ready, "%s", http_url(front_http(front)));
	close(ready);
	loop_run(loop, &error);
	front_close(front);
	loop_free(loop);
	close(control);
	exit(0);
}

static struct server start(const char *listen, unsigned int patience)
{
	struct server server = { 0 };
	int control[2], ready[2];
	ssize_t n;

	assert_int_equal(pipe(control), 0);
	assert_int_equal(pipe(ready), 0);
	server.pid = fork();
	assert_true(server.pid >= 0);
	if (server.pid == 0) {
		close(control[1]);
		close(ready[0]);
		serve(listen, patience, control[0], ready[1]);
	}
	close(control[0]);
	close(ready[1]);
	server.control = control[1];
	n = read(ready[0], server.url, sizeof(server.url) - 1);
	assert_true(n > 0);
	close(ready[0]);
	snprintf(server.authority, sizeof(server.authority), "%.60s", server.url + 7);
	server.port = (uint16_t)atoi(strrchr(server.url, ':') + 1);
	return server;
}

static void stop(struct server *server)
{
	int status;

	close(server->control);
	assert_int_equal(waitpid(server->pid, &status, 0), server->pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int dial(const struct server *server)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(server->port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(server->port) };
	bool is_v6 = server->authority[0] == '[';
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval patience = { 20, 0 };

	v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	v6.sin6_addr = in6addr_loopback;
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (is_v6)
		assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	else
		assert_int_equal(connect(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	return fd;
}

/* False when the server closed on us. */
static bool put(int fd, const char *data, size_t length)
{
	while (length) {
		ssize_t n = send(fd, data, length, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		length -= (size_t)n;
	}
	return true;
}

static void say(int fd, const char *format, ...) PRINTF(2, 3);
static void say(int fd, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	assert_true(put(fd, text, strlen(text)));
}

/* One whole reply: head and body, by its Content-Length; or what came before the end. */
static char *hear(int fd)
{
	struct buffer text = BUFFER_INIT;
	size_t want = SIZE_MAX;
	char c[65536];

	while (text.length < want) {
		/* The head byte by byte: what follows may be the next reply. */
		size_t ask = want == SIZE_MAX ? 1 : MIN(want - text.length, sizeof(c));
		ssize_t n = recv(fd, c, ask, 0);
		const char *length;

		if (n <= 0)
			break;
		buffer_append(&text, c, (size_t)n);
		if (want != SIZE_MAX || text.length < 4 ||
		    memcmp(text.data + text.length - 4, "\r\n\r\n", 4) != 0)
			continue;
		length = strstr(text.data, "Content-Length: ");
		want = text.length + (length ? strtoul(length + 16, NULL, 10) : 0);
	}
	return buffer_steal(&text);
}

static void expect(const char *reply, const char *status, const char *part)
{
	if (strncmp(reply, status, strlen(status)) != 0 || !strstr(reply, part))
		fail_msg("expected \"%s\" and \"%s\" in:\n%.1500s", status, part, reply);
}

/* Sends on a fresh connection and expects. */
static void ask(const struct server *server, const char *request, const char *status,
		const char *part)
{
	int fd = dial(server);
	CLEANUP(freep) char *reply = NULL;

	assert_true(put(fd, request, strlen(request)));
	reply = hear(fd);
	expect(reply, status, part);
	close(fd);
}

static bool is_closed(int fd)
{
	char c;

	return recv(fd, &c, 1, 0) <= 0 && errno != EAGAIN;
}

static struct server server;

static int group_start(void **state)
{
	(void)state;
	server = start("127.0.0.1:0", 0);
	return 0;
}

static int group_stop(void **state)
{
	(void)state;
	stop(&server);
	return 0;
}

static void test_whole_requests(void **state)
{
	(void)state;
	ask(&server, "GET /a%20b?Action=X%20Y&c=d+e HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    "HTTP/1.1 200 ", "GET /a%20b ?Action=X%20Y&c=d+e 0 [-] ");
	ask(&server,
	    "POST / HTTP/1.1\r\nHost: localhost\r\nX-TEST:  one\r\nContent-Length: 5\r\n\r\n"
	    "hello",
	    "HTTP/1.1 200 ", "POST / ? 5 [one] hello");
	ask(&server,
	    "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
	    "HTTP/1.1 200 ", "POST / ? 5 [-] hello");
	ask(&server, "GET /error HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 412 ", "GET");
}

static void test_response_headers(void **state)
{
	const char *request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", *id;
	char ids[2][37];
	int fd = dial(&server);

	(void)state;
	for (int i = 0; i < 2; i++) {
		CLEANUP(freep) char *reply = NULL;

		say(fd, "%s", request);
		reply = hear(fd);
		expect(reply, "HTTP/1.1 200 OK\r\n", "\r\nCache-Control: no-cache, no-store\r\n");
		expect(reply, "HTTP", "\r\nContent-Type: text/xml;charset=UTF-8\r\n");
		expect(reply, "HTTP", "\r\nDate: ");
		id = strstr(reply, "x-amzn-RequestId: ");
		assert_non_null(id);
		snprintf(ids[i], sizeof(ids[i]), "%s", id + 18);
		assert_int_equal(strspn(ids[i], "0123456789abcdef-"), 36);
		assert_int_equal(ids[i][14], '4');
	}
	assert_string_not_equal(ids[0], ids[1]);
	close(fd);
}

static void test_keep_alive_and_pipelining(void **state)
{
	int fd = dial(&server);

	(void)state;
	for (int i = 0; i < 200; i++) {
		CLEANUP(freep) char *reply = NULL;
		char part[64];

		snprintf(part, sizeof(part), "POST / ?n=%d 3 [-] abc", i);
		say(fd, "POST /?n=%d HTTP/1.1\r\nHost: %s\r\nContent-Length: 3\r\n\r\nabc", i,
		    server.authority);
		reply = hear(fd);
		expect(reply, "HTTP/1.1 200 ", part);
	}
	say(fd, "GET /1 HTTP/1.1\r\nHost: localhost\r\n\r\n"
		"GET /2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
	for (int i = 1; i <= 2; i++) {
		CLEANUP(freep) char *reply = hear(fd);

		expect(reply, "HTTP/1.1 200 ", i == 1 ? "GET /1 " : "GET /2 ");
	}
	assert_true(is_closed(fd));
	close(fd);
}

static void test_big_reply(void **state)
{
	int fd = dial(&server);
	CLEANUP(freep) char *reply = NULL;

	(void)state;
	say(fd, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	reply = hear(fd);
	expect(reply, "HTTP/1.1 200 ", "GET /big ");
	assert_true(strlen(reply) > BIG);
	assert_string_equal(reply + strlen(reply) - 5, "3215\n");
	close(fd);
}

static void test_host(void **state)
{
	static const char *const good[] = { "localhost",	"LocalHost:80", "127.0.0.1",
					    "127.0.0.1:1",	"[::1]",	"[::1]:4566",
					    "[0:0:0:0:0:0:0:1]" };
	static const char *const bad[] = { "evil.example",
					   "127.0.0.1.evil.example",
					   "localhost.evil.example",
					   "localhost:80:90",
					   "localhost:80@evil.example",
					   "127.0.0.2",
					   "127.1",
					   "2130706433",
					   "::1",
					   "[::1",
					   "[127.0.0.1]",
					   "[localhost]",
					   "[::1]evil",
					   "[::2]",
					   "localhost/evil",
					   ":80" };
	char request[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", good[i]);
		ask(&server, request, "HTTP/1.1 200 ", "GET / ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", bad[i]);
		ask(&server, request, "HTTP/1.1 403 ",
		    "<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>");
	}
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
	    "HTTP/1.1 400 ", "<Code>MalformedQueryString</Code>");
	ask(&server, "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ", "");
	ask(&server, "GET / HTTP/1.0\r\n\r\n", "HTTP/1.1 400 ", "");
}

static void test_web_pages(void **state)
{
	(void)state;
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n\r\n",
	    "HTTP/1.1 403 ", "web pages");
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\norigin: null\r\n\r\n", "HTTP/1.1 403 ",
	    "web pages");
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n\r\n",
	    "HTTP/1.1 403 ", "web pages");
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: none\r\n\r\n",
	    "HTTP/1.1 200 ", "GET / ");
}

static void test_garbage(void **state)
{
	static const char *const garbage[] = {
		"GARBAGE\r\n\r\n",
		"\x16\x03\x01\x02\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: localhost\r\nno colon\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: ten\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
		"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n\r\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(garbage); i++)
		ask(&server, garbage[i], "HTTP/1.1 400 ", "");
}

static void test_body_limit(void **state)
{
	CLEANUP(freep) char *body = xcalloc(20 * MIB, 1), *reply = NULL;
	static const size_t sizes[] = { MIB + 1, 20 * MIB };
	int fd = dial(&server);

	(void)state;
	memset(body, 'x', 20 * MIB);
	say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n", MIB);
	assert_true(put(fd, body, MIB));
	reply = hear(fd);
	expect(reply, "HTTP/1.1 200 ", "POST / ? 1048576 [-] xxx");
	close(fd);

	/* A client that sends everything before it listens still hears the refusal. */
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		CLEANUP(freep) char *refusal = NULL;

		fd = dial(&server);
		say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %zu\r\n\r\n",
		    sizes[i]);
		assert_true(put(fd, body, sizes[i]));
		refusal = hear(fd);
		expect(refusal, "HTTP/1.1 413 ", "<Code>RequestEntityTooLarge</Code>");
		expect(refusal, "HTTP/1.1 413 ", "\r\nConnection: close\r\n");
		assert_true(is_closed(fd));
		close(fd);
	}
}

static void test_refused_before_the_body(void **state)
{
	int fd = dial(&server);
	CLEANUP(freep) char *reply = NULL;

	(void)state;
	say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n");
	reply = hear(fd);
	expect(reply, "HTTP/1.1 413 ", "RequestEntityTooLarge");
	assert_true(is_closed(fd));
	close(fd);
}

static void test_chunked_limit(void **state)
{
	CLEANUP(freep) char *body = xcalloc(MIB, 1), *reply = NULL;
	int fd = dial(&server);

	(void)state;
	memset(body, 'x', MIB);
	say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 3; i++) {
		say(fd, "%x\r\n", MIB);
		assert_true(put(fd, body, MIB));
		say(fd, "\r\n");
	}
	say(fd, "0\r\n\r\n");
	reply = hear(fd);
	expect(reply, "HTTP/1.1 413 ", "RequestEntityTooLarge");
	close(fd);
}

static void test_expect_continue(void **state)
{
	CLEANUP(freep) char *head = NULL, *reply = NULL;
	int fd = dial(&server);

	(void)state;
	say(fd, "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
		"Content-Length: 3\r\n\r\n");
	head = hear(fd);
	expect(head, "HTTP/1.1 100 ", "\r\n\r\n");
	say(fd, "abc");
	reply = hear(fd);
	expect(reply, "HTTP/1.1 200 ", " 3 [-] abc");
	close(fd);
	ask(&server,
	    "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
	    "Content-Length: 1048577\r\n\r\n",
	    "HTTP/1.1 413 ", "RequestEntityTooLarge");
}

static void test_idle_connections(void **state)
{
	int fds[300];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
		fds[i] = dial(&server);
		say(fds[i], "POST / HTTP/1.1\r\nHost: localhost\r\n");
	}
	ask(&server, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "GET / ");
	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		close(fds[i]);
}

/* Three slow ones: in the headers, in the body, in taking the reply. Beside them, a fast one. */
static void test_slow_clients(void **state)
{
	struct server impatient = start("127.0.0.1:0", 2);
	int head = dial(&impatient), body = dial(&impatient), idle = dial(&impatient);
	int64_t started = now_ms(), slowest = 0;
	int fast = dial(&impatient);
	bool open = true;

	(void)state;
	say(head, "POST / HTTP/1.1\r\nHost: localhost\r\nX-Test: ");
	say(body, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n");
	while (open && now_ms() - started < 15000) {
		CLEANUP(freep) char *reply = NULL;
		struct pollfd slow[] = { { head, POLLIN, 0 },
					 { body, POLLIN, 0 },
					 { idle, POLLIN, 0 } };
		int64_t asked = now_ms();

		send(head, "a", 1, MSG_NOSIGNAL);
		send(body, "a", 1, MSG_NOSIGNAL);
		say(fast, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
		reply = hear(fast);
		expect(reply, "HTTP/1.1 200 ", "GET / ");
		slowest = MAX(slowest, now_ms() - asked);
		poll(NULL, 0, 100);
		open = poll(slow, 3, 0) < 3;
	}
	assert_false(open);
	assert_true(now_ms() - started >= 2000);
	assert_true(slowest < 1000);
	close(head);
	close(body);
	close(idle);
	close(fast);
	stop(&impatient);
}

static size_t descriptors(pid_t pid)
{
	CLEANUP(freep) char *path = xasprintf("/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	size_t count = 0;

	assert_non_null(directory);
	while (readdir(directory))
		count++;
	closedir(directory);
	return count;
}

static void test_reply_not_taken(void **state)
{
	struct server impatient = start("127.0.0.1:0", 1);
	size_t before = descriptors(impatient.pid), after = 0;
	int fd = dial(&impatient);
	CLEANUP(freep) char *reply = NULL;

	(void)state;
	say(fd, "GET /big HTTP/1.1\r\nHost: localhost\r\n\r\n");
	ask(&impatient, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "HTTP/1.1 200 ", "GET / ");
	for (int i = 0; i < 100 && after != before; i++) {
		poll(NULL, 0, 100);
		after = descriptors(impatient.pid);
	}
	assert_int_equal(after, before);
	reply = hear(fd);
	expect(reply, "HTTP/1.1 200 ", "GET /big ");
	assert_true(strlen(reply) < BIG);
	close(fd);
	stop(&impatient);
}

/* Not in a container without a network, for one. */
static bool has_ipv6(void)
{
	const struct sockaddr_in6 loopback = { .sin6_family = AF_INET6,
					       .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has = fd >= 0 && bind(fd, (const void *)&loopback, sizeof(loopback)) == 0;

	if (fd >= 0)
		close(fd);
	return has;
}

static void test_ipv6(void **state)
{
	struct server v6;
	char request[256];

	(void)state;
	if (!has_ipv6()) {
		print_message("no IPv6: [::1] is no address here\n");
		skip();
	}
	v6 = start("[::1]:0", 0);
	assert_int_equal(strncmp(v6.url, "http://[::1]:", 13), 0);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", v6.authority);
	ask(&v6, request, "HTTP/1.1 200 ", "GET / ");
	ask(&v6, "GET / HTTP/1.1\r\nHost: [::2]\r\n\r\n", "HTTP/1.1 403 ", "localhost");
	stop(&v6);
}

static void test_port_in_use(void **state)
{
	struct error error = ERROR_INIT;
	struct loop *loop = NULL;
	const struct front_options options = { server.authority, echo, NULL };
	struct front *front = NULL;
	char text[128];

	(void)state;
	assert_int_equal(loop_new(&loop, &error), 0);
	assert_int_equal(front_open(loop, &options, &front, &error), -EADDRINUSE);
	snprintf(text, sizeof(text), "%s: Address already in use", server.authority);
	assert_string_equal(error.text, text);
	assert_int_equal(error.sys, EADDRINUSE);
	assert_null(front);
	loop_free(loop);
}

static void test_bad_listen(void **state)
{
	static const char *const bad[] = { "",
					   "127.0.0.1",
					   "127.0.0.1:",
					   ":4566",
					   "localhost:4566",
					   "127.0.0.1:65536",
					   "[::1]",
					   "[::1]4566",
					   "::1:4566",
					   "127.0.0.1:x",
					   "[127.0.0.1]:80",
					   "[:80",
					   "]:80",
					   "[]:80" };
	struct error error = ERROR_INIT;
	struct loop *loop = NULL;
	struct front *front = NULL;

	(void)state;
	assert_int_equal(loop_new(&loop, &error), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct front_options options = { bad[i], echo, NULL };

		assert_int_equal(front_open(loop, &options, &front, &error), -EINVAL);
		assert_non_null(strstr(error.text, "not an ADDRESS:PORT"));
	}
	assert_null(front_close(NULL));
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_requests),
		cmocka_unit_test(test_response_headers),
		cmocka_unit_test(test_keep_alive_and_pipelining),
		cmocka_unit_test(test_big_reply),
		cmocka_unit_test(test_host),
		cmocka_unit_test(test_web_pages),
		cmocka_unit_test(test_garbage),
		cmocka_unit_test(test_body_limit),
		cmocka_unit_test(test_refused_before_the_body),
		cmocka_unit_test(test_chunked_limit),
		cmocka_unit_test(test_expect_continue),
		cmocka_unit_test(test_idle_connections),
		cmocka_unit_test(test_slow_clients),
		cmocka_unit_test(test_reply_not_taken),
		cmocka_unit_test(test_ipv6),
		cmocka_unit_test(test_port_in_use),
		cmocka_unit_test(test_bad_listen),
	};

	return cmocka_run_group_tests_name("http", tests, group_start, group_stop);
}
