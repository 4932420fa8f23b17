//! Commands that this build has not, as a feature that they need was left out of it.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of features, with whether this build has them.
const COMMANDS: [(&str, &str, bool); 4] = [
    ("simulate", "lab", cfg!(feature = "lab")),
    ("validate", "lab", cfg!(feature = "lab")),
    ("bench", "lab", cfg!(feature = "lab")),
    ("report", "report", cfg!(feature = "report")),
];

/// How to get the command that `usage` says there is none of, if there can be one.
pub fn answer(usage: &clap::Error) -> Option<String> {
    if usage.kind() != ErrorKind::InvalidSubcommand {
        return None;
    }
    let Some(ContextValue::String(word)) = usage.get(ContextKind::InvalidSubcommand) else {
        return None;
    };
    let (command, feature, _) = COMMANDS.into_iter().find(|c| c.0 == word && !c.2)?;
    Some(format!(
        "this relrv was built without `relrv {command}`: build it with the feature {feature}, as in \
         `cargo build --release --features {feature}`"
    ))
}
