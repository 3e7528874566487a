/* retired.h - names that options, sections and built-in handlers had in earlier versions. A configuration that uses
 * one is wrong; its error gives the new name. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_CONFIG_RETIRED_H
#define WEIR_CONFIG_RETIRED_H

/* Each returns the new name, or NULL if the name is not retired. */
const char *retired_key(const char *section, const char *key);
const char *retired_section(const char *section);
const char *retired_handler(const char *handler);

#endif
