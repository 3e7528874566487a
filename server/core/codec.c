/* codec.c - see codec.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "server/core/codec.h"

#include <pthread.h>
#include <stdlib.h>

#include "ws/extension.h"

struct codec {
    struct deflater *deflaters[WINDOW_BITS_MAX + 1]; /* indexed by window bits; each is created when first
                                                        requested */
    struct inflater *inflater;
};

/* A key calls back at the end of a thread; a thread-local variable is quick to read. So both are used. */
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static _Thread_local struct codec *codec;

static void codec_destroy(void *arg) {
    struct codec *dying = arg;
    codec = NULL; /* the destructor of another key may send, and so create a new one */
    for (unsigned bits = 0; bits <= WINDOW_BITS_MAX; bits++)
        deflater_destroy(dying->deflaters[bits]);
    inflater_destroy(dying->inflater);
    free(dying);
}

static void codec_make_key(void) {
    if (pthread_key_create(&key, codec_destroy) != 0)
        abort(); /* a process has 1,024 of them */
}

static struct codec *codec_own(void) {
    if (codec != NULL)
        return codec;
    pthread_once(&once, codec_make_key);
    struct codec *made = calloc(1, sizeof *made);
    if (made != NULL && pthread_setspecific(key, made) != 0) {
        free(made);
        made = NULL;
    }
    return codec = made;
}

struct deflater *codec_deflater(unsigned window_bits) {
    struct codec *own = codec_own();
    if (own == NULL)
        return NULL;
    struct deflater **deflater = &own->deflaters[window_bits];
    if (*deflater == NULL)
        *deflater = deflater_create(window_bits);
    else
        deflater_reset(*deflater);
    return *deflater;
}

struct inflater *codec_inflater(void) {
    struct codec *own = codec_own();
    if (own == NULL)
        return NULL;
    if (own->inflater == NULL)
        own->inflater = inflater_create(WINDOW_BITS_MAX);
    else
        inflater_reset(own->inflater);
    return own->inflater;
}
