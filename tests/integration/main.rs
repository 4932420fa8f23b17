//! Integration tests, one binary: what a user could see go wrong.

mod agreement;
mod agreement_plates;
mod agreement_rays;
mod append;
mod architecture;
mod bad_input;
mod calibrate;
mod calibrate_manners;
mod calibrate_tables;
mod calibrate_votable;
mod cli;
mod closed_output;
mod coadd;
mod coadd_plates;
mod columns;
mod columns_json;
mod columns_written;
mod compared;
mod components;
mod controls;
mod corruption;
mod dependencies;
mod descriptors;
mod echelle;
mod endless;
mod export;
mod fits_by_cfitsio;
mod fits_edit;
mod flags_text;
mod gpu;
mod headers;
mod help;
mod hot_stars;
mod memory;
mod messages;
mod monte_carlo;
#[cfg(unix)] // symbolic links
mod never_lost;
mod oracle;
#[cfg(unix)] // symbolic links
mod own_files;
mod own_spectra;
mod phase;
mod plate;
mod plates_at_once;
mod precision;
mod real;
mod report;
mod run;
mod run_columns;
mod run_faults;
mod run_resume;
mod run_stopped;
mod run_support;
mod run_truth;
mod sb2;
#[cfg(unix)] // symbolic links
mod show;
mod state;
#[cfg(unix)] // symbolic links
mod state_damage;
mod support;
#[cfg(unix)] // symbolic links, sh
mod tutorial;
mod units;
mod validate;
mod verdicts;
