//! Names of stars, exposures and groups, and the numbers that the calibration knows them by.

use std::collections::HashMap;

/// Names and their numbers; numbers follow the sorted names, so that they do not depend on the order of rows.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Sorted names.
    pub names: Vec<String>,
}

impl Names {
    /// Numbers the texts of a column; the second value holds each row's number.
    pub fn new(column: &[String]) -> (Self, Vec<u32>) {
        let mut first: HashMap<&str, u32> = HashMap::new();
        let mut texts: Vec<&str> = Vec::new();
        let seen: Vec<u32> = column
            .iter()
            .map(|text| {
                *first.entry(text).or_insert_with(|| {
                    texts.push(text);
                    texts.len() as u32 - 1
                })
            })
            .collect();
        let mut order: Vec<u32> = (0..texts.len() as u32).collect();
        // Numbers in text sort as numbers: exposures stay in the order of time.
        order.sort_by(|&a, &b| natural(texts[a as usize]).cmp(&natural(texts[b as usize])));
        let mut rank = vec![0; order.len()];
        for (r, &i) in order.iter().enumerate() {
            rank[i as usize] = r as u32;
        }
        let names = order
            .iter()
            .map(|&i| texts[i as usize].to_owned())
            .collect();
        (
            Names { names },
            seen.iter().map(|&i| rank[i as usize]).collect(),
        )
    }

    /// The name of this number.
    pub fn of(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

/// Sorts whole numbers by value before all other texts.
fn natural(text: &str) -> (bool, i64, &str) {
    match text.parse::<i64>() {
        Ok(n) => (false, n, text),
        Err(_) => (true, 0, text),
    }
}

/// Groups of exposures; exposures of two groups have two zero points.
#[derive(Clone, Debug)]
pub enum Groups {
    /// The table tells none.
    None,
    /// Groups by name.
    Named(Names),
    /// Plates and spectrographs, by number.
    Plates(Vec<(String, String)>),
}

impl Groups {
    /// Numbers plates and spectrographs: by plate, then spectrograph. The second value holds each row's number.
    pub fn of_plates(planid: &[String], spid: &[String]) -> (Self, Vec<u32>) {
        let (plates, plate) = Names::new(planid);
        let (spids, spid) = Names::new(spid);
        let of_row: Vec<(u32, u32)> = plate.into_iter().zip(spid).collect();
        let mut pairs = of_row.clone();
        pairs.sort_unstable();
        pairs.dedup();
        // Every pair is among them.
        let number = |pair: &(u32, u32)| pairs.partition_point(|p| p < pair) as u32;
        let numbers = of_row.iter().map(number).collect();
        let named = |&(p, s): &(u32, u32)| (plates.of(p).to_owned(), spids.of(s).to_owned());
        (Groups::Plates(pairs.iter().map(named).collect()), numbers)
    }

    /// What a group is called in a sentence; None where the table tells no groups.
    pub fn told(&self, number: u32) -> Option<String> {
        match self {
            Groups::None => None,
            Groups::Named(names) => Some(format!("group {}", names.of(number))),
            Groups::Plates(pairs) => {
                let (plate, spid) = &pairs[number as usize];
                Some(format!("plate {plate} spectrograph {spid}"))
            }
        }
    }

    /// One name for a group.
    pub fn name(&self, number: u32) -> String {
        match self {
            Groups::None => String::new(),
            Groups::Named(names) => names.of(number).to_owned(),
            Groups::Plates(pairs) => {
                let (plate, spid) = &pairs[number as usize];
                format!("{plate}_sp{spid:0>2}")
            }
        }
    }
}
