//! The pages. Each module has a table of its addresses; all of them together are the server's.

mod access;
mod account;
mod acts;
pub mod assets;
mod continuity;
mod figures;
mod help;
mod investigation;
mod investigations;
mod ledger;
mod referrals;
mod sections;
mod sign_in;
mod today;
mod who;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use crate::route::{self, Route};

/// Every address of the server.
#[must_use]
pub fn routes() -> Vec<Route> {
    [
        assets::routes(),
        sign_in::routes(),
        today::routes(),
        investigations::routes(),
        investigation::routes(),
        sections::routes(),
        acts::routes(),
        referrals::routes(),
        continuity::routes(),
        figures::routes(),
        access::routes(),
        ledger::routes(),
        account::routes(),
        help::routes(),
    ]
    .concat()
}

/// The server without its listener.
pub fn router(app: &Arc<App>) -> Router {
    route::router(app, routes())
}
