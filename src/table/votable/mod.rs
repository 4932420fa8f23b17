//! VOTable (IVOA 1.1 to 1.5), read: what TOPCAT, VizieR and the Gaia archive give. The first table with FIELDs, whose rows are TABLEDATA,
//! BINARY or BINARY2.

mod binary;
mod field;
pub(in crate::table) mod read;
mod xml;
