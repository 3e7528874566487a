/* test_address.c - addresses and networks as text, and the client of one proxy or several.
 *
 * SPDX-License-Identifier: MIT
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "tests/unit/suites.h"

static struct address parsed(const char *text) {
    struct address address;
    ck_assert_msg(address_parse(text, &address), "%s", text);
    return address;
}

static void expect_text(const struct address *address, const char *expected) {
    char text[ADDRESS_TEXT_SIZE];
    address_print(address, text);
    ck_assert_str_eq(text, expected);
}

/* --- Addresses --------------------------------------------------------------------------------------------- */

static const struct {
    const char *text, *printed, *one_client;
} addresses[] = {
    {"192.0.2.7", "192.0.2.7", "192.0.2.7"},
    {"0.0.0.0", "0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255", "255.255.255.255"},
    {"::ffff:192.0.2.7", "192.0.2.7", "192.0.2.7"},
    {"::FFFF:c000:207", "192.0.2.7", "192.0.2.7"},
    {"0000:0000:0000:0000:0000:ffff:192.000.002.007", NULL, NULL},
    {"0000:0000:0000:0000:0000:ffff:255.255.255.255", "255.255.255.255", "255.255.255.255"},
    {"2001:db8::1", "2001:db8::1", "2001:db8::"},
    {"2001:DB8:0:0:1:2:3:4", "2001:db8::1:2:3:4", "2001:db8::"},
    {"2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::"},
    {"::1", "::1", "::"},
    {"::", "::", "::"},
    {"", NULL, NULL},
    {" 192.0.2.7", NULL, NULL},
    {"192.0.2.7 ", NULL, NULL},
    {"192.0.2", NULL, NULL},
    {"192.0.2.256", NULL, NULL},
    {"192.0.2.07", NULL, NULL},
    {"0xc0.0.2.7", NULL, NULL},
    {"3221225991", NULL, NULL},
    {"192.0.2.7:80", NULL, NULL},
    {"192.0.2.7/32", NULL, NULL},
    {"[::1]", NULL, NULL},
    {"[::1]:80", NULL, NULL},
    {"fe80::1%lo", NULL, NULL},
    {":::1", NULL, NULL},
    {"1::2::3", NULL, NULL},
    {"2001:db8:1:2:3:4:5:6:7", NULL, NULL},
    {"localhost", NULL, NULL},
    {"unknown", NULL, NULL},
};

START_TEST(address_parse_normalizes_or_rejects_text) {
    struct address address, untouched;
    memset(&address, 0x55, sizeof address);
    untouched = address;
    bool good = address_parse(addresses[_i].text, &address);
    ck_assert_msg(good == (addresses[_i].printed != NULL), "%s", addresses[_i].text);
    if (!good) {
        ck_assert(address_equal(&address, &untouched));
        return;
    }
    expect_text(&address, addresses[_i].printed);
    struct address again = parsed(addresses[_i].printed), one = address_of_one_client(&address);
    ck_assert(address_equal(&address, &again));
    expect_text(&one, addresses[_i].one_client);
}
END_TEST

/* --- Networks ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *network, *inside, *outside; /* both NULL: it is no network */
} networks[] = {
    {"192.0.2.7", "192.0.2.7", "192.0.2.6"},
    {"192.0.2.7/32", "192.0.2.7", "192.0.2.8"},
    {"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
    {"10.0.0.0/8", "::ffff:10.1.2.3", "::10.1.2.3"},
    {"10.128.0.0/9", "10.128.0.0", "10.127.255.255"},
    {"172.16.0.0/12", "172.31.255.255", "172.32.0.0"},
    {"192.0.2.6/31", "192.0.2.7", "192.0.2.8"},
    {"0.0.0.0/0", "203.0.113.1", "2001:db8::1"},
    {"128.0.0.0/1", "255.0.0.0", "127.255.255.255"},
    {"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"},
    {"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
    {"2001:db8::1", "2001:db8::1", "2001:db8::2"},
    {"2001:db8::1/128", "2001:db8::1", "2001:db8::"},
    {"2001:db8::/127", "2001:db8::1", "2001:db8::2"},
    {"::/1", "7fff::", "8000::"},
    {"", NULL, NULL},
    {"none", NULL, NULL},
    {"/8", NULL, NULL},
    {"10.0.0.0/", NULL, NULL},
    {"10.0.0.0/33", NULL, NULL},
    {"10.0.0.0/08", NULL, NULL},
    {"10.0.0.0/ 8", NULL, NULL},
    {"10.0.0.0/+8", NULL, NULL},
    {"10.0.0.0/-8", NULL, NULL},
    {"10.0.0.0/8 ", NULL, NULL},
    {"10.0.0.0/8/8", NULL, NULL},
    {"10.0.0.0/4294967304", NULL, NULL},
    {"10.0.0.0/255.0.0.0", NULL, NULL},
    {"10.0.0.1/8", NULL, NULL},
    {"10.0.0.0/6", NULL, NULL},
    {"10/8", NULL, NULL},
    {"2001:db8::/129", NULL, NULL},
    {"2001:db8::1/127", NULL, NULL},
    {"2001:db8::/28", NULL, NULL},
    {"[2001:db8::]/32", NULL, NULL},
    {"0000:0000:0000:0000:0000:0000:0000:0000:0000/32", NULL, NULL},
};

START_TEST(network_contains_its_addresses_and_no_others) {
    struct network network, untouched;
    memset(&network, 0x55, sizeof network);
    untouched = network;
    bool good = network_parse(networks[_i].network, &network);
    ck_assert_msg(good == (networks[_i].inside != NULL), "%s", networks[_i].network);
    if (!good) {
        ck_assert(address_equal(&network.address, &untouched.address));
        ck_assert_uint_eq(network.bits, untouched.bits);
        return;
    }
    struct address inside = parsed(networks[_i].inside), outside = parsed(networks[_i].outside);
    ck_assert_msg(network_has(&network, &inside), "%s", networks[_i].inside);
    ck_assert_msg(!network_has(&network, &outside), "%s", networks[_i].outside);
    ck_assert(network_has(&network, &network.address));
}
END_TEST

START_TEST(address_is_matched_against_every_network_in_a_list) {
    char none[] = "none", first[] = "10.0.0.0/8", second[] = "2001:db8::/32";
    char *const nobody[] = {none, NULL}, *const empty[] = {NULL}, *const both[] = {first, second, NULL};
    struct address ten = parsed("10.1.2.3"), documentation = parsed("2001:db8::1"), other = parsed("192.0.2.1");
    ck_assert(!address_is_in(&ten, nobody));
    ck_assert(!address_is_in(&ten, empty));
    ck_assert(address_is_in(&ten, both));
    ck_assert(address_is_in(&documentation, both));
    ck_assert(!address_is_in(&other, both));
}
END_TEST

/* --- Proxies ----------------------------------------------------------------------------------------------- */

/* 10.0.0.0/8 and 2001:db8:f::/48 are trusted. */
static const struct {
    const char *peer, *forwarded, *client;
} proxies[] = {
    /* no proxy, or no trusted one */
    {"192.0.2.1", NULL, "192.0.2.1"},
    {"192.0.2.1", "203.0.113.9", "192.0.2.1"},
    {"192.0.2.1", "203.0.113.9, 10.0.0.1", "192.0.2.1"},
    {"10.0.0.1", NULL, "10.0.0.1"},
    /* one proxy */
    {"10.0.0.1", "203.0.113.9", "203.0.113.9"},
    {"10.0.0.1", " \t203.0.113.9\t ", "203.0.113.9"},
    {"10.0.0.1", "2001:db8::9", "2001:db8::9"},
    {"10.0.0.1", "::ffff:203.0.113.9", "203.0.113.9"},
    {"::ffff:10.0.0.1", "203.0.113.9", "203.0.113.9"},
    {"2001:db8:f::1", "203.0.113.9", "203.0.113.9"},
    /* earlier entries may be forged */
    {"10.0.0.1", "198.51.100.1, 203.0.113.9", "203.0.113.9"},
    {"10.0.0.1", "198.51.100.1,203.0.113.9", "203.0.113.9"},
    {"10.0.0.1", "10.0.0.5, 203.0.113.9", "203.0.113.9"},
    {"10.0.0.1", "<script>, ,,\"x\", 203.0.113.9", "203.0.113.9"},
    /* several proxies */
    {"10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"},
    {"10.0.0.1", "198.51.100.1, 203.0.113.9, 2001:db8:f::2, 10.0.0.2", "203.0.113.9"},
    {"10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"},
    /* all trusted: the first of them */
    {"10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"},
    {"10.0.0.1", "10.0.0.1", "10.0.0.1"},
    /* not an address: the entry after it counts */
    {"10.0.0.1", "", "10.0.0.1"},
    {"10.0.0.1", " ", "10.0.0.1"},
    {"10.0.0.1", ",", "10.0.0.1"},
    {"10.0.0.1", "unknown", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9, unknown", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9, unknown, 10.0.0.2", "10.0.0.2"},
    {"10.0.0.1", "203.0.113.9, , 10.0.0.2", "10.0.0.2"},
    {"10.0.0.1", "203.0.113.9,", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9 10.0.0.2", "10.0.0.1"},
    /* with a port */
    {"10.0.0.1", "203.0.113.9:80", "203.0.113.9"},
    {"10.0.0.1", "203.0.113.9:65535, 10.0.0.2:1", "203.0.113.9"},
    {"10.0.0.1", "[2001:db8::9]:443", "2001:db8::9"},
    {"10.0.0.1", "[2001:db8::9]", "2001:db8::9"},
    {"10.0.0.1", "203.0.113.9:", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9:x", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9:123456", "10.0.0.1"},
    {"10.0.0.1", "[2001:db8::9]x", "10.0.0.1"},
    {"10.0.0.1", "[2001:db8::9", "10.0.0.1"},
    {"10.0.0.1", "[203.0.113.9]:80", "10.0.0.1"},
    {"10.0.0.1", "[]", "10.0.0.1"},
    {"10.0.0.1", ":80", "10.0.0.1"},
    {"10.0.0.1", "203.0.113.9, 0000000000000000000000000000000000000000000000000000000000000", "10.0.0.1"},
};

START_TEST(client_address_is_the_last_hop_that_is_not_trusted) {
    char ten[] = "10.0.0.0/8", documentation[] = "2001:db8:f::/48", none[] = "none";
    char *const trusted[] = {ten, documentation, NULL}, *const nobody[] = {none, NULL};
    struct address peer = parsed(proxies[_i].peer), expected = parsed(proxies[_i].client);
    struct address client = address_of_client(&peer, proxies[_i].forwarded, trusted);
    char text[ADDRESS_TEXT_SIZE];
    address_print(&client, text);
    ck_assert_msg(address_equal(&client, &expected), "%s: %s", proxies[_i].forwarded, text);
    client = address_of_client(&peer, proxies[_i].forwarded, nobody);
    ck_assert(address_equal(&client, &peer));
}
END_TEST

Suite *address_suite(void) {
    Suite *suite = suite_create("address");
    TCase *tcase = tcase_create("address");
    tcase_add_loop_test(tcase, address_parse_normalizes_or_rejects_text, 0, COUNT(addresses));
    tcase_add_loop_test(tcase, network_contains_its_addresses_and_no_others, 0, COUNT(networks));
    tcase_add_test(tcase, address_is_matched_against_every_network_in_a_list);
    tcase_add_loop_test(tcase, client_address_is_the_last_hop_that_is_not_trusted, 0, COUNT(proxies));
    suite_add_tcase(suite, tcase);
    return suite;
}
