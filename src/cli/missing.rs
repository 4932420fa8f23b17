//! Commands that this build does not have, because the feature that they need was left out.

use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands of features, with whether this build has them.
const COMMANDS: [(&str, &str, bool); 4] = [
    ("simulate", "lab", cfg!(feature = "lab")),
    ("validate", "lab", cfg!(feature = "lab")),
    ("bench", "lab", cfg!(feature = "lab")),
    ("report", "report", cfg!(feature = "report")),
];

/// If `usage` says that a command is unknown, and it is one of a feature that was left out: how to get it.
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
