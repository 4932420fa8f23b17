//! The elements of an XML file one after the other. Entities are those that XML itself knows: what a file defines is not expanded.

use std::io::BufRead;
use std::path::Path;

use quick_xml::XmlVersion;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

use crate::table::source;
use crate::{Error, Result};

/// Deeper nesting than this is no VOTable.
const MAX_DEPTH: usize = 64;

/// The beginning of an element.
#[derive(Debug)]
pub struct Element {
    /// Its name, without a prefix.
    pub name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// An attribute.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut all = self.attributes.iter();
        all.find(|(n, _)| n == name).map(|(_, value)| &**value)
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Node {
    Open(Element),
    /// Text, or a part of it.
    Text(String),
    /// The end of the element of this name.
    Close(String),
    /// The end of the file, where no element is open.
    End,
}

/// A file that is read.
pub struct Xml<'a> {
    path: &'a Path,
    reader: quick_xml::Reader<Box<dyn BufRead>>,
    buffer: Vec<u8>,
    open: Vec<String>,
}

impl<'a> Xml<'a> {
    /// Opens a file, compressed or not.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn open(path: &'a Path) -> Result<Self> {
        let mut reader = quick_xml::Reader::from_reader(source::open_text(path)?);
        // So that an empty element begins and ends like others.
        reader.config_mut().expand_empty_elements = true;
        Ok(Xml {
            path,
            reader,
            buffer: Vec::new(),
            open: Vec::new(),
        })
    }

    /// What is wrong with the file here.
    pub fn wrong(&self, what: impl std::fmt::Display) -> Error {
        Error::format(self.path, what.to_string())
    }

    /// The next part.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] for what is no XML, and for a file that ends within an element.
    pub fn next(&mut self) -> Result<Node> {
        loop {
            self.buffer.clear();
            let read = self.reader.read_event_into(&mut self.buffer);
            let node = match read {
                Ok(Event::Start(start)) => element(&start).map(Node::Open),
                Ok(Event::End(end)) => Ok(Node::Close(end.local_name().as_ref().to_owned())),
                Ok(Event::Text(text)) => Ok(Node::Text(text.xml10_content().into_owned())),
                Ok(Event::CData(text)) => Ok(Node::Text(text.xml10_content().into_owned())),
                Ok(Event::GeneralRef(entity)) => resolved(&entity).map(Node::Text),
                Ok(Event::Eof) => Ok(Node::End),
                Ok(_) => continue,
                Err(quick_xml::Error::Io(e)) => {
                    let e = std::io::Error::new(e.kind(), e.to_string());
                    return Err(Error::io(self.path, e));
                }
                Err(e) => Err(e.to_string()),
            };
            let at = self.reader.buffer_position();
            let node = node.map_err(|e| {
                self.wrong(format!("byte {at}: expected a VOTable, which is XML: {e}"))
            })?;
            return self.nested(node);
        }
    }

    /// Follows how the elements are nested.
    fn nested(&mut self, node: Node) -> Result<Node> {
        match &node {
            Node::Open(_) if self.open.len() >= MAX_DEPTH => {
                return Err(self.wrong("expected a VOTable, found elements nested too deeply"));
            }
            Node::Open(element) => self.open.push(element.name.clone()),
            Node::Close(_) => drop(self.open.pop()),
            Node::End => {
                if let Some(name) = self.open.last() {
                    return Err(self.wrong(format!(
                        "expected </{name}>, found the end of the file: it is cut off"
                    )));
                }
            }
            Node::Text(_) => {}
        }
        Ok(node)
    }

    /// The text of an element that has just begun, to its end. Elements in it are let by.
    ///
    /// # Errors
    /// As [`Xml::next`].
    pub fn text(&mut self) -> Result<String> {
        let depth = self.open.len();
        let mut all = String::new();
        loop {
            match self.next()? {
                Node::Text(text) if all.is_empty() => all = text,
                Node::Text(text) => all.push_str(&text),
                Node::Close(_) if self.open.len() < depth => return Ok(all),
                _ => {}
            }
        }
    }
}

fn element(start: &BytesStart<'_>) -> std::result::Result<Element, String> {
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|e| e.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|e| e.to_string())?.into_owned();
        attributes.push((attribute.key.local_name().as_ref().to_owned(), value));
    }
    Ok(Element {
        name: start.local_name().as_ref().to_owned(),
        attributes,
    })
}

fn resolved(entity: &BytesRef<'_>) -> std::result::Result<String, String> {
    if let Some(c) = entity.resolve_char_ref().map_err(|e| e.to_string())? {
        return Ok(c.to_string());
    }
    let name = entity.xml10_content();
    match resolve_predefined_entity(&name) {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("the entity &{name}; is unknown")),
    }
}
