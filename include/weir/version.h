/* version.h - the version of these headers and of the library.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

#include <weir/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The version of the headers, as numbers and as text (https://semver.org). */
#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
#define WEIR_VERSION       "0.1.0"

/* Returns the version of the library, or of the `weir` that has loaded a plug-in: "0.1.0". The string is constant.
 * Any thread. */
WEIR_API const char *weir_version(void);

#ifdef __cplusplus
}
#endif

#endif
