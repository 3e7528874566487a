/* address.c - see address.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/address.h"

#include <arpa/inet.h>
#include <string.h>

enum { ADDRESS_BITS = 128, IPV4_BITS = 32, CUSTOMER_BITS = 64, DIGITS_MAX = 3 };

/* The bytes before an IPv4 address. */
static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

/* --- Addresses --------------------------------------------------------------------------------------------- */

bool address_parse(const char *text, struct address *address) {
    struct address parsed;
    memcpy(parsed.bytes, mapped, sizeof mapped);
    if (inet_pton(AF_INET, text, parsed.bytes + sizeof mapped) != 1 && inet_pton(AF_INET6, text, parsed.bytes) != 1)
        return false;
    *address = parsed;
    return true;
}

static bool is_ipv4(const struct address *address) {
    return memcmp(address->bytes, mapped, sizeof mapped) == 0;
}

void address_print(const struct address *address, char text[ADDRESS_TEXT_SIZE]) {
    if (is_ipv4(address))
        inet_ntop(AF_INET, address->bytes + sizeof mapped, text, ADDRESS_TEXT_SIZE);
    else
        inet_ntop(AF_INET6, address->bytes, text, ADDRESS_TEXT_SIZE);
}

bool address_equal(const struct address *a, const struct address *b) {
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

/* --- Networks ---------------------------------------------------------------------------------------------- */

/* The address with all bits after the first `bits` set to zero. */
static struct address first_bits(const struct address *address, unsigned bits) {
    struct address first = {{0}};
    memcpy(first.bytes, address->bytes, bits / 8);
    if (bits % 8 != 0)
        first.bytes[bits / 8] = (uint8_t)(address->bytes[bits / 8] & 0xff << (8 - bits % 8));
    return first;
}

struct address address_of_one_client(const struct address *address) {
    return is_ipv4(address) ? *address : first_bits(address, CUSTOMER_BITS);
}

/* Parses digits only, without leading zeros: other programs have read "/08" as octal. */
static bool parse_bits(const char *text, unsigned most, unsigned *bits) {
    size_t size = strspn(text, "0123456789");
    if (size == 0 || size > DIGITS_MAX || text[size] != '\0' || (size > 1 && *text == '0'))
        return false;
    *bits = 0;
    for (; *text != '\0'; text++)
        *bits = *bits * 10 + (unsigned)(*text - '0');
    return *bits <= most;
}

/* Parses all of text[0 .. size) as an address. Leaves *address unchanged if it is not one. */
static bool parse_part(const char *text, size_t size, struct address *address) {
    char part[ADDRESS_TEXT_SIZE];
    if (size >= sizeof part)
        return false;
    memcpy(part, text, size);
    part[size] = '\0';
    return address_parse(part, address);
}

bool network_parse(const char *text, struct network *network) {
    struct network parsed;
    size_t size = strcspn(text, "/");
    if (!parse_part(text, size, &parsed.address))
        return false;
    unsigned most = memchr(text, ':', size) == NULL ? IPV4_BITS : ADDRESS_BITS, bits = most;
    if (text[size] == '/' && !parse_bits(text + size + 1, most, &bits))
        return false;
    parsed.bits = ADDRESS_BITS - most + bits;
    if (!network_has(&parsed, &parsed.address)) /* bits after the prefix */
        return false;
    *network = parsed;
    return true;
}

bool network_has(const struct network *network, const struct address *address) {
    struct address first = first_bits(address, network->bits);
    return address_equal(&first, &network->address);
}

bool address_is_in(const struct address *address, char *const *networks) {
    struct network network;
    for (; *networks != NULL; networks++)
        if (network_parse(*networks, &network) && network_has(&network, address)) /* "none" is not a network */
            return true;
    return false;
}

/* --- Proxies ----------------------------------------------------------------------------------------------- */

static bool is_blank(char character) {
    return character == ' ' || character == '\t';
}

/* Whether the text is empty, or ":" and one to five digits. */
static bool is_port(const char *text, size_t size) {
    return size == 0 || (*text == ':' && size >= 2 && size <= 6 && strspn(text + 1, "0123456789") >= size - 1);
}

/* Accepts "192.0.2.7" and "2001:db8::1", and with a port "192.0.2.7:80" and "[2001:db8::1]:80". */
static bool parse_item(const char *text, size_t size, struct address *address) {
    for (; size > 0 && is_blank(*text); size--)
        text++;
    while (size > 0 && is_blank(text[size - 1]))
        size--;
    const char *bracket = size > 0 && *text == '[' ? memchr(text, ']', size) : NULL;
    const char *colon = memchr(text, ':', size);
    size_t before = (size_t)((bracket != NULL ? bracket : colon != NULL ? colon : text) - text);
    if (bracket != NULL)
        return memchr(text, ':', before) != NULL && is_port(bracket + 1, size - before - 1) &&
               parse_part(text + 1, before - 1, address);
    if (colon != NULL && memchr(colon + 1, ':', size - before - 1) == NULL)
        return is_port(colon, size - before) && parse_part(text, before, address);
    return parse_part(text, size, address);
}

/* Goes from the last item to the first, as long as a trusted proxy has vouched for the next one. */
struct address address_of_client(const struct address *peer, const char *forwarded, char *const *trusted) {
    struct address client = *peer;
    const char *end = forwarded == NULL ? NULL : forwarded + strlen(forwarded);
    while (end != NULL && address_is_in(&client, trusted)) {
        const char *start = end;
        while (start > forwarded && start[-1] != ',')
            start--;
        if (!parse_item(start, (size_t)(end - start), &client))
            break;
        end = start == forwarded ? NULL : start - 1;
    }
    return client;
}
