"""Zero points of columns from anywhere."""

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable

import relrv
from relrv import CalibrationFlags


@pytest.fixture(scope="module")
def columns():
    """40 stars in 12 exposures; exposure 7 is off by 1.5, star 5 moves by itself."""
    rng = np.random.default_rng(11)
    star, exposure = (part.ravel() for part in np.mgrid[0:40, 0:12])
    rv = 3.0 * star + np.where(exposure == 7, 1.5, 0.0) + rng.normal(0, 0.2, star.size)
    rv += np.where(star == 5, 30 * np.sin(exposure), 0.0)
    return {"star": star, "exposure": exposure, "rv": rv, "rv_err": np.full(star.size, 0.2)}


def test_zero_points_and_stars_are_found(columns):
    found = relrv.calibrate(**columns)
    assert found.converged and not found.complaints
    zp = np.asarray(found.zeropoints["zp"])
    assert zp[7] - np.mean(np.delete(zp, 7)) == pytest.approx(1.5, abs=0.2)
    assert found.stars["variable"][5] and not found.stars["variable"][6]
    assert found.stars["constant"][6] and not found.stars["constant"][5]
    velocities = found.velocities
    point = zp[velocities["exposure"]]
    assert np.allclose(velocities["rv"] - point, velocities["rv_corr"])
    assert np.all(np.asarray(velocities["flags"]) & CalibrationFlags.NO_ZERO_POINT == 0)


def test_names_units_and_order_change_nothing(columns):
    expected = relrv.calibrate(**columns)
    order = np.random.default_rng(1).permutation(len(columns["star"]))
    turned = {name: values[order] for name, values in columns.items()}
    turned["star"] = np.array([f"star {number:02}" for number in turned["star"]])
    turned["rv"] = turned["rv"] * u.km / u.s
    turned["rv_err"] = (turned["rv_err"] * u.km / u.s).to(u.m / u.s)
    found = relrv.calibrate(**turned)
    assert found.zeropoints["zp"].unit == u.km / u.s
    assert np.allclose(found.zeropoints["zp"].value, expected.zeropoints["zp"], atol=1e-6)
    assert list(found.stars["star"][:2]) == ["star 00", "star 01"]
    assert found.velocities["rv_corr"].unit == u.km / u.s
    assert np.allclose(found.velocities["rv_corr"].value, np.asarray(expected.velocities["rv_corr"])[order], atol=1e-6)


def test_tables_of_others(columns):
    expected = relrv.calibrate(**columns).zeropoints["zp"]
    table = QTable(columns)
    tables = [table, relrv.Table(table)]
    pandas, pyarrow, polars = (pytest.importorskip(name) for name in ("pandas", "pyarrow", "polars"))
    tables += [pandas.DataFrame(columns), pyarrow.table(columns), polars.DataFrame(columns)]
    for each in tables:
        assert np.array_equal(relrv.calibrate(each).zeropoints["zp"], expected), type(each)
    frame = pandas.DataFrame(columns)
    found = relrv.calibrate(frame["star"], frame["exposure"], frame["rv"], frame["rv_err"])
    assert np.array_equal(found.zeropoints["zp"], expected)

    class Capsule:
        """Something that speaks Arrow and nothing else."""

        def __arrow_c_stream__(self, requested_schema=None):
            return tables[3].__arrow_c_stream__(requested_schema)

    assert np.array_equal(relrv.calibrate(Capsule()).zeropoints["zp"], expected)


def test_arms_groups_and_marks(columns):
    twice = {name: np.concatenate([values, values]) for name, values in columns.items()}
    n = len(columns["star"])
    arm = np.array(["poor"] * n + ["good"] * n)
    twice["rv_err"] = np.where(arm == "poor", 0.4, 0.2)
    found = relrv.calibrate(**twice, arm=arm)
    # The arm with the smaller errors chooses the constants, and comes first.
    assert list(found.zeropoints["arm"]) == ["good"] * 12 + ["poor"] * 12
    assert list(found.velocities["arm"]) == list(arm)
    group = np.repeat(["north", "south"], n)
    found = relrv.calibrate(**twice, group=group)
    assert len(found.zeropoints) == 24 and set(found.zeropoints["group"]) == {"north", "south"}
    never = columns["star"] == 6
    assert not relrv.calibrate(**columns, never_constant=never).stars["constant"][6]
    none = columns["star"] == 7
    found = relrv.calibrate(**columns, no_velocity=none)
    assert np.all(np.asarray(found.velocities["flags"])[none] & CalibrationFlags.NO_VELOCITY)
    assert found.stars["not_judged"][7] == "no velocity" and np.ma.is_masked(found.stars["constant"][7])


def test_masked_velocities_are_flagged(columns):
    rv = np.ma.MaskedArray(columns["rv"], mask=np.arange(len(columns["rv"])) == 3)
    found = relrv.calibrate(**(columns | {"rv": rv}))
    flags = np.asarray(found.velocities["flags"])
    assert flags[3] & CalibrationFlags.BAD_RV and np.isnan(found.velocities["rv_corr"][3])
    assert not np.any(flags[:3] & CalibrationFlags.BAD_RV)


def test_what_does_not_fit_is_told(columns):
    for more, kind, told in [
        ({"rv": columns["rv"][:-1]}, relrv.ArraysError, "rv"),
        ({"rv": columns["rv"].reshape(2, -1)}, relrv.ArraysError, r"rv has the shape \(2, 240\)"),
        ({"rv": columns["rv"] * u.km / u.s, "rv_err": columns["rv_err"] * u.s}, relrv.ArraysError, "rv is in km / s and rv_err in s"),
        ({"star": columns["rv"]}, relrv.ArraysError, "star has the type float64"),
        ({"star": [None, *columns["star"][1:]]}, relrv.ArraysError, "star is missing in row 0"),
        ({"rv_err": None}, relrv.ArraysError, "rv_err is missing"),
        ({"never_constant": np.zeros(3, bool)}, relrv.ArraysError, "never_constant has 3 rows"),
        ({"method": "mine"}, relrv.OptionError, "method is mine"),
        ({"fibre_order": 3}, relrv.OptionError, "fibre_order is 3"),
        ({"min_constants": 1}, relrv.OptionError, "min_constants"),
        ({"rv": np.full(480, np.nan)}, relrv.NothingUsableError, "none of 480 rows"),
    ]:
        with pytest.raises(kind, match=told):
            relrv.calibrate(**(columns | more))
    with pytest.raises(relrv.TableError, match="no column rv_err; it has exposure, rv, star"):
        relrv.calibrate(QTable({name: columns[name] for name in ("star", "exposure", "rv")}))
