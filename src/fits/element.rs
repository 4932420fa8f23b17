//! What a column of a binary table holds (`TFORMn`).

/// Type of a column's elements (FITS 4.0, table 18); complex numbers, bits and variable-length arrays are not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementType {
    /// `L`, one byte, `T` or `F`.
    Logical,
    /// `B`, unsigned 8-bit integer.
    U8,
    /// `I`, 16-bit integer.
    I16,
    /// `J`, 32-bit integer.
    I32,
    /// `K`, 64-bit integer.
    I64,
    /// `E`, 32-bit float.
    F32,
    /// `D`, 64-bit float.
    F64,
    /// `A`, text.
    Text,
    /// Anything else, by its letter.
    Other(char),
}

/// Words for a message to whoever gave the file, with the letters of the format.
impl std::fmt::Display for ElementType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let letters = match self {
            Self::Logical => "L",
            Self::U8 => "B",
            Self::I16 => "I",
            Self::I32 => "J",
            Self::I64 => "K",
            Self::F32 => "E",
            Self::F64 => "D",
            Self::Text => return f.write_str("Text (A)"),
            Self::Other('P' | 'Q') => "P or Q",
            Self::Other('C' | 'M') => "C or M",
            Self::Other('X') => "X",
            Self::Other(_) => return f.write_str(self.words()),
        };
        write!(f, "{} ({letters})", self.words())
    }
}

impl ElementType {
    /// The same without letters.
    pub fn words(self) -> &'static str {
        match self {
            Self::Logical => "truth values",
            Self::U8 => "8-bit integers",
            Self::I16 => "16-bit integers",
            Self::I32 => "32-bit integers",
            Self::I64 => "64-bit integers",
            Self::F32 => "32-bit floats",
            Self::F64 => "64-bit floats",
            Self::Text => "texts",
            Self::Other('P' | 'Q') => "lists of any length",
            Self::Other('C' | 'M') => "complex numbers",
            Self::Other('X') => "bits",
            Self::Other(_) => "an unknown format",
        }
    }

    fn from_letter(letter: char) -> Self {
        match letter.to_ascii_uppercase() {
            'L' => Self::Logical,
            'B' => Self::U8,
            'I' => Self::I16,
            'J' => Self::I32,
            'K' => Self::I64,
            'E' => Self::F32,
            'D' => Self::F64,
            'A' => Self::Text,
            other => Self::Other(other),
        }
    }

    /// Whether it is one of the four kinds of integers.
    pub fn is_integer(self) -> bool {
        matches!(self, Self::U8 | Self::I16 | Self::I32 | Self::I64)
    }

    /// Size in a row of `repeat` elements, bytes; `None` for a letter that FITS does not know.
    pub fn row_bytes(self, repeat: usize) -> Option<usize> {
        let size = match self {
            Self::Logical | Self::U8 | Self::Text => 1,
            Self::I16 => 2,
            Self::I32 | Self::F32 => 4,
            Self::I64 | Self::F64 | Self::Other('C' | 'P') => 8,
            Self::Other('M' | 'Q') => 16,
            Self::Other('X') => return Some(repeat.div_ceil(8)),
            Self::Other(_) => return None,
        };
        repeat.checked_mul(size)
    }
}

/// `TFORMn`: type and repeat count, which is 1 where it is missing. `None` for what is no format.
pub fn parse_form(form: &str) -> Option<(ElementType, usize)> {
    let form = form.trim();
    let digits = form.bytes().take_while(u8::is_ascii_digit).count();
    let (repeat, rest) = form.split_at(digits);
    let repeat = if digits == 0 { 1 } else { repeat.parse().ok()? };
    Some((ElementType::from_letter(rest.chars().next()?), repeat))
}
