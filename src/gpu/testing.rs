//! Decides whether the tests that need a GPU run.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::adapter::{AdapterChoice, EngineConfig};
use super::adapters;

/// Environment variable: if it is 1, the tests fail where there is no adapter.
pub const REQUIRE: &str = "RELRV_REQUIRE_GPU";

/// Settings that open the best adapter, software too. None where there is none: the test that asks is skipped, and how many
/// were is told on stderr, unless [`REQUIRE`] says that there must be one.
pub fn gpu() -> Option<EngineConfig> {
    static ANY: OnceLock<bool> = OnceLock::new();
    static SKIPPED: AtomicUsize = AtomicUsize::new(0);
    // Not eprintln: the test harness would keep it to itself.
    let tell = |text: String| {
        let _ = writeln!(std::io::stderr(), "{text}");
    };
    let any = *ANY.get_or_init(|| {
        let list = adapters::list();
        if let Some(best) = list.first() {
            tell(format!(
                "GPU tests run on {} ({}, {}, {})",
                best.name,
                best.kind.name(),
                best.backend,
                best.driver
            ));
        }
        !list.is_empty()
    });
    if !any {
        assert!(
            std::env::var(REQUIRE).map_or(true, |v| v != "1"),
            "no adapter, and {REQUIRE} is 1"
        );
        let n = SKIPPED.fetch_add(1, Ordering::Relaxed) + 1;
        tell(format!("GPU tests skipped for want of an adapter: {n}"));
        return None;
    }
    Some(EngineConfig {
        adapter: AdapterChoice {
            name: String::new(),
            software: true,
        },
        ..Default::default()
    })
}
