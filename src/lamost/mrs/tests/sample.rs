//! Files in the real format, written with cfitsio: an independent hand, since it is our reader that they test.
//! Also included by `benches/io.rs`.

use std::path::Path;

use fitsio::FitsFile;
use fitsio::tables::{ColumnDataType, ColumnDescription};

/// Pixels of a real exposure.
pub const N_PIX: usize = 4136;

/// The two layouts of LAMOST releases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    /// A row per pixel, float32 `LOGLAM` (until DR9 v0).
    Rows,
    /// One row of vectors, float64 `WAVELENGTH` (since DR9 v1).
    Vectors,
}

/// Value of a header key.
#[derive(Clone, Debug)]
pub enum Key {
    Int(i64),
    Float(f64),
    Text(String),
}

/// Values of a column, in the type that the file stores.
#[derive(Clone, Debug)]
pub enum Data {
    U8(Vec<u8>),
    I16(Vec<i16>),
    /// Stored as `I` with TZERO 32768.
    U16(Vec<u16>),
    I32(Vec<i32>),
    I64(Vec<i64>),
    F32(Vec<f32>),
    F64(Vec<f64>),
    Text(Vec<String>),
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Data::U8(x) => x.len(),
            Data::I16(x) => x.len(),
            Data::U16(x) => x.len(),
            Data::I32(x) => x.len(),
            Data::I64(x) => x.len(),
            Data::F32(x) => x.len(),
            Data::F64(x) => x.len(),
            Data::Text(x) => x.len(),
        }
    }

    fn element(&self) -> ColumnDataType {
        match self {
            Data::U8(_) => ColumnDataType::Byte,
            Data::I16(_) => ColumnDataType::Short,
            Data::U16(_) => ColumnDataType::UnsignedShort,
            Data::I32(_) => ColumnDataType::Int,
            Data::I64(_) => ColumnDataType::LongLong,
            Data::F32(_) => ColumnDataType::Float,
            Data::F64(_) => ColumnDataType::Double,
            Data::Text(_) => ColumnDataType::Text,
        }
    }
}

/// A binary table.
#[derive(Clone, Debug)]
pub struct Table {
    pub name: String,
    pub keys: Vec<(String, Key)>,
    pub columns: Vec<(String, Data)>,
    /// Keys written after the data, such as TSCALn.
    pub late_keys: Vec<(String, Key)>,
}

impl Table {
    /// Column by name.
    pub fn column_mut(&mut self, name: &str) -> &mut Data {
        let column = self.columns.iter_mut().find(|(n, _)| n == name);
        &mut column.unwrap().1
    }

    /// Replaces or adds a key.
    pub fn set(&mut self, name: &str, value: Key) {
        self.keys.retain(|(n, _)| n != name);
        self.keys.push((name.to_owned(), value));
    }
}

/// A whole file.
#[derive(Clone, Debug)]
pub struct Sample {
    pub layout: Layout,
    pub primary: Vec<(String, Key)>,
    pub tables: Vec<Table>,
}

impl Sample {
    /// A sound file with coadds and `n_exp` exposures of both arms.
    pub fn new(layout: Layout, n_exp: usize) -> Self {
        let text = |s: &str| Key::Text(s.to_owned());
        let mut primary = vec![
            ("OBSID", Key::Int(744_812_076)),
            ("DATA_V", text("LAMOST DR7")),
            ("EXTNAME", text("Information")),
            ("LMJD", Key::Int(58625)),
            ("PLANID", text("TD192102N424113K01")),
            ("RA", Key::Float(292.058716)),
            ("DEC", Key::Float(43.925304)),
            ("DESIG", text("LAMOST J192814.09+435531.0")),
            ("FIBERID", Key::Int(76)),
            ("SPID", Key::Int(12)),
        ];
        // As long as a real header: three blocks.
        let filler: Vec<String> = (0..70).map(|i| format!("FILL{i}")).collect();
        primary.extend(filler.iter().map(|name| (name.as_str(), Key::Float(0.5))));
        let mut tables = vec![
            exposure(layout, 'B', "COADD_B", 0),
            exposure(layout, 'R', "COADD_R", 1),
        ];
        for arm in ['B', 'R'] {
            for i in 0..n_exp {
                let lmjm = 84_420_148 + 23 * i as i64;
                tables.push(exposure(
                    layout,
                    arm,
                    &format!("{arm}-{lmjm}"),
                    2 + i as u32,
                ));
            }
        }
        Sample {
            layout,
            primary: primary
                .into_iter()
                .map(|(name, key)| (name.to_owned(), key))
                .collect(),
            tables,
        }
    }

    /// Table by name.
    pub fn table_mut(&mut self, name: &str) -> &mut Table {
        self.tables.iter_mut().find(|t| t.name == name).unwrap()
    }

    /// Writes the file.
    pub fn write(&self, path: &Path) {
        let mut file = FitsFile::create(path).overwrite().open().unwrap();
        let hdu = file.primary_hdu().unwrap();
        for (name, key) in &self.primary {
            write_key(&mut file, &hdu, name, key);
        }
        for table in &self.tables {
            let columns: Vec<_> = table
                .columns
                .iter()
                .map(|(name, data)| {
                    let mut column = ColumnDescription::new(name);
                    column.with_type(data.element());
                    match (self.layout, data) {
                        (_, Data::Text(_)) => column.that_repeats(8),
                        (Layout::Vectors, _) => column.that_repeats(data.len()),
                        (Layout::Rows, _) => &mut column,
                    }
                    .create()
                    .unwrap()
                })
                .collect();
            let hdu = file.create_table(table.name.as_str(), &columns).unwrap();
            for (name, key) in &table.keys {
                write_key(&mut file, &hdu, name, key);
            }
            for (name, data) in &table.columns {
                match data {
                    Data::U8(x) => hdu.write_col(&mut file, name, x),
                    Data::I16(x) => hdu.write_col(&mut file, name, x),
                    Data::U16(x) => hdu.write_col(&mut file, name, x),
                    Data::I32(x) => hdu.write_col(&mut file, name, x),
                    Data::I64(x) => hdu.write_col(&mut file, name, x),
                    Data::F32(x) => hdu.write_col(&mut file, name, x),
                    Data::F64(x) => hdu.write_col(&mut file, name, x),
                    // A vector layout has one row, so one text.
                    Data::Text(x) if self.layout == Layout::Vectors => {
                        hdu.write_col(&mut file, name, &x[..1])
                    }
                    Data::Text(x) => hdu.write_col(&mut file, name, x),
                }
                .unwrap();
            }
            for (name, key) in &table.late_keys {
                write_key(&mut file, &hdu, name, key);
            }
        }
    }

    /// Bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.fits");
        self.write(&path);
        std::fs::read(path).unwrap()
    }
}

/// Gzip of bytes.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut out = vec![0; packer.gzip_compress_bound(bytes.len())];
    let len = packer.gzip_compress(bytes, &mut out).unwrap();
    out.truncate(len);
    out
}

/// An exposure (or a coadd) with noise like a real one's; `seed` makes it differ from the others.
pub fn exposure(layout: Layout, arm: char, name: &str, seed: u32) -> Table {
    let mut state = u64::from(seed) * 2 + 1;
    let mut uniform = || {
        // A multiplicative congruential generator does for test data.
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    let flux: Vec<f32> = (0..N_PIX).map(|_| 1000.0 + 100.0 * uniform()).collect();
    let ivar: Vec<f32> = (0..N_PIX).map(|_| 0.01 + 0.001 * uniform()).collect();
    let mask: Vec<i16> = (0..N_PIX).map(|i| i16::from(i % 1000 == 7)).collect();
    let x = |i: usize| i as f64 / (N_PIX - 1) as f64;
    // The red arm is stored from red to blue.
    let loglam = |i: usize| match arm {
        'B' => 3.690_022 + 0.041_56 * x(i) - 0.000_2 * x(i) * x(i),
        _ => 3.835_282 - 0.037_7 * x(i) - 0.000_2 * x(i) * x(i),
    };
    let wave = match layout {
        Layout::Rows => (
            "LOGLAM",
            Data::F32((0..N_PIX).map(|i| loglam(i) as f32).collect()),
        ),
        Layout::Vectors => (
            "WAVELENGTH",
            Data::F64((0..N_PIX).map(|i| 10f64.powf(loglam(i))).collect()),
        ),
    };
    let columns = [
        ("FLUX", Data::F32(flux)),
        ("IVAR", Data::F32(ivar)),
        wave,
        ("PIXMASK", Data::I16(mask)),
    ];
    let mut keys = vec![("SNR".to_owned(), Key::Float(12.88))];
    if let Some(lmjm) = name.get(2..).filter(|_| !name.starts_with("COADD")) {
        keys.push(("LMJM".to_owned(), Key::Text(lmjm.to_owned())));
        match layout {
            Layout::Rows => keys.push(("EXPTIME".to_owned(), Key::Int(1200))),
            Layout::Vectors => {
                // Half a minute into the minute that LMJM names.
                let minute = lmjm.parse::<u32>().unwrap_or(0) % 1440;
                for (key, minute) in [("DATE-BEG", minute), ("DATE-END", minute + 20)] {
                    let time = format!("2019-05-22T{:02}:{:02}:30.0", minute / 60, minute % 60);
                    keys.push((key.to_owned(), Key::Text(time)));
                }
            }
        }
    }
    Table {
        name: name.to_owned(),
        keys,
        columns: columns
            .into_iter()
            .map(|(name, data)| (name.to_owned(), data))
            .collect(),
        late_keys: Vec::new(),
    }
}

fn write_key(file: &mut FitsFile, hdu: &fitsio::hdu::FitsHdu, name: &str, key: &Key) {
    match key {
        Key::Int(x) => hdu.write_key(file, name, *x),
        Key::Float(x) => hdu.write_key(file, name, *x),
        Key::Text(x) => hdu.write_key(file, name, x.as_str()),
    }
    .unwrap();
}
