/* report_style.h - the page's style sheet.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WEIR_BENCH_REPORT_REPORT_STYLE_H
#define WEIR_BENCH_REPORT_REPORT_STYLE_H

extern const char report_style[];

#endif
