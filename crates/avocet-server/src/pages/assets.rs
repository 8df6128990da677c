//! What comes with the program: the style of pages and their mark. The address holds the digest, so that a browser keeps
//! it until the program is another.

use std::sync::LazyLock;

use axum::http::Method;

use crate::fault::Fault;
use crate::route::{Answer, Route, open};

struct Asset {
    address: String,
    kind: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, end: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let digest = avocet_record::digest(bytes).to_string();
        let short: String = digest.chars().take(16).collect();
        Self { address: format!("/assets/{name}-{short}.{end}"), kind, bytes }
    }
}

static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app", "css", "text/css; charset=utf-8", include_bytes!("../../assets/app.css")));
static REVIEW_STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("review", "css", "text/css; charset=utf-8", include_bytes!("../../assets/review.css")));
static REVIEW_SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("review", "js", "text/javascript; charset=utf-8", include_bytes!("../../assets/review.js"))
});
static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("app", "js", "text/javascript; charset=utf-8", include_bytes!("../../assets/app.js")));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("avocet", "svg", "image/svg+xml", include_bytes!("../../assets/avocet.svg")));

/// Where the style is.
pub fn style() -> &'static str {
    &STYLE.address
}

/// Where the script of every page is.
pub fn script() -> &'static str {
    &SCRIPT.address
}

/// Where the style of the review screen is.
pub fn review_style() -> &'static str {
    &REVIEW_STYLE.address
}

/// Where the script of the review screen is.
pub fn review_script() -> &'static str {
    &REVIEW_SCRIPT.address
}

/// Where the mark is.
pub fn icon() -> &'static str {
    &ICON.address
}

pub fn routes() -> Vec<Route> {
    vec![open(Method::GET, "/assets/{name}", async |ctx| {
        let all = [&*STYLE, &*SCRIPT, &*REVIEW_STYLE, &*REVIEW_SCRIPT, &*ICON];
        let asset = all.into_iter().find(|asset| asset.address == ctx.path).ok_or(Fault::Nothing)?;
        Ok(Answer::Asset { kind: asset.kind, bytes: asset.bytes })
    })]
}
