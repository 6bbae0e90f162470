#!/bin/sh
# Browser tests drive Debian's Chromium, with a Chinese font so that screenshots can be read.
set -eu
if command -v chromium >/dev/null && fc-list 2>/dev/null | grep -qi "noto.*cjk"; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "install chromium and fonts-noto-cjk to run the browser tests" >&2
    exit 1
fi
echo "installing Chromium and a Chinese font ..."
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
apt-get install -y -qq chromium fonts-noto-cjk fontconfig >/dev/null
