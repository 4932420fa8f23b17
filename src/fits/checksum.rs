//! Check sums of HDUs (FITS standard 4.0, section 4.4.2.7 and appendix J).
//!
//! All bytes of an HDU, taken as 32-bit integers, are added in ones' complement. `DATASUM` holds the sum of the data; `CHECKSUM` is
//! chosen so that the sum of header and data has no bit unset.

use super::header::Header;
use super::header_text::HeaderText;

/// Value of CHECKSUM while the sum is being computed (FITS standard 4.0, appendix J).
const OPEN: &str = "0000000000000000";

/// A sum of bytes that come in pieces of any length.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sum {
    total: u64,
    /// Bytes so far, modulo 4.
    phase: usize,
}

impl Sum {
    /// Adds the bytes that follow.
    pub fn add(&mut self, bytes: &[u8]) {
        let to_boundary = (4 - self.phase) % 4;
        let (head, rest) = bytes.split_at(to_boundary.min(bytes.len()));
        self.add_few(head);
        let (words, tail) = rest.as_chunks::<4>();
        // Pieces so short that the sum of their words fits 64 bits.
        for words in words.chunks(1 << 16) {
            let sum: u64 = words
                .iter()
                .map(|w| u64::from(u32::from_be_bytes(*w)))
                .sum();
            self.total = fold(self.total + sum);
        }
        self.add_few(tail);
    }

    fn add_few(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.total = fold(self.total + (u64::from(byte) << (24 - 8 * self.phase)));
            self.phase = (self.phase + 1) % 4;
        }
    }

    /// The sum in ones' complement.
    pub fn value(&self) -> u32 {
        self.total as u32
    }

    /// The sum of both, each of which is of whole words.
    pub fn and(self, other: Sum) -> u32 {
        fold(self.total + other.total) as u32
    }
}

/// Carries come back in at the lowest bit.
fn fold(mut total: u64) -> u64 {
    while total > u64::from(u32::MAX) {
        total = (total & 0xffff_ffff) + (total >> 32);
    }
    total
}

/// The header with its two check sums, filled to whole blocks, for data of this sum.
pub fn finish_with_sums(mut header: HeaderText, data: Sum) -> Vec<u8> {
    // CHECKSUM without a comment: astropy makes the card anew to check it, with as many blanks in front of one as it likes itself.
    header
        .text("CHECKSUM", OPEN, "")
        .text("DATASUM", &data.value().to_string(), "of the data");
    let mut bytes = header.finish();
    let mut sum = Sum::default();
    sum.add(&bytes);
    let code = encoded(!sum.and(data));
    let at = bytes
        .windows(OPEN.len())
        .rposition(|w| w == OPEN.as_bytes());
    if let Some(at) = at {
        bytes[at..at + OPEN.len()].copy_from_slice(&code);
    }
    bytes
}

/// A sum in sixteen letters and digits, which add up to it where they stand in a card.
fn encoded(value: u32) -> [u8; 16] {
    let is_punctuation = |c: u8| matches!(c, 0x3a..=0x40 | 0x5b..=0x60);
    let mut code = [0; 16];
    for (i, byte) in value.to_be_bytes().into_iter().enumerate() {
        // A fourth of the byte each, above the digit zero.
        let mut four = [byte / 4 + b'0'; 4];
        four[0] += byte % 4;
        for pair in four.chunks_exact_mut(2) {
            // One character goes up and the other down, which leaves the sum as it is. The loop ends: seven steps lead out of
            // either range of punctuation.
            while pair.iter().any(|&c| is_punctuation(c)) {
                pair[0] += 1;
                pair[1] -= 1;
            }
        }
        for (j, c) in four.into_iter().enumerate() {
            // A string's first character is the last byte of a word of its card.
            code[(4 * j + i + 1) % 16] = c;
        }
    }
    code
}

/// What the check sums that a header holds say against it and its data; `None` where they agree, or are not there.
pub fn complaint(header: &Header<'_>, of_header: Sum, of_data: Sum) -> Option<String> {
    if let Some(said) = header
        .text("DATASUM")
        .and_then(|text| text.parse::<u32>().ok())
    {
        // In ones' complement there are two zeros: all bits 0, and all bits 1.
        let found = of_data.value();
        let is_zero = |x: u32| x == 0 || x == u32::MAX;
        if said != found && !(is_zero(said) && is_zero(found)) {
            return Some(format!("DATASUM is {said}, the data have {found}"));
        }
    }
    header.text("CHECKSUM")?;
    let is_whole = matches!(of_header.and(of_data), 0 | u32::MAX);
    (!is_whole).then(|| "CHECKSUM is not that of the header and the data".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sum(bytes: &[u8]) -> Sum {
        let mut sum = Sum::default();
        sum.add(bytes);
        sum
    }

    #[test]
    fn pieces_of_any_length_give_the_same_sum() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i * i % 251) as u8 ^ 0x80).collect();
        let whole = sum(&bytes).value();
        for step in [1, 2, 3, 5, 7, 997] {
            let mut pieces = Sum::default();
            bytes.chunks(step).for_each(|piece| pieces.add(piece));
            assert_eq!(pieces.value(), whole, "{step}");
        }
        assert_eq!(sum(&[0xff; 8]).value(), u32::MAX);
        assert_eq!(sum(&[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2]).value(), 2);
    }

    #[test]
    fn a_header_and_its_data_have_no_bit_unset() {
        for data in [&[][..], b"some data", &[0xff; 2880], &[7; 28_800]] {
            let mut padded = data.to_vec();
            padded.resize(data.len().next_multiple_of(crate::fits::BLOCK), 0);
            let mut text = HeaderText::default();
            text.text("EXTNAME", "a name", "");
            let bytes = finish_with_sums(text, sum(data));
            assert_eq!(sum(&[bytes.clone(), padded].concat()).value(), u32::MAX);
            let (header, _) = Header::parse(&bytes).unwrap();
            assert_eq!(complaint(&header, sum(&bytes), sum(data)), None);
            let code = header.text("CHECKSUM").unwrap();
            assert!(code.bytes().all(|c| c.is_ascii_alphanumeric()), "{code}");
            let card = format!("{:<80}", format!("CHECKSUM= '{code}'"));
            assert!(String::from_utf8_lossy(&bytes).contains(&card));
            // One bit of the data, and one of the header.
            let other = sum(&[data, &[1]].concat());
            let told = complaint(&header, sum(&bytes), other).unwrap();
            assert!(told.contains("DATASUM"), "{told}");
            let mut changed = bytes.clone();
            changed[11] ^= 1;
            let told = complaint(&header, sum(&changed), sum(data)).unwrap();
            assert!(told.contains("CHECKSUM"), "{told}");
        }
    }

    #[test]
    fn a_sum_is_encoded_as_the_standard_has_it() {
        // Appendix J's example, and the sums at the ends.
        assert_eq!(&encoded(!868_229_149), b"hcHjjc9ghcEghc9g");
        assert_eq!(&encoded(0), &[b'0'; 16]);
        for value in [1, 0x3a3a_3a3a, 0x7fff_ffff, u32::MAX] {
            let mut code = encoded(value);
            code.rotate_left(1);
            // Four words of zeros' digits are what an open check sum has.
            let zeros = sum(&[b'0'; 16]).value();
            let expected = sum(&[value.to_be_bytes(), zeros.to_be_bytes()].concat()).value();
            assert_eq!(sum(&code).value(), expected, "{value}");
        }
    }
}
