/* json_reference.c - see json_reference.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "tests/unit/json_reference.h"

#include <jansson.h>
#include <string.h>

bool reference_takes(const char *text, size_t size) {
    json_t *root = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    json_decref(root);
    return root != NULL;
}

char *reference_text(const char *string) {
    json_t *root = json_loads(string, JSON_DECODE_ANY, NULL);
    char *text = root == NULL ? NULL : strdup(json_string_value(root));
    json_decref(root);
    return text;
}
