/* api_channel.h - what the files for the API's channels share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_ADMIN_API_CHANNEL_H
#define WEIR_ADMIN_API_CHANNEL_H

#include "server/admin/api.h"

/* Whether a channel can have the path's name. If not, that has been answered. */
bool api_channel_is_named(struct api_call *call);

#endif
