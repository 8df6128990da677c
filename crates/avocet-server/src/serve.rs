//! Listening, until the process is told to stop.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum_server::Handle;

use crate::app::App;
use crate::tls::{self, Certificate};

pub use crate::tls::Certificate as Files;

/// How to listen.
#[derive(Debug)]
pub struct Options {
    /// Where: address and port; port 0 takes one that is free.
    pub listen: SocketAddr,
    /// The force's certificate; `None` for the server's own.
    pub certificate: Option<Certificate>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The certificate cannot be used.
    #[error("the certificate cannot be used: {0}; give a certificate and its key in PEM, or leave both out")]
    Certificate(std::io::Error),
    /// The address cannot be listened at.
    #[error("cannot listen at {0}: {1}; choose another address with --listen")]
    Listen(SocketAddr, std::io::Error),
}

/// Serves a store until an interrupt or an end signal. `told` is called once with the address that it listens at, and the
/// digest of its own certificate where that is used.
///
/// # Errors
/// [`ServeError`].
pub async fn serve(
    app: Arc<App>,
    options: &Options,
    told: impl FnOnce(SocketAddr, Option<&str>),
) -> Result<(), ServeError> {
    // A second call in one process finds it done.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (config, print) = match &options.certificate {
        Some(files) => (tls::load(files).await.map_err(ServeError::Certificate)?, None),
        None => {
            let (config, print) = tls::own(app.store.dir()).await.map_err(ServeError::Certificate)?;
            (config, Some(print))
        }
    };
    let refused = |e| ServeError::Listen(options.listen, e);
    let listener = std::net::TcpListener::bind(options.listen).map_err(refused)?;
    listener.set_nonblocking(true).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    told(address, print.as_deref());
    let handle = Handle::new();
    tokio::spawn(stop(handle.clone()));
    let mut server = axum_server::from_tcp_rustls(listener, config).map_err(refused)?.handle(handle);
    // Who opens a connection and says nothing does not keep it.
    server.http_builder().http1().timer(Timer::default()).header_read_timeout(Duration::from_secs(20));
    let service = crate::pages::router(&app).into_make_service_with_connect_info::<SocketAddr>();
    server.serve(service).await.map_err(refused)
}

type Timer = hyper_util::rt::TokioTimer;

async fn stop(handle: Handle<SocketAddr>) {
    use tokio::signal::unix::{SignalKind, signal};
    let ended = async {
        match signal(SignalKind::terminate()) {
            Ok(mut end) => end.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = ended => {}
    }
    handle.graceful_shutdown(Some(Duration::from_secs(10)));
}

/// Writes a line to standard error: when, and what went wrong; never what was asked or sent.
pub fn log(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{} avocet serve: {line}", avocet_record::At::now());
}
