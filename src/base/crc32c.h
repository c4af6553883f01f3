/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The checksum CRC-32C (Castagnoli): RFC 3720, section 12.1 and its examples in appendix B.4; RFC
 * 4960, appendix B. For short inputs: it is made to be small, not fast.
 */
#ifndef DROVER_BASE_CRC32C_H
#define DROVER_BASE_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of the bytes that came before, whose checksum is `before` (0 if there are none), and
 * of these.
 */
uint32_t crc32c(uint32_t before, const void *bytes, size_t len);

#endif
