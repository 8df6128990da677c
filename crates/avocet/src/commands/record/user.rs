//! `avocet user`

use super::{at_desk, parse, print, secret};
use crate::Outcome;
use crate::args::{Global, User, Who};

/// The password that an administrator gives somebody else.
const NEW_PASSWORD: &str = "AVOCET_NEW_PASSWORD";

pub fn run(global: &Global, verb: &User, who: &Who) -> anyhow::Result<Outcome> {
    match verb {
        User::Add { login, role, name } => {
            let password = secret(NEW_PASSWORD, &format!("New password for {login}: "))?;
            let user =
                at_desk(global, who, async |desk| desk.add_account(login, role, name.as_deref(), &password).await)?;
            let roles = role.join(", ");
            print(global, &serde_json::json!({"user": user, "login": login, "roles": role}), || {
                format!("{login} is {user}: {roles}.")
            })
        }
        User::List => {
            let accounts = at_desk(global, who, async |desk| desk.accounts().await)?;
            let json: Vec<_> = accounts
                .iter()
                .map(|a| serde_json::json!({"user": a.user, "login": a.login, "roles": a.roles, "active": a.active}))
                .collect();
            print(global, &json, || {
                let line = |a: &avocet_record::desk::Account| {
                    let closed = if a.active { "" } else { "  (closed)" };
                    format!("{:<6} {:<20} {}{closed}\n", a.user.to_string(), a.login, a.roles.join(", "))
                };
                accounts.iter().map(line).collect()
            })
        }
        User::Roles { user, role, reason } => {
            let user = parse(user)?;
            at_desk(global, who, async |desk| desk.set_roles(user, role, reason).await)?;
            print(global, &serde_json::json!({"user": user, "roles": role}), || format!("{user}: {}.", role.join(", ")))
        }
        User::Close { user, reason } => {
            let user = parse(user)?;
            at_desk(global, who, async |desk| desk.close_account(user, reason).await)?;
            print(global, &serde_json::json!({"user": user, "active": false}), || {
                format!("{user} may no longer sign in.")
            })
        }
        User::Password { user } => {
            let user = parse(user)?;
            let password = secret(NEW_PASSWORD, &format!("New password for {user}: "))?;
            at_desk(global, who, async |desk| desk.set_password(user, &password).await)?;
            print(global, &serde_json::json!({"user": user}), || format!("The password of {user} is set."))
        }
    }
}
