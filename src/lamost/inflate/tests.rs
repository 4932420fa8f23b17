use std::io::Write;
use std::path::PathBuf;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Bytes that deflate to about half.
fn content(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 60) as u8)
        .collect()
}

struct Scratch {
    _folder: tempfile::TempDir,
    path: PathBuf,
    inflater: Inflater,
}

impl Scratch {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Scratch {
            path: folder.path().join("file"),
            _folder: folder,
            inflater: Inflater::new(),
        }
    }

    fn read(&mut self, stored: &[u8]) -> Result<Vec<u8>, Rejection> {
        std::fs::write(&self.path, stored).unwrap();
        self.inflater.read(&self.path).map(<[u8]>::to_vec)
    }

    fn read_prefix(&mut self, stored: &[u8], n_bytes: usize) -> Vec<u8> {
        std::fs::write(&self.path, stored).unwrap();
        let prefix = self.inflater.read_prefix(&self.path, n_bytes);
        prefix.unwrap().to_vec()
    }
}

#[test]
fn plain_and_gzip_come_back_whole() {
    let mut scratch = Scratch::new();
    for len in [0, 1, 100, 100_000, 3_000_000] {
        let bytes = content(len);
        assert_eq!(scratch.read(&bytes).unwrap(), bytes);
        assert_eq!(scratch.read(&gzip(&bytes)).unwrap(), bytes);
    }
    // Far more than the first guess of the room.
    let zeros = vec![0; 30_000_000];
    assert!(scratch.read(&gzip(&zeros)).unwrap() == zeros);
    assert_eq!(scratch.read(&gzip(b"small again")).unwrap(), b"small again");
    assert!(scratch.inflater.inflated.len() <= KEEP_BYTES);
}

#[test]
fn members_are_joined() {
    let (a, b) = (content(50_000), content(70_000));
    let mut scratch = Scratch::new();
    let joined = [a.clone(), b.clone()].concat();
    assert_eq!(
        scratch.read(&[gzip(&a), gzip(&b)].concat()).unwrap(),
        joined
    );
    // Equal members have equal trailers: only their starts tell.
    let doubled = [a.clone(), a.clone()].concat();
    assert_eq!(
        scratch.read(&[gzip(&a), gzip(&a)].concat()).unwrap(),
        doubled
    );
    assert_eq!(
        scratch.read(&[gzip(&a), vec![0; 1000]].concat()).unwrap(),
        a
    );
    let rejection = scratch.read(&[gzip(&a), b"rest of another file".to_vec()].concat());
    assert_eq!(rejection.unwrap_err().reason, RejectReason::BadGzip);
    // A member in stored blocks may hold the first bytes of a member as data.
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    writer.write_all(&gzip(&a)).unwrap();
    assert_eq!(scratch.read(&writer.finish().unwrap()).unwrap(), gzip(&a));
}

#[test]
fn every_truncation_is_an_error() {
    let whole = gzip(&content(300));
    let mut scratch = Scratch::new();
    for len in 3..whole.len() {
        let rejection = scratch.read(&whole[..len]).unwrap_err();
        assert_eq!(rejection.reason, RejectReason::BadGzip, "{len} bytes");
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_harmless() {
    let bytes = content(300);
    let whole = gzip(&bytes);
    let mut scratch = Scratch::new();
    let mut n_errors = 0;
    for bit in 24..8 * whole.len() {
        let mut damaged = whole.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        match scratch.read(&damaged) {
            Ok(content) => assert_eq!(content, bytes, "bit {bit}"),
            Err(rejection) => {
                assert_eq!(rejection.reason, RejectReason::BadGzip);
                n_errors += 1;
            }
        }
    }
    // Harmless are only the time stamp, the extra flags and the system in the header, and unused bits.
    assert!(n_errors > 8 * (whole.len() - 12), "{n_errors}");
}

#[test]
fn headers_with_every_field() {
    let bytes = content(1000);
    let packed = flate2::GzBuilder::new()
        .filename("med-1.fits")
        .comment("a comment")
        .extra(vec![1, 2, 3])
        .mtime(5);
    let mut writer = packed.write(Vec::new(), flate2::Compression::default());
    writer.write_all(&bytes).unwrap();
    let whole = writer.finish().unwrap();
    let mut scratch = Scratch::new();
    assert_eq!(scratch.read(&whole).unwrap(), bytes);
    assert_eq!(scratch.read_prefix(&whole, 10), bytes[..10]);
    for len in 3..40 {
        assert!(scratch.read(&whole[..len]).is_err());
    }
}

#[test]
fn a_bomb_is_bounded() {
    let mut scratch = Scratch::new();
    let bomb = gzip(&vec![0; MAX_BYTES + 1]);
    assert!(bomb.len() < 1 << 20);
    let rejection = scratch.read(&bomb).unwrap_err();
    assert!(
        rejection.detail.contains("more than"),
        "{}",
        rejection.detail
    );
    // In two members, each below the limit.
    let half = gzip(&vec![0; MAX_BYTES / 2 + 1]);
    let rejection = scratch.read(&[half.clone(), half].concat()).unwrap_err();
    assert!(
        rejection.detail.contains("more than"),
        "{}",
        rejection.detail
    );
    assert!(scratch.inflater.inflated.capacity() <= 2 * MAX_BYTES + 64);
    assert_eq!(scratch.read_prefix(&bomb, 100), [0; 100]);
    assert!(scratch.inflater.inflated.capacity() <= KEEP_BYTES);
}

#[test]
fn a_length_that_lies_changes_nothing_but_the_verdict() {
    let mut whole = gzip(&content(1000));
    let n = whole.len();
    whole[n - 4..].copy_from_slice(&u32::MAX.to_le_bytes());
    let mut scratch = Scratch::new();
    assert_eq!(
        scratch.read(&whole).unwrap_err().reason,
        RejectReason::BadGzip
    );
    assert!(scratch.inflater.inflated.capacity() <= 4 << 20);
}

#[test]
fn prefixes() {
    let bytes = content(100_000);
    let mut scratch = Scratch::new();
    for stored in [bytes.clone(), gzip(&bytes)] {
        for n_bytes in [0, 1, 2880, 11_520, 99_999, 100_000, 200_000] {
            let expected = &bytes[..n_bytes.min(bytes.len())];
            assert!(
                scratch.read_prefix(&stored, n_bytes) == expected,
                "{n_bytes}"
            );
        }
    }
    // Data that does not deflate needs all the bytes that were read.
    let noise: Vec<u8> = (0..100_000u64)
        .map(|i| (i.wrapping_mul(i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as u8)
        .collect();
    assert!(scratch.read_prefix(&gzip(&noise), 11_520) == noise[..11_520]);
}

#[test]
fn member_starts_are_found_at_every_place() {
    for len in [4, 5, 63, 66, 67, 68, 130, 200] {
        for at in 0..=len - 4 {
            let mut bytes = vec![0; len];
            assert!(!holds_member_start(&bytes));
            bytes[at..at + 4].copy_from_slice(&[0x1f, 0x8b, 8, 0]);
            assert!(holds_member_start(&bytes), "{at} of {len}");
            bytes[at + 3] = 0x20;
            assert!(!holds_member_start(&bytes));
        }
    }
    assert!(!holds_member_start(&[]));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_not_opened() {
    let mut inflater = Inflater::new();
    for path in ["/dev/zero", "/", "/dev/null"] {
        let rejection = inflater.read(Path::new(path)).unwrap_err();
        assert_eq!(rejection.reason, RejectReason::Unreadable);
    }
}
