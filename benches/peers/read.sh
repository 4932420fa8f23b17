#!/bin/sh
# Times the reading of gzip spectra by fitsio (cfitsio) and astropy beside `relrv measure`, on the same files, in turns.
#
#     benches/peers/read.sh PLATE [ROUNDS]
#
# RELRV names the program, built with the feature lab (default: target/release/relrv, built if missing); PYTHON an interpreter of version 3.11 or newer;
# PEERS_READ_VENV the virtual environment (default: target/peers-read-venv, made if missing).
set -eu
cd "$(dirname "$0")/../.."
relrv=${RELRV:-target/release/relrv}
venv=${PEERS_READ_VENV:-target/peers-read-venv}
if [ ! -x "$relrv" ]; then
    cargo build --release --features lab
fi
if [ ! -f "$venv/installed" ]; then
    "${PYTHON:-python3}" -m venv --clear "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check astropy==7.1.1 fitsio==1.4.2 numpy==2.4.6
    touch "$venv/installed"
fi
exec "$venv/bin/python" benches/peers/read.py "$relrv" "$@"
