/* api_channel.h - what the files of the API's channels share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_API_CHANNEL_H
#define WEIR_HTTP_API_CHANNEL_H

#include "server/http/api.h"

/* Whether the path's name is one that a channel can have; if not, that has been answered. */
bool api_channel_is_named(struct api_call *call);

#endif
