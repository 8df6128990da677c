//! `avocet demo --record-only`

use avocet_demo::year;
use avocet_record::keys::Unlock;
use avocet_record::law::Law;
use avocet_record::store::{Init, Store};
use avocet_record::{Day, RecordError};

use super::{print, wait};
use crate::args::Global;
use crate::{Outcome, Refusal, output};

pub fn run(global: &Global) -> anyhow::Result<Outcome> {
    // Never the store of this workplace: it could be a real one.
    let refused =
        || Refusal("name a new folder with --store DIR: a demo never goes into a store that is in use".into());
    let dir = global.store.clone().ok_or_else(refused)?;
    std::fs::create_dir(&dir)
        .map_err(|e| Refusal(format!("{} cannot be made: {e}; {}", dir.display(), refused().0)))?;
    let key = dir.join("demo.store-key");
    let unlock = Unlock::new_key_file(&key).map_err(|e| Refusal(e.to_string()))?;
    let law = Law::load(None).map_err(|e| Refusal(e.to_string()))?;
    let told = |day: Day| {
        if !global.quiet && !global.json {
            output::remark(&format!("{day}"));
        }
    };
    let entries = wait(async {
        let store = Store::init(&Init { dir: &dir, postgres: None, title: "A fictional team" }, &unlock).await?;
        year::year(&store, &law, told).await?;
        let checked = store.verify_ledger(&[]).await?;
        match checked.is_sound() {
            true => Ok(checked.entries),
            false => {
                Err(RecordError::Refused("the ledger of the demo does not verify; run `avocet ledger verify`".into()))
            }
        }
    })?;
    let (from, to) = year::YEAR;
    let json = serde_json::json!({"store": dir, "key": key, "entries": entries, "password": year::PASSWORD, "from": from, "to": to});
    print(global, &json, || {
        format!(
            "A fictional year of a record is in {} ({entries} entries; the ledger verifies). Nobody in it exists.\n\nNext:\n  \
             export AVOCET_STORE={} AVOCET_STORE_KEY={} AVOCET_PASSWORD=\"{}\"\n  \
             avocet figures --from {from} --to {to} --as sup\n  avocet queue --as sup",
            dir.display(),
            dir.display(),
            key.display(),
            year::PASSWORD
        )
    })
}
