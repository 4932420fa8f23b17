//! Reading a VOTable: its first table with FIELDs.

use std::path::Path;

use super::binary::{decoded, take_row};
use super::field::VoField;
use super::xml::{Element, Node, Xml};
use crate::table::Table;
use crate::table::cells::Cells;
use crate::table::outcome::{ReadTable, Skipped};
use crate::{Error, Result};

/// Reads the file to its end, so that one that is cut off is found out.
pub(in crate::table) fn read(path: &Path) -> Result<ReadTable> {
    let mut xml = Xml::open(path)?;
    let mut found: Option<ReadTable> = None;
    let mut notes = Vec::new();
    let mut is_votable = false;
    loop {
        match xml.next()? {
            Node::Open(element) if !is_votable => match element.name.as_str() {
                "VOTABLE" => is_votable = true,
                other => {
                    return Err(xml.wrong(format!("expected a VOTABLE element, found {other}")));
                }
            },
            Node::Open(element) if element.name == "TABLE" && found.is_none() => {
                found = Reading::new(&element).read(&mut xml)?;
            }
            Node::Open(element) if element.name == "INFO" => {
                notes.extend(told(&mut xml, &element)?);
            }
            Node::End => break,
            _ => {}
        }
    }
    let mut read = found.ok_or_else(|| xml.wrong("expected a TABLE with FIELDs, found none"))?;
    read.notes.extend(notes);
    Ok(read)
}

/// What a service says of its answer: nothing, or that it is not the whole one.
fn told(xml: &mut Xml<'_>, info: &Element) -> Result<Option<String>> {
    let (name, value) = (info.get("name"), info.get("value").map(str::to_owned));
    if name != Some("QUERY_STATUS") {
        return Ok(None);
    }
    let words = xml.text()?;
    match value.as_deref() {
        Some("OVERFLOW") => Ok(Some(
            "the VOTable says that it is not the whole answer (QUERY_STATUS is OVERFLOW)"
                .to_owned(),
        )),
        Some("ERROR") => Err(xml.wrong(format!(
            "expected the answer to a query, found that it failed: {}",
            words.trim()
        ))),
        _ => Ok(None),
    }
}

/// A TABLE while it is read.
struct Reading {
    name: String,
    /// Rows that it says it has.
    n_told: Option<String>,
    fields: Vec<VoField>,
    /// What takes the values of each field; None for one that has no place in a table.
    cells: Vec<Option<Cells>>,
    skipped: Vec<Skipped>,
    /// Rows so far; None before the data.
    n_rows: Option<usize>,
}

impl Reading {
    fn new(element: &Element) -> Self {
        let name = element.get("name").or(element.get("ID"));
        Reading {
            name: name.unwrap_or_default().to_owned(),
            n_told: element.get("nrows").map(|n| n.trim().to_owned()),
            fields: Vec::new(),
            cells: Vec::new(),
            skipped: Vec::new(),
            n_rows: None,
        }
    }

    /// Reads to the end of the element; None where it has no FIELD.
    fn read(mut self, xml: &mut Xml<'_>) -> Result<Option<ReadTable>> {
        let mut has_marks = false;
        loop {
            match xml.next()? {
                Node::Open(element) => match element.name.as_str() {
                    "FIELD" if self.n_rows.is_none() => {
                        let number = self.fields.len() + 1;
                        self.fields.push(VoField::read(xml, &element, number)?);
                    }
                    "FIELD" => {
                        return Err(self.wrong(xml, None, "expected every FIELD before the DATA"));
                    }
                    "TABLEDATA" => {
                        self.begin(xml)?;
                        self.table_data(xml)?;
                    }
                    "BINARY2" => has_marks = true,
                    "STREAM" => {
                        self.begin(xml)?;
                        self.stream(xml, &element, has_marks)?;
                    }
                    "FITS" => {
                        let what = "expected rows in TABLEDATA, BINARY or BINARY2, found FITS: the FITS file by itself would serve";
                        return Err(self.wrong(xml, None, what));
                    }
                    _ => {}
                },
                Node::Close(name) if name == "TABLE" => break,
                _ => {}
            }
        }
        if self.fields.is_empty() {
            return Ok(None);
        }
        if self.n_rows.is_none() {
            self.begin(xml)?;
        }
        let n_rows = self.n_rows.unwrap_or_default();
        match &self.n_told {
            Some(told) if *told != n_rows.to_string() => {
                let what = format!("expected {told} rows, as nrows says, found {n_rows}");
                Err(self.wrong(xml, None, &what))
            }
            _ => Ok(Some(self.finish())),
        }
    }

    fn finish(self) -> ReadTable {
        let both = self.fields.into_iter().zip(self.cells);
        let columns = both.filter_map(|(field, cells)| Some(field.column(cells?)));
        let table = Table {
            columns: columns.collect(),
            ..Table::new()
        };
        ReadTable::new(table, self.skipped)
    }

    /// All fields are known.
    fn begin(&mut self, xml: &Xml<'_>) -> Result<()> {
        if self.n_rows.is_some() {
            return Err(self.wrong(xml, None, "expected rows once, found more of them"));
        }
        self.n_rows = Some(0);
        for field in &self.fields {
            match field.cells() {
                Ok(cells) => self.cells.push(Some(cells)),
                Err(skipped) => {
                    self.cells.push(None);
                    self.skipped.push(skipped);
                }
            }
        }
        Ok(())
    }

    fn table_data(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        loop {
            match xml.next()? {
                Node::Open(element) if element.name == "TR" => self.row(xml)?,
                Node::Open(element) => {
                    let what = format!("expected TR, found {}", element.name);
                    return Err(self.wrong(xml, None, &what));
                }
                Node::Close(name) if name == "TABLEDATA" => return Ok(()),
                _ => {}
            }
        }
    }

    fn row(&mut self, xml: &mut Xml<'_>) -> Result<()> {
        let mut n = 0;
        loop {
            match xml.next()? {
                Node::Open(element) if element.name == "TD" => {
                    let cell = xml.text()?;
                    if element.get("encoding").is_some() {
                        let what = "expected a cell as text, found an encoded one";
                        return Err(self.wrong(xml, self.fields.get(n), what));
                    }
                    let taken = match (self.fields.get(n), self.cells.get_mut(n)) {
                        (Some(field), Some(Some(cells))) => field.take_text(cells, &cell),
                        _ => Ok(()),
                    };
                    taken.map_err(|what| self.wrong(xml, self.fields.get(n), &what))?;
                    n += 1;
                }
                Node::Open(element) => {
                    let what = format!("expected TD, found {}", element.name);
                    return Err(self.wrong(xml, None, &what));
                }
                Node::Close(_) => break,
                _ => {}
            }
        }
        if n != self.fields.len() {
            let what = format!("expected {} cells, found {n}", self.fields.len());
            return Err(self.wrong(xml, None, &what));
        }
        self.n_rows = self.n_rows.map(|n| n + 1);
        Ok(())
    }

    fn stream(&mut self, xml: &mut Xml<'_>, stream: &Element, has_marks: bool) -> Result<()> {
        if let Some(href) = stream.get("href") {
            let what = format!("expected the data in the file, found them elsewhere: {href}");
            return Err(self.wrong(xml, None, &what));
        }
        match stream.get("encoding") {
            Some("base64") => {}
            other => {
                let found = other.unwrap_or("none");
                let what = format!("expected a STREAM with the encoding base64, found {found}");
                return Err(self.wrong(xml, None, &what));
            }
        }
        let text = xml.text()?;
        let Some(bytes) = decoded(&text) else {
            return Err(self.wrong(
                xml,
                None,
                "expected base64, found other characters or a part of it",
            ));
        };
        drop(text);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let taken = take_row(&self.fields, &mut self.cells, has_marks, &mut rest);
            taken.map_err(|(field, what)| self.wrong(xml, field, &what))?;
            self.n_rows = self.n_rows.map(|n| n + 1);
        }
        Ok(())
    }

    /// What is wrong in this table, in the row that is read, and in a column if it is one's fault.
    fn wrong(&self, xml: &Xml<'_>, field: Option<&VoField>, what: &str) -> Error {
        let table = match self.name.is_empty() {
            true => "TABLE".to_owned(),
            false => format!("TABLE {:?}", self.name),
        };
        let row = self
            .n_rows
            .map_or(String::new(), |n| format!(", row {}", n + 1));
        let column = field.map_or(String::new(), |f| format!(", column {}", f.name));
        xml.wrong(format!("{table}{row}{column}: {what}"))
    }
}
