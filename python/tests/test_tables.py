"""Tables that others read: pandas, pyarrow, polars, and astropy's own files."""

import gc

import astropy.units as u
import numpy as np
import pytest
from astropy.table import MaskedColumn

import relrv


def test_pyarrow_reads_numbers_where_they_lie(found):
    pyarrow = pytest.importorskip("pyarrow")
    catalogue = found.catalogue
    table = pyarrow.table(catalogue)
    assert table.column_names == catalogue.colnames and len(table) == len(catalogue)
    column = table["drv_b"].chunk(0)
    assert column.buffers()[1].address == catalogue["drv_b"].value.ctypes.data
    assert table.schema.field("drv_b").metadata[b"unit"] == b"km.s**-1"
    assert table["designation"].to_pylist() == list(catalogue["designation"])
    assert table["flags_b"].to_pylist() == list(catalogue["flags_b"])


def test_the_memory_outlives_the_table():
    pyarrow = pytest.importorskip("pyarrow")
    mine = relrv.Table({"x": np.arange(1000.0)})
    other = pyarrow.table(mine)
    del mine
    gc.collect()
    np.full(1000, -1.0)
    assert np.array_equal(other["x"].to_numpy(), np.arange(1000.0))


def test_every_type_and_missing_values():
    pyarrow = pytest.importorskip("pyarrow")
    values = [0, 1, 2]
    kinds = [np.float64, np.float32, np.int64, np.int32, np.int16, np.uint16, np.uint32, np.bool_, np.str_]
    table = relrv.Table({np.dtype(kind).name: np.array(values).astype(kind) for kind in kinds})
    table["swapped"] = np.array(values, dtype=">i4")
    table["masked"] = MaskedColumn(values, mask=[False, True, False])
    table["masked_bool"] = MaskedColumn([True, True, False], mask=[True, False, False])
    table["masked_text"] = MaskedColumn(["a", "b", "c"], mask=[False, False, True])
    other = pyarrow.table(table[::1])
    assert other["masked"].to_pylist() == [0, None, 2]
    assert other["masked_bool"].to_pylist() == [None, True, False]
    assert other["masked_text"].to_pylist() == ["a", "b", None]
    assert other["swapped"].to_pylist() == values
    assert [float(x) for x in other["float32"].to_pylist()] == values
    assert pyarrow.table(table[::2])["int64"].to_pylist() == [0, 2]
    assert len(pyarrow.table(table[:0])) == 0
    for wrong in (np.zeros(3, dtype=complex), np.zeros((3, 2))):
        table["wrong"] = wrong
        with pytest.raises(TypeError, match="column wrong"):
            pyarrow.table(table)


def test_polars_and_pandas_read_it(found):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(found.catalogue)
    assert frame.shape == (48, len(found.catalogue.colnames))
    assert frame["drv_b_corr"].to_list() == list(found.catalogue["drv_b_corr"].value)
    pytest.importorskip("pandas")
    frame = found.catalogue.to_pandas()
    assert frame.shape == (48, len(found.catalogue.colnames))
    assert list(frame["drv_b_corr"]) == list(found.catalogue["drv_b_corr"].value)
    stars = found.stars.to_pandas()
    assert len(stars) == len(found.stars)
    assert len(polars.DataFrame(found.stars)) == len(stars)


def test_a_curve_with_times_can_be_handed_over(found):
    polars = pytest.importorskip("polars")
    curve = found.star(str(found.stars["designation"][0])).curve("blue")
    assert polars.DataFrame(curve)["time"].to_list() == list(curve["time"].jd)


@pytest.mark.parametrize("ending", ["fits", "parquet", "csv"])
def test_every_format_gives_the_same_table(plate, tmp_path, ending):
    found = relrv.run(plate, tmp_path / "out", format=[ending], device="cpu")
    catalogue = found.catalogue
    assert len(catalogue) == 48 and np.all(np.isfinite(catalogue["drv_b"]))
    if ending != "csv":
        assert catalogue["drv_b"].unit == u.km / u.s
    with pytest.raises(relrv.TableError, match="no table nothing"):
        found._product("nothing")
