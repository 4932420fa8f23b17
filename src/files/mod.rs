//! Files as a file system has them: opened with patience, named when they are whole, in a directory that belongs to a command.

pub mod page_files;
pub mod regular;
pub mod same_file;
pub mod whole;
pub mod workplace;
