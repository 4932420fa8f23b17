#!/usr/bin/env bash
# The page of a run's stars in a real browser: Debian's Chromium, led by playwright-core.
#
#   tests/browser/check.sh RELRV [SURVEY]   RELRV has the feature lab; SURVEY is how many velocities the survey has, 2400000 (100,000
#                                           stars) if it is left out, none if it is 0
#
# As root, chromium, nodejs and npm are installed by apt-get where they are missing. Nothing is written into the repository. With
# PICTURES=FOLDER each width and both schemes leave a picture there.
#
# Status: 0; 1 something is wrong; 2 wrong arguments; 77 this machine cannot do it (no browser, no node 20, no npm registry).
set -euo pipefail

say() { echo "check.sh: $*" >&2; }
skip() {
    say "$*"
    exit 77
}

[ $# -ge 1 ] && [ -x "$1" ] || {
    say "the program comes first"
    exit 2
}
relrv="$(realpath "$1")"
survey="${2:-2400000}"
here="$(cd "$(dirname "$0")" && pwd)"

missing=()
command -v chromium > /dev/null || missing+=(chromium)
command -v node > /dev/null || missing+=(nodejs)
command -v npm > /dev/null || missing+=(npm)
if [ "${#missing[@]}" -gt 0 ]; then
    [ "$(id -u)" = 0 ] || skip "only root can install ${missing[*]}"
    command -v apt-get > /dev/null || skip "no apt-get here to install ${missing[*]} with"
    export DEBIAN_FRONTEND=noninteractive
    apt-get install -qq -y --no-install-recommends "${missing[@]}" > /dev/null 2>&1 || {
        apt-get update -qq > /dev/null || skip "apt-get update failed"
        apt-get install -qq -y --no-install-recommends "${missing[@]}" > /dev/null || skip "apt-get could not install ${missing[*]}"
    }
fi
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || skip "node $(node --version) is older than 20"

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
cp "$here/package.json" "$here/package-lock.json" "$work/"
(cd "$work" && npm ci --silent --no-audit --no-fund > /dev/null) || skip "npm could not install playwright-core"
CHROMIUM="$(command -v chromium)"
export CHROMIUM BROWSER_TEST_MODULES="$work"
echo "$(chromium --version 2> /dev/null), playwright-core $(node -p "require('$work/node_modules/playwright-core/package.json').version")"

status=0
"$relrv" simulate --out "$work/files" --stars 30 --spectrographs 2 --nights 5 --exposures 3 --sky hard --seed 3 > /dev/null
"$relrv" run "$work/files" --out "$work/run" --quiet
node "$here/main.mjs" plate "$work/run/report" || status=1

node "$here/enemy.mjs" files "$work/files"
# A file that is none makes the status 2.
"$relrv" run "$work/files" --out "$work/enemy" --format csv --quiet || [ $? = 2 ]
node "$here/enemy.mjs" products "$work/enemy" "$work/names.json"
"$relrv" report "$work/enemy" > /dev/null
node "$here/main.mjs" hostile "$work/enemy/report" "$work/names.json" || status=1

if [ "$survey" != 0 ]; then
    "$relrv" bench --survey "$survey" --out "$work/survey" > /dev/null
    "$relrv" merge "$work/survey" > /dev/null
    du -sh "$work/survey/report" | cut -f1 | sed 's/$/ of report for the survey/'
    node "$here/main.mjs" survey "$work/survey/report" || status=1
fi
exit "$status"
