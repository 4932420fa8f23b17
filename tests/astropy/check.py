"""Opens the products of `relrv run --format fits,csv,parquet,mrt` with astropy: columns, units, rows, missing values.

    python tests/astropy/check.py DIR docs/columns.md

Columns, types and units are those of docs/columns.md.
"""

import json
import re
import sys
import warnings
from itertools import groupby
from pathlib import Path

import numpy as np
from astropy import units as u
from astropy.io import fits
from astropy.io.votable.ucd import check_ucd
from astropy.table import Table
from astropy.time import Time

warnings.simplefilter("error")

# Rounding of .mrt, by unit.
MRT_DECIMALS = {"deg": 6, "d": 6, "km/s": 4}
SECTIONS = {
    "catalogue": "`catalogue`",
    "stars": "`stars` and `constants`",
    "constants": "`stars` and `constants`",
    "zeropoints": "`zeropoints`",
    "components": "`components`",
}


def described(page: str, name: str, arms: str) -> dict[str, tuple[str, str]]:
    """Columns of a table in their order, with type and unit."""
    section = page.split(f"\n## {SECTIONS[name]}\n")[1].split("\n## ")[0]
    found = re.findall(r"^\| `(\w+)` \| (\w+) \|([^|]*)\|.*\|$", section, re.M)
    columns: dict[str, tuple[str, str]] = {}
    for of_arm, group in groupby(found, lambda row: "_x" in row[0]):
        rows = list(group)
        for arm in arms if of_arm else [""]:
            columns |= {n.replace("_x", f"_{arm}"): (t, unit.strip()) for n, t, unit in rows}
    if name == "constants":
        for of_stars_alone in ("constant", "variable", "not_judged", "period", "period_fap", "period_amp"):
            del columns[of_stars_alone]
    return columns


def numbers(table: Table, name: str) -> np.ndarray:
    """A column as floats, NaN where there is none."""
    column = table[name]
    values = np.ma.asarray(column, dtype=float) if hasattr(column, "mask") else np.asarray(column, dtype=float)
    return np.ma.filled(values, np.nan)


def text(table: Table, name: str) -> list[str]:
    column = np.ma.asarray(table[name])
    # A column without a text in any row is read from CSV as numbers, all of them missing.
    if column.dtype.kind not in "SUO":
        column = column.astype(object)
    return [str(v).strip() for v in np.ma.filled(column, "")]


def check(folder: Path, name: str, page: str, record: dict) -> int:
    arms = {"both": "rb", "red": "r", "blue": "b"}[record["config"]["arm"]]
    columns = described(page, name, arms)
    path = {end: folder / f"{name}.{end}" for end in ["fits", "csv", "parquet", "mrt"]}
    tables = {
        "fits": Table.read(path["fits"]),
        "csv": Table.read(path["csv"], format="ascii.csv"),
        "parquet": Table.read(path["parquet"]),
        "mrt": Table.read(path["mrt"], format="ascii.mrt"),
    }
    reference = tables["fits"]
    n_nulls = 0
    for end, table in tables.items():
        at = f"{name}.{end}"
        assert table.colnames == list(columns), f"{at}: {table.colnames}"
        assert len(table) == len(reference), f"{at}: {len(table)} rows, expected {len(reference)}"
        for column, (kind, unit) in columns.items():
            here = f"{at}: {column}"
            if end != "csv":
                expected = u.Unit(unit) if unit else None
                assert table[column].unit == expected, f"{here}: unit {table[column].unit}, expected {unit}"
                meaning = table[column].description
                assert meaning or end == "fits", f"{here}: no meaning"
            if kind == "text":
                assert text(table, column) == text(reference, column), here
                continue
            if kind == "bool" and table[column].dtype.kind in "SU":
                # Empty where nothing is said of the star.
                words = {"true": 1.0, "false": 0.0, "": np.nan}
                values = np.array([words[v.lower()] for v in text(table, column)])
            else:
                values = numbers(table, column)
            expected = numbers(reference, column)
            nulls = np.isnan(expected)
            assert np.array_equal(np.isnan(values), nulls), f"{here}: missing values differ"
            n_nulls += int(nulls.sum())
            if end == "mrt" and kind == "float64":
                # Half of the last digit, or of six digits behind the exponent.
                close = 0.51 * 10.0 ** -MRT_DECIMALS.get(unit, 4) + 1e-6 * np.abs(expected)
                good = np.abs(values - expected)[~nulls] <= close[~nulls]
                assert good.all(), f"{here}: {values[~nulls][~good]} {expected[~nulls][~good]}"
            else:
                assert np.array_equal(values, expected, equal_nan=True), here
    # Warnings are errors, and a wrong check sum is a warning.
    with fits.open(path["fits"], checksum=True) as hdus:
        hdus.verify("exception")
        header = hdus[1].header
        for i in range(1, header["TFIELDS"] + 1):
            assert header.get(f"TCOMM{i}"), f"{name}.fits: column {i} has no TCOMM"
            ucd = header.get(f"TUCD{i}", "")
            assert check_ucd(ucd, check_controlled_vocabulary=True), f"{name}.fits: column {i} has the UCD {ucd!r}"
            assert tables["parquet"].columns[i - 1].meta.get("ucd", ucd) == ucd, f"{name}.parquet: column {i}"
        for of_hdu in (hdus[0].header, header):
            assert of_hdu["CREATOR"] == f"relrv {record['relrv']}", f"{name}.fits: CREATOR is {of_hdu['CREATOR']!r}"
        assert (header["TIMESYS"], header["TREFPOS"]) == ("TDB", "BARYCENTER"), f"{name}.fits"
        # To the second, the first and the last date of the catalogue.
        dates = Time([header["DATE-BEG"], header["DATE-END"]], format="isot", scale="tdb").jd
        bjd = numbers(Table.read(folder / "catalogue.fits"), "bjd_tdb")
        assert np.all(np.abs(dates - [np.nanmin(bjd), np.nanmax(bjd)]) < 0.6 / 86400), f"{name}.fits: {dates}"
        history = list(header["HISTORY"])
        for option in ("arm", "reference", "telluric", "method", "scope", "fibre-order"):
            assert f"--{option} {record['config'][option]}" in history, f"{name}.fits: no {option} in {history}"
        for option in ("snr-min", "vmax", "vstep", "min-constants", "p-min", "tolerance"):
            line = next(line for line in history if line.startswith(f"--{option} "))
            assert float(line.split()[1]) == record["config"][option], f"{name}.fits: {line}"
        assert "DATE" not in header, f"{name}.fits tells when it was made: no two runs would be the same"
        assert "DATASUM" in header and "CHECKSUM" in header, f"{name}.fits: no check sums"
    print(f"{name}: {len(reference)} rows, {len(columns)} columns, {n_nulls} missing numbers in four formats")
    return n_nulls


def main() -> None:
    folder, page = Path(sys.argv[1]), Path(sys.argv[2]).read_text()
    record = json.loads((folder / "run.json").read_text())
    total = sum(check(folder, name, page, record) for name in SECTIONS)
    catalogue = Table.read(folder / "catalogue.fits")
    counts = record["counts"]
    assert len(catalogue) == counts["exposures"] > 0
    arms = [x for x in "rb" if f"drv_{x}" in catalogue.colnames]
    measured = sum(int(np.isfinite(numbers(catalogue, f"drv_{x}")).sum()) for x in arms)
    flags = sum(int((np.asarray(catalogue[f"flags_{x}"]) & 2048 == 0).sum()) for x in arms)
    assert flags == counts["measured"] >= measured > 0
    assert counts["spectra"] == counts["measured"] + sum(counts["spectra_rejected"].values())
    rejected = Table.read(folder / "rejected.csv", format="ascii.csv")
    n_rejected = sum(counts["spectra_rejected"].values()) + sum(counts["files_rejected"].values())
    assert rejected.colnames == ["file", "hdu", "reason", "detail"] and len(rejected) == n_rejected
    if "--with-nulls" in sys.argv:
        assert total > 0, "no missing number to look at"


main()
