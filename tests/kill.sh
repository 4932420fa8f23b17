#!/usr/bin/env bash
# Kills `relrv run` (SIGKILL) at random moments, starts it again, and compares every product with that of an undisturbed run,
# byte by byte.
#
#   tests/kill.sh [RELRV] [KILLS] [PLATE]
#
# RELRV: the program (default: target/release/relrv); built with --features lab unless PLATE is given; KILLS: how many (30); PLATE: a folder of spectra (default: a simulated
# plate of 2 spectrographs x 60 stars x 4 nights x 3 exposures).
set -euo pipefail
cd "$(dirname "$0")/.."
relrv="${1:-target/release/relrv}"
kills="${2:-30}"
plate="${3:-}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

if [ -z "$plate" ]; then
    plate="$work/plate"
    "$relrv" simulate --out "$plate" --seed 51 --stars 60 --nights 4 --exposures 3 --spectrographs 2 --snr 10,100
fi
formats=fits,csv,parquet,mrt
start="$(date +%s%N)"
"$relrv" run "$plate" --out "$work/whole" --format "$formats" --quiet
ms=$((($(date +%s%N) - start) / 1000000))
echo "undisturbed: $ms ms"

same() {
    diff -rq -x run.json -x .relrv "$work/whole" "$1"
}

killed=0
for i in $(seq "$kills"); do
    rm -rf "$work/out"
    # Two or three kills in a row now and then: what goes on can be killed as well.
    moments=""
    for _ in $(seq $((1 + RANDOM % 3))); do
        # RANDOM has 15 bits.
        at=$(((RANDOM * 32768 + RANDOM) % (ms + ms / 10)))
        moments="$moments $at"
        "$relrv" run "$plate" --out "$work/out" --format "$formats" --quiet &
        pid=$!
        sleep "$(printf '%d.%03d' $((at / 1000)) $((at % 1000)))"
        if kill -KILL "$pid" 2> /dev/null; then killed=$((killed + 1)); fi
        wait "$pid" 2> /dev/null || true
    done
    "$relrv" run "$plate" --out "$work/out" --format "$formats" --quiet
    same "$work/out"
    if find "$work/out" -name '*.part' | grep -q .; then
        echo "a part is left" >&2
        exit 1
    fi
    echo "$i: killed at$moments ms: identical"
done
echo "$killed kills, all products identical"
