//! A path in JSON.

use std::path::PathBuf;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path: text in JSON, or a list of bytes where it is none. Names of files are bytes on most systems, and need not be text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place(pub PathBuf);

impl Serialize for Place {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => self.0.as_os_str().as_encoded_bytes().serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Place {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Text(PathBuf),
            Bytes(Vec<u8>),
        }
        match Either::deserialize(deserializer)? {
            Either::Text(path) => Ok(Place(path)),
            Either::Bytes(bytes) => of_bytes(bytes).map(Place).map_err(D::Error::custom),
        }
    }
}

#[cfg(unix)]
fn of_bytes(bytes: Vec<u8>) -> Result<PathBuf, &'static str> {
    use std::os::unix::ffi::OsStringExt;
    Ok(std::ffi::OsString::from_vec(bytes).into())
}

#[cfg(not(unix))]
fn of_bytes(_: Vec<u8>) -> Result<PathBuf, &'static str> {
    Err("a path that is no text on this system")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_come_back_whether_they_are_text_or_not() {
        let mut paths = vec![PathBuf::from("a/b \"c\""), PathBuf::from("\u{e9}")];
        #[cfg(unix)]
        paths.push(of_bytes(b"a/\xff".to_vec()).unwrap());
        for path in paths {
            let json = serde_json::to_string(&Place(path.clone())).unwrap();
            let back: Place = serde_json::from_str(&json).unwrap();
            assert_eq!(back.0, path, "{json}");
        }
        assert!(serde_json::from_str::<Place>("3").is_err());
    }
}
