/* main.c - runs the unit tests: all of them, or the suites named as arguments.
 *
 * Each test runs in its own process, whatever CK_FORK says. Otherwise a test that hangs could not be ended in time,
 * and an assertion that fails on another thread could not be reported.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suites.h"

#define LONGEST_TEST "120"    /* seconds: many times what any test takes under a sanitizer on a busy machine */
#define FAULTS       "faults" /* these tests fail, and run only by name: see test_runner.c */

/* clang-format off */
static const struct {
    const char *name;
    Suite *(*make)(void);
} suites[] = {
    {"utf8", utf8_suite},
    {"frame", frame_suite},
    {"buffer", buffer_suite},
    {"close_code", close_code_suite},
    {"decoder", decoder_suite},
    {"reading_in_place", reading_in_place_suite},
    {"handshake", handshake_suite},
    {"extension", extension_suite},
    {"deflate", deflate_suite},
    {"decoder_deflate", decoder_deflate_suite},
    {"address", address_suite},
    {"adoption", adoption_suite},
    {"json", json_suite},
    {"json_writer", json_writer_suite},
    {"router", router_suite},
    {"value", value_suite},
    {"channel_name", channel_name_suite},
    {"config", config_suite},
    {"available_memory", available_memory_suite},
    {"log", log_suite},
    {"log_line", log_line_suite},
    {"log_queue", log_queue_suite},
    {"log_writer", log_writer_suite},
    {"timers", timers_suite},
    {"small_mutex", small_mutex_suite},
    {"pool", pool_suite},
    {"message", message_suite},
    {"outbox", outbox_suite},
    {"token_bucket", token_bucket_suite},
    {"keepalive", keepalive_suite},
    {"clock", clock_suite},
    {"time32", time32_suite},
    {"memory", memory_suite},
    {"registry", registry_suite},
    {"address_limiter", address_limiter_suite},
    {"members", members_suite},
    {"history", history_suite},
    {"conn", conn_suite},
    {"sending_on", sending_on_suite},
    {"backlog", backlog_suite},
    {"draining", draining_suite},
    {"replies", replies_suite},
    {"drained", drained_suite},
    {"channels", channels_suite},
    {"recovery", recovery_suite},
    {"encodings", encodings_suite},
    {"row", row_suite},
    {"turns", turns_suite},
    {"channel_races", channel_races_suite},
    {"idle_channels", idle_channels_suite},
    {"client_memory", client_memory_suite},
    {"embedding", embedding_suite},
    {"pages", pages_suite},
    {"heads", heads_suite},
    {"half_open", half_open_suite},
    {"listeners", listeners_suite},
    {"descriptors", descriptors_suite},
    {"two_servers", two_servers_suite},
    {"api", api_suite},
    {"upgrade_calls", upgrade_calls_suite},
    {"embedding_api", embedding_api_suite},
    {"api_path", api_path_suite},
    {"idempotency", idempotency_suite},
    {"slow_request_reaper", slow_request_reaper_suite},
    {"connect_text", connect_text_suite},
    {"connect_parts", connect_parts_suite},
    {"url", url_suite},
    {"client_handshake", client_handshake_suite},
    {"request", request_suite},
    {"resolve", resolve_suite},
    {"bench_payload", bench_payload_suite},
    {"bench_time", bench_time_suite},
    {"usage", usage_suite},
    {"bench_settings", bench_settings_suite},
    {"bench_result", bench_result_suite},
    {"bench_condition", bench_condition_suite},
    {"bench_report", bench_report_suite},
    {"bench_json", bench_json_suite},
    {"runner", runner_suite},
    {FAULTS, faults_suite},
};
/* clang-format on */

static int wanted(const char *name, int argc, char **argv) {
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], name) == 0)
            return 1;
    return argc == 1 && strcmp(name, FAULTS) != 0;
}

int main(int argc, char **argv) {
    setenv("CK_DEFAULT_TIMEOUT", LONGEST_TEST, 0);
    SRunner *runner = srunner_create(NULL);
    int chosen = 0;
    for (size_t i = 0; i < sizeof suites / sizeof *suites; i++)
        if (wanted(suites[i].name, argc, argv)) {
            srunner_add_suite(runner, suites[i].make());
            chosen++;
        }
    if (chosen == 0) {
        fprintf(stderr, "unit: no suite of that name\n");
        return 2;
    }
    srunner_set_fork_status(runner, CK_FORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
