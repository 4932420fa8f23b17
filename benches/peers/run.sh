#!/bin/sh
# Times the velocity measurements of laspec, specutils and a numpy Eq. 3 beside `relrv measure`, on the same spectra.
#
#     benches/peers/run.sh [--real DIR] [--stars N] [--rounds N] [--seed N]
#
# RELRV names the program, built with the feature lab (default: target/release/relrv, built if missing); PYTHON an interpreter of version 3.9 to 3.11;
# PEERS_VENV the virtual environment (default: target/peers-venv, made if missing).
set -eu
cd "$(dirname "$0")/../.."
relrv=${RELRV:-target/release/relrv}
venv=${PEERS_VENV:-target/peers-venv}
if [ ! -x "$relrv" ]; then
    cargo build --release --features lab
fi
if [ ! -f "$venv/installed" ] || ! cmp -s benches/peers/requirements.txt "$venv/installed"; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r benches/peers/requirements.txt
    cp benches/peers/requirements.txt "$venv/installed"
fi
# One thread each: whatever BLAS, OpenMP or numba would start.
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMEXPR_NUM_THREADS=1 NUMBA_NUM_THREADS=1
exec "$venv/bin/python" benches/peers/peers.py --relrv "$relrv" "$@"
