/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The checksum CRC-32C, with the examples of RFC 3720, appendix B.4.
 */
#include <config.h>
#include "crc32c.h"

#include "unit.h"

#define TIMES_8(byte)  byte byte byte byte byte byte byte byte
#define TIMES_32(byte) TIMES_8(byte) TIMES_8(byte) TIMES_8(byte) TIMES_8(byte)
#define BYTES(literal) literal, sizeof literal - 1

static const struct { const char *name, *bytes; size_t len; uint32_t crc; } rows[] = {
	{ "32 zeros",       BYTES(TIMES_32("\0")),   0x8a9136aa },
	{ "32 ones",        BYTES(TIMES_32("\xff")), 0x62a8ab43 },
	{ "32 that grow",   BYTES("\0\1\2\3\4\5\6\7\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
	                          "\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f"),
	                    0x46dd794e },
	{ "32 that shrink", BYTES("\x1f\x1e\x1d\x1c\x1b\x1a\x19\x18\x17\x16\x15\x14\x13\x12\x11\x10"
	                          "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08\7\6\5\4\3\2\1\0"), 0x113fdb5c },
	{ "an iSCSI read",  BYTES("\x01\xc0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x14\0\0\0\0\0\4\0\0\0\0\x14"
	                          "\0\0\0\x18\x28\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0"), 0xd9963a56 },
	{ "the usual one",  BYTES("123456789"), 0xe3069283 },
	{ "nothing",        BYTES(""), 0 },
};

START_TEST(a_checksum_is_that_of_the_rfc)
{
	ck_assert_msg(crc32c(0, rows[_i].bytes, rows[_i].len) == rows[_i].crc, "%s: %08x", rows[_i].name,
	              crc32c(0, rows[_i].bytes, rows[_i].len));
} END_TEST

START_TEST(it_is_the_same_in_pieces)
{
	for (size_t cut = 0; cut <= rows[_i].len; cut++)
		ck_assert_uint_eq(crc32c(crc32c(0, rows[_i].bytes, cut), rows[_i].bytes + cut, rows[_i].len - cut),
		                  rows[_i].crc);
} END_TEST

int main(void)
{
	Suite *s = suite_create("crc32c");
	TCase *tc = unit_case(s, "checksums", NULL, NULL);

	tcase_add_loop_test(tc, a_checksum_is_that_of_the_rfc, 0, ARRAY_SIZE(rows));
	tcase_add_loop_test(tc, it_is_the_same_in_pieces, 0, ARRAY_SIZE(rows));
	return unit_run(s);
}
