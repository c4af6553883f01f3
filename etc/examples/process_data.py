#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
#
# A server like that of the text-books: it receives bytes, processes them, and sends the result.
# Replace process_data(); droverd(8) does the rest, with this configuration (drover.conf(5)):
#
#     services = {
#       process_data = {
#         listen  = "*:7105";
#         handler = { type = "filter"; framing = "raw"; filter_framing = "length32";
#                     argv = [ "/usr/local/lib/process_data.py" ]; };
#       };
#     };
import sys


def process_data(data: bytes) -> bytes:
    """Gets what one read from a client brought; returns what is sent to that client."""
    return data.upper()


def main():
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr     # print() writes to the log: it must not get between two answers
    # Four bytes of length, the most significant first, come before each request and each answer.
    while len(header := requests.read(4)) == 4:
        length = int.from_bytes(header, "big")
        data = requests.read(length)
        if len(data) < length:
            break               # droverd was killed while it wrote this
        answer = process_data(data)
        answers.write(len(answer).to_bytes(4, "big") + answer)
        answers.flush()         # the client waits for it
    # The input ends when droverd does not need this process any more. If process_data() raises an
    # exception, the traceback goes to the log, this process ends, and droverd starts another one.


if __name__ == "__main__":
    main()
