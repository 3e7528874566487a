/* logging.c - sets up the log of the process as a server's configuration says.
 *
 * SPDX-License-Identifier: MIT
 */
#include <weir/server.h>

#include "server/log/log.h"
#include "server/server_private.h"

enum { FLUSH_MS = 200 };

/* A subsystem without a level of its own has the general level. */
void server_set_log_levels(const struct config *config) {
    const struct {
        enum log_subsystem subsystem;
        enum config_log_level level;
    } own[] = {
        {LOG_SERVER, config->log.level_server},
        {LOG_HTTP, config->log.level_http},
        {LOG_CONN, config->log.level_conn},
        {LOG_ACCESS, config->log.level_access},
    };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        enum config_log_level level = own[i].level == CONFIG_LOG_INHERIT ? config->log.level : own[i].level;
        log_set_subsystem_level(own[i].subsystem, (enum log_level)level);
    }
}

int server_start_log(weir_server *server) {
    const struct config_log *config = &server->config->log;
    const struct log_options options = {.format = config->format == CONFIG_LOG_JSON ? LOG_JSON : LOG_LOGFMT,
                                        .file = config->file,
                                        .buffer = config->buffer};
    server_set_log_levels(server->config);
    return log_start(&options, server->error, sizeof server->error);
}

void weir_log_to(weir_log_callback *callback, void *context) {
    log_set_sink(callback, context);
}

void weir_log_flush(void) {
    log_flush(FLUSH_MS);
}

void weir_log_reopen(void) {
    log_reopen();
}
