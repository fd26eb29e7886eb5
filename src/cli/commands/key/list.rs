//! `key list`: what opens the repository, and where.

use serde_json::{Value, json};

use crate::cli::context::Context;
use crate::cli::exit::ExitStatus;
use crate::cli::messages::text;
use crate::cli::secrets::SecretArgs;
use crate::cli::table::Table;
use crate::cli::{names, shapes, words};
use crate::error::Error;
use crate::repo::{Access, KeysReport, SlotInfo};

const EXAMPLES: &str = "EXAMPLES:
  cryptbackup key list
  cryptbackup key list --json";

/// List what opens the repository, and on which destinations it is
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    secret: SecretArgs,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<ExitStatus, Error> {
    let report = context.open_for_listing(Access::Read, &args.secret)?.key_slots()?;
    if context.out.wishes.json {
        context.out.document(&shape(&report));
        return Ok(ExitStatus::Done);
    }
    table(&report.slots).print(&context.out);
    context.out.say("");
    context.out.say(&text!("key-epoch", epoch = report.epoch.to_string(), ring = report.ring.to_string()));
    if !report.unreachable.is_empty() {
        context.out.say(&text!("key-not-looked-at", names = report.unreachable.join(", ")));
    }
    Ok(ExitStatus::Done)
}

fn shape(report: &KeysReport) -> Value {
    let slots = report.slots.iter().map(|slot| {
        json!({
            "key": slot.id.to_string(),
            "kind": shapes::slot_kind(slot.kind),
            "here": slot.is_here,
            "destinations": slot.destinations,
            "in_use": slot.is_in_use,
            "removed": slot.is_removed,
        })
    });
    let slots = slots.collect::<Value>();
    json!({ "keys": slots, "ring": report.ring, "epoch": report.epoch, "unreachable": report.unreachable })
}

fn table(slots: &[SlotInfo]) -> Table {
    let mut table =
        Table::new(&[&text!("column-key"), &text!("column-opened-by"), &text!("column-places"), &text!("column-note")]);
    for slot in slots {
        let here = slot.is_here.then(|| text!("key-here"));
        let places: Vec<String> = here.into_iter().chain(slot.destinations.iter().cloned()).collect();
        let note = match (slot.is_in_use, slot.is_removed) {
            (_, true) => text!("key-removed-still-there"),
            (true, false) => text!("key-in-use"),
            (false, false) => String::new(),
        };
        let places = names::escape(places.join(", ").as_bytes());
        table.row(vec![slot.id.short(), words::slot_kind(slot.kind), places, note]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::{ObjectHash, SlotKind};

    fn slot(kind: SlotKind, is_in_use: bool) -> SlotInfo {
        let id = ObjectHash::from_bytes([0xAB; 32]);
        let destinations = vec!["primary".to_owned(), "usb".to_owned()];
        SlotInfo { id, kind, is_here: is_in_use, destinations, is_in_use, is_removed: !is_in_use }
    }

    #[test]
    fn each_key_is_a_line() {
        let lines = table(&[slot(SlotKind::Inline, true), slot(SlotKind::KeyFile, false)]).lines();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1], "abababab  key in config.yaml  this computer, primary, usb  in use");
        assert_eq!(
            lines[2],
            "abababab  key file            primary, usb                 removed; goes with the next backup"
        );
    }

    #[test]
    fn shapes_have_whole_ids_and_names_that_do_not_change() {
        let report =
            KeysReport { slots: vec![slot(SlotKind::Recovery, true)], ring: 3, epoch: 2, unreachable: Vec::new() };
        let shape = shape(&report);
        assert_eq!((&shape["ring"], &shape["epoch"]), (&json!(3), &json!(2)));
        let key = &shape["keys"][0];
        assert_eq!((&key["key"], &key["kind"]), (&json!("ab".repeat(32)), &json!("recovery")));
        assert_eq!((&key["here"], &key["in_use"], &key["removed"]), (&json!(true), &json!(true), &json!(false)));
        assert_eq!(key["destinations"], json!(["primary", "usb"]));
    }
}
