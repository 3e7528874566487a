/* sweep.c - see sweep.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/sweep.h"

enum { SWEEP_PORTION = 1000 };

struct sweep {
    sweep_step *step;
    struct task_list ready;
};

static void sweep_one(struct weir_conn *conn, void *arg) {
    struct sweep *sweep = arg;
    sweep->step(conn, &sweep->ready);
}

unsigned sweep_some(struct core *core, sweep_step *step, uint32_t *position, unsigned count) {
    struct sweep sweep = {.step = step};
    unsigned visited = registry_each_from(&core->registry, position, count, sweep_one, &sweep);
    pool_submit_list(core->pool, &sweep.ready);
    return visited;
}

void sweep_all(struct core *core, sweep_step *step) {
    uint32_t position = 0;
    while (sweep_some(core, step, &position, SWEEP_PORTION) == SWEEP_PORTION)
        continue;
}
