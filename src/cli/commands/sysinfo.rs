//! `sysinfo`: what to tell when asking for help. Works before `init`, and shows no secret.

use serde_json::{Map, Value, json};
use sysinfo::System;

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::table::Table;
use crate::cli::{names, units};
use crate::error::Error;
use crate::repo::FORMAT_VERSION;

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup sysinfo
  cryptbackup sysinfo --json";

/// Show the versions of program and system, and where the state is
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {}

/// Runs the command.
pub fn run(_: Args, context: &Context) -> Result<ExitStatus, Error> {
    let facts = facts(context);
    if context.out.wishes.json {
        let fields: Map<String, Value> = facts.into_iter().map(|(name, _, value)| (name.to_owned(), value)).collect();
        context.out.document(&Value::Object(fields));
        return Ok(ExitStatus::Done);
    }
    let mut table = Table::bare(2);
    for (_, title, value) in facts {
        let text = match value {
            Value::String(text) => text,
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
            Value::Null => "-".to_owned(),
            Value::Bool(true) => text!("fact-true"),
            Value::Bool(false) => text!("fact-false"),
            other => other.to_string(),
        };
        table.row(vec![title, names::escape(text.as_bytes())]);
    }
    table.print(&context.out);
    Ok(ExitStatus::Done)
}

/// Name in JSON, title, value.
fn facts(context: &Context) -> Vec<(&'static str, String, Value)> {
    let memory = System::new().ok().map(|mut system| {
        system.refresh_memory();
        units::bytes(system.total_memory())
    });
    let os = System::long_os_version().unwrap_or_else(|_| std::env::consts::OS.to_owned());
    let config = context.home.settings_path();
    vec![
        ("version", text!("fact-version"), json!(env!("CARGO_PKG_VERSION"))),
        ("format_version", text!("fact-format-version"), json!(FORMAT_VERSION)),
        ("os", text!("fact-os"), json!(os)),
        ("kernel", text!("fact-kernel"), json!(System::kernel_version().ok())),
        ("architecture", text!("fact-architecture"), json!(std::env::consts::ARCH)),
        ("cores", text!("fact-cores"), json!(std::thread::available_parallelism().map_or(1, usize::from))),
        ("memory", text!("fact-memory"), json!(memory)),
        ("cpu_features", text!("fact-cpu-features"), json!(cpu_features())),
        ("time_zone", text!("fact-time-zone"), json!(jiff::tz::TimeZone::system().iana_name())),
        ("home", text!("fact-home"), json!(names::path(context.home.path()))),
        ("home_mode", format!("  {}", text!("fact-mode")), json!(mode(context.home.path()))),
        ("config", text!("fact-config"), json!(names::path(&config))),
        ("config_mode", format!("  {}", text!("fact-mode")), json!(mode(&config))),
        ("initialised", text!("fact-initialised"), json!(context.home.exists())),
    ]
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).ok().map(|found| format!("{:o}", found.permissions().mode() & 0o7777))
}

#[cfg(not(unix))]
fn mode(_: &std::path::Path) -> Option<String> {
    None
}

/// Those that sealing, naming and compressing gain from.
#[cfg(target_arch = "x86_64")]
fn cpu_features() -> Vec<&'static str> {
    let known = [
        ("aes", is_x86_feature_detected!("aes")),
        ("pclmulqdq", is_x86_feature_detected!("pclmulqdq")),
        ("sse4.1", is_x86_feature_detected!("sse4.1")),
        ("avx2", is_x86_feature_detected!("avx2")),
        ("bmi2", is_x86_feature_detected!("bmi2")),
        ("avx512f", is_x86_feature_detected!("avx512f")),
    ];
    known.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name).collect()
}

#[cfg(not(target_arch = "x86_64"))]
fn cpu_features() -> Vec<&'static str> {
    Vec::new()
}
