#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# words_are_translated.sh LUPDATE SOURCE-FOLDER: fails where a translation does not know a word of the sources.
set -euo pipefail
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
if grep -rnE 'auto tr =|QString tr\(' "$2/app/studio" "$2/views" --include='*.cpp' | grep -v 'views/models/text.cpp'; then
    echo "words that these say are looked up elsewhere than where the tools find them: use tr of views/models/text.h, or of a class" >&2
    exit 1
fi
for file in "$2"/resources/translations/*.ts; do
    cp "$file" "$copy"
    ts=$copy/${file##*/}
    (cd "$2" && "$1" -silent -no-obsolete -disable-heuristic sametext -disable-heuristic similartext -locations none -I . app/studio views -extensions cpp,h -ts "$ts" 2>&1) |
        grep -v 'Q_OBJECT\|Cannot invoke tr' || true
    if grep -B2 'type="unfinished"' "$ts" | grep '<source>'; then
        echo "${file##*/} lacks these words: ./dev translate adds them to it, to be translated" >&2
        exit 1
    fi
    echo "${file##*/} has all $(grep -c '<source>' "$ts") words"
done
