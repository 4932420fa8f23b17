//! The page that the explorer's scripts fill. It holds nothing of the run but the program's version.

use serde_json::Value;

use crate::files::page_files::{EXPLORER_DIR, MARK};
use crate::report::page::escape;

/// The page. The browser is told to run no script but those beside it, and to load nothing from elsewhere.
pub fn page(record: &Value) -> String {
    let version = escape(record["relrv"].as_str().unwrap_or_default());
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"generator\" content=\"{MARK}\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'self' file:; style-src 'self' file:; base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>Stars of the run - relrv</title>\n\
         <link rel=\"stylesheet\" href=\"{EXPLORER_DIR}/page.css\">\n\
         <script src=\"{EXPLORER_DIR}/uplot.js\" defer></script>\n\
         <script src=\"{EXPLORER_DIR}/index.js\" defer></script>\n\
         <script src=\"{EXPLORER_DIR}/page.js\" defer></script>\n\
         </head><body>\n{BODY}<footer>relrv {version}</footer>\n</body></html>\n"
    )
}

const BODY: &str = include_str!("page/body.html");
