//! `avocet sets`

mod diff;
mod export;
mod lookup;
mod show;

use std::path::PathBuf;

use avocet_known::{Act, CompileJob, KnownError, LoadProgress, Made, Scheme, SchemeRef, SetRef, SetStore, StoreError};

use crate::args::{Global, ImportSet, RemapSet, RemoveSet, Sets, UpdateSet};
use crate::show::Counter;
use crate::{Outcome, Refusal, access, output};

pub fn run(global: &Global, sets: &Sets) -> anyhow::Result<Outcome> {
    match sets {
        Sets::Import(a) => import(global, a),
        Sets::Update(a) => update(global, a),
        Sets::List => show::list(global),
        Sets::Show(a) => show::one(global, &a.set),
        Sets::Lookup(a) => lookup::run(global, a),
        Sets::Verify { sets } => verify(global, sets),
        Sets::Diff(a) => diff::run(global, a),
        Sets::Remove(a) => remove(global, a),
        Sets::Remap(a) => remap(global, a),
        Sets::Export(a) => export::run(global, a),
    }
}

/// The sets of this workplace.
pub fn store(global: &Global) -> anyhow::Result<SetStore> {
    Ok(SetStore::at(&access::store(global)?.join("sets")))
}

/// What the user can mend is a refusal; a failing disk is not.
pub fn refuse(error: StoreError) -> anyhow::Error {
    match error {
        StoreError::Io { .. } => anyhow::Error::new(error),
        other => Refusal(other.to_string()).into(),
    }
}

fn refuse_known(error: KnownError) -> anyhow::Error {
    refuse(error.into())
}

/// The set that a text names.
pub fn set_ref(text: &str) -> anyhow::Result<SetRef> {
    text.parse().map_err(refuse)
}

/// Runs something that takes a while under a counter, with this moment and user as its author.
fn doing<T>(
    global: &Global,
    note: Option<&str>,
    what: impl FnOnce(Act<'_>, &mut dyn FnMut(LoadProgress<'_>)) -> Result<T, StoreError>,
) -> anyhow::Result<T> {
    let counter = Counter::new(global.quiet);
    let (time, user) = (access::now(), access::user());
    let done = what(Act { time: &time, user: &user, note }, &mut |p| counter.show(&p));
    counter.finish();
    done.map_err(refuse)
}

fn bytes(mib: u32) -> usize {
    usize::try_from(mib).unwrap_or(256) << 20
}

fn import(global: &Global, args: &ImportSet) -> anyhow::Result<Outcome> {
    let Some(scheme) = &args.scheme else {
        let schemes: Vec<&str> = Scheme::builtin_ids().collect();
        return Err(Refusal(format!(
            "the set has no category scheme: without one nobody can say what its categories mean. Add --scheme S, where \
             S is one of {}, or the path of a scheme file (.toml); `avocet schemes` tells what they say",
            schemes.join(", ")
        ))
        .into());
    };
    let scheme = SchemeRef::parse(scheme).and_then(|s| s.open()).map_err(refuse_known)?;
    let store = store(global)?;
    let job = CompileJob {
        publisher: args.publisher.as_deref(),
        note: args.note.as_deref(),
        memory: bytes(args.memory),
        ..CompileJob::new(&args.name, &args.files, &scheme)
    };
    let made = doing(global, args.note.as_deref(), |act, progress| store.import(&args.name, &job, act, progress))?;
    tell(global, "imported", &made)
}

fn update(global: &Global, args: &UpdateSet) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let name = set_ref(&args.set)?;
    if name.version.is_some() {
        return Err(Refusal(format!("an update starts from the latest version: give {} alone", name.name)).into());
    }
    let scheme = update_scheme(&store, &name, args.scheme.as_deref())?;
    let made = doing(global, args.note.as_deref(), |act, progress| {
        store.update(&name.name, &args.files, &scheme, bytes(args.memory), act, progress)
    })?;
    tell(global, "updated", &made)
}

/// The scheme that the latest version was made with: it comes with Avocet word for word, or is given again.
fn update_scheme(store: &SetStore, name: &SetRef, given: Option<&str>) -> anyhow::Result<Scheme> {
    let (_, set) = store.open(name).map_err(refuse)?;
    let info = set.info();
    if let Some(given) = given {
        return SchemeRef::parse(given).and_then(|s| s.open()).map_err(refuse_known);
    }
    match Scheme::find_builtin(info.scheme.as_str()).filter(|s| s.digest == info.scheme_digest) {
        Some(scheme) => Ok(scheme),
        None => Err(Refusal(format!(
            "the set {name} was made with the scheme {} (version {}), which does not come with this program: give its \
             file with --scheme FILE.toml",
            info.scheme.as_str(),
            info.scheme_version
        ))
        .into()),
    }
}

fn remap(global: &Global, args: &RemapSet) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let scheme = SchemeRef::parse(&args.scheme).and_then(|s| s.open()).map_err(refuse_known)?;
    let name = set_ref(&args.set)?;
    if name.version.is_some() {
        return Err(Refusal(format!("a new mapping starts from the latest version: give {} alone", name.name)).into());
    }
    let made = doing(global, args.note.as_deref(), |act, progress| store.remap(&name.name, &scheme, act, progress))?;
    tell(global, "mapped", &made)
}

/// Says what was made, what could not be used first.
fn tell(global: &Global, what: &str, made: &Made) -> anyhow::Result<Outcome> {
    if global.json {
        output::answer(&serde_json::to_string_pretty(&show::json(&made.set, &made.info))?)?;
    } else {
        let mut text = show::troubles(&made.info);
        text.push_str(&format!("{} {what}: {}\n", made.set, show::counts(&made.info)));
        text.push_str(&format!("Digest of this version: {}\n", made.info.digest));
        output::answer(&text)?;
    }
    Ok(Outcome::Finished)
}

fn verify(global: &Global, sets: &[String]) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let mut wanted: Vec<SetRef> = vec![];
    let named: Vec<SetRef> = if sets.is_empty() {
        let all = store.names().map_err(refuse)?;
        all.into_iter().map(|name| SetRef { name, version: None }).collect()
    } else {
        sets.iter().map(|s| set_ref(s)).collect::<Result<_, _>>()?
    };
    for set in named {
        match set.version {
            Some(_) => wanted.push(store.find(&set).map_err(refuse)?.0),
            None => {
                if !sets.is_empty() {
                    store.find(&set).map_err(refuse)?;
                }
                let versions = store.versions(&set.name).map_err(refuse)?;
                wanted.extend(versions.into_iter().map(|v| SetRef { name: set.name.clone(), version: Some(v) }));
            }
        }
    }
    let mut bad = 0u64;
    let mut rows = vec![];
    for set in &wanted {
        // A version that was swapped for another whole one is found by the log.
        let logged = store.log(&set.name).map_err(refuse)?;
        let logged = logged.iter().rev().find(|e| Some(e.version) == set.version && e.act != "remove");
        let outcome = store.open(set).and_then(|(_, file)| {
            file.verify()?;
            Ok(file.digest())
        });
        let (good, text) = match (&outcome, logged) {
            (Err(e), _) => (false, e.to_string()),
            (Ok(digest), Some(entry)) if entry.digest != *digest => {
                (false, "it is not the version that the log names; import it again from its source".to_owned())
            }
            (Ok(_), None) => (true, "as it was made; the log does not name it".to_owned()),
            (Ok(_), Some(_)) => (true, "as it was made".to_owned()),
        };
        bad += u64::from(!good);
        rows.push((set, good, text));
    }
    if global.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|(set, good, text)| serde_json::json!({"set": set.to_string(), "good": good, "said": text}))
            .collect();
        output::answer(&serde_json::to_string_pretty(&rows)?)?;
    } else {
        let mut text = String::new();
        // What is wrong comes first.
        for (set, good, said) in rows.iter().filter(|r| !r.1).chain(rows.iter().filter(|r| r.1)) {
            text.push_str(&format!("{} {set}: {said}\n", if *good { "good   " } else { "DAMAGED" }));
        }
        output::answer(if text.is_empty() { "There is no known set to verify." } else { &text })?;
    }
    Ok(if bad > 0 { Outcome::Unreadable } else { Outcome::Finished })
}

fn remove(global: &Global, args: &RemoveSet) -> anyhow::Result<Outcome> {
    let store = store(global)?;
    let set = set_ref(&args.set)?;
    if set.version.is_none() {
        let versions = store.versions(&set.name).map_err(refuse)?;
        store.find(&set).map_err(refuse)?;
        let list: Vec<String> = versions.iter().map(|v| format!("{}@{v}", set.name)).collect();
        return Err(Refusal(format!("say which version is to go: {}", list.join(", "))).into());
    }
    let gone = doing(global, Some(&args.reason), |act, _| store.remove(&set, act))?;
    output::answer(&format!("{gone} removed. The log of {} keeps that it was there.", gone.name))?;
    Ok(Outcome::Finished)
}

/// The exact version that `NAME` or `NAME@VERSION` means, and its compiled file.
pub fn find(store: &SetStore, name: &str) -> anyhow::Result<(SetRef, PathBuf)> {
    store.find(&set_ref(name)?).map_err(refuse)
}
