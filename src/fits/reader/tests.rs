use super::*;
use crate::fits::vectors::BinTable;
use proptest::prelude::*;

fn card(key: &str, value: &str) -> String {
    format!("{:<80}", format!("{key:<8}= {value:>20}"))
}

/// Blocks of these cards and `END`.
fn header(cards: &[String]) -> Vec<u8> {
    let mut bytes = cards.concat().into_bytes();
    bytes.extend(format!("{:<80}", "END").bytes());
    bytes.resize(bytes.len().div_ceil(BLOCK) * BLOCK, b' ');
    bytes
}

fn primary() -> Vec<u8> {
    header(&[card("SIMPLE", "T"), card("BITPIX", "8"), card("NAXIS", "0")])
}

fn table_cards(row_len: &str, rows: &str, fields: &str) -> Vec<String> {
    let mut cards = vec![
        card("XTENSION", "'BINTABLE'"),
        card("BITPIX", "8"),
        card("NAXIS", "2"),
    ];
    let keys = ["NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS"];
    for (key, value) in keys.into_iter().zip([row_len, rows, "0", "1", fields]) {
        cards.push(card(key, value));
    }
    cards
}

fn first_table(bytes: &[u8]) -> Hdu<'_> {
    match &split(bytes).unwrap()[1] {
        Part::Hdu(hdu) => hdu.clone(),
        gap => panic!("{gap:?}"),
    }
}

#[test]
fn sizes_that_lie_are_refused() {
    const HUGE: &str = "9223372036854775807";
    for (row_len, rows, fields) in [
        (HUGE, HUGE, "1"),
        (HUGE, "1", "1"),
        ("1", HUGE, "1"),
        ("0", HUGE, "1"),
        ("4", "0", "1"),
        ("-4", "10", "1"),
        ("4", "10", "-1"),
        ("4", "10", HUGE),
        ("4", "10", "1000"),
        ("4", "10", "2"),
        ("5", "10", "1"),
    ] {
        let mut cards = table_cards(row_len, rows, fields);
        cards.push(card("TFORM1", "'E'"));
        let bytes = [primary(), header(&cards), vec![0; BLOCK]].concat();
        let refused = match &split(&bytes).unwrap()[1] {
            Part::Gap { .. } => true,
            Part::Hdu(hdu) => hdu.is_cut() || BinTable::parse(hdu).is_err(),
        };
        assert!(refused, "{row_len} {rows} {fields}");
    }
}

#[test]
fn column_formats() {
    let parse = |form: &str| {
        let mut cards = table_cards("16", "2", "1");
        cards.push(card("TFORM1", form));
        cards.push(card("TTYPE1", "'X'"));
        let bytes = [primary(), header(&cards), vec![0; BLOCK]].concat();
        let hdu = first_table(&bytes);
        let table = BinTable::parse(&hdu)?;
        let column = table.column("x").ok_or("no column")?;
        Ok::<_, String>((column.len(), column.to_f64().map(|x| x.len())))
    };
    assert_eq!(parse("'4E'"), Ok((8, Some(8))));
    assert_eq!(parse("'2D'"), Ok((4, Some(4))));
    assert_eq!(parse("'16B'"), Ok((32, Some(32))));
    assert_eq!(parse("'16A'"), Ok((32, None)));
    assert_eq!(parse("'128X'"), Ok((256, None)));
    assert_eq!(parse("'2PE(3)'"), Ok((4, None)));
    // Lengths whose sum wraps round to the row's 16 bytes.
    let mut cards = table_cards("16", "2", "3");
    for (n, form) in ["'9223372036854775807B'", "'9223372036854775807B'", "'18B'"]
        .iter()
        .enumerate()
    {
        cards.push(card(&format!("TFORM{}", n + 1), form));
    }
    let bytes = [primary(), header(&cards), vec![0; BLOCK]].concat();
    assert!(BinTable::parse(&first_table(&bytes)).is_err());
    for bad in [
        "'E'",
        "'3E'",
        "'5E'",
        "'Z'",
        "''",
        "'99999999999999999999E'",
        "'9223372036854775807D'",
        "'-1E'",
        "4",
    ] {
        assert!(parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn nulls_become_nan() {
    let mut cards = table_cards("4", "3", "2");
    cards.extend([
        card("TFORM1", "'I'"),
        card("TTYPE1", "'A'"),
        card("TNULL1", "-7"),
    ]);
    cards.extend([card("TFORM2", "'I'"), card("TTYPE2", "'B'")]);
    let mut data: Vec<u8> = [5i16, 1, -7, -7, 0, 2]
        .iter()
        .flat_map(|x| x.to_be_bytes())
        .collect();
    data.resize(BLOCK, 0);
    let bytes = [primary(), header(&cards), data].concat();
    let hdu = first_table(&bytes);
    let table = BinTable::parse(&hdu).unwrap();
    let a = table.column("A").unwrap().to_f32().unwrap();
    assert!(a[0] == 5.0 && a[1].is_nan() && a[2] == 0.0);
    assert_eq!(
        table.column("B").unwrap().to_f64().unwrap(),
        [1.0, -7.0, 2.0]
    );
    assert_eq!(
        table.column("A").unwrap().to_set().unwrap(),
        [true, true, false]
    );
}

#[test]
fn many_broken_headers_end_soon() {
    // As large as a file of spectra may be, each block the start of a header that never ends.
    let mut block = card("XTENSION", "'BINTABLE'").into_bytes();
    block.resize(BLOCK, b'x');
    let bytes = [primary(), block.repeat((64 << 20) / BLOCK - 1)].concat();
    let start = std::time::Instant::now();
    let parts = split(&bytes).unwrap();
    assert!(
        parts[1..]
            .iter()
            .all(|part| matches!(part, Part::Gap { len: BLOCK, .. }))
    );
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

fn any_card() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec![
        "XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "TFIELDS", "TFORM1",
        "TFORM2", "TTYPE1", "TTYPE2", "TSCAL1", "TZERO2", "TNULL1", "EXTNAME", "END",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "'BINTABLE'",
            "'E'",
            "'2D'",
            "'3I'",
            "'8A'",
            "'0J'",
            "'L'",
            "'Q'",
            "8",
            "2",
            "1",
            "0",
            "-1",
            "4",
            "1E9",
            "NaN",
            "9223372036854775807",
            "'",
            "''",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|x| x.to_string()),
        "[ -~]{0,20}",
    ];
    (key, value).prop_map(|(key, value)| card(key, &value))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any cards and any data: the parts cover the file, and every column has the length it says.
    #[test]
    fn any_headers(
        tables in prop::collection::vec((prop::collection::vec(any_card(), 0..25), 0..9000usize, any::<u8>()), 0..4),
        cut in 0..40_000usize,
    ) {
        let mut bytes = primary();
        for (cards, data_len, value) in tables {
            // Half of them begin like a sound table, so that columns are reached.
            let mut all = table_cards("12", "100", "2");
            all.truncate(if value % 2 == 0 { 8 } else { 1 });
            all.extend(cards);
            // The first of a key counts: these hold where chance brought none.
            all.extend([card("TFORM1", "'E'"), card("TFORM2", "'2E'")]);
            bytes.extend(header(&all));
            bytes.extend(std::iter::repeat_n(value, data_len));
        }
        bytes.truncate(cut.max(BLOCK));
        let parts = split(&bytes).unwrap();
        prop_assert!(!parts.is_empty());
        for part in &parts {
            match part {
                Part::Gap { start, len, problem, .. } => {
                    prop_assert!(start + len <= bytes.len() && *len > 0 && !problem.is_empty());
                }
                Part::Hdu(hdu) => {
                    prop_assert!(hdu.data.len() as u64 <= hdu.declared_len);
                    let Ok(table) = BinTable::parse(hdu) else { continue };
                    for name in ["", "E", "1"] {
                        let Some(column) = table.column(name) else { continue };
                        prop_assert!(column.len() <= hdu.data.len() * 8);
                        for n in [
                            column.to_f32().map(|x| x.len()),
                            column.to_f64().map(|x| x.len()),
                            column.to_set().map(|x| x.len()),
                        ].into_iter().flatten() {
                            prop_assert_eq!(n, column.len());
                        }
                    }
                }
            }
        }
    }

    /// Any bytes at all.
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..6000)) {
        prop_assert!(split(&bytes).is_err());
        let after_primary = [primary(), bytes].concat();
        prop_assert!(split(&after_primary).is_ok());
    }
}
