/* api_channel.h - what the files for the API's channels share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_HTTP_API_CHANNEL_H
#define WEIR_HTTP_API_CHANNEL_H

#include "server/http/api.h"

/* Whether a channel can have the path's name. If not, that has been answered. */
bool api_channel_is_named(struct api_call *call);

#endif
