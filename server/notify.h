/* notify.h - tells the service manager how far the server is: the datagrams of sd_notify(3), without its library.
 *
 * Does nothing, save in a process whose environment has NOTIFY_SOCKET: a systemd unit of Type=notify. For the
 * thread that runs the server. What cannot be told is lost; the manager then finds out by its own timeouts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_SERVER_NOTIFY_H
#define WEIR_SERVER_NOTIFY_H

#include <stdint.h>

/* Clients are served; also the end of what notify_reloading() began. */
void notify_ready(void);

/* A configuration is being read again, for units of Type=notify-reload. */
void notify_reloading(void);

/* A stop has begun. The manager is asked for `timeout_ms` before it kills what has not ended. */
void notify_stopping(uint64_t timeout_ms);

#endif
