"""Opens what `relrv export` wrote as programs that fit orbits do, and holds it against the catalogue.

    python tests/astropy/exports.py RUN EXPORTS

RUN is the directory of the run, EXPORTS that of the files: `.ecsv` as thejoker's `RVData.guess_from_table` takes them, `.vels` as
Exo-Striker does.
"""

import sys
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.table import Table
from astropy.time import Time


def main() -> None:
    run, exports = Path(sys.argv[1]), Path(sys.argv[2])
    catalogue = Table.read(run / "catalogue.fits")
    n = {".ecsv": 0, ".vels": 0}
    for path in sorted(exports.iterdir()):
        star, arm = path.stem.rsplit("-", 1)
        rows = catalogue[catalogue["designation"] == star]
        rows.sort("bjd_tdb")
        expected = dict(zip(rows["bjd_tdb"].value, rows[f"drv_{arm[0]}_corr"].value))
        if path.suffix == ".ecsv":
            table = Table.read(path)
            assert table.colnames == ["bjd", "rv", "rv_err"], f"{path}: {table.colnames}"
            # thejoker asks for TCB of a column `bjd`: numbers would be taken for it, times are converted.
            assert isinstance(table["bjd"], Time) and table["bjd"].scale == "tdb", path
            tcb = Time(table["bjd"], format="jd", scale="tcb")
            assert np.all(np.abs((tcb - table["bjd"]).to_value("s")) < 1e-3), path
            assert np.all((tcb.value - table["bjd"].jd) * 86400 > 15), path
            bjd = table["bjd"].jd
            rv, err = (u.Quantity(table[name]).to_value("km/s") for name in ("rv", "rv_err"))
        else:
            bjd, rv, err = np.genfromtxt(path, unpack=True, ndmin=2)
            rv, err = rv / 1000, err / 1000
        assert len(bjd) > 0 and np.all(np.diff(bjd) > 0) and np.all(err > 0), path
        for date, velocity in zip(bjd, rv):
            nearest = min(expected, key=lambda d: abs(d - date))
            assert abs(nearest - date) < 1e-7 and abs(expected[nearest] - velocity) < 1e-6, f"{path}: {date} {velocity}"
        n[path.suffix] += 1
    assert min(n.values()) > 0, n
    print(f"exports: {n}")


main()
