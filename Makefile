# minivpc: `make` builds build/minivpc without root; `sudo make demo` and `sudo make test` install
# what they need, build and run. `make help` lists the rest.

ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(shell nproc)
endif

PREFIX ?= /usr/local
BUILD ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
CFLAGS ?= -O2 -g

PACKAGES := libmnl libnftnl sqlite3 libmicrohttpd nettle hogweed gmp \
	    expat jansson yaml-0.1 libseccomp

STANDARD := -std=gnu17 -D_GNU_SOURCE -Iemulator
WARNINGS := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	    -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef -Wformat=2 -Wnull-dereference \
	    -Wimplicit-fallthrough
# Of these each compiler and processor has its own; tests/system/test_hardening.py reads the outcome.
# Before gcc 12 and glibc 2.34 the third level of _FORTIFY_SOURCE means the second.
accepts = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo "$(1)")
HARDENING := -fno-common -fstack-protector-strong -fPIE \
	     $(foreach flag,-fstack-clash-protection -fcf-protection -mbranch-protection=standard \
	     -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3,$(call accepts,$(flag)))
FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
LINKING := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code -Wl,--as-needed

# Instrumented code makes the compiler warn of what it does not without: the plain build is the gate.
ifdef SANITIZE
CFLAGS := -O1 -g
SANITIZERS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
WARNINGS := -w
FORTIFY := -U_FORTIFY_SOURCE
endif

# For `make fuzz`: clang's libFuzzer, which sees what an input reaches.
ifdef FUZZ
SANITIZERS += -fsanitize=fuzzer-no-link
FORTIFY += -DFUZZER
$(BUILD)/tests/fuzz/%: LDFLAGS += -fsanitize=fuzzer
endif

# For lint: what the analyzer must be told, in all files but the one that it is told about. It loses
# its way in variables that begin as zero.
ifdef ANALYZE
HARDENING := $(filter-out -ftrivial-auto-var-init=%,$(HARDENING))
ANALYZER = -fanalyzer $(if $(filter emulator/base/error.c,$<),,-include scripts/analyzer.h)
endif

# fake.c is kernel.h's second implementation, for tests/plan only; inject.c is for `make inject`.
ALL_SOURCES := $(sort $(wildcard emulator/*.c) $(wildcard emulator/*/*.c))
SOURCES := $(filter-out emulator/netlink/fake.c %/inject.c,$(ALL_SOURCES))
TESTS := $(sort $(wildcard tests/unit/test_*.c) $(wildcard tests/plan/test_*.c))
HELPERS := $(filter-out $(TESTS),$(sort $(wildcard tests/unit/*.c) $(wildcard tests/plan/*.c)))
FUZZERS := $(sort $(wildcard tests/fuzz/fuzz_*.c))
BENCH_SOURCES := $(sort $(wildcard tests/bench/*.c))
C_FILES = $(ALL_SOURCES) $(TESTS) $(HELPERS) $(BENCH_SOURCES) $(FUZZERS)
FORMATTED = $(C_FILES) $(sort $(wildcard emulator/*.h emulator/*/*.h tests/*/*.h))

OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o)
EVERY_OBJECT := $(ALL_SOURCES:%.c=$(BUILD)/obj/%.o) $(TESTS:%.c=$(BUILD)/obj/%.o) \
		$(HELPERS:%.c=$(BUILD)/obj/%.o) $(BENCH_SOURCES:%.c=$(BUILD)/obj/%.o) \
		$(FUZZERS:%.c=$(BUILD)/obj/%.o)
FUZZ_PROGRAMS := $(FUZZERS:%.c=$(BUILD)/%)
TEST_PROGRAMS := $(TESTS:%.c=$(BUILD)/%) $(FUZZ_PROGRAMS)

# And glibc's own for DNS.
LIBS := $(shell pkg-config --libs $(PACKAGES) 2>/dev/null && echo -lresolv)
HAVE_TOOLS := $(and $(LIBS),$(shell command -v $(CC)))
PACKAGE_CFLAGS := $(shell pkg-config --cflags $(PACKAGES) 2>/dev/null)
COMPILE = $(CC) $(STANDARD) $(WARNINGS) $(HARDENING) $(CFLAGS) $(FORTIFY) $(SANITIZERS) \
	  $(PACKAGE_CFLAGS) $(ANALYZER) $(CPPFLAGS)

# As `git describe --tags --always --dirty` says it, but writing nothing, in anybody's tree (sudo).
GIT := GIT_OPTIONAL_LOCKS=0 git -c safe.directory='*'
VERSION := $(shell v=$$($(GIT) describe --tags --always 2>/dev/null) || v=unknown; \
	     [ -z "$$($(GIT) status --porcelain -uno 2>/dev/null)" ] || v=$$v-dirty; echo $$v)

all: $(BUILD)/minivpc
tests: $(TEST_PROGRAMS)
fuzzers: $(FUZZ_PROGRAMS)
inject: $(BUILD)/minivpc-inject
objects: $(EVERY_OBJECT)

tools:
	@$(if $(HAVE_TOOLS),:,echo "a tool or library is missing: run sudo scripts/bootstrap" >&2; exit 1)

$(BUILD)/minivpc: $(OBJECTS) $(BUILD)/obj/labs.o
	@echo "  LD    $@"
	@$(CC) $(CFLAGS) $(SANITIZERS) $(LINKING) $(LDFLAGS) -o $@ $^ $(LIBS)

# A program for tests/system/test_crash.py: see emulator/base/inject.h. What changes something is
# compiled with that, all of the daemon and of `down`; the rest is as ever.
INJECTED := $(filter $(foreach room,store netlink fabric instance services world,emulator/$(room)/%) \
	      emulator/base/capabilities.c emulator/base/credentials.c emulator/base/id.c \
	      emulator/base/loop.c,$(filter-out \
	      $(patsubst %,emulator/%.c,instance/exec instance/ssh instance/terminal world/check), \
	      $(SOURCES)))
INJECT_OBJECTS := $(patsubst %.c,$(BUILD)/inject/%.o,$(INJECTED) $(filter %/inject.c,$(ALL_SOURCES)))
$(BUILD)/minivpc-inject: $(filter-out $(INJECTED:%.c=$(BUILD)/obj/%.o),$(OBJECTS)) \
			 $(BUILD)/obj/labs.o $(INJECT_OBJECTS)
	@echo "  LD    $@"
	@$(CC) $(CFLAGS) $(SANITIZERS) $(LINKING) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/inject/%.o: %.c | tools
	@mkdir -p $(@D)
	@echo "  CC    $< (inject)"
	@$(COMPILE) -DINJECT $(if $(filter %/inject.c,$<),,-include emulator/base/inject.h) -MMD -MP -c -o $@ $<

# The labs are in the program: see emulator/cli/lab.h. The same files make the same archive.
$(BUILD)/labs.tar: $(shell find scripts/labs -type f) | tools
	@mkdir -p $(@D)
	@tar -C scripts/labs --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 \
		--mode=u=rwX,go=rX -cf $@ .
$(BUILD)/obj/labs.o: $(BUILD)/labs.tar
	@mkdir -p $(@D)
	@printf '__asm__(".section .rodata\\n.globl %s, %s\\n%s: .incbin \\"$<\\"\\n%s:\\n.text");\n' \
		$(foreach _,1 2,_binary_labs_tar_start _binary_labs_tar_end) | \
		$(CC) $(HARDENING) -x c -c -o $@ -

$(BUILD)/obj/%.o: %.c | tools
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(COMPILE) -MMD -MP -c -o $@ $<

# Only what names the version is compiled again when it changes.
VERSION_OBJECTS := $(patsubst %.c,$(BUILD)/obj/%.o,$(shell grep -lw MINIVPC_VERSION $(SOURCES) \
		     /dev/null))
$(VERSION_OBJECTS): CPPFLAGS += -DMINIVPC_VERSION='"$(VERSION)"'
$(VERSION_OBJECTS): $(BUILD)/version
$(BUILD)/version: FORCE
	@mkdir -p $(@D)
	@echo "$(VERSION)" | cmp -s - $@ || echo "$(VERSION)" > $@

# A test's first line names the objects it links: scripts/test-rules turns it into a rule.
$(BUILD)/tests.mk: $(TESTS) $(FUZZERS) scripts/test-rules
	@mkdir -p $(@D)
	@scripts/test-rules $(TESTS) $(FUZZERS) > $@.new && mv $@.new $@

$(TEST_PROGRAMS): $(BUILD)/%: $(BUILD)/obj/%.o $(BUILD)/tests.mk
	@mkdir -p $(@D)
	@echo "  LD    $@"
	@$(CC) $(CFLAGS) $(SANITIZERS) $(LINKING) $(LDFLAGS) -o $@ $(filter %.o,$^) $(TEST_LIBS)

BENCH_PROGRAMS := $(BUILD)/bench/floor $(BUILD)/bench/traffic $(BUILD)/bench/calls
$(BUILD)/bench/traffic $(BUILD)/bench/calls: $(BUILD)/obj/emulator/base/util.o
tests: $(BENCH_PROGRAMS)
$(BENCH_PROGRAMS): $(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) $(SANITIZERS) $(LINKING) $(LDFLAGS) -o $@ $^

ifeq ($(filter clean help,$(MAKECMDGOALS)),)
-include $(if $(TESTS),$(BUILD)/tests.mk)
-include $(EVERY_OBJECT:.o=.d)
-include $(INJECT_OBJECTS:.o=.d)
endif

# --- running -------------------------------------------------------------------------------------

# What root builds in somebody's clone goes back to them, whatever became of it; not another
# system's root (check-qemu), whose files have owners of their own.
GIVE_BACK = status=$$?; [ -z "$$SUDO_UID" ] || find build -path build/qemu -prune -o \
	-exec chown -h "$$SUDO_UID:$$SUDO_GID" {} +; exit $$status
AS_ROOT = [ "$$(id -u)" = 0 ] || { echo "make $@ needs root: run sudo make $@" >&2; exit 1; }

# Continuous integration gives each parser a minute by libFuzzer, anybody else who says FUZZ_SECONDS=N.
test:
	@$(AS_ROOT); scripts/bootstrap --test; \
		[ -z "$$FUZZ_SECONDS$$CI" ] || scripts/bootstrap --fuzz || : # scripts/test says so
	@mkdir -p build; { $(MAKE) --no-print-directory all tests inject && \
		FUZZ_SECONDS=$${FUZZ_SECONDS-$${CI:+60}} scripts/test --build $(BUILD) \
		scripts unit plan fuzz system; }; $(GIVE_BACK)

test-unit test-plan test-fuzz: tests
	@scripts/test --build $(BUILD) $(if $(filter test-unit,$@),scripts) $(@:test-%=%)

test-system: all inject $(BENCH_PROGRAMS)
	@$(AS_ROOT); scripts/test --build $(BUILD) system; $(GIVE_BACK)

# Two minutes of it are in test-system.
SOAK_SECONDS ?= 1800
soak: all
	@$(AS_ROOT); MINIVPC_BINARY=$(abspath $(BUILD))/minivpc SOAK_SECONDS=$(SOAK_SECONDS) \
		/usr/bin/python3 -m pytest -q -p no:cacheprovider tests/system/test_soak.py; $(GIVE_BACK)

# At every point that a call passes, each time: hours. `make test` has each point that has a name.
check-crash:
	@$(AS_ROOT)
	@mkdir -p build; { $(MAKE) --no-print-directory all inject && CRASH_EVERY=1 \
		MINIVPC_BINARY=$(abspath $(BUILD))/minivpc PYTHONDONTWRITEBYTECODE=1 \
		/usr/bin/python3 -m pytest -q -s -p no:cacheprovider tests/system/test_crash.py \
		; }; $(GIVE_BACK)

# As root the system tests run too.
check-asan:
	@mkdir -p build; { $(MAKE) --no-print-directory BUILD=build/asan SANITIZE=1 all tests && \
		scripts/test --build build/asan unit plan fuzz $$([ "$$(id -u)" != 0 ] || echo system); \
		}; $(GIVE_BACK)

# On other machines than this one: on Debian 12's own kernel, and in a container.
check-qemu check-container:
	+@$(AS_ROOT); scripts/$@ $(CHECK); $(GIVE_BACK)

# By hand, on x86-64: tests, among them the one that calls every action.
VALGRIND ?= test_api_coverage test_api_nat test_stacks_api
check-valgrind:
	@$(AS_ROOT); command -v valgrind >/dev/null || { echo "valgrind is not installed"; exit 1; }
	@mkdir -p build; rm -rf build/valgrind; mkdir build/valgrind; { \
		$(MAKE) --no-print-directory BUILD=build all && \
		$(CC) $(STANDARD) -O2 -Wall -Wextra -Werror -shared -fPIC -o build/valgrind/calls.so \
			tests/valgrind/calls.c && \
		TEST_PATIENCE=10 MINIVPC_BINARY=tests/valgrind/minivpc \
		PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m pytest -q -ra -p no:cacheprovider \
			$(VALGRIND:%=tests/system/%.py) && \
		! grep -h . build/valgrind/*.log; }; $(GIVE_BACK)

# FUZZ_SECONDS for each parser: what is found is kept in build/fuzz, a harness's corpus too.
FUZZ_SECONDS ?= 60
fuzz:
	@scripts/bootstrap --fuzz
	@mkdir -p build; { $(MAKE) --no-print-directory BUILD=build/fuzz CC=clang SANITIZE=1 FUZZ=1 \
		fuzzers && scripts/fuzz --build build/fuzz $(FUZZ_SECONDS); }; $(GIVE_BACK)

# `make -k lint` shows all that is wrong.
lint: lint-format lint-rooms lint-analyzer lint-clang lint-cppcheck

lint-format: tools
	@status=0; for file in $(FORMATTED); do clang-format "$$file" | cmp -s - "$$file" || \
		{ echo "not formatted: clang-format -i $$file"; status=1; }; done; exit $$status

lint-rooms:
	@scripts/check-rooms

lint-analyzer: tools
	@mkdir -p build; $(MAKE) --no-print-directory BUILD=build/analyzer ANALYZE=1 objects; \
		$(GIVE_BACK)

# libmnl's macros cast const away, which gcc forgives in a system's header.
lint-clang: tools
	@command -v clang >/dev/null || { echo "clang is not installed: skipped"; exit 0; }; \
		mkdir -p build; $(MAKE) --no-print-directory BUILD=build/clang CC=clang \
		CFLAGS='-O2 -g -Wno-cast-qual' objects; \
		$(GIVE_BACK)

lint-cppcheck: tools
	@command -v cppcheck >/dev/null || { echo "cppcheck is not installed: skipped"; exit 0; }; \
		$(CPPCHECK) $(C_FILES)

# It doesn't know the cleanup attribute and reports every owner as a leak, nor what a callee fills
# in; gcc knows both.
CPPCHECK := cppcheck --quiet --std=c11 --language=c --enable=warning,portability \
	    --error-exitcode=1 --inline-suppr -Iemulator -D_GNU_SOURCE -DMINIVPC_VERSION='""' \
	    --suppress=memleak --suppress=resourceLeak --suppress=uninitvar \
	    --suppress=ctuuninitvar --suppress=missingInclude

bench:
	@$(AS_ROOT); scripts/bootstrap --bench
	@mkdir -p build; { $(MAKE) --no-print-directory all $(BENCH_PROGRAMS) && \
		tests/bench/run --build $(BUILD) $(BENCH); }; $(GIVE_BACK)

demo:
	@$(AS_ROOT); scripts/bootstrap --demo
	@mkdir -p build; $(MAKE) --no-print-directory all; $(GIVE_BACK)
	@MINIVPC_BINARY=$(BUILD)/minivpc scripts/demo

COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions/minivpc \
	      $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_minivpc

install: all
	install -D -m 755 $(BUILD)/minivpc $(DESTDIR)$(PREFIX)/bin/minivpc
	install -D -m 644 emulator/cli/minivpc.1 $(DESTDIR)$(PREFIX)/share/man/man1/minivpc.1
	install -d $(dir $(COMPLETIONS))
	$(BUILD)/minivpc completion bash >$(word 1,$(COMPLETIONS))
	$(BUILD)/minivpc completion zsh >$(word 2,$(COMPLETIONS))

uninstall:
	rm -f $(DESTDIR)$(PREFIX)/bin/minivpc $(DESTDIR)$(PREFIX)/share/man/man1/minivpc.1 \
		$(COMPLETIONS)

clean:
	rm -rf build

help:
	@echo "make               build/minivpc"
	@echo "sudo make demo     the product shown in a throw-away world"
	@echo "sudo make test     every test; without root: make test-unit test-plan test-fuzz"
	@echo "sudo make test-system, make lint, make check-asan, sudo make check-crash, sudo make check-valgrind"
	@echo "sudo make soak     random calls from 8 clients, against a model (SOAK_SECONDS=$(SOAK_SECONDS))"
	@echo "sudo make check-qemu       on Debian 12's own kernel, emulated: CHECK=--whole for all of it"
	@echo "sudo make check-container  in a container: CHECK=--image builds and uses the Containerfile"
	@echo "make fuzz          the parsers, by clang's libFuzzer (FUZZ_SECONDS=$(FUZZ_SECONDS) for each)"
	@echo "sudo make bench    measures, and compares in one table (BENCH=--quick, --paths, --readme …)"
	@echo "sudo make install  PREFIX=$(PREFIX); uninstall; clean"

FORCE:
.PHONY: FORCE all tests fuzzers inject objects tools test test-unit test-plan test-fuzz \
	test-system soak check-asan check-crash check-valgrind fuzz lint check-qemu \
	check-container lint-format lint-rooms \
	lint-analyzer lint-clang lint-cppcheck bench demo install uninstall clean help
.DELETE_ON_ERROR:
