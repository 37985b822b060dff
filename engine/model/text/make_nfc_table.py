#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes nfc_table.inc from Python's Unicode database:  python3 engine/model/text/make_nfc_table.py"""
import pathlib
import sys
import unicodedata

points = [c for c in range(sys.maxunicode + 1) if not 0xD800 <= c < 0xE000 and not 0xAC00 <= c < 0xD7A4]  # Hangul is computed
classes = [(c, unicodedata.combining(chr(c))) for c in points if unicodedata.combining(chr(c))]
pairs = []
for c in points:
    decomposition = unicodedata.decomposition(chr(c))
    if decomposition and not decomposition.startswith("<"):
        parts = [int(p, 16) for p in decomposition.split()]
        # A composition that NFC excludes is one that it takes apart.
        composes = len(parts) == 2 and unicodedata.normalize("NFC", chr(c)) == chr(c)
        pairs.append((c, parts[0], parts[1] if len(parts) == 2 else 0, int(composes)))


def rows(items):
    line = ""
    for item in items:
        text = "{" + ",".join(f"{v:#x}" if v > 9 else str(v) for v in item) + "},"
        if len(line) + len(text) > 128:
            yield line
            line = ""
        line += text
    yield line


with open(pathlib.Path(__file__).with_name("nfc_table.inc"), "w") as out:
    out.write("// SPDX-License-Identifier: GPL-3.0-or-later\n")
    out.write(f"// Written by make_nfc_table.py from Unicode {unicodedata.unidata_version}.\n")
    out.write("constexpr CombiningClass combiningClasses[] = { // code point, class\n" + "\n".join(rows(classes)) + "\n};\n")
    out.write("constexpr Decomposition decompositions[] = { // code point, first, second or 0, whether the pair composes\n")
    out.write("\n".join(rows(pairs)) + "\n};\n")
