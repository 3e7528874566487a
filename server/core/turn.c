/* turn.c - see turn.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/turn.h"

_Thread_local struct turn turn;
