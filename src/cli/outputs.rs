//! Checks of the places of outputs, before any work is done.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::calibrate_dir;
use crate::files::whole::directory_of;
use crate::files::{same_file, workplace};
use crate::lamost::inputs;
use crate::{Error, Result, run};

/// Refuses outputs that are among the files and lists that these inputs name.
///
/// # Errors
/// [`Error::OutputIsInput`].
pub fn refuse_inputs(outputs: &[&Path], named: &[PathBuf]) -> Result<()> {
    // Usually no output exists yet, and then no input need be searched.
    if !outputs.iter().any(|path| path.exists()) {
        return Ok(());
    }
    let (files, rejected) = inputs::expand(named);
    let lists = named.iter().filter_map(|p| inputs::list_name(p));
    let all = lists
        .chain(files)
        .chain(rejected.into_iter().map(|r| r.path));
    same_file::refuse_inputs(outputs, all)
}

/// Refuses an output that would take the place of a product in a directory of `relrv run` or `relrv calibrate`.
///
/// # Errors
/// [`Error::Occupied`]; those of [`workplace::owner`].
pub fn refuse_products(output: &Path) -> Result<()> {
    let dir = directory_of(output);
    let Some(owner) = workplace::owner(dir)? else {
        return Ok(());
    };
    let products = match owner.as_str() {
        "run" => run::outputs(dir),
        "calibrate" => calibrate_dir::outputs(dir),
        _ => Vec::new(),
    };
    match products.iter().any(|p| p.file_name() == output.file_name()) {
        true => Err(Error::Occupied(format!(
            "{} is the name of a product of relrv {owner}, which the directory belongs to: choose another name",
            output.display()
        ))),
        false => Ok(()),
    }
}

/// Refuses to write the list of rejected inputs where there is another file: the user did not name this file, so it must not be replaced.
///
/// # Errors
/// [`Error::InTheWay`].
pub fn refuse_no_list(path: &Path) -> Result<()> {
    let meta = match std::fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(_) => return Ok(()),
    };
    let expected = b"file,hdu,reason,detail";
    let mut start = Vec::new();
    if meta.is_file() {
        let file = std::fs::File::open(path).map_err(|e| Error::io(path, e))?;
        file.take(expected.len() as u64)
            .read_to_end(&mut start)
            .map_err(|e| Error::io(path, e))?;
    }
    match start == expected {
        true => Ok(()),
        false => Err(Error::in_the_way(
            path,
            "is there already, and is no list of rejected inputs, which belongs there",
        )),
    }
}
