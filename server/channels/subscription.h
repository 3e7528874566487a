/* subscription.h - one connection's subscription to one channel. It is in its channel's set of members and in its
 * connection's list. Both change under the channel's mutex and the connection's mutex. A connection that ends takes
 * its whole list under the mutex alone, then leaves each channel. It never joins one again, so no subscription
 * outlives it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CHANNELS_SUBSCRIPTION_H
#define WEIR_CHANNELS_SUBSCRIPTION_H

#include "server/channels/channel.h"

/* Allocates one that is not in use yet. Returns NULL if memory is out. */
struct subscription *subscription_create(void);
void subscription_free(struct subscription *subscription);

/* --- The connection's list --- */

/* Adds it to the list of its connection. Returns JOIN_DONE, JOIN_GONE, or JOIN_CONNECTION_LIMIT if the connection
 * has `limit` subscriptions already. */
enum join_result subscription_link(struct subscription *subscription, uint32_t limit);

/* Returns false if the connection is leaving everything just now. Then that removes the subscription. */
bool subscription_unlink(struct subscription *subscription);

/* Takes the whole list of a connection that ends, which gets no subscription afterwards. */
struct subscription *subscription_take_all(struct weir_conn *conn);

/* Gets the channels of a connection's list from the `first` subscription on, with a reference each. Returns how
 * many; fewer than SUBSCRIPTION_CHUNK only at the end. */
enum { SUBSCRIPTION_CHUNK = 64 };
uint32_t subscription_list_channels(struct weir_conn *conn, uint32_t first,
                                    struct channel *list[SUBSCRIPTION_CHUNK]);

/* --- The channel's set --- */

/* Makes the connection a member, and announces that if the channel's options say so. members_reserve() must have
 * made room. */
void subscription_add_locked(struct subscription *subscription, struct task_list *ready);
void subscription_remove_locked(struct subscription *subscription, struct task_list *ready);

#endif
