#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes unicode_table.inc from Python's Unicode database:  python3 profiler/questions/make_unicode_table.py"""
import pathlib
import sys
import unicodedata



def runs_of(change):
    """(first, last, step, distance) of characters that become one other."""
    runs = []
    for c in range(sys.maxunicode + 1):
        if len(change(chr(c))) != 1 or change(chr(c)) == chr(c):
            continue
        distance = ord(change(chr(c))) - c
        if runs and runs[-1][3] == distance:
            first, last, step, _ = runs[-1]
            if c - last in (1, 2) and (first == last or c - last == step):
                runs[-1] = (first, c, c - last, distance)
                continue
        runs.append((c, c, 1, distance))
    return runs


longer = [(c, *map(ord, chr(c).upper())) for c in range(sys.maxunicode + 1) if len(chr(c).upper()) > 1]
zeros = [c for c in range(sys.maxunicode + 1) if unicodedata.decimal(chr(c), None) == 0]
for zero in zeros:
    assert [unicodedata.decimal(chr(zero + i), None) for i in range(10)] == list(range(10))
assert len(zeros) * 10 == sum(chr(c).isdecimal() for c in range(sys.maxunicode + 1))


def rows(items):
    line = ""
    for text in items:
        if len(line) + len(text) > 128:
            yield line
            line = ""
        line += text
    yield line


with open(pathlib.Path(__file__).with_name("unicode_table.inc"), "w") as out:
    out.write("// SPDX-License-Identifier: GPL-3.0-or-later\n")
    out.write(f"// Written by make_unicode_table.py from Unicode {unicodedata.unidata_version}.\n")
    for name, change in (("lowerRuns", str.lower), ("upperRuns", str.upper)):
        out.write(f"constexpr CaseRun {name}[] = {{ // first, last, step, distance to the other case\n")
        out.write("\n".join(rows(f"{{{a:#x},{b:#x},{s},{d}}}," for a, b, s, d in runs_of(change))) + "\n};\n")
    out.write("constexpr LongUpper longUppers[] = { // a letter, and the two or three that stand for it in capitals\n")
    out.write("\n".join(rows(f"{{{c:#x},{{{','.join(f'{u:#x}' for u in (*upper, 0)[:3])}}}}}," for c, *upper in longer)) + "\n};\n")
    out.write("constexpr char32_t decimalZeros[] = { // each with the nine digits behind it\n")
    out.write("\n".join(rows(f"{c:#x}," for c in zeros)) + "\n};\n")
