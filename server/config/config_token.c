/* config_token.c - reads the admin API's token, from the configuration or from a file of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include <stdlib.h>
#include <string.h>

#include "server/config/config_private.h"
#include "server/config/config_secret.h"
#include "server/config/options.h"
#include "server/config/value.h"

static const struct secret_form token_form = {256, "one line of 16 to 256 characters", value_secret};

static struct config_location location_of(const struct config *config, const char *name) {
    return config->locations[option_find("admin", name) - options];
}

int config_read_token(struct config *config, char *error, size_t error_size) {
    struct config_admin *admin = &config->admin;
    char why[128] = "";
    char *secret = NULL;
    if (admin->token != NULL && admin->token_file != NULL) {
        const char *other = location_of(config, "token").source;
        return config_fail_at(location_of(config, "token_file"), "token_file", error, error_size,
                              "the token is also set, by %s; set only one of the two, and the other to none",
                              other);
    }
    if (admin->token_file != NULL) {
        char quoted[VALUE_QUOTED_SIZE];
        secret = secret_read(admin->token_file, &token_form, why, sizeof why);
        if (secret == NULL)
            return config_fail_at(location_of(config, "token_file"), "token_file", error, error_size, "%s %s",
                                  value_quote(admin->token_file, quoted), why);
    } else if (admin->token != NULL && (secret = strdup(admin->token)) == NULL) {
        return config_fail_at(location_of(config, "token"), "token", error, error_size, "out of memory");
    }
    free(admin->secret);
    admin->secret = secret;
    return 0;
}
