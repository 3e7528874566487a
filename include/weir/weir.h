/* weir.h - the whole public interface.
 *
 * A handler is a table of callbacks (handler.h) that use connections (conn.h) and channels (channel.h). A server
 * gets its handlers in one of two ways: `weir serve` loads them as plug-ins (plugin.h), or a program that embeds
 * the server adds them (server.h, libweir.a). client.h is a WebSocket client library.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/api.h>
#include <weir/channel.h>
#include <weir/client.h>
#include <weir/conn.h>
#include <weir/handler.h>
#include <weir/plugin.h>
#include <weir/server.h>
#include <weir/status.h>
#include <weir/version.h>

#endif
