//! The table of addresses, and the gate that every request passes.
//!
//! A line is made by [`route`], [`form`] or [`open`] only, and each takes the rule: an address without one does not compile.
//! The gate knows three names in addresses: `{i}` is an investigation, `{thing}` is something that must belong to it, and
//! `{sha256}` one of its media. What belongs elsewhere is not there.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use avocet_base::Sha256;
use avocet_record::desk::Desk;
use avocet_record::law::Right;
use avocet_record::{InvestigationId, RecordError};
use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts as _, RawPathParams, Request};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header, request};
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};

use crate::app::App;
use crate::fault::Fault;
use crate::form::{self, Form};
use crate::session::{self, Signed};
use crate::view;

/// Who may ask for an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everybody, signed in or not.
    Public,
    /// Everybody who is signed in.
    SignedIn,
    /// Whoever holds one of these rights; where it reaches only the investigations that one works on, on those.
    Any(&'static [Right]),
}

/// What a page answers.
pub type Page = Result<Answer, Fault>;

/// An answer.
#[derive(Debug)]
pub enum Answer {
    /// A page.
    Html(maud::Markup),
    /// A page that shows what is wrong with what was sent.
    Wrong(maud::Markup),
    /// Another address of this server.
    To(String),
    /// The same, with a cookie.
    ToWith(String, String),
    /// A page, with a cookie.
    HtmlWith(StatusCode, maud::Markup, String),
    /// A file to be saved.
    File {
        /// Its type.
        kind: &'static str,
        /// The name that it is saved under: an id.
        name: String,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// A picture or text that is part of a page.
    Part {
        /// Its type.
        kind: &'static str,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// Something that comes with the program and never changes under its address.
    Asset {
        /// Its type.
        kind: &'static str,
        /// Its bytes.
        bytes: &'static [u8],
    },
}

/// A request, as pages see it.
pub struct Ctx {
    /// What every request shares.
    pub(crate) app: Arc<App>,
    /// The address, without what follows `?`.
    pub(crate) path: String,
    params: Vec<(String, String)>,
    query: Form,
    /// What was sent.
    pub(crate) form: Form,
    /// Who is signed in.
    pub(crate) signed: Option<Signed>,
    /// From where.
    pub(crate) remote: IpAddr,
    headers: HeaderMap,
    host: String,
}

impl Ctx {
    /// The name under which the browser found this server.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The id in the address under this name.
    pub fn id<T: std::str::FromStr>(&self, name: &str) -> Result<T, Fault> {
        self.raw(name).and_then(|text| text.parse().ok()).ok_or(Fault::Nothing)
    }

    /// What stands in the address under this name.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The investigation in the address.
    pub fn investigation(&self) -> Result<InvestigationId, Fault> {
        self.id("i")
    }

    /// What follows `?` under this name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.text(name)
    }

    /// A cookie of the request.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        cookie(&self.headers, name)
    }

    /// What every form of the session carries.
    pub(crate) fn csrf(&self) -> &str {
        self.signed.as_ref().map_or("", |signed| signed.csrf.as_str())
    }

    /// Goes on to an address, whose page says this at its top.
    pub(crate) fn told(&self, to: impl Into<String>, notice: impl Into<String>) -> Page {
        if let Some(signed) = &self.signed {
            self.app.sessions.tell(signed, notice.into());
        }
        Ok(Answer::To(to.into()))
    }
}

type Pending<'a> = Pin<Box<dyn Future<Output = Page> + 'a>>;

trait Handler: Send + Sync {
    fn call<'a>(&'a self, ctx: &'a Ctx, desk: Option<&'a Desk<'a>>) -> Pending<'a>;
}

struct WithDesk<F>(F);
struct WithoutDesk<F>(F);

impl<F: AsyncFn(&Ctx, &Desk<'_>) -> Page + Send + Sync> Handler for WithDesk<F> {
    fn call<'a>(&'a self, ctx: &'a Ctx, desk: Option<&'a Desk<'a>>) -> Pending<'a> {
        Box::pin(async move {
            match desk {
                Some(desk) => self.0(ctx, desk).await,
                None => Err(Fault::SignedOut),
            }
        })
    }
}

impl<F: AsyncFn(&Ctx) -> Page + Send + Sync> Handler for WithoutDesk<F> {
    fn call<'a>(&'a self, ctx: &'a Ctx, _: Option<&'a Desk<'a>>) -> Pending<'a> {
        Box::pin(self.0(ctx))
    }
}

/// A line of the table.
#[derive(Clone)]
pub struct Route {
    /// GET or POST.
    pub method: Method,
    /// The address, with names in braces.
    pub path: &'static str,
    /// Who may ask for it.
    pub rule: Rule,
    /// How many bytes can be sent to it.
    pub most: usize,
    /// Whether a page asks by itself: then it keeps no session alive.
    background: bool,
    handler: Arc<dyn Handler>,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {:?}", self.method, self.path, self.rule)
    }
}

/// Forms without files.
pub const FORM_BYTES: usize = 256 * 1024;
/// Originals of leads.
pub const ORIGINAL_BYTES: usize = 32 * 1024 * 1024;

/// A page for those whom the rule names.
pub fn route<F>(path: &'static str, rule: Rule, handler: F) -> Route
where
    F: AsyncFn(&Ctx, &Desk<'_>) -> Page + Send + Sync + 'static,
{
    Route { method: Method::GET, path, rule, most: 0, background: false, handler: Arc::new(WithDesk(handler)) }
}

/// Takes what a form sends.
pub fn form<F>(path: &'static str, rule: Rule, handler: F) -> Route
where
    F: AsyncFn(&Ctx, &Desk<'_>) -> Page + Send + Sync + 'static,
{
    Route {
        method: Method::POST,
        path,
        rule,
        most: FORM_BYTES,
        background: false,
        handler: Arc::new(WithDesk(handler)),
    }
}

/// A page, or what a form sends, for everybody: the few addresses that come before a sign-in.
pub fn open<F>(method: Method, path: &'static str, handler: F) -> Route
where
    F: AsyncFn(&Ctx) -> Page + Send + Sync + 'static,
{
    let most = if method == Method::POST { 4096 } else { 0 };
    Route { method, path, rule: Rule::Public, most, background: false, handler: Arc::new(WithoutDesk(handler)) }
}

impl Route {
    /// The same with another limit of what can be sent.
    #[must_use]
    pub fn up_to(mut self, bytes: usize) -> Self {
        self.most = bytes;
        self
    }

    /// The same, asked by a page and not by a person.
    #[must_use]
    pub fn by_itself(mut self) -> Self {
        self.background = true;
        self
    }
}

/// A router of these lines.
pub fn router(app: &Arc<App>, routes: Vec<Route>) -> Router {
    let mut router = Router::new();
    for line in routes {
        let filter = if line.method == Method::POST { MethodFilter::POST } else { MethodFilter::GET };
        let (app, path) = (Arc::clone(app), line.path);
        let line = Arc::new(line);
        let methods: MethodRouter =
            on(filter, move |request: Request| answer(Arc::clone(&app), Arc::clone(&line), request));
        router = router.route(path, methods);
    }
    let not_here = |app: Arc<App>| {
        move |request: Request| {
            let app = Arc::clone(&app);
            async move {
                let ctx = read(&app, request.into_parts().0, true).await;
                fault(&ctx, &Fault::Nothing)
            }
        }
    };
    let not_so = |app: Arc<App>| {
        move |request: Request| {
            let app = Arc::clone(&app);
            async move {
                let ctx = read(&app, request.into_parts().0, true).await;
                let mut response = fault(&ctx, &Fault::Nothing);
                *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
                response
            }
        }
    };
    router
        .fallback(not_here(Arc::clone(app)))
        .method_not_allowed_fallback(not_so(Arc::clone(app)))
        .layer(axum::middleware::map_response(guard_headers))
}

/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(120);

async fn read(app: &Arc<App>, mut parts: request::Parts, used: bool) -> Ctx {
    let params = match RawPathParams::from_request_parts(&mut parts, &()).await {
        Ok(params) if !params.iter().any(|(_, value)| value.contains('\0')) => {
            params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        }
        // Bytes that are no text name nothing.
        _ => vec![],
    };
    let query = Form::encoded(parts.uri.query().unwrap_or_default().as_bytes());
    let signed =
        cookie(&parts.headers, session::COOKIE).and_then(|cookie| app.sessions.find(&cookie, used, Instant::now()));
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
    Ctx {
        app: Arc::clone(app),
        path: parts.uri.path().to_owned(),
        params,
        query: if query.is_text() { query } else { Form::default() },
        form: Form::default(),
        signed,
        remote: remote.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        host: host(&parts.uri, &parts.headers),
        headers: parts.headers,
    }
}

async fn answer(app: Arc<App>, line: Arc<Route>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut ctx = read(&app, parts, !line.background).await;
    // Nothing that somebody sends who is not signed in is read, but at the few open addresses.
    if line.rule != Rule::Public && ctx.signed.is_none() {
        return to_sign_in(&ctx, &line);
    }
    if line.method == Method::POST {
        ctx.form = match take(&ctx.headers, body, line.most).await {
            Ok(form) => form,
            Err(why) => return fault(&ctx, &why),
        };
        if let Err(why) = own_form(&ctx) {
            return fault(&ctx, &why);
        }
    }
    let Ok(_turn) = app.work.acquire().await else { return fault(&ctx, &Fault::Server("answer")) };
    // Pages wait for the database and compute; on a thread of their own they hold up nobody else's.
    let runtime = tokio::runtime::Handle::current();
    let work = tokio::task::spawn_blocking(move || runtime.block_on(through_the_gate(&ctx, &line)));
    work.await.unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "The page could not be made."))
}

async fn take(headers: &HeaderMap, body: Body, most: usize) -> Result<Form, Fault> {
    let bytes = match tokio::time::timeout(ARRIVAL, axum::body::to_bytes(body, most)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(_)) => return Err(Fault::TooLong(most)),
        Err(_) => return Err(Fault::Bad("What was sent did not arrive in time. Try again.".to_owned())),
    };
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    form::read(kind, bytes).await
}

/// Whether a form was made for this session and sent by a page of this server.
fn own_form(ctx: &Ctx) -> Result<(), Fault> {
    let site = ctx.headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    if site.is_some_and(|site| site != "same-origin") {
        return Err(Fault::OtherForm);
    }
    let stated = ctx.form.text("csrf").unwrap_or_default();
    let wanted = match &ctx.signed {
        Some(signed) => signed.csrf.clone(),
        None => ctx.cookie(session::FORM_COOKIE).unwrap_or_default(),
    };
    // Signing in while signed in is a form of before.
    let before = ctx.cookie(session::FORM_COOKIE).unwrap_or_default();
    let open = ctx.path == "/sign-in" && !before.is_empty() && session::same(stated, &before);
    match open || (!wanted.is_empty() && session::same(stated, &wanted)) {
        true => Ok(()),
        false => Err(Fault::OtherForm),
    }
}

async fn through_the_gate(ctx: &Ctx, line: &Route) -> Response {
    let answered = match (&ctx.signed, line.rule) {
        (_, Rule::Public) => line.handler.call(ctx, None).await,
        (None, _) => Err(Fault::SignedOut),
        (Some(signed), _) => match Desk::resume(&ctx.app.store, &ctx.app.law, &signed.pass).await {
            Ok(desk) => match gate(ctx, &desk, line.rule).await {
                Ok(()) => line.handler.call(ctx, Some(&desk)).await,
                Err(why) => Err(why),
            },
            Err(RecordError::SignIn) => {
                ctx.app.sessions.end(signed);
                return to_sign_in(ctx, line);
            }
            Err(why) => Err(why.into()),
        },
    };
    match answered {
        Ok(answer) => respond(answer),
        Err(why) => {
            if let Some(line) = why.log() {
                crate::serve::log(&line);
            }
            fault(ctx, &why)
        }
    }
}

/// Whether this person may ask for this, and whether what is named belongs together.
async fn gate(ctx: &Ctx, desk: &Desk<'_>, rule: Rule) -> Result<(), Fault> {
    let investigation = match ctx.raw("i") {
        Some(_) => Some(ctx.investigation()?),
        None => None,
    };
    match rule {
        Rule::Public | Rule::SignedIn => {}
        Rule::Any(rights) => {
            let mut refused = Fault::Nothing;
            let mut may = false;
            for right in rights {
                match desk.may(*right, investigation).await {
                    Ok(_) => {
                        may = true;
                        break;
                    }
                    // Not being on it weighs more than a role that lacks another right.
                    Err(why) if !matches!(refused, Fault::Record(RecordError::Unknown { .. })) => refused = why.into(),
                    Err(_) => {}
                }
            }
            if !may {
                return Err(refused);
            }
        }
    }
    if let (Some(thing), Some(investigation)) = (ctx.raw("thing"), investigation)
        && desk.investigation_of(thing).await? != investigation
    {
        return Err(Fault::Nothing);
    }
    if let (Some(sha256), Some(investigation)) = (ctx.raw("sha256"), investigation) {
        let sha256: Sha256 = sha256.parse().map_err(|_| Fault::Nothing)?;
        if !desk.has_medium(investigation, sha256).await? {
            return Err(Fault::Nothing);
        }
    }
    Ok(())
}

/// From the request's own words, where they look like a name and a port.
fn host(uri: &axum::http::Uri, headers: &HeaderMap) -> String {
    let stated = uri.authority().map(|authority| authority.as_str());
    let stated = stated.or_else(|| headers.get(header::HOST).and_then(|host| host.to_str().ok())).unwrap_or_default();
    let fine = !stated.is_empty()
        && stated.len() <= 255
        && stated.chars().all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c));
    if fine { stated.to_owned() } else { "localhost".to_owned() }
}

fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value.to_owned())
}

/// A cookie that lives as long as the browser.
pub fn set_cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Strict")
}

/// Takes a cookie back.
pub fn clear_cookie(name: &str) -> String {
    format!("{name}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

fn to_sign_in(ctx: &Ctx, line: &Route) -> Response {
    if line.method != Method::GET {
        return fault(ctx, &Fault::SignedOut);
    }
    let to = match ctx.path.as_str() {
        "/" => "/sign-in".to_owned(),
        path => format!("/sign-in?to={path}"),
    };
    respond(Answer::To(to))
}

fn fault(ctx: &Ctx, why: &Fault) -> Response {
    html(why.status(), &view::fault_page(ctx, why))
}

fn html(status: StatusCode, page: &maud::Markup) -> Response {
    with(status, "text/html; charset=utf-8", Body::from(page.0.clone()))
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    with(status, "text/plain; charset=utf-8", Body::from(text))
}

fn with(status: StatusCode, kind: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn put(response: &mut Response, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().append(name, value);
    }
}

fn respond(answer: Answer) -> Response {
    match answer {
        Answer::Html(page) => html(StatusCode::OK, &page),
        Answer::Wrong(page) => html(StatusCode::UNPROCESSABLE_ENTITY, &page),
        Answer::HtmlWith(status, page, cookie) => {
            let mut response = html(status, &page);
            put(&mut response, header::SET_COOKIE, &cookie);
            response
        }
        Answer::To(to) => {
            let mut response = plain(StatusCode::SEE_OTHER, "");
            put(&mut response, header::LOCATION, &to);
            response
        }
        Answer::ToWith(to, cookie) => {
            let mut response = respond(Answer::To(to));
            put(&mut response, header::SET_COOKIE, &cookie);
            response
        }
        Answer::File { kind, name, bytes } => {
            let mut response = with(StatusCode::OK, kind, Body::from(bytes));
            put(&mut response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
            response
        }
        Answer::Part { kind, bytes } => with(StatusCode::OK, kind, Body::from(bytes)),
        Answer::Asset { kind, bytes } => {
            let mut response = with(StatusCode::OK, kind, Body::from(bytes));
            put(&mut response, header::CACHE_CONTROL, "public, max-age=31536000, immutable");
            response
        }
    }
}

/// What a browser may do with what comes from here: nothing but show it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

async fn guard_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let fixed = [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
        ("x-robots-tag", "noindex"),
    ];
    for (name, value) in fixed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
