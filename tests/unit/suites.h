/* suites.h - every unit test suite; main.c runs them in this order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_SUITES_H
#define WEIR_TESTS_UNIT_SUITES_H

#include "tests/unit/assertions.h"

Suite *utf8_suite(void);
Suite *frame_suite(void);
Suite *buffer_suite(void);
Suite *close_code_suite(void);
Suite *decoder_suite(void);
Suite *reading_in_place_suite(void);
Suite *handshake_suite(void);
Suite *extension_suite(void);
Suite *deflate_suite(void);
Suite *decoder_deflate_suite(void);
Suite *address_suite(void);
Suite *adoption_suite(void);
Suite *json_suite(void);
Suite *json_writer_suite(void);
Suite *router_suite(void);
Suite *value_suite(void);
Suite *channel_name_suite(void);
Suite *config_suite(void);
Suite *available_memory_suite(void);
Suite *log_suite(void);
Suite *log_line_suite(void);
Suite *log_queue_suite(void);
Suite *log_writer_suite(void);
Suite *timers_suite(void);
Suite *small_mutex_suite(void);
Suite *pool_suite(void);
Suite *message_suite(void);
Suite *outbox_suite(void);
Suite *token_bucket_suite(void);
Suite *keepalive_suite(void);
Suite *clock_suite(void);
Suite *time32_suite(void);
Suite *memory_suite(void);
Suite *registry_suite(void);
Suite *address_limiter_suite(void);
Suite *members_suite(void);
Suite *history_suite(void);
Suite *conn_suite(void);
Suite *sending_on_suite(void);
Suite *backlog_suite(void);
Suite *replies_suite(void);
Suite *drained_suite(void);
Suite *draining_suite(void);
Suite *channels_suite(void);
Suite *embedding_suite(void);
Suite *recovery_suite(void);
Suite *channel_races_suite(void);
Suite *row_suite(void);
Suite *turns_suite(void);
Suite *encodings_suite(void);
Suite *idle_channels_suite(void);
Suite *client_memory_suite(void);
Suite *pages_suite(void);
Suite *heads_suite(void);
Suite *half_open_suite(void);
Suite *listeners_suite(void);
Suite *descriptors_suite(void);
Suite *two_servers_suite(void);
Suite *api_suite(void);
Suite *upgrade_calls_suite(void);
Suite *embedding_api_suite(void);
Suite *api_path_suite(void);
Suite *idempotency_suite(void);
Suite *slow_request_reaper_suite(void);
Suite *connect_text_suite(void);
Suite *connect_parts_suite(void);
Suite *url_suite(void);
Suite *client_handshake_suite(void);
Suite *request_suite(void);
Suite *resolve_suite(void);
Suite *bench_payload_suite(void);
Suite *bench_time_suite(void);
Suite *usage_suite(void);
Suite *bench_settings_suite(void);
Suite *bench_result_suite(void);
Suite *bench_condition_suite(void);
Suite *bench_report_suite(void);
Suite *bench_json_suite(void);
Suite *runner_suite(void);
Suite *faults_suite(void); /* fails: see test_runner.c */

#endif
