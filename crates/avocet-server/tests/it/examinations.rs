//! Examinations in the browser: what is listed, attached, started, watched; what is graded; sets and backups.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use avocet_base::{Md5, Sha1, Sha256};
use avocet_examination::{CompletenessRow, EvidenceRow, Examination, FileRow, Level, ProblemRow, VolumeRow, Writer};
use avocet_known::{Act as SetAct, CompileJob, Scheme, SetStore};
use avocet_media::derivative::{KeyFile, Protector, Writer as SmallPictures};
use avocet_record::store::Database;
use avocet_server::Setup;
use avocet_server::pictures::Pictures;
use axum::http::StatusCode;
use serde_json::Value;

use crate::support::{Browser, Team, team, team_set_up};

/// A sealed examination of an exhibit with this reference, with pictures of these bytes and a gap.
fn examination(path: &Path, reference: &str, bytes: &[u8]) -> Sha256 {
    sealed(path, reference, bytes, None)
}

/// The same, or an interim result that says how much had been read.
fn sealed(path: &Path, reference: &str, bytes: &[u8], interim: Option<&str>) -> Sha256 {
    let mut writer = Writer::create(path).unwrap();
    writer.config("digests", "md5 sha1 sha256").unwrap();
    if let Some(read) = interim {
        writer.config("interim", read).unwrap();
    }
    writer.run("started", "2026-11-20T12:00:00Z").unwrap();
    let evidence = EvidenceRow {
        kind: "raw".into(),
        media_size: 1 << 20,
        segments: 1,
        exhibit: Some(reference.into()),
        verdict: "not checked".into(),
        ..EvidenceRow::default()
    };
    writer.evidence(&evidence).unwrap();
    writer.volume(&VolumeRow { id: 1, label: "gpt:1".into(), ..VolumeRow::default() }).unwrap();
    for (id, byte) in (1..).zip(bytes) {
        let file = FileRow {
            id,
            volume: 1,
            path: format!("/a name on the device {byte}"),
            kind: "file".into(),
            state: "allocated".into(),
            zone: "utc".into(),
            media: Some("picture".into()),
            md5: Some(Md5([*byte; 16])),
            sha1: Some(Sha1([*byte; 20])),
            sha256: Some(Sha256([*byte; 32])),
            ..FileRow::default()
        };
        writer.file(&file, &[]).unwrap();
    }
    let problem =
        ProblemRow { seq: 1, layer: "fat".into(), code: "x".into(), detail: "A loop.".into(), ..ProblemRow::default() };
    writer.problem(&problem).unwrap();
    let lines =
        [(Level::Gap, "Volume gpt:2 was not read: it is locked."), (Level::Done, "Every file of gpt:1 was read.")];
    for (seq, (level, text)) in (1..).zip(lines) {
        let (code, text) = ("volume".to_owned(), text.to_owned());
        writer.completeness(&CompletenessRow { seq, level, code, count: 1, bytes: None, text }).unwrap();
    }
    writer.seal(None).unwrap();
    Examination::open(path).unwrap().result_digest().unwrap()
}

/// A team whose server looks in `examinations`, `evidence`, `sets` and `backups`, and runs this script as the program.
async fn with_folders(script: &str) -> (tempfile::TempDir, Team) {
    with_pictures(script, |_| Pictures::default()).await
}

/// The same, with small pictures.
async fn with_pictures(script: &str, open: impl FnOnce(&Path) -> Pictures) -> (tempfile::TempDir, Team) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["examinations", "evidence", "sets", "backups"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    let program = folder.path().join("program");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let at = |name: &str| Some(folder.path().join(name));
    let setup = Setup {
        pictures: open(folder.path()),
        examinations: at("examinations"),
        evidence: at("evidence"),
        set_files: at("sets"),
        backups: at("backups"),
        program,
        ..Setup::default()
    };
    let team = team_set_up(setup).await;
    (folder, team)
}

async fn told(browser: &Browser, path: &str, body: &str) -> String {
    let answer = browser.post(path, body).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
    let page = browser.get(answer.to()).await;
    assert_eq!(page.status, StatusCode::OK, "{}", answer.to());
    page.body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_examination_is_read_first_and_then_attached_by_its_digest() {
    let (folder, team) = with_folders("exit 1").await;
    let at = folder.path().join("examinations");
    let mine = examination(&at.join("a name.examination"), "JC/1", &[1, 2, 3]);
    let others = examination(&at.join("b.examination"), "ZZ/9", &[9]);
    fs::write(at.join("c.examination"), b"no examination").unwrap();
    let examiner = team.sign_in("examiner").await;
    let list = examiner.get("/investigations/I-1/examinations/attach").await.body;
    assert!(list.contains("JC/1") && list.contains("1 gap: something was not examined"), "{list}");
    // Another exhibit's is counted and not shown; its digest finds nothing here.
    assert!(!list.contains("ZZ/9") && !list.contains(&others.to_string()), "{list}");
    assert!(
        list.contains("1 other examination states") && list.contains("1 file in the folder could not be read"),
        "{list}"
    );
    assert!(!list.contains("a name.examination"), "a file is named by its digest");
    let not_mine = format!("/investigations/I-1/examinations/found/{others}");
    assert_eq!(examiner.get(&not_mine).await.status, StatusCode::NOT_FOUND);
    assert_eq!(examiner.post(&not_mine, "exhibit=E-1").await.status, StatusCode::NOT_FOUND);
    let page = format!("/investigations/I-1/examinations/found/{mine}");
    let report = examiner.get(&page).await.body;
    let (complete, found) = (report.find("it is locked").unwrap(), report.find("What it found, in numbers").unwrap());
    assert!(complete < found, "completeness comes first");
    assert!(report.contains("A loop.") && report.contains("1 problem"), "{report}");
    // Who only reads does not attach; an exhibit of another investigation is none of these.
    assert_eq!(team.sign_in("detective").await.get(&page).await.status, StatusCode::FORBIDDEN);
    assert_eq!(examiner.post(&page, "exhibit=E-2").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(examiner.post(&page, "exhibit=E-1&replaces=X-7").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let section = told(&examiner, &page, "exhibit=E-1").await;
    assert!(section.contains("X-1 is attached to E-1") && section.contains("3 contents in 3 files"), "{section}");
    assert!(section.contains("Nobody has said what is graded"), "{section}");
    let own = examiner.get("/investigations/I-1/examinations/X-1").await.body;
    assert!(own.contains("it is locked"), "{own}");
    assert!(examiner.get(&page).await.body.contains("It is attached as X-1"));
    let again = examiner.post(&page, "exhibit=E-1").await;
    assert!(again.body.contains("is attached already, as X-1"), "{}", again.body);
    // One that takes its place.
    let later = examination(&at.join("d.examination"), "JC/1", &[1, 2, 3, 4]);
    let section =
        told(&examiner, &format!("/investigations/I-1/examinations/found/{later}"), "exhibit=E-1&replaces=X-1").await;
    assert!(section.contains("X-2 is attached to E-1") && section.contains("4 contents in 4 files"), "{section}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_graded_is_set_with_its_reason_and_queues_at_once() {
    let (folder, team) = with_folders("exit 1").await;
    let file = folder.path().join("examinations/a.examination");
    let digest = examination(&file, "JC/1", &[1, 2, 3]);
    let (examiner, boss) = (team.sign_in("examiner").await, team.sign_in("supervisor").await);
    told(&examiner, &format!("/investigations/I-1/examinations/found/{digest}"), "exhibit=E-1").await;
    let path = "/investigations/I-1/examinations/policy";
    assert_eq!(examiner.get(path).await.status, StatusCode::FORBIDDEN);
    let wrong = boss.post(path, "what=unknown&scheme=uk-2014%409&rule=nothing&dip=1001&enough=A+20").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    for sentence in
        ["Choose the scheme", "Choose the rule", "from 0 to 1000", "Enter why", "Only where a part is graded"]
    {
        assert!(wrong.body.contains(sentence), "{sentence}: {}", wrong.body);
    }
    let page = told(&boss, path, "what=unknown&scheme=uk-2014%401&rule=default&dip=25&reason=agreed").await;
    assert!(page.contains("What no set knows") && page.contains("25 in 1,000"), "{page}");
    let grader = team.sign_in("grader").await;
    assert_eq!(grader.get("/investigations/I-1/review").await.body.matches("class=\"tile\"").count(), 3);
    let body = "what=streamlined&scheme=uk-2014%401&rule=default&criteria=twenty+of+each&enough=A+20%0AB+5&own=true&reason=agreed+anew";
    let page = told(&boss, path, body).await;
    assert!(page.contains("twenty of each. Enough: 20 of A. Enough: 5 of B. First every unknown"), "{page}");
    // What stands is what the form begins with.
    let form = boss.get(path).await.body;
    assert!(form.contains(">A 20\nB 5</textarea>") && form.contains("value=\"uk-2014@1\" selected"), "{form}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_examination_is_begun_on_a_listed_source_watched_and_leaves_no_name_in_addresses() {
    // Stands in for the program: says what it was called with and how far it is, waits to be let go, leaves a result.
    let script = r#"
echo "$*" > "$(dirname "$0")/called"; echo "$USER $AVOCET_STORE_KEY" >> "$(dirname "$0")/called"
echo '{"progress":{"stage":"volume","volume":"gpt:1","files":7,"bytes":1048576,"of":4194304}}' >&2
while [ ! -e "$(dirname "$0")/go" ]; do sleep 0.05; done
while [ $# -gt 0 ]; do if [ "$1" = --out ]; then cp "$(dirname "$0")/ready" "$2"; fi; shift; done
exit 3"#;
    let (folder, team) = with_folders(script).await;
    let ready = folder.path().join("ready.examination");
    let digest = examination(&ready, "JC/1", &[1, 2]);
    fs::rename(&ready, folder.path().join("ready")).unwrap();
    fs::write(folder.path().join("evidence/a device.dd"), vec![0; 4096]).unwrap();
    let (examiner, grader) = (team.sign_in("examiner").await, team.sign_in("grader").await);
    let path = "/investigations/I-1/exhibits/E-1/examine";
    assert_eq!(grader.get(path).await.status, StatusCode::FORBIDDEN);
    let form = examiner.get(path).await.body;
    let option = form.split("<option value=\"").find(|part| part.contains("a device.dd")).unwrap();
    let token = option.split('"').next().unwrap().to_owned();
    for wrong in ["source=a+device.dd", "source=..%2Fready", "source=%2Fetc%2Fpasswd", ""] {
        let answer = examiner.post(path, &format!("{wrong}&digest=true")).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
    let answer = examiner.post(path, &format!("source={token}&small=true&known=nothing")).await;
    assert!(answer.body.contains("Choose sets of this server"), "{}", answer.body);
    let answer = examiner.post(path, &format!("source={token}&small=true")).await;
    assert_eq!((answer.status, answer.to()), (StatusCode::SEE_OTHER, "/investigations/I-1/examinations/run/1"));
    let run = answer.to().to_owned();
    let far = async || -> Value { serde_json::from_str(&grader.get(&format!("{run}/progress")).await.body).unwrap() };
    let until = async |done: &dyn Fn(&Value) -> bool| {
        for _ in 0..400 {
            let now = far().await;
            if done(&now) {
                return now;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}", far().await);
    };
    let now = until(&|now| now["said"].as_str().unwrap().contains("7 files")).await;
    assert!(now["said"].as_str().unwrap().starts_with("Volume gpt:1: 7 files, 1.0 MiB of about 4.0 MiB"), "{now}");
    assert_eq!((now["share"].as_u64(), now["ended"].as_bool()), (Some(250), Some(false)));
    let watch = grader.get(&run).await.body;
    assert!(watch.contains("Running") && !watch.contains("Stop it"), "{watch}");
    // Through an investigation that it is not of there is nothing, whoever asks.
    let boss = team.sign_in("supervisor").await;
    assert_eq!(boss.get("/investigations/I-2/examinations/run/1").await.status, StatusCode::NOT_FOUND);
    assert_eq!(boss.post("/investigations/I-2/examinations/run/1/stop", "").await.status, StatusCode::NOT_FOUND);
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert!(called.contains("a device.dd --exhibit JC/1 --out ") && called.contains("--no-image-digest\n"), "{called}");
    assert!(called.ends_with("examiner \n"), "the person is named, and no key goes along: {called}");
    fs::write(folder.path().join("go"), b"").unwrap();
    until(&|now| now["ended"] == true).await;
    let watch = examiner.get(&run).await.body;
    assert!(watch.contains("Finished, with alerts") && watch.contains("Read how complete it is"), "{watch}");
    let section = told(&examiner, &format!("/investigations/I-1/examinations/found/{digest}"), "exhibit=E-1").await;
    assert!(section.contains("2 contents in 2 files"), "{section}");
    // A second one is stopped.
    fs::remove_file(folder.path().join("go")).unwrap();
    let answer = examiner.post(path, &format!("source={token}")).await;
    let run = answer.to().to_owned();
    let page = told(&examiner, &format!("{run}/stop"), "").await;
    assert!(
        page.contains("It is stopped: no small pictures had been begun.") && page.contains("Nothing of it was kept"),
        "{page}"
    );
}

/// Begins an examination of E-1 on the only source and answers its page.
async fn begun(examiner: &Browser, source: &str) -> String {
    let path = "/investigations/I-1/exhibits/E-1/examine";
    let form = examiner.get(path).await.body;
    let option = form.split("<option value=\"").find(|part| part.contains(source)).unwrap();
    let token = option.split('"').next().unwrap();
    let answer = examiner.post(path, &format!("source={token}&small=true")).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.to().to_owned()
}

/// Asks until a job says this.
async fn until(browser: &Browser, run: &str, done: impl Fn(&Value) -> bool) -> Value {
    for _ in 0..400 {
        let now: Value = serde_json::from_str(&browser.get(&format!("{run}/progress")).await.body).unwrap();
        if done(&now) {
            return now;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{run} does not get there: {}", browser.get(run).await.body);
}

/// Stands in for the program: an examination begins small pictures, says so, and ends when it is let go; an interim result
/// is made of what lies ready, with small pictures beside it, or is refused, or takes long.
const INTERIM: &str = r#"
at="$(dirname "$0")"; all="$*"
while [ $# -gt 0 ]; do case "$1" in --out) out="$2"; shift;; --interim) interim="$2"; shift;; esac; shift; done
if [ -n "$interim" ]; then
  echo "$all" > "$at/interim-called"
  if [ -e "$at/refuse" ]; then echo "avocet: $out has not begun far enough: try again later" >&2; exit 2; fi
  if [ -e "$at/wait" ]; then touch "$interim.partial" "$at/waits"; exec sleep 60; fi
  cp "$at/ready-interim" "$interim"; cp "$at/ready-interim.seal" "$interim.seal"; cp "$at/small" "${interim%.examination}.derivatives"; exit 4
fi
echo "$all" > "$at/called"
if [ -e "$at/id" ]; then echo "{\"small_pictures\":\"$(cat "$at/id")\"}" >&2; fi
echo x > "${out%.examination}.derivatives.partial"
echo '{"progress":{"stage":"volume","volume":"gpt:1","files":7,"bytes":1048576,"of":4194304}}' >&2
while [ ! -e "$at/go" ] && [ -e "$0" ]; do sleep 0.05; done
rm "${out%.examination}.derivatives.partial"; cp "$at/ready" "$out"; exit 0"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_running_examination_has_read_is_attached_graded_and_makes_way_for_the_whole() {
    let (folder, team) = with_folders(INTERIM).await;
    let at = folder.path();
    fs::write(at.join("small"), b"no small pictures").unwrap();
    let part = sealed(&at.join("ready-interim"), "JC/1", &[1, 3], Some("2 of 5 files with content had been read"));
    let whole = examination(&at.join("ready"), "JC/1", &[1, 2, 3, 4]);
    fs::write(at.join("evidence/a device.dd"), vec![0; 4096]).unwrap();
    let (examiner, grader, boss) =
        (team.sign_in("examiner").await, team.sign_in("grader").await, team.sign_in("supervisor").await);
    let policy = "/investigations/I-1/examinations/policy";
    told(&boss, policy, "what=every&scheme=uk-2014%401&rule=default&dip=0&reason=agreed").await;
    let run = begun(&examiner, "a device.dd").await;
    until(&examiner, &run, |now| now["said"].as_str().unwrap().contains("7 files")).await;
    let ask = format!("{run}/interim");
    // Who may attach may ask for it, on this investigation only.
    assert!(examiner.get(&run).await.body.contains("Grade what it has read so far"));
    assert!(!grader.get(&run).await.body.contains("Grade what it has read so far"));
    assert_eq!(grader.post(&ask, "").await.status, StatusCode::FORBIDDEN);
    assert_eq!(boss.post(&ask.replace("I-1", "I-2"), "").await.status, StatusCode::NOT_FOUND);
    // What the program says is shown without names, and the examination goes on.
    fs::write(at.join("refuse"), b"").unwrap();
    let refused = examiner.post(&ask, "").await.to().to_owned();
    until(&examiner, &refused, |now| now["ended"] == true).await;
    let page = examiner.get(&refused).await.body;
    assert!(page.contains("It was not made: avocet: the result has not begun far enough"), "{page}");
    fs::remove_file(at.join("refuse")).unwrap();
    let made = examiner.post(&ask, "").await.to().to_owned();
    assert_eq!(made, "/investigations/I-1/examinations/run/3");
    assert_eq!(examiner.post(&format!("{made}/interim"), "").await.status, StatusCode::NOT_FOUND, "none of an interim");
    until(&examiner, &made, |now| now["ended"] == true).await;
    let called = |name: &str| fs::read_to_string(at.join(name)).unwrap().trim().to_owned();
    let (begin, interim) = (called("called"), called("interim-called"));
    let added = interim.strip_prefix(&begin).expect(&interim);
    assert!(added.starts_with(" --interim ") && added.ends_with(".interim-2.examination"), "{added}");
    let page = examiner.get(&made).await.body;
    assert!(page.contains("Interim result of E-1") && page.contains("Read how complete it is"), "{page}");
    let found = format!("/investigations/I-1/examinations/found/{part}");
    let report = examiner.get(&found).await.body;
    assert!(report.contains("This is an interim result") && report.contains("2 of 5 files with content"), "{report}");
    let list = told(&examiner, &found, "exhibit=E-1").await;
    assert!(list.contains("X-1 is attached to E-1 as an interim result") && list.contains("Interim</"), "{list}");
    assert_eq!(grader.get("/investigations/I-1/review").await.body.matches("class=\"tile\"").count(), 2);
    // The examination still runs, and where something is missing it is said.
    assert!(boss.get("/").await.body.contains("Examination of E-1 in I-1"));
    let missing = "X-1 of E-1 is interim: its examination had not ended";
    for path in ["/investigations/I-1", "/investigations/I-1/result"] {
        let page = boss.get(path).await.body;
        assert!(page.contains(missing), "{path}: {page}");
    }
    assert_eq!(boss.post("/investigations/I-1/result", "").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let extract = boss.post("/investigations/I-1/result", "open=yes").await.to().to_owned();
    for path in [extract.clone(), format!("{extract}/schedule"), format!("{extract}/page")] {
        let page = boss.get(&path).await.body;
        assert!(page.contains("X-1 is an interim result: its examination had not ended"), "{path}: {page}");
    }
    assert!(boss.get("/investigations/I-1/examinations/X-1").await.body.contains("This is an interim result"));
    let there = "The whole result of E-1 is there";
    assert!(!boss.get("/").await.body.contains(there));
    // It ends: whoever looks is told, and the form has the interim one chosen.
    fs::write(at.join("go"), b"").unwrap();
    until(&examiner, &run, |now| now["ended"] == true).await;
    assert!(boss.get("/").await.body.contains(there));
    assert!(boss.get("/investigations/I-1/examinations").await.body.contains(there));
    assert!(!examiner.get(&run).await.body.contains("Grade what it has read so far"));
    let found = format!("/investigations/I-1/examinations/found/{whole}");
    assert!(boss.get("/").await.body.contains(&found), "one step to it");
    let form = examiner.get(&found).await.body;
    assert!(form.contains("value=\"X-1\" selected") && form.contains(", interim</option>"), "{form}");
    let refused = examiner.post(&found, "exhibit=E-1&replaces=").await;
    assert!(refused.status == StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.body);
    assert!(refused.body.contains("X-1 is an interim result of E-1, and beside it contents would count twice"));
    let list = told(&examiner, &found, "exhibit=E-1&replaces=X-1").await;
    assert!(list.contains("X-2 is attached to E-1: ") && list.contains("It takes the place of X-1"), "{list}");
    assert!(!list.contains(there) && !boss.get("/").await.body.contains(there));
    assert!(!boss.get("/investigations/I-1").await.body.contains(missing));
    assert_eq!(grader.get("/investigations/I-1/review").await.body.matches("class=\"tile\"").count(), 4);
    let story = boss.get("/investigations/I-1/timeline?looks=yes").await.body;
    assert!(story.contains("an interim result of the examination of its copy was begun"), "{story}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_keeps_what_was_attached_and_no_small_picture_and_stopping_an_interim_result_takes_nothing_else() {
    let (folder, team) = with_pictures(INTERIM, |at| {
        let key = at.join("key");
        let protector = Protector::KeyFile(KeyFile::create(&key).unwrap());
        SmallPictures::create(&at.join("small"), &protector, [7; 32]).unwrap().finish().unwrap();
        let keys = move || vec![Protector::key_file(&key).unwrap()];
        Pictures::open(&at.join("examinations"), Box::new(keys)).unwrap().0
    })
    .await;
    let at = folder.path();
    let stores = || team.app.pictures().stores();
    let part = sealed(&at.join("ready-interim"), "JC/1", &[1], Some("1 of 5 files with content had been read"));
    fs::write(at.join("evidence/a.dd"), vec![0; 4096]).unwrap();
    fs::write(at.join("id"), Sha256([7; 32]).to_string()).unwrap();
    let keys = team.app.store().dir().join("picture-keys");
    fs::create_dir(&keys).unwrap();
    drop(KeyFile::create(&keys.join(format!("{}.key", Sha256([7; 32])))).unwrap());
    let examiner = team.sign_in("examiner").await;
    let run = begun(&examiner, "a.dd").await;
    until(&examiner, &run, |now| now["said"].as_str().unwrap().contains("7 files")).await;
    assert!(examiner.get(&run).await.body.contains("Stop it; nothing of it is kept"));
    let ask = format!("{run}/interim");
    let first = examiner.post(&ask, "").await.to().to_owned();
    until(&examiner, &first, |now| now["ended"] == true).await;
    told(&examiner, &format!("/investigations/I-1/examinations/found/{part}"), "exhibit=E-1").await;
    assert_eq!(stores(), 1, "its small pictures are shown");
    // Another one is asked for and stopped: what it left goes, and the key of the examination stays.
    fs::write(at.join("wait"), b"").unwrap();
    let second = examiner.post(&ask, "").await.to().to_owned();
    for _ in 0..400 {
        if at.join("waits").is_file() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let again = examiner.post(&ask, "").await;
    assert_eq!(again.to(), run, "one at a time");
    assert!(examiner.get(&run).await.body.contains("An interim result of it is being made"));
    let page = told(&examiner, &format!("{second}/stop"), "").await;
    assert!(page.contains("It is stopped. The examination goes on."), "{page}");
    let key = || fs::read_dir(&keys).unwrap().count();
    assert_eq!(key(), 1);
    let names = || {
        let all = fs::read_dir(at.join("examinations")).unwrap();
        let mut all: Vec<String> = all.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        all.sort();
        // Without the time that they are named by.
        all.iter().map(|name| name.split_once('.').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(),
        ["derivatives.partial", "interim-1.derivatives", "interim-1.examination", "interim-1.examination.seal"]
    );
    // A third one is sealed and not attached.
    fs::remove_file(at.join("wait")).unwrap();
    for name in ["ready-interim", "ready-interim.seal"] {
        fs::remove_file(at.join(name)).unwrap();
    }
    sealed(&at.join("ready-interim"), "JC/1", &[1, 2], Some("2 of 5 files with content had been read"));
    let third = examiner.post(&ask, "").await.to().to_owned();
    until(&examiner, &third, |now| now["ended"] == true).await;
    assert!(names().contains(&"interim-3.examination".to_owned()), "{:?}", names());
    let page = examiner.get(&run).await.body;
    assert!(page.contains("Their pictures cannot be shown any more"), "{page}");
    let page = told(&examiner, &format!("{run}/stop"), "").await;
    for words in [
        "its small pictures and their key are destroyed",
        "what was graded stays, and can be shown no more",
        "1 interim result that was not attached is removed",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert_eq!(stores(), 0, "nothing is shown from what is destroyed");
    assert_eq!(
        (names(), key()),
        (vec!["interim-1.examination".to_owned(), "interim-1.examination.seal".to_owned()], 0)
    );
    let own = examiner.get("/investigations/I-1/examinations/X-1").await.body;
    assert!(own.contains("This is an interim result") && own.contains("it is locked"), "{own}");
    assert_eq!(examiner.post(&ask, "").await.to(), run);
    assert!(examiner.get(&run).await.body.contains("It was stopped, and nothing of it was kept"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_examination_leaves_no_key_of_its_small_pictures_and_that_stands_in_the_record() {
    // Stands in for the program: begins small pictures, a result and a journal, and then takes long.
    let script = r#"
while [ $# -gt 0 ]; do if [ "$1" = --out ]; then out="$2"; fi; shift; done
echo "{\"small_pictures\":\"$(cat "$(dirname "$0")/id")\"}" >&2
echo x > "${out%.examination}.derivatives.partial"; echo x > "$out.partial"; echo x > "$out.journal"; touch "$(dirname "$0")/on"
exec sleep 60"#;
    let (folder, team) = with_folders(script).await;
    fs::write(folder.path().join("evidence/a.dd"), vec![0; 4096]).unwrap();
    let keys = team.app.store().dir().join("picture-keys");
    fs::create_dir(&keys).unwrap();
    let key_of = |byte: u8| keys.join(format!("{}.key", Sha256([byte; 32])));
    for byte in [7, 8] {
        drop(KeyFile::create(&key_of(byte)).unwrap());
    }
    fs::write(folder.path().join("id"), Sha256([7; 32]).to_string()).unwrap();
    let examiner = team.sign_in("examiner").await;
    let path = "/investigations/I-1/exhibits/E-1/examine";
    let form = examiner.get(path).await.body;
    let option = form.split("<option value=\"").find(|part| part.contains("a.dd")).unwrap();
    let token = option.split('"').next().unwrap();
    let run = examiner.post(path, &format!("source={token}&small=true")).await.to().to_owned();
    for _ in 0..400 {
        if folder.path().join("on").is_file() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(fs::read_dir(folder.path().join("examinations")).unwrap().count(), 3, "it has begun");
    let page = told(&examiner, &format!("{run}/stop"), "").await;
    assert!(page.contains("It is stopped: its small pictures and their key are destroyed."), "{page}");
    assert!(!key_of(7).is_file() && key_of(8).is_file(), "its own key is gone, and no other");
    assert_eq!(fs::read_dir(folder.path().join("examinations")).unwrap().count(), 0, "and nothing is left of it");
    let story = examiner.get("/investigations/I-1/timeline?looks=yes").await.body;
    assert!(story.contains("was stopped; its small pictures and their key are destroyed"), "{story}");
    // A second press does nothing more.
    assert!(told(&examiner, &format!("{run}/stop"), "").await.contains("It had ended already."));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_folders_the_pages_say_what_to_do() {
    let team = team().await;
    let (examiner, admin) = (team.sign_in("examiner").await, team.sign_in("administrator").await);
    assert!(examiner.get("/investigations/I-1/examinations/attach").await.body.contains("--examinations DIR"));
    assert!(examiner.get("/investigations/I-1/exhibits/E-1/examine").await.body.contains("--evidence DIR"));
    assert!(examiner.get("/sets").await.body.contains("There is no known set yet"));
    assert!(admin.get("/sets/import").await.body.contains("--set-files DIR"));
    assert!(admin.get("/backups").await.body.contains("--backups DIR"));
    for path in ["/investigations/I-1/exhibits/E-1/examine"] {
        assert_eq!(examiner.post(path, "").await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(admin.post("/backups", "").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_imports_a_set_and_makes_backups() {
    let script = r#"for a in "$@"; do echo "$a"; done > "$(dirname "$0")/called"; exit 0"#;
    let (folder, team) = with_folders(script).await;
    fs::write(folder.path().join("sets/force.json"), b"{}").unwrap();
    let (admin, boss) = (team.sign_in("administrator").await, team.sign_in("supervisor").await);
    assert_eq!(boss.get("/sets/import").await.status, StatusCode::FORBIDDEN);
    let form = admin.get("/sets/import").await.body;
    let token = form.split("type=\"checkbox\" name=\"file\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let wrong = admin.post("/sets/import", &format!("file={token}&file=..%2Fprogram&name=--quiet&scheme=none")).await;
    for sentence in ["Choose the files", "Use small letters", "Choose how its categories"] {
        assert!(wrong.body.contains(sentence), "{sentence}");
    }
    let page = told(&admin, "/sets/import", &format!("file={token}&name=force&scheme=uk-2014&publisher=--force")).await;
    assert!(page.contains("force is being imported"), "{page}");
    for _ in 0..200 {
        if admin.get("/sets").await.body.contains(">Imported</span>") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let called = fs::read_to_string(folder.path().join("called")).unwrap();
    assert!(
        called.lines().any(|word| word == "--name=force") && called.lines().any(|word| word == "--publisher=--force"),
        "{called}"
    );
    if team.app.store().database() == Database::Sqlite {
        let page = told(&admin, "/backups", "").await;
        assert!(page.contains("and its ledger verifies"), "{page}");
        assert_eq!(fs::read_dir(folder.path().join("backups")).unwrap().count(), 1);
        // What to run to go back to it, after it was checked, and what that would lose.
        let link = page.split("href=\"").find(|part| part.starts_with("/backups/")).unwrap();
        let back = link.split('"').next().unwrap();
        let name = fs::read_dir(folder.path().join("backups")).unwrap().next().unwrap().unwrap().file_name();
        assert!(!back.contains(name.to_str().unwrap()), "no name of a folder stands in an address");
        assert_eq!(boss.get(back).await.status, StatusCode::FORBIDDEN);
        boss.post("/investigations/I-1/risk/danger", "danger=yes").await;
        let page = admin.get(back).await.body;
        assert!(page.contains("It verifies") && page.contains("record restore"), "{page}");
        assert!(page.contains("were recorded after it") || page.contains("was recorded after it"), "{page}");
        let database = folder.path().join("backups").join(&name).join("record.db");
        let digest = avocet_record::digest(&fs::read(&database).unwrap()).to_string();
        assert!(page.contains(&digest), "the digest of its database");
        assert!(page.contains(&format!("--erased '{}", team.app.store().dir().display())), "{page}");
        // One that was changed is not offered.
        let head = folder.path().join("backups").join(&name).join("ledger.head");
        let text = fs::read_to_string(&head).unwrap();
        let altered: String = text.replacen("count", "count ", 1);
        fs::write(&head, if altered == text { text.replacen('1', "2", 1) } else { altered }).unwrap();
        let page = admin.get(back).await;
        assert!(!page.body.contains("record restore"), "{}", page.body);
    } else {
        let refused = admin.post("/backups", "").await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(refused.body.contains("is copied with pg_dump"), "{}", refused.body);
    }
    assert_eq!(boss.post("/backups", "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn further_versions_of_a_set_are_made_checked_compared_and_removed_by_the_program() {
    let script = r#"for a in "$@"; do echo "$a"; done > "$(dirname "$0")/called"; echo "user $USER" >> "$(dirname "$0")/called"
echo "answer of $4"; if [ "$4" = verify ]; then exit 4; fi"#;
    let (folder, team) = with_folders(script).await;
    // Two versions, compiled from a list of digests.
    let list = folder.path().join("sets/list.csv");
    let store = SetStore::at(&team.app.store().dir().join("sets"));
    let scheme = Scheme::find_builtin("alert").unwrap();
    let act = SetAct { time: "2026-11-20T12:00:00Z", user: "test", note: None };
    fs::write(&list, format!("{}\n", "ab".repeat(16))).unwrap();
    let files = [list.clone()];
    store.import("force", &CompileJob::new("force", &files, &scheme), act, &mut |_| {}).unwrap();
    fs::write(&list, format!("{}\n", "cd".repeat(16))).unwrap();
    store.update("force", &files, &scheme, 1 << 24, act, &mut |_| {}).unwrap();
    let (admin, boss) = (team.sign_in("administrator").await, team.sign_in("supervisor").await);
    assert!(!boss.get("/sets/of/force@2").await.body.contains("Further files"), "only administrators are offered it");
    let page = admin.get("/sets/of/force@2").await.body;
    for act in ["Further files or a delta", "Read it with another scheme", "Verify it", "Remove this version"] {
        assert!(page.contains(act), "{act}");
    }
    for path in
        ["/sets/of/force/update", "/sets/of/force/remap", "/sets/of/force@1/remove", "/sets/diff", "/sets/run/1"]
    {
        assert_eq!(boss.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let called = || fs::read_to_string(folder.path().join("called")).unwrap();
    let done = async |path: &str, body: &str| {
        let answer = admin.post(path, body).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{path}: {}", answer.body);
        for _ in 0..400 {
            let page = admin.get(answer.to()).await.body;
            if page.contains("It has ended.") {
                return page;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{path} does not end");
    };
    let words = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    // A delta: only files that are listed, and with a reason.
    let form = admin.get("/sets/of/force/update").await.body;
    let token = form.split("type=\"checkbox\" name=\"file\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let wrong = admin.post("/sets/of/force/update", "file=..%2Fprogram").await;
    assert!(wrong.body.contains("Choose the files") && wrong.body.contains("Enter why"), "{}", wrong.body);
    let page = done("/sets/of/force/update", &format!("file={token}&note=--scheme=x")).await;
    assert!(page.contains("answer of update"), "{page}");
    let said = words(&called());
    assert!(said.contains(&"force".into()) && said.contains(&list.display().to_string()), "{said:?}");
    assert!(said.contains(&"--note=--scheme=x".into()) && said.contains(&"user administrator".into()), "{said:?}");
    // Another scheme takes a reason.
    let wrong = admin.post("/sets/of/force/remap", "scheme=alert&note=").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(
        admin.post("/sets/of/force/remap", "scheme=%2Fetc%2Fx&note=y").await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    done("/sets/of/force/remap", "scheme=uncategorised&note=asked+the+publisher").await;
    assert!(words(&called()).contains(&"--note=asked the publisher".into()));
    // What is damaged is said.
    let page = done("/sets/verify", "set=force%402").await;
    assert!(page.contains("something is damaged") && words(&called()).contains(&"force@2".into()), "{page}");
    done("/sets/verify", "").await;
    assert!(!called().contains("force"), "all of them");
    assert_eq!(admin.post("/sets/verify", "set=nothing").await.status, StatusCode::NOT_FOUND);
    let same = admin.post("/sets/diff", "from=force%401&to=force%401").await;
    assert!(same.body.contains("Choose another version"), "{}", same.body);
    done("/sets/diff", "from=force%401&to=force%402").await;
    assert!(called().contains("force@1\nforce@2\n"), "{}", called());
    // Which version goes is said, never guessed.
    assert_eq!(admin.post("/sets/of/force/remove", "reason=old").await.status, StatusCode::NOT_FOUND);
    assert_eq!(admin.post("/sets/of/force@1/remove", "reason=").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    done("/sets/of/force@1/remove", "reason=old").await;
    assert!(called().contains("force@1\n") && words(&called()).contains(&"--reason=old".into()), "{}", called());
    assert!(admin.get("/sets").await.body.contains("Remove force@1</a>"), "the list leads to it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_ends_without_use_whatever_its_page_asks_by_itself() {
    let team = team_set_up(Setup { idle: Duration::from_millis(1500), ..Setup::default() }).await;
    let grader = team.sign_in("grader").await;
    let page = grader.get("/help").await.body;
    assert!(page.contains("id=\"session-end\"") && page.contains("data-left=\""), "{page}");
    let began = std::time::Instant::now();
    let mut ended = false;
    while began.elapsed() < Duration::from_secs(4) && !ended {
        ended = grader.get("/session").await.status == StatusCode::SEE_OTHER;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(ended && began.elapsed() > Duration::from_millis(1300), "{:?}", began.elapsed());
    // The button is a use.
    let grader = team.sign_in("grader").await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let left: Value = serde_json::from_str(&grader.post("/session", "").await.body).unwrap();
        assert!(left["left"].as_u64().is_some(), "{left}");
    }
    assert_eq!(grader.get("/help").await.status, StatusCode::OK);
}

/// Forms offer the scheme files of the folder with what they say; what is none is named with its sentence and not used, and
/// what was changed after it was shown is not used either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scheme_of_ones_own_is_chosen_for_import_update_and_remap_after_it_was_shown() {
    let script = r#"for a in "$@"; do echo "$a"; done > "$(dirname "$0")/called"; exit 0"#;
    let (folder, team) = with_folders(script).await;
    let at = folder.path().join("sets");
    let text = |title: &str| {
        format!(
            "id = \"our-numbers\"\nversion = \"1\"\ntitle = \"{title}\"\njurisdiction = \"England and Wales\"\n\
             source = \"A letter\"\ndate_checked = \"2026-03-04\"\n[default]\nmeaning = \"None\"\nalerts = true\n\
             may_hide = false\nstatus = \"to be confirmed\"\n[[categories]]\ncode = \"1\"\nmeaning = \"One\"\nalerts = true\n\
             may_hide = false\nstatus = \"confirmed\"\n"
        )
    };
    fs::write(at.join("ours.toml"), text("Numbers as given")).unwrap();
    fs::write(at.join("half.toml"), "id = \"half\"\n").unwrap();
    fs::write(at.join("list.csv"), format!("{}\n", "ab".repeat(16))).unwrap();
    let admin = team.sign_in("administrator").await;
    let scheme = Scheme::parse(&text("Numbers as given")).unwrap();
    let called = || fs::read_to_string(folder.path().join("called")).unwrap_or_default();
    let ended = async |wanted: &str| {
        for _ in 0..400 {
            if called().lines().any(|word| word == wanted) {
                return called();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the program is not called with {wanted}: {}", called());
    };
    let option = format!("--scheme={}", at.join("ours.toml").display());

    let form = admin.get("/sets/import").await.body;
    for said in
        ["Numbers as given", "our-numbers version 1", &scheme.digest.to_string(), "Cannot be used", "missing field"]
    {
        assert!(form.contains(said), "{said}: {form}");
    }
    assert!(!form.contains(&at.display().to_string()), "where the folder is stands on no page");
    let files: Vec<&str> = form.split("type=\"checkbox\" name=\"file\" value=\"").skip(1).collect();
    assert_eq!(files.len(), 1, "a scheme is no file of a set: {form}");
    let token = files[0].split('"').next().unwrap();
    let offered: Vec<&str> = form.split("<option value=\"").skip(1).filter_map(|part| part.split('"').next()).collect();
    let own: Vec<&&str> = offered.iter().filter(|value| value.ends_with(&scheme.digest.to_string())).collect();
    assert_eq!(own.len(), 1, "{offered:?}");
    let own = *own[0];
    // What is no scheme is refused with its sentence, though no form offers it.
    let half: String = avocet_record::digest(b"half.toml").to_string().chars().take(32).collect();
    let wrong = admin.post("/sets/import", &format!("file={token}&name=force&scheme={half}.x")).await;
    assert!(wrong.body.contains("This scheme file cannot be used") && called().is_empty(), "{}", wrong.body);
    // What was changed since it was shown is shown again.
    fs::write(at.join("ours.toml"), text("Other words")).unwrap();
    let wrong = admin.post("/sets/import", &format!("file={token}&name=force&scheme={own}")).await;
    assert!(
        wrong.body.contains("has changed since it was shown") && wrong.body.contains("Other words"),
        "{}",
        wrong.body
    );
    fs::write(at.join("ours.toml"), text("Numbers as given")).unwrap();
    told(&admin, "/sets/import", &format!("file={token}&name=force&scheme={own}")).await;
    assert!(ended(&option).await.contains("import\n"));

    // The program is a script here, so the set is made by its side: update and remap of one with a scheme of one's own.
    let store = SetStore::at(&team.app.store().dir().join("sets"));
    let act = SetAct { time: "2026-11-20T12:00:00Z", user: "test", note: None };
    let list = [at.join("list.csv")];
    store.import("force", &CompileJob::new("force", &list, &scheme), act, &mut |_| {}).unwrap();
    fs::remove_file(folder.path().join("called")).unwrap();
    let form = admin.get("/sets/of/force/update").await.body;
    assert!(
        form.contains("the scheme of your own that it was made with") && form.contains("Numbers as given"),
        "{form}"
    );
    told(&admin, "/sets/of/force/update", &format!("file={token}&note=more")).await;
    assert!(ended(&option).await.contains("update\n"));
    fs::remove_file(folder.path().join("called")).unwrap();
    assert!(admin.get("/sets/of/force/remap").await.body.contains(own));
    told(&admin, "/sets/of/force/remap", &format!("scheme={own}&note=asked")).await;
    assert!(ended(&option).await.contains("remap\n"));
    // Without its file it is not updated, and the page says which is missing.
    fs::remove_file(at.join("ours.toml")).unwrap();
    let form = admin.get("/sets/of/force/update").await.body;
    assert!(form.contains("is not in the folder") && form.contains(&scheme.digest.to_string()), "{form}");
    let wrong = admin.post("/sets/of/force/update", &format!("file={token}&note=more")).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("Put the file of the scheme"), "{}", wrong.body);
}
