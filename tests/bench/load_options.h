/* load_options.h - what the command line of the load program says.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_LOAD_OPTIONS_H
#define WEIR_BENCH_LOAD_OPTIONS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

enum scenario { SCENARIO_ECHO, SCENARIO_BROADCAST, SCENARIO_IDLE, SCENARIO_CONNECT };

struct options {
    enum scenario scenario;
    const char *scenario_name;
    unsigned clients, threads, window, rate;
    unsigned publishers;       /* of a broadcast: the clients below this number */
    unsigned source_addresses; /* 0: the kernel chooses */
    size_t size;               /* bytes of a message */
    double duration, warmup;   /* seconds */
    struct sockaddr_in server;
    const char *host, *path;
    unsigned port;
    bool json;
};

/* Reads the command line. On a mistake it says which and leaves the process with status 2; --help leaves with 0. */
void options_read(struct options *options, int argc, char **argv);

#endif
