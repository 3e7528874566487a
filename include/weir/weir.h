/* weir.h - everything of the public interface.
 *
 * A handler is a table of callbacks (handler.h) that talk to connections (conn.h) and channels (channel.h). It gets
 * into a server in one of two ways: as a plug-in that `weir serve` loads (plugin.h), or in a program that embeds
 * the server (server.h, libweir.a). The client (client.h) is for programs at the other end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/channel.h>
#include <weir/client.h>
#include <weir/conn.h>
#include <weir/handler.h>
#include <weir/plugin.h>
#include <weir/server.h>

#define WEIR_VERSION "0.1.0"

#endif
