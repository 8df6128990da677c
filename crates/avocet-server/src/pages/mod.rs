//! The pages. Each module has a table of its addresses; all of them together are the server's.

mod access;
mod account;
mod acts;
pub mod assets;
mod backups;
mod camera;
mod continuity;
mod device_check;
mod examinations;
mod figures;
mod help;
mod identification;
mod investigation;
mod investigations;
mod ledger;
mod outside;
mod referrals;
mod result;
mod review;
mod search;
mod sections;
mod set_work;
mod sets;
mod sign_in;
mod team;
mod today;
mod who;

use std::sync::Arc;

use axum::Router;

use crate::app::App;
use crate::route::{self, Route};

pub use review::Screen;

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
        examinations::routes(),
        identification::routes(),
        device_check::routes(),
        acts::routes(),
        referrals::routes(),
        search::routes(),
        team::routes(),
        review::routes(),
        result::routes(),
        outside::routes(),
        continuity::routes(),
        camera::routes(),
        figures::routes(),
        access::routes(),
        sets::routes(),
        set_work::routes(),
        ledger::routes(),
        backups::routes(),
        account::routes(),
        help::routes(),
    ]
    .concat()
}

/// The server without its listener.
pub fn router(app: &Arc<App>) -> Router {
    route::router(app, routes())
}
