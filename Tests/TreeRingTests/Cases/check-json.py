"""Reads lines with Python's own JSON parser and compares each with what was logged.

usage: check-json.py LINES EXPECTED

EXPECTED has a line for each line of LINES: tokens separated by blanks, a container before what it holds.

    s<hex>    a string, its UTF-8           n        null
    i<digits> a whole number                b0 b1    false, true
    d<hex>    a double, its 8 bytes         a<n>     an array, then n values
    t<digits> a duration in nanoseconds,    o<n>     an object, then n times a name (s) and a value, in this order
              which is there in seconds     T<digits> a time in nanoseconds since 1970, which is there as RFC 3339

Prints `agreed N`, or what is wrong with the first line that does not agree, and exits with 1.
"""

import json
import struct
import sys
import time
from decimal import Decimal


class Number(str):
    """A number as it is spelled."""


class Object(list):
    """Names and values, in order."""


def pairs(found):
    names = [name for name, _ in found]
    if len(set(names)) != len(names):
        raise ValueError(f"a name is there twice: {names}")
    return Object(found)


def refuse(constant):
    raise ValueError(f"{constant} is not JSON")


def rfc3339(nanoseconds):
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:09}Z"


def check(tokens, value):
    token = next(tokens)
    kind, text = token[0], token[1:]
    if kind == "o":
        same = type(value) is Object and len(value) == int(text)
        for name, member in value if same else []:
            check(tokens, name)
            check(tokens, member)
    elif kind == "a":
        same = type(value) is list and len(value) == int(text)
        for element in value if same else []:
            check(tokens, element)
    elif kind == "s":
        # A lone half of a surrogate pair has no UTF-8: that is an error here.
        same = type(value) is str and value.encode("utf-8").hex() == text
    elif kind == "i":
        same = type(value) is Number and value == text
    elif kind == "d":
        same = type(value) is Number and struct.pack(">d", float(value)).hex() == text
    elif kind == "t":
        same = type(value) is Number and Decimal(value) * 1_000_000_000 == int(text)
    elif kind == "T":
        same = value == rfc3339(int(text))
    elif kind == "b":
        same = value is (text == "1")
    else:
        same = token == "n" and value is None
    if not same:
        raise ValueError(f"{token[:80]} expected, found {value!r:.200}")


def main():
    with open(sys.argv[1], "rb") as file:
        lines = file.read().split(b"\n")
    with open(sys.argv[2]) as file:
        expected = file.read().split("\n")
    if lines.pop() != b"" or expected.pop() != "" or len(lines) != len(expected):
        sys.exit(f"{len(lines)} lines for {len(expected)} records, or no line feed at the end")
    for number, (line, tokens) in enumerate(zip(lines, expected)):
        try:
            value = json.loads(
                line.decode("utf-8"), object_pairs_hook=pairs, parse_float=Number, parse_int=Number,
                parse_constant=refuse)
            tokens = iter(tokens.split(" "))
            check(tokens, value)
            if next(tokens, None) is not None:
                raise ValueError("something is missing")
        except ValueError as error:
            sys.exit(f"record {number}: {error}\n{line!r:.2000}")
    print(f"agreed {len(lines)}")


main()
