//! `avocet schemes`

use avocet_known::{Category, Scheme, Status};

use crate::args::Global;
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global, id: Option<&str>) -> anyhow::Result<Outcome> {
    let schemes = Scheme::builtin();
    let chosen: Vec<&Scheme> = match id {
        None => schemes.iter().collect(),
        Some(id) => {
            let found: Vec<&Scheme> = schemes.iter().filter(|s| s.id.as_str() == id).collect();
            if found.is_empty() {
                let names: Vec<&str> = schemes.iter().map(|s| s.id.as_str()).collect();
                return Err(Refusal(format!("no scheme {id}; there is: {}", names.join(", "))).into());
            }
            found
        }
    };
    if global.json {
        let value: Vec<serde_json::Value> = chosen.iter().map(|s| json(s)).collect();
        output::answer(&serde_json::to_string_pretty(&value)?)?;
        return Ok(Outcome::Finished);
    }
    let mut text = String::new();
    for s in chosen {
        text.push_str(&format!(
            "{:<18} {} ({}; version {}, checked {})\n",
            s.id.as_str(),
            s.title,
            s.jurisdiction,
            s.version,
            s.date_checked
        ));
        if id.is_none() {
            continue;
        }
        text.push_str(&format!("  Source: {}\n", s.source));
        for c in s.categories.iter().chain([&s.default]) {
            let code = if c.code.is_empty() { "(none)" } else { &c.code };
            let alerts = if c.alerts { "alerts" } else { "does not alert" };
            let hides = if c.may_hide { ", may be hidden from review" } else { "" };
            text.push_str(&format!("  {code:<6} {} — {alerts}{hides} ({})\n", c.meaning, status(c)));
        }
    }
    output::answer(&text)?;
    Ok(Outcome::Finished)
}

fn status(c: &Category) -> &'static str {
    match c.status {
        Status::Confirmed => "confirmed",
        Status::ToBeConfirmed => "to be confirmed",
    }
}

fn json(s: &Scheme) -> serde_json::Value {
    let category = |c: &Category| {
        serde_json::json!({
            "code": c.code, "meaning": c.meaning, "alerts": c.alerts, "may_hide": c.may_hide, "status": status(c),
            "source": c.source, "jurisdiction": c.jurisdiction, "date_checked": c.date_checked,
        })
    };
    serde_json::json!({
        "id": s.id.as_str(), "version": s.version, "title": s.title, "jurisdiction": s.jurisdiction,
        "source": s.source, "date_checked": s.date_checked, "digest": s.digest,
        "categories": s.categories.iter().map(category).collect::<Vec<_>>(), "without_category": category(&s.default),
    })
}
