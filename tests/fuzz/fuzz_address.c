/* fuzz_address.c - addresses and networks printed and read again, and the client of a forwarded header against a
 * plainer search.
 *
 * The input: a line with an address or a network, one with the peer's address, one with X-Forwarded-For ("-": there
 * is none), then a line for each trusted proxy, at most 16.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/address.h"
#include "tests/fuzz/fuzz.h"

enum { TRUSTED_MAX = 16, ITEMS_MAX = 64, INPUT_MAX = 4096, BITS = 128, SLASH_AND_BITS = 4 };

/* --- Addresses and networks -------------------------------------------------------------------------------- */

static void check_address(const struct address *address) {
    struct address again, one = address_of_one_client(address), same = address_of_one_client(&one);
    char *text = fuzz_allocate(ADDRESS_TEXT_SIZE);
    memset(text, 'x', ADDRESS_TEXT_SIZE);
    address_print(address, text);
    FUZZ_REQUIRE(memchr(text, '\0', ADDRESS_TEXT_SIZE) != NULL);
    FUZZ_REQUIRE(address_parse(text, &again) && address_equal(address, &again));
    FUZZ_REQUIRE(address_equal(&one, &same));
    FUZZ_REQUIRE(memcmp(one.bytes, address->bytes, 8) == 0);
    struct network alone;
    FUZZ_REQUIRE(network_parse(text, &alone) && alone.bits == BITS && address_equal(&alone.address, address));
    free(text);
}

static struct address flipped(const struct address *address, unsigned bit) {
    struct address other = *address;
    other.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
    return other;
}

/* Each bit of the prefix counts, and no other. */
static void check_network(const struct network *network) {
    FUZZ_REQUIRE(network->bits <= BITS);
    FUZZ_REQUIRE(network_has(network, &network->address));
    for (unsigned bit = 0; bit < BITS; bit++) {
        struct address other = flipped(&network->address, bit);
        FUZZ_REQUIRE(network_has(network, &other) == (bit >= network->bits));
    }
    char text[ADDRESS_TEXT_SIZE + SLASH_AND_BITS];
    address_print(&network->address, text);
    unsigned before = strchr(text, ':') == NULL ? BITS - 32 : 0;
    if (network->bits < before) /* ::/80 has ::ffff:0.0.0.0 too, but that is not how it is written */
        return;
    struct network again;
    snprintf(text + strlen(text), SLASH_AND_BITS + 1, "/%u", network->bits - before);
    FUZZ_REQUIRE(network_parse(text, &again) && again.bits == network->bits);
    FUZZ_REQUIRE(address_equal(&again.address, &network->address));
}

static void check_text(const char *text) {
    struct address address;
    struct network network;
    bool is_address = address_parse(text, &address), is_network = network_parse(text, &network);
    FUZZ_REQUIRE(is_network || !is_address);
    FUZZ_REQUIRE(is_address || !is_network || strchr(text, '/') != NULL);
    if (is_address)
        check_address(&address);
    if (is_network)
        check_network(&network);
}

/* --- The client -------------------------------------------------------------------------------------------- */

/* Takes off ":80" behind an IPv4 address, and "[" and "]:80" around an IPv6 address. False if what is there is
 * neither. */
static bool take_off_port(char **item) {
    bool brackets = **item == '[';
    char *port = brackets ? strchr(*item, ']') : strchr(*item, ':');
    if (brackets && port != NULL && memchr(*item, ':', (size_t)(port - *item)) != NULL) {
        *item += 1;
        *port++ = '\0';
    } else if (brackets || port == NULL || strchr(port + 1, ':') != NULL) {
        return true; /* as it stands */
    }
    if (*port == '\0')
        return brackets;
    size_t digits = strspn(port + 1, "0123456789");
    bool right = *port == ':' && digits >= 1 && digits <= 5 && port[1 + digits] == '\0';
    *port = '\0';
    return right;
}

/* Cuts at the commas, then looks from the end. False if there are too many items. */
static bool search(const struct address *peer, const char *forwarded, char *const *trusted,
                   struct address *client) {
    char *text = fuzz_text(forwarded, strlen(forwarded)), *rest = text, *items[ITEMS_MAX];
    size_t count = 0;
    while (rest != NULL && count < ITEMS_MAX)
        items[count++] = strsep(&rest, ",");
    *client = *peer;
    for (size_t i = count; i > 0 && address_is_in(client, trusted); i--) {
        char *item = items[i - 1] + strspn(items[i - 1], " \t");
        for (size_t size = strlen(item); size > 0 && strchr(" \t", item[size - 1]) != NULL; size--)
            item[size - 1] = '\0';
        if (!take_off_port(&item) || !address_parse(item, client))
            break;
    }
    free(text);
    return rest == NULL;
}

static void require_client(const struct address *peer, const char *before, const char *forwarded, const char *after,
                           char *const *trusted, const struct address *expected) {
    size_t size = strlen(before) + strlen(forwarded) + strlen(after) + 1;
    char *joined = fuzz_allocate(size);
    snprintf(joined, size, "%s%s%s", before, forwarded, after);
    struct address client = address_of_client(peer, joined, trusted);
    FUZZ_REQUIRE(address_equal(&client, expected));
    free(joined);
}

static void check_forwarded(const struct address *peer, const char *forwarded, char *const *trusted) {
    struct address client = address_of_client(peer, forwarded, trusted), expected;
    if (search(peer, forwarded, trusted, &expected))
        FUZZ_REQUIRE(address_equal(&client, &expected));
    if (!address_is_in(peer, trusted)) {
        FUZZ_REQUIRE(address_equal(&client, peer));
        return;
    }
    if (!address_is_in(&client, trusted)) { /* nothing that stands before it changes it */
        require_client(peer, "203.0.113.1, ", forwarded, "", trusted, &client);
        require_client(peer, "nonsense,", forwarded, "", trusted, &client);
    }
    require_client(peer, "", forwarded, ", nonsense", trusted, peer);
    require_client(peer, "", forwarded, ",", trusted, peer);
    char text[ADDRESS_TEXT_SIZE + 2] = ", ";
    address_print(peer, text + 2);
    require_client(peer, "", forwarded, text, trusted, &client); /* one more of our proxies in between */
}

static void check_client(const struct address *peer, const char *forwarded, char *const *trusted) {
    struct address client = address_of_client(peer, NULL, trusted);
    char *const nobody[] = {NULL};
    FUZZ_REQUIRE(address_equal(&client, peer));
    if (forwarded == NULL)
        return;
    client = address_of_client(peer, forwarded, nobody);
    FUZZ_REQUIRE(address_equal(&client, peer));
    check_forwarded(peer, forwarded, trusted);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size) {
    if (size > INPUT_MAX)
        return 0;
    char *text = fuzz_text(input, size), *rest = text, *trusted[TRUSTED_MAX + 1], *line;
    const char *subject = fuzz_next_line(&rest), *peer_text = fuzz_next_line(&rest);
    const char *forwarded = fuzz_next_line(&rest);
    struct address peer;
    size_t count = 0;
    while (count < TRUSTED_MAX && (line = fuzz_next_line(&rest)) != NULL)
        trusted[count++] = line;
    trusted[count] = NULL;
    check_text(subject);
    if (peer_text != NULL && address_parse(peer_text, &peer))
        check_client(&peer, forwarded == NULL || strcmp(forwarded, "-") == 0 ? NULL : forwarded, trusted);
    free(text);
    return 0;
}
