//! FITS files taken apart, changed and put together again: a second hand beside the program's own reader and the simulator's writer.

const BLOCK: usize = 2880;

/// Header cards (without END) and data (without padding) of one HDU.
#[derive(Clone, Debug)]
pub struct Hdu {
    pub cards: Vec<String>,
    pub data: Vec<u8>,
}

/// A column of a binary table.
#[derive(Clone, Debug)]
pub struct Column {
    pub name: String,
    /// `E`, `D`, `I`, `J`, or `A` for texts of 8 characters.
    pub letter: char,
    /// Elements, big-endian.
    pub bytes: Vec<u8>,
}

fn size(letter: char) -> usize {
    match letter {
        'I' => 2,
        'J' | 'E' => 4,
        'D' | 'K' | 'A' => 8,
        _ => panic!("a column of type {letter}"),
    }
}

impl Column {
    pub fn floats(name: &str, values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|x| x.to_be_bytes()).collect();
        Column {
            name: name.to_owned(),
            letter: 'E',
            bytes,
        }
    }

    pub fn doubles(name: &str, values: &[f64]) -> Self {
        let bytes = values.iter().flat_map(|x| x.to_be_bytes()).collect();
        Column {
            name: name.to_owned(),
            letter: 'D',
            bytes,
        }
    }

    /// Values of a column of type `E`.
    pub fn to_floats(&self) -> Vec<f32> {
        assert_eq!(self.letter, 'E', "{}", self.name);
        let chunks = self.bytes.chunks_exact(4);
        chunks
            .map(|b| f32::from_be_bytes(b.try_into().unwrap()))
            .collect()
    }

    pub fn reverse(&mut self) {
        let elements: Vec<&[u8]> = self.bytes.chunks_exact(size(self.letter)).rev().collect();
        self.bytes = elements.concat();
    }

    fn len(&self) -> usize {
        self.bytes.len() / size(self.letter)
    }
}

impl Hdu {
    /// Value of a card, without quotes.
    pub fn get(&self, key: &str) -> Option<String> {
        let card = self
            .cards
            .iter()
            .find(|c| c[..8].trim_end() == key && &c[8..10] == "= ")?;
        let value = &card[10..];
        let value = match value.trim_start().strip_prefix('\'') {
            Some(text) => text.split('\'').next()?.trim_end(),
            None => value.split('/').next()?.trim(),
        };
        Some(value.to_owned())
    }

    fn number(&self, key: &str) -> usize {
        self.get(key).map_or(0, |v| v.parse().unwrap())
    }

    /// Sets or adds a card; `value` as FITS writes it.
    pub fn set(&mut self, key: &str, value: &str) {
        let card = format!("{:80}", format!("{key:8}= {value:>20}"));
        assert_eq!(card.len(), 80);
        match self.cards.iter_mut().find(|c| c[..8].trim_end() == key) {
            Some(old) => *old = card,
            None => self.cards.push(card),
        }
    }

    pub fn remove(&mut self, key: &str) {
        self.cards.retain(|c| c[..8].trim_end() != key);
    }

    pub fn name(&self) -> String {
        self.get("EXTNAME").unwrap_or_default()
    }

    /// Columns of a table with a row per pixel or one row of vectors.
    pub fn columns(&self) -> Vec<Column> {
        let (row_len, n_rows) = (self.number("NAXIS1"), self.number("NAXIS2"));
        let mut at = 0;
        (1..=self.number("TFIELDS"))
            .map(|i| {
                let form = self.get(&format!("TFORM{i}")).unwrap();
                let letter = form.chars().last().unwrap();
                let repeat = form[..form.len() - 1].parse().unwrap_or(1);
                let len = repeat * size(letter);
                let rows = (0..n_rows).map(|r| &self.data[r * row_len + at..][..len]);
                let bytes = rows.collect::<Vec<_>>().concat();
                at += len;
                let name = self.get(&format!("TTYPE{i}")).unwrap();
                Column {
                    name,
                    letter,
                    bytes,
                }
            })
            .collect()
    }

    /// Replaces the columns, as vectors in one row or as a row per pixel.
    pub fn set_columns(&mut self, columns: &[Column], vectors: bool) {
        let n_pix = columns[0].len();
        let repeat = |c: &Column| if vectors { c.len() } else { 1 };
        for (i, column) in (1..).zip(columns) {
            self.set(&format!("TTYPE{i}"), &format!("'{:8}'", column.name));
            let characters = if column.letter == 'A' { 8 } else { 1 };
            let form = format!("{}{}", repeat(column) * characters, column.letter);
            self.set(&format!("TFORM{i}"), &format!("'{form:8}'"));
        }
        let row_len: usize = columns.iter().map(|c| repeat(c) * size(c.letter)).sum();
        self.set("NAXIS1", &row_len.to_string());
        self.set("NAXIS2", &if vectors { 1 } else { n_pix }.to_string());
        self.set("TFIELDS", &columns.len().to_string());
        self.data.clear();
        for row in 0..if vectors { 1 } else { n_pix } {
            for column in columns {
                let len = repeat(column) * size(column.letter);
                self.data.extend(&column.bytes[row * len..(row + 1) * len]);
            }
        }
    }

    /// Changes the columns in place.
    pub fn edit(&mut self, change: impl FnOnce(&mut Vec<Column>)) {
        let vectors = self.number("NAXIS2") == 1;
        let mut columns = self.columns();
        change(&mut columns);
        self.set_columns(&columns, vectors);
    }

    /// Changes the values of one float column in place.
    pub fn edit_floats(&mut self, name: &str, change: impl FnOnce(&mut Vec<f32>)) {
        self.edit(|columns| {
            let column = columns.iter_mut().find(|c| c.name == name).unwrap();
            let mut values = column.to_floats();
            change(&mut values);
            *column = Column::floats(name, &values);
        });
    }
}

/// Takes a sound file apart.
pub fn split(bytes: &[u8]) -> Vec<Hdu> {
    let mut hdus = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let mut cards = Vec::new();
        loop {
            let card = std::str::from_utf8(&bytes[at..at + 80]).unwrap();
            at += 80;
            if card.trim_end() == "END" {
                break;
            }
            cards.push(card.to_owned());
        }
        at = at.next_multiple_of(BLOCK);
        let mut hdu = Hdu {
            cards,
            data: Vec::new(),
        };
        let axes: Vec<usize> = (1..=hdu.number("NAXIS"))
            .map(|i| hdu.number(&format!("NAXIS{i}")))
            .collect();
        let len = match axes.is_empty() {
            true => 0,
            false => axes.iter().product::<usize>() * hdu.number("BITPIX") / 8,
        };
        hdu.data = bytes[at..at + len].to_vec();
        at = (at + len).next_multiple_of(BLOCK);
        hdus.push(hdu);
    }
    hdus
}

/// The file's bytes.
pub fn join(hdus: &[Hdu]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for hdu in hdus {
        for card in &hdu.cards {
            bytes.extend(card.as_bytes());
        }
        bytes.extend(format!("{:80}", "END").as_bytes());
        bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        bytes.extend(&hdu.data);
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
    }
    bytes
}

/// Lets the header count the exposures that are there.
pub fn recount(hdus: &mut [Hdu]) {
    for arm in ["B", "R"] {
        let is_exposure = |h: &&Hdu| h.name().starts_with(&format!("{arm}-"));
        let n = hdus.iter().filter(is_exposure).count();
        hdus[0].set(&format!("NEXP_{arm}"), &n.to_string());
    }
}
