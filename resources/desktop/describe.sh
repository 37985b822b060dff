#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
# describe.sh FOLDER NAME PROGRAM ARGUMENT: what PROGRAM ARGUMENT writes in each form, into FOLDER.
set -e
"$3" "$4" man >"$1/$2.1"
gzip -9nf "$1/$2.1"
"$3" "$4" bash >"$1/$2"
"$3" "$4" zsh >"$1/_$2"
"$3" "$4" fish >"$1/$2.fish"
