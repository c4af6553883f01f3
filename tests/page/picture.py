# SPDX-License-Identifier: GPL-3.0-or-later
"""
Reads the PNG files that Chromium writes: 8 bits, RGB or RGBA, not interlaced.
"""
import collections
import itertools
import struct
import zlib


def rows_of(png):
    """Yields each row of pixels as bytes, with the number of bytes of a pixel."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data = 8, b""
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at:at + 8])
        if kind == b"IHDR":
            head = png[at + 8:at + 8 + size]
            width, height, bits, colour, _, _, interlaced = struct.unpack(">IIBBBBB", head)
        elif kind == b"IDAT":
            data += png[at + 8:at + 8 + size]
        at += 12 + size
    assert bits == 8 and colour in (2, 6) and not interlaced
    step, data = 3 if colour == 2 else 4, zlib.decompress(data)
    before = bytearray(width * step)
    for y in range(height):
        start = y * (width * step + 1)
        before = unfilter(data[start], bytearray(data[start + 1:start + 1 + width * step]), before, step)
        yield before, step


def unfilter(kind, row, up, step):
    if kind == 2:
        return bytearray((a + b) & 255 for a, b in zip(row, up))
    for i in range(len(row) if kind else 0):
        left = row[i - step] if i >= step else 0
        corner = up[i - step] if i >= step else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + up[i]) // 2) & 255
        else:
            guess = left + up[i] - corner
            nearest = min((abs(guess - left), 0, left), (abs(guess - up[i]), 1, up[i]),
                          (abs(guess - corner), 2, corner))
            row[i] = (row[i] + nearest[2]) & 255
    return row


def colours(png, rows):
    """How many pixels there are of each colour in the first rows, as (red, green, blue)."""
    count = collections.Counter()
    for row, step in itertools.islice(rows_of(png), rows):
        count.update(zip(row[0::step], row[1::step], row[2::step]))
    return count
