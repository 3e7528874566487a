/* notify.h - tells the service manager what the server does: the datagrams of sd_notify(3), without its library.
 *
 * Does nothing unless the environment has NOTIFY_SOCKET, as in a systemd unit of Type=notify. Only the thread that
 * runs the server calls these functions. A datagram that cannot be sent is lost; the manager then relies on its own
 * timeouts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_NOTIFY_H
#define WEIR_SERVER_NOTIFY_H

#include <stdint.h>

/* The server is ready. Also ends the reload that notify_reloading() announced. */
void notify_ready(void);

/* A reload has begun, for units of Type=notify-reload. */
void notify_reloading(void);

/* A stop has begun. Asks the manager to wait `timeout_ms` milliseconds before it kills the process. */
void notify_stopping(uint64_t timeout_ms);

#endif
