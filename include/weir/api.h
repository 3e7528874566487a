/* api.h - WEIR_API marks what libweir.a, `weir` and plug-ins export. Every other header includes this one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_API_H
#define WEIR_API_H

#define WEIR_API __attribute__((visibility("default")))

#endif
