#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# check.sh CASE PREFIX BUILD SOURCE: one check of the installation in PREFIX, or of a package that BUILD makes, mostly by the tools that
# desktops and Debian check with themselves. Exits with 77, and says so, where such a tool is not there.
set -euo pipefail
case=$1 prefix=$2 build=$3 source=$4
share=$prefix/share
programs=(zigzag)
[[ ! -e $prefix/bin/zigzag-studio ]] || programs+=(zigzag-studio)
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT

fail() { echo "$*" >&2; exit 1; }

# needs PROGRAM PACKAGE
needs() { command -v "$1" >/dev/null || { echo "SKIPPED: there is no $1: install $2, as ./dev test does"; exit 77; }; }

# Everything that a desktop, a shell and `man` look for, where they look.
files() {
    local wanted=() program size file
    for program in "${programs[@]}"; do
        wanted+=("bin/$program" "share/man/man1/$program.1.gz" "share/bash-completion/completions/$program"
            "share/zsh/vendor-completions/_$program" "share/fish/vendor_completions.d/$program.fish")
    done
    wanted+=(share/zigzag-studio/resources/models/zigzag-tiny/config.json share/zigzag-studio/resources/checked/engines.json)
    if ((${#programs[@]} == 2)); then
        wanted+=(share/applications/zigzag-studio.desktop share/metainfo/invalid.zigzag.studio.metainfo.xml
            share/mime/packages/zigzag-studio.xml share/icons/hicolor/scalable/apps/zigzag-studio.svg
            share/doc/zigzag-studio/copyright)
        for size in 16 24 32 48 64 128 256; do
            file=share/icons/hicolor/${size}x$size/apps/zigzag-studio.png
            wanted+=("$file")
            # Width and height are in a PNG's header.
            [[ $(od -An -tu1 -j16 -N8 "$prefix/$file" | xargs) == "0 0 $((size / 256)) $((size % 256)) 0 0 $((size / 256)) $((size % 256))" ]] ||
                fail "$file is not $size × $size"
        done
    fi
    for file in "${wanted[@]}"; do
        [[ -s $prefix/$file ]] || fail "$file is not there, or empty"
    done
}

# Program and version, a commit, and a line for each backend.
version() {
    local program text commit
    for program in "${programs[@]}"; do
        text=$("$prefix/bin/$program" --version)
        grep -qE "^$program [0-9]+\.[0-9]+\.[0-9]+$" <<<"$text" || fail "no version: $text"
        grep -qE '^backend cpu: .+' <<<"$text" || fail "no backend: $text"
        grep -qE '^backend cuda: .+' <<<"$text" || fail "nothing of the GPU: $text"
        commit=$(sed -n 's/^commit //p' <<<"$text")
        if [[ $(git -c safe.directory='*' -C "$source" rev-parse --show-toplevel 2>/dev/null) == "$(realpath "$source")" ]]; then
            git -c safe.directory='*' -C "$source" cat-file -e "${commit%%,*}^{commit}" || fail "no commit of this history: $commit"
        else
            [[ -n $commit ]] || fail "nothing about the commit: $text"
        fi
    done
    # What is said to desktops is of this version, too.
    ((${#programs[@]} == 1)) || grep -q "<release version=\"${text:14:$(($(head -n 1 <<<"$text" | wc -c) - 15))}\"" \
        "$share/metainfo/invalid.zigzag.studio.metainfo.xml" || fail "metainfo.xml has no release of this version: $text"
}

entry() {
    needs desktop-file-validate desktop-file-utils
    desktop-file-validate "$share/applications/zigzag-studio.desktop" >"$scratch/out" || { cat "$scratch/out"; exit 1; }
    [[ ! -s $scratch/out ]] || fail "$(cat "$scratch/out")"
}

# Newer versions warn of what the project does not have, a homepage, and older ones do not know this word for it.
metainfo() {
    needs appstreamcli appstream
    local file=$share/metainfo/invalid.zigzag.studio.metainfo.xml
    appstreamcli validate --no-net "$file" || appstreamcli validate --no-net --override=url-homepage-missing=info "$file"
}

# type FILE: what the shared MIME database makes of it
type_of() { XDG_DATA_HOME=$scratch/share XDG_DATA_DIRS=$scratch/share gio info -a standard::content-type "$1" | sed -n 's/.*content-type: //p'; }

mime() {
    needs update-mime-database shared-mime-info
    needs gio libglib2.0-bin
    mkdir -p "$scratch/share/mime/packages"
    cp "$share/mime/packages/zigzag-studio.xml" /usr/share/mime/packages/freedesktop.org.xml "$scratch/share/mime/packages"
    update-mime-database "$scratch/share/mime" >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
    ! grep -i 'unknown\|error\|invalid' "$scratch/out" || exit 1
    local file wanted
    printf '{"format": "zigzag-session", "version": 1}\n' >"$scratch/session"
    printf '{"format": "zigzag-head-map", "version": 1,\n' >"$scratch/map"
    printf '{"format": "zigzag-head-scores", "version": 1,\n' >"$scratch/scores"
    printf 'GGUF\3\0\0\0' >"$scratch/model"
    echo 'by its name alone' | tee "$scratch/named.zigzag" >"$scratch/named.gguf"
    while read -r file wanted; do
        [[ $(type_of "$scratch/$file") == "application/$wanted" ]] || fail "$file is $(type_of "$scratch/$file") instead of application/$wanted"
    done <<'LIST'
named.zigzag x-zigzag-session
session x-zigzag-session
map x-zigzag-head-map+json
scores x-zigzag-head-scores+json
model x-gguf
named.gguf x-gguf
LIST
    # What the window says it opens is what has a type here.
    for wanted in $(sed -n 's/^MimeType=//p' "$share/applications/zigzag-studio.desktop" | tr ';' ' '); do
        grep -q "<mime-type type=\"$wanted\">" "$share/mime/packages/zigzag-studio.xml" || fail "$wanted is no type of ours"
    done
}

# A session that a desktop is told to open, by its type and nothing else, is in a window: in an X server of its own, whose windows have
# their names, and with the files of a person who has nothing but this installation.
opens() {
    needs update-mime-database shared-mime-info
    needs update-desktop-database desktop-file-utils
    needs gio libglib2.0-bin
    needs Xvfb xvfb
    needs xdotool xdotool
    local data=$scratch/share seconds=0
    mkdir -p "$data/mime/packages" "$data/applications" "$scratch/run" "$scratch/home"
    chmod 700 "$scratch/run"
    cp "$share/mime/packages/zigzag-studio.xml" /usr/share/mime/packages/freedesktop.org.xml "$data/mime/packages"
    cp "$share/applications/zigzag-studio.desktop" "$data/applications"
    update-mime-database "$data/mime" >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
    update-desktop-database "$data/applications"
    cp "$source/tests/fuzz/corpus/session/whole" "$scratch/of a person.zigzag"
    mkfifo "$scratch/display"
    Xvfb -displayfd 9 -screen 0 1280x800x24 -nolisten tcp -noreset 9>"$scratch/display" 2>"$scratch/server" &
    server=$!
    read -r DISPLAY <"$scratch/display" || fail "no X server: $(cat "$scratch/server")"
    export DISPLAY=:$DISPLAY
    # Whoever is launched ends with its screen.
    trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; sleep 1; rm -rf "$scratch"' EXIT
    env -u WAYLAND_DISPLAY -u QT_QPA_PLATFORM -u DBUS_SESSION_BUS_ADDRESS -u XDG_CURRENT_DESKTOP PATH="$prefix/bin:$PATH" HOME="$scratch/home" \
        XDG_DATA_HOME="$data" XDG_DATA_DIRS="$data" XDG_CONFIG_HOME="$scratch/home" XDG_CACHE_HOME="$scratch/home" XDG_RUNTIME_DIR="$scratch/run" \
        gio open "$scratch/of a person.zigzag" >"$scratch/out" 2>&1 || fail "nothing opens it: $(cat "$scratch/out")"
    # Its one map is of a model that nobody else has; a window that opened nothing shows the one that comes along.
    until xdotool search --name 'sample.*Zigzag Studio' >/dev/null 2>&1; do
        ((++seconds < 300)) || fail "no window shows it; there are: $(xdotool search --name . getwindowname %@ 2>/dev/null)"
        sleep 1
    done
}

# Every command and every option of each stands in the page, and neither reader of pages has a complaint.
manual() {
    needs man man-db
    needs mandoc mandoc
    local program page command
    for program in "${programs[@]}"; do
        page=$share/man/man1/$program.1.gz
        LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$scratch/out" >/dev/null
        [[ ! -s $scratch/out ]] || fail "$(cat "$scratch/out")"
        zcat "$page" >"$scratch/page.1"
        mandoc -T lint -W warning "$scratch/page.1" >"$scratch/out" || fail "$(cat "$scratch/out")"
    done
    mandoc -T utf8 <(zcat "$share/man/man1/zigzag.1.gz") | sed 's/.\x08//g' >"$scratch/text"
    for command in $(commands); do
        grep -q "zigzag $command" "$scratch/text" || fail "zigzag.1 has no $command"
    done
}

# The commands that `zigzag --help` lists.
commands() { "$prefix/bin/zigzag" --help | sed -n '/^S[Uu][Bb][Cc][Oo][Mm][Mm][Aa][Nn][Dd][Ss]:/,$s/^  \([a-z][a-z-]*\) .*/\1/p'; }

# What bash offers behind these words is what the help lists.
completion() {
    local command count=0
    source "$share/bash-completion/completions/zigzag"
    COMP_WORDS=(zigzag '') COMP_CWORD=1
    _zigzag
    for command in $(commands); do
        [[ " ${COMPREPLY[*]} " == *" $command "* ]] || fail "bash does not offer $command"
        grep -q "^    '$command:" "$share/zsh/vendor-completions/_zigzag" || fail "zsh does not offer $command"
        grep -q "__fish_use_subcommand -a $command " "$share/fish/vendor_completions.d/zigzag.fish" || fail "fish does not offer $command"
        ((++count))
    done
    ((count >= 15)) || fail "the help lists $count commands alone"
    ((count == ${#COMPREPLY[@]})) || fail "bash offers other commands than the help lists"
    COMP_WORDS=(zigzag score --method a) COMP_CWORD=3
    _zigzag
    [[ ${COMPREPLY[*]} == "attention ablation answer-loss" ]] || fail "of --method, bash offers ${COMPREPLY[*]}"
    COMP_WORDS=(zigzag score --as-) COMP_CWORD=2
    _zigzag
    [[ ${COMPREPLY[*]} == "--as-engine" ]] || fail "of --as-, bash offers ${COMPREPLY[*]}"
    COMP_WORDS=(zigzag score --out x) COMP_CWORD=3
    _zigzag
    ((${#COMPREPLY[@]} == 0)) || fail "instead of files, bash offers ${COMPREPLY[*]}"
}

# parses SHELL PATTERN: the scripts for it are none that it stumbles over.
parses() {
    needs "$1" "$1"
    local program
    for program in "${programs[@]}"; do
        # shellcheck disable=SC2059
        "$1" -n "$share/$(printf "$2" "$program")"
    done
}
zsh_parses() { parses zsh zsh/vendor-completions/_%s; }
fish_parses() { parses fish fish/vendor_completions.d/%s.fish; }

# Debian's package, as `cpack -G DEB` makes it, by the rules that Debian has for its own.
lintian_passes() {
    needs dpkg-shlibdeps dpkg-dev
    needs file file
    needs lintian lintian
    (cd "$build" && cpack -G DEB -B "$scratch/package") >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
    local root=()
    ((EUID != 0)) || root=(--allow-root)
    lintian "${root[@]}" --fail-on error,warning "$scratch"/package/*.deb
    dpkg-deb -c "$scratch"/package/*.deb >"$scratch/list"
    local file
    for file in usr/bin/zigzag-studio usr/share/man/man1/zigzag.1.gz usr/share/doc/zigzag-studio/changelog.Debian.gz; do
        grep -q " ./$file$" "$scratch/list" || fail "the package has no $file"
    done
    ! grep -E '/include/|libzigzag|\.cmake$' "$scratch/list" || fail "that is for developers, and not of this package"
}

# The archive for other distributions, unpacked: what its programs load of Qt and of all that is not every system's own comes from it.
archive() {
    needs patchelf patchelf
    [[ -e $(qmake6 -query QT_INSTALL_PLUGINS)/platforms/libqwayland-generic.so ]] || { echo "SKIPPED: there is no qt6-wayland"; exit 77; }
    [[ -e $(qmake6 -query QT_INSTALL_TRANSLATIONS)/qtbase_de.qm ]] || { echo "SKIPPED: there is no qt6-translations-l10n"; exit 77; }
    (cd "$build" && cpack -G TGZ -B "$scratch/package") >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
    mkdir "$scratch/there"
    tar -C "$scratch/there" --strip-components=1 -xf "$scratch"/package/*.tar.gz
    local root=$scratch/there
    "$root/bin/zigzag" info bundled:zigzag-tiny >/dev/null
    # Which files the window's process has mapped, and asked for, is what the loader and Qt say themselves.
    LD_DEBUG=files QT_DEBUG_PLUGINS=1 HOME=$scratch "$root/bin/zigzag-studio" --language de --page plots --screenshot "$scratch/window.png" \
        >"$scratch/out" 2>&1 || fail "$(tail -n 20 "$scratch/out")"
    [[ -s $scratch/window.png ]] || fail "no picture of the window"
    sed -n 's/.*calling init: //p' "$scratch/out" | sort -u >"$scratch/loaded"
    grep -q "^$root/lib/zigzag/plugins/platforms/libqoffscreen.so" "$scratch/loaded" || fail "Qt's own plugins are not used: $(cat "$scratch/loaded")"
    ! grep -v "^$root/" "$scratch/loaded" | grep -E '/lib(Qt6|icu|dnnl|hwy|qcustomplot|fmt|ssl|crypto|pcre2)' || fail "these are the system's"
    [[ -s $root/$(sed -n 's/^Translations = //p' "$root/bin/qt.conf")/qtbase_de.qm ]] || fail "the toolkit's words are not where qt.conf says"
    for file in "$root"/lib/zigzag/plugins/platforms/libq{xcb,wayland-generic}.so; do
        LD_LIBRARY_PATH=$root/lib/zigzag/bundled ldd "$file" >"$scratch/out"
        ! grep 'not found' "$scratch/out" || fail "$file does not load"
    done
}

"$case"
