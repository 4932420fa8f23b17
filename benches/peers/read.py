"""Times reading: all tables of each file into memory, by fitsio and astropy, and by relrv on one thread, in turns.

Milliseconds per spectrum, the coadds of a file not counted as spectra, which all three inflate. fitsio and astropy read every
column as it is; relrv also checks the file's CRC-32, and decodes, masks and sorts what it needs.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import fitsio
from astropy.io import fits


def by_fitsio(path):
    with fitsio.FITS(str(path)) as hdus:
        return sum(len(hdu.read()) > 0 and not hdu.get_extname().startswith("COADD") for hdu in hdus[1:])


def by_astropy(path):
    with fits.open(path, memmap=False) as hdus:
        # Columns are read when they are asked for.
        return sum(
            len([hdu.data.field(name) for name in hdu.columns.names]) > 0 and not hdu.name.startswith("COADD")
            for hdu in hdus[1:]
        )


def by_hand(read, paths):
    start = time.perf_counter()
    n = sum(read(path) for path in paths)
    return 1e3 * (time.perf_counter() - start) / n


def by_relrv(program, plate):
    with tempfile.TemporaryDirectory() as out:
        command = [program, "measure", plate, "-v", "--threads", "1", "--backend", "cpu", "--out", f"{out}/rv.csv"]
        said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    stages = [re.search(rf"{name}\s.*?([\d.]+) ms per spectrum", said) for name in ("headers", r"read \+ inflate")]
    if not all(stages):
        sys.exit(f"expected the times of headers and read + inflate, found:\n{said}")
    return sum(float(stage.group(1)) for stage in stages)


def main():
    program, plate = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    paths = sorted(pathlib.Path(plate).glob("*.fits.gz"))
    if not paths:
        sys.exit(f"expected .fits.gz files in {plate}, found none")
    times = {"fitsio": [], "astropy": [], "relrv": []}
    for _ in range(rounds):
        times["fitsio"].append(by_hand(by_fitsio, paths))
        times["astropy"].append(by_hand(by_astropy, paths[:60]))
        times["relrv"].append(by_relrv(program, plate))
    ours = statistics.median(times["relrv"])
    print(f"{len(paths)} files, {rounds} rounds; ms per spectrum: median (range), over relrv")
    for name, each in times.items():
        median = statistics.median(each)
        print(f"{name:8} {median:6.3f} ({min(each):.3f}-{max(each):.3f})  {median / ours:5.1f}")


if __name__ == "__main__":
    main()
