/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Computes CRC-32C four bits at a time, with a table of 16 entries.
 */
#include <config.h>
#include "crc32c.h"

/* What four bits become that are shifted out: the polynomial is 0x82f63b78, lowest bit first. */
static const uint32_t table[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t crc32c(uint32_t before, const void *bytes, size_t len)
{
	const uint8_t *byte = bytes;
	uint32_t crc = ~before;

	for (; len > 0; len--) {
		crc ^= *byte++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}
