//! `vestibule trace …`

use super::{Desk, Failure, plain, say};
use crate::domain::id::RequestId;
use crate::domain::trace::Trace;
use crate::service::caller::Operator;
use crate::service::trace::Traces;
use crate::service::{moment, trace_words};
use clap::Args;
use std::sync::Arc;

/// What to show.
#[derive(Args)]
pub struct Options {
    /// The reference on the page that somebody saw; also in the log and in the audit trail.
    #[arg(required_unless_present = "last", conflicts_with_all = ["last", "provider"])]
    reference: Option<String>,
    /// The newest sign-ins, one a line.
    #[arg(long, value_name = "N", num_args = 0..=1, default_missing_value = "20", value_parser = clap::value_parser!(u32).range(1..=1000))]
    last: Option<u32>,
    /// Only those of the provider or directory with this slug.
    #[arg(long, value_name = "SLUG", requires = "last")]
    provider: Option<String>,
    /// As JSON: one object a line.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(desk: &Desk, options: Options) -> Result<(), Failure> {
    let traces = Traces::new(Arc::clone(&desk.core));
    let days = desk.core.policy.trace_days;
    let by = Operator::vouched();
    let Some(reference) = &options.reference else {
        let newest = traces.newest(by, options.provider.as_deref(), options.last.unwrap_or(20)).await?;
        if newest.is_empty() && !options.json {
            say(&format!("There is no trace of a sign-in. {}", kept(days)));
        }
        for one in &newest {
            say(&if options.json { json(one)? } else { plain::line(&trace_words::line(one)).into_owned() });
        }
        return Ok(());
    };
    let wrong = || format!("{reference:?} is no reference; it looks like 0197a2b4-1c5e-7d3f-8a90-b1c2d3e4f506");
    let id: RequestId = reference.trim().parse().map_err(|_| wrong())?;
    let Some(found) = traces.find(by, id).await? else {
        return Err(format!(
            "there is no trace with the reference {id}: it is too old, or no sign-in with a provider ended in that \
             request, or there were too many at that time to keep each. {} The log and the audit trail have its reason \
             under the same id",
            kept(days)
        )
        .into());
    };
    if options.json {
        say(&json(&found)?);
    } else {
        for line in &trace_words::told(&found) {
            say(&plain::line(line));
        }
    }
    Ok(())
}

fn kept(days: u32) -> String {
    match days {
        0 => "None are kept: log.trace_days is 0.".to_owned(),
        1 => "Traces are kept for a day (log.trace_days).".to_owned(),
        days => format!("Traces are kept for {days} days (log.trace_days)."),
    }
}

fn json(one: &Trace) -> Result<String, Failure> {
    let mut value = serde_json::to_value(one)?;
    if let Some(fields) = value.as_object_mut() {
        fields.insert("at".to_owned(), moment::machine(one.at).into());
        fields.insert("remedy".to_owned(), trace_words::remedy(one).into());
        for note in fields.get_mut("notes").and_then(serde_json::Value::as_array_mut).into_iter().flatten() {
            let at = note.get("at").and_then(serde_json::Value::as_i64).unwrap_or_default();
            let at = moment::machine(crate::domain::time::Timestamp::from_millis(at));
            note.as_object_mut().map(|note| note.insert("at".to_owned(), at.into()));
        }
    }
    Ok(value.to_string())
}
