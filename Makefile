# weir - see `make help`.
#
# Objects go to build/<flavour>/: release, or asan and tsan, which add sanitizers and lock-order checks.
# SPDX-License-Identifier: MIT

FLAVOUR ?= release
PREFIX  ?= /usr/local
ROUNDS  ?= 5
CONFIG  ?= conf/weir.ini
OUT     := build/$(FLAVOUR)
BUILD   := $(MAKE) --no-print-directory -j $(shell nproc)

WARNINGS := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
WERROR   := $(if $(CI),-Werror)
CPPFLAGS += -D_GNU_SOURCE -I. -Iinclude
CFLAGS   ?= -O2 -g
LIBS     := -lcivetweb -lcrypto -lz -lpthread -ldl

FLAVOUR_release :=
FLAVOUR_asan    := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DWEIR_CHECK_LOCKS
FLAVOUR_tsan    := -fsanitize=thread -DWEIR_CHECK_LOCKS
ALL_CFLAGS = -std=c17 $(WARNINGS) $(WERROR) -fvisibility=hidden -fPIC -pthread $(CPPFLAGS) $(CFLAGS) $(FLAVOUR_$(FLAVOUR))
# Examples are compiled as docs/handlers.md says, because code that a reader copies must work without our own definitions.
EXAMPLE_CFLAGS = -std=gnu17 $(WARNINGS) $(WERROR) -fPIC -Iinclude $(CFLAGS) $(FLAVOUR_$(FLAVOUR))
ALL_LDFLAGS = -pthread $(LDFLAGS) $(FLAVOUR_$(FLAVOUR))

LIBRARY_SOURCES := $(wildcard $(addsuffix /*.c,base ws pool client server server/* server/*/*))
TOOL_SOURCES    := $(wildcard $(addsuffix /*.c,commands/connect commands/bench commands/bench/*)) commands/usage.c
PAGE            := commands/bench/report/page
COMMAND_SOURCES := $(sort $(wildcard commands/*.c) $(TOOL_SOURCES))
UNIT_SOURCES    := $(wildcard tests/unit/*.c)
EXAMPLE_SOURCES := $(filter-out examples/embed.c,$(wildcard examples/*.c))
CLIENT_SOURCES  := $(wildcard examples/clients/*.c)
BENCH_PROGRAMS  := build/bench/floor build/bench/many_channels build/bench/sleep.so \
                   build/bench/peers/thread_per_client \
                   $(if $(wildcard /usr/include/libwebsockets.h),build/bench/peers/libwebsockets)
HEADERS         := $(wildcard include/weir/*.h)

objects = $(patsubst %.c,$(OUT)/%.o,$(1))
EXAMPLES := $(patsubst examples/%.c,$(OUT)/examples/%.so,$(EXAMPLE_SOURCES)) $(OUT)/examples/embed \
            $(patsubst %.c,$(OUT)/%,$(CLIENT_SOURCES))

.PHONY: all deps run check check-unit check-real check-conformance check-debian13 image-check build-tests fuzz asan tsan bench format format-check lint layers words install clean help
.DELETE_ON_ERROR:

all: build/weir build/libweir.a build/examples  ## build/weir, build/libweir.a and the example plug-ins

build/weir: $(OUT)/weir
	@ln -sf $(FLAVOUR)/weir $@
build/libweir.a: $(OUT)/libweir.a
	@ln -sf $(FLAVOUR)/libweir.a $@
build/examples: $(EXAMPLES)
	@ln -sfn $(FLAVOUR)/examples $@

$(OUT)/libweir.a: $(call objects,$(LIBRARY_SOURCES))
	@rm -f $@
	$(AR) rcs $@ $^
# Plug-ins call the public functions too, so the whole library is linked and exported.
$(OUT)/weir: $(call objects,$(COMMAND_SOURCES)) $(OUT)/$(PAGE).o $(OUT)/libweir.a
	$(CC) $(ALL_LDFLAGS) -rdynamic -o $@ $(filter %.o,$^) -Wl,--whole-archive $(OUT)/libweir.a -Wl,--no-whole-archive $(LIBS) -ledit -ljansson -lm
$(OUT)/examples/%.so: examples/%.c $(HEADERS) Makefile | $(OUT)/.tools
	@mkdir -p $(@D)
	$(CC) $(EXAMPLE_CFLAGS) -shared -o $@ $< -ljansson
$(OUT)/examples/embed: examples/embed.c $(OUT)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(EXAMPLE_CFLAGS) -o $@ $< $(OUT)/libweir.a $(LIBS)
$(OUT)/examples/clients/%: examples/clients/%.c $(OUT)/libweir.a
	@mkdir -p $(@D)
	$(CC) $(EXAMPLE_CFLAGS) -o $@ $< $(OUT)/libweir.a $(LIBS)
$(OUT)/unit: $(call objects,$(UNIT_SOURCES) $(TOOL_SOURCES)) $(OUT)/$(PAGE).o $(OUT)/libweir.a
	$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -ledit -ljansson -lm $(shell pkg-config --libs check)
# Reports missing tools and headers in one line, before the compiler prints hundreds.
$(OUT)/.tools:
	@.ci/tools "$(CC)" civetweb.h openssl/evp.h zlib.h jansson.h histedit.h uthash.h
	@mkdir -p $(@D) && touch $@
$(OUT)/.test-tools: | $(OUT)/.tools
	@.ci/tools "$(CC)" check.h && .ci/tools pkg-config
	@touch $@
$(call objects,$(UNIT_SOURCES)): | $(OUT)/.test-tools
$(OUT)/%.o: %.c Makefile | $(OUT)/.tools
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<
# The page of `weir bench --html` is part of the program, as a terminated array of ASCII.
$(OUT)/$(PAGE).o: $(PAGE).html Makefile | $(OUT)/.tools
	@mkdir -p $(@D)
	(echo 'const char report_page[] = {'; od -An -v -tu1 $< | sed 's/ *\([0-9][0-9]*\)/\1,/g'; echo '0};') | $(CC) $(ALL_CFLAGS) -x c -c -o $@ -
-include $(patsubst %.o,%.d,$(call objects,$(LIBRARY_SOURCES) $(COMMAND_SOURCES) $(UNIT_SOURCES)))

build/bench/floor: tests/bench/peers/floor.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c17 $(WARNINGS) $(WERROR) $(CPPFLAGS) -O2 -g -o $@ $< -lcrypto
# Other servers to compare with. libwebsockets need not be installed.
build/bench/peers/thread_per_client: tests/bench/peers/thread_per_client.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c17 $(WARNINGS) $(WERROR) $(CPPFLAGS) -O2 -g -pthread -o $@ $< -lcivetweb
build/bench/peers/libwebsockets: tests/bench/peers/libwebsockets.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c17 $(WARNINGS) $(WERROR) $(CPPFLAGS) -O2 -g -o $@ $< -lwebsockets
build/bench/sleep.so: tests/bench/peers/sleep.c $(HEADERS) Makefile
	@mkdir -p $(@D)
	$(CC) -std=c17 $(WARNINGS) $(WERROR) $(CPPFLAGS) -O2 -g -fvisibility=hidden -fPIC -shared -o $@ $<
build/bench/many_channels: tests/bench/many_channels.c commands/bench/histogram.c commands/bench/load/sequence.c $(OUT)/libweir.a Makefile
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $(filter %.c %.a,$^) $(LIBS)

deps:  ## install what building, running and testing need (Debian packages)
	@.ci/deps test

run:  ## install what running needs and is missing, build, and serve conf/weir.ini on port 9000 (CONFIG=FILE for another)
	@.ci/deps build
	@$(BUILD) all
	build/weir serve -c $(CONFIG)

check: deps  ## install what is missing, build, and run every test, under the sanitizers too
	@$(MAKE) --no-print-directory layers
	@$(BUILD) all build-tests
	@$(MAKE) --no-print-directory check-unit check-conformance check-real
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory tsan

check-unit: $(OUT)/unit  ## the unit tests alone
	$(OUT)/unit

check-real: $(OUT)/weir $(EXAMPLES)  ## the tests with real clients alone
	WEIR=$(OUT)/weir WEIR_EXAMPLES=$(OUT)/examples tests/real/run --jobs 4

check-conformance: $(OUT)/weir $(EXAMPLES)  ## every MUST of RFC 6455 and RFC 7692 that can be seen from outside
	WEIR=$(OUT)/weir WEIR_EXAMPLES=$(OUT)/examples tests/conformance/run

image-check: deps  ## build the Dockerfile, and drive the image that it makes
	tests/image/run

check-debian13:  ## build and test on Debian 13, in a chroot below build/debian13 (as root)
	tests/debian13/run

fuzz:  ## every fuzz target for SECONDS=60 each (clang)
	@.ci/deps test clang libclang-rt-14-dev
	tests/fuzz/run $(or $(SECONDS),60)

build-tests: $(OUT)/weir $(OUT)/unit $(EXAMPLES)

asan:  ## all tests under AddressSanitizer and UBSan
	@$(BUILD) FLAVOUR=asan build-tests
	WEIR_SCALE=0.2 $(MAKE) --no-print-directory FLAVOUR=asan check-unit check-conformance check-real

tsan:  ## all tests under ThreadSanitizer
	@$(BUILD) FLAVOUR=tsan build-tests
	WEIR_SCALE=0.1 $(MAKE) --no-print-directory FLAVOUR=tsan check-unit check-conformance check-real

bench: all $(BENCH_PROGRAMS)  ## measure beside the peers that are installed, for docs/benchmarks.md (ROUNDS=5, BENCH=OPTIONS)
	tests/bench/run --build build --rounds $(ROUNDS) $(BENCH)

SOURCES = $(shell git ls-files --cached --others --exclude-standard '*.c' '*.h')
format:  ## clang-format on every source
	@.ci/deps clang-format
	@clang-format -i $(SOURCES)
format-check:
	@clang-format --dry-run -Werror $(SOURCES)
lint: layers words  ## clang-format, cppcheck and clang-tidy find nothing; no retired word is used
	@.ci/deps build clang-format clang-tidy cppcheck
	@$(MAKE) --no-print-directory format-check
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
	    --suppress=missingIncludeSystem -D_GNU_SOURCE -I. -Iinclude -j2 base ws pool client server commands examples
	@clang-tidy --quiet --warnings-as-errors='*' $(LIBRARY_SOURCES) $(COMMAND_SOURCES) $(EXAMPLE_SOURCES) $(CLIENT_SOURCES) -- -std=c17 $(CPPFLAGS)
layers:  ## fail on an include that points upward
	@.ci/layers
words:  ## fail on a word that docs/glossary.md has retired
	@.ci/words

install: $(OUT)/weir $(OUT)/libweir.a  ## install binary, headers and library below PREFIX (/usr/local), DESTDIR in front
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include/weir
	install -m 755 $(OUT)/weir $(DESTDIR)$(PREFIX)/bin/weir
	install -m 644 $(OUT)/libweir.a $(DESTDIR)$(PREFIX)/lib/libweir.a
	install -m 644 $(HEADERS) $(DESTDIR)$(PREFIX)/include/weir/

clean:  ## remove build/
	rm -rf build

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' Makefile | expand -t 14
