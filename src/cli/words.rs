//! The words by which options name the settings that have a few values.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::calibrate::arms::{Method, Scope};
use crate::likelihood::backend::Choice;
use crate::measure::{ReferenceKind, Telluric};
use crate::run::ProductFormat;

/// The word of each value, and what the help says of it.
macro_rules! words {
    ($type:ident { $($value:ident = $word:literal: $help:literal,)+ }) => {
        impl ValueEnum for $type {
            fn value_variants<'a>() -> &'a [Self] {
                &[$($type::$value),+]
            }

            fn to_possible_value(&self) -> Option<PossibleValue> {
                let (word, help) = match self {
                    $($type::$value => ($word, $help),)+
                };
                Some(PossibleValue::new(word).help(help))
            }
        }
    };
}

#[cfg(feature = "lab")]
pub(super) use words;

words!(Choice {
    Auto = "auto": "A real GPU if there is one, else the CPU",
    Gpu = "gpu": "The best GPU, a software one if need be; an error if there is none or it fails",
    Cpu = "cpu": "The CPU",
});

words!(ReferenceKind {
    Best = "best": "Its exposure of highest signal-to-noise ratio (the paper's way)",
    Coadd = "coadd": "The coadd of all its other exposures that agree with each other, each at its own velocity",
});

words!(Telluric {
    Auto = "auto": "Where the stars of an exposure show them",
    Off = "off": "Never",
});

words!(Method {
    Joint = "joint": "Robust weighted least squares of stars and zero points together",
    Paper = "paper": "The iteration of section 3.2 of the paper, each group alone",
});

words!(Scope {
    Survey = "survey": "Everything linked by common stars: groups come to one scale",
    Spectrograph = "spectrograph": "Each group (plate and spectrograph) alone",
});

words!(ProductFormat {
    Fits = "fits": "FITS binary table",
    Csv = "csv": "Comma-separated values",
    Parquet = "parquet": "Apache Parquet",
    Mrt = "mrt": "Machine-readable table of CDS and the AAS",
});

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that options take for `T`, and those that `run.json` and notes hold.
    fn words<T: ValueEnum + serde::Serialize>() -> Vec<(String, serde_json::Value)> {
        let all = T::value_variants().iter();
        all.map(|value| {
            let word = value.to_possible_value().unwrap().get_name().to_owned();
            (word, serde_json::to_value(value).unwrap())
        })
        .collect()
    }

    #[test]
    fn products_name_settings_by_the_words_of_the_options() {
        let all = [
            words::<ReferenceKind>(),
            words::<Telluric>(),
            words::<Method>(),
            words::<Scope>(),
            words::<ProductFormat>(),
        ];
        for (option, product) in all.concat() {
            assert_eq!(product, option.as_str());
        }
    }

    #[test]
    fn every_format_has_its_word_and_ending() {
        let words: Vec<String> = words::<ProductFormat>().into_iter().map(|w| w.0).collect();
        assert_eq!(words, ProductFormat::ALL.map(ProductFormat::ending));
    }
}
