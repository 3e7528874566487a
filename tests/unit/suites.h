/* suites.h - every unit test suite; main.c runs them in this order.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_TESTS_UNIT_SUITES_H
#define WEIR_TESTS_UNIT_SUITES_H

#include <check.h>

Suite *utf8_suite(void);
Suite *frame_suite(void);
Suite *close_code_suite(void);
Suite *decoder_suite(void);
Suite *handshake_suite(void);
Suite *extension_suite(void);
Suite *deflate_suite(void);
Suite *address_suite(void);
Suite *router_suite(void);
Suite *value_suite(void);
Suite *config_suite(void);
Suite *log_suite(void);
Suite *timers_suite(void);
Suite *pool_suite(void);
Suite *message_suite(void);
Suite *outbox_suite(void);
Suite *rate_suite(void);
Suite *memory_suite(void);
Suite *registry_suite(void);
Suite *visitors_suite(void);
Suite *conn_suite(void);
Suite *backlog_suite(void);
Suite *endpoints_suite(void);
Suite *half_open_suite(void);

#endif
