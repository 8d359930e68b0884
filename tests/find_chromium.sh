#!/bin/sh
# Print the path of a Chromium for the browser tests, installing one if need be; print nothing if none can be had.
# In turn: $CHROMIUM, PATH, apt (as root), Playwright's own download. The headless shell is the same engine without a browser's window.
for name in "$CHROMIUM" chromium-headless-shell chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then command -v "$name"; exit 0; fi
done
log="${TMPDIR:-/tmp}/tauscope-chromium-install.log"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo 'Installing chromium with apt for the browser tests...' >&2
    apt-get update >"$log" 2>&1
    for name in chromium-headless-shell chromium; do
        apt-get install -y --no-install-recommends "$name" >>"$log" 2>&1 && command -v "$name" && exit 0
    done
fi
if .venv/bin/python -m playwright install chromium >>"$log" 2>&1; then
    .venv/bin/python -c 'from playwright.sync_api import sync_playwright as p
with p() as play: print(play.chromium.executable_path)' && exit 0
fi
exit 0
