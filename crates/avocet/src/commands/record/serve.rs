//! `avocet serve`

use avocet_record::store::Store;
use avocet_server::{App, Files, Options, ServeError, serve};

use super::{load_law, refuse, unlock};
use crate::args::{Global, ServeArgs, Who};
use crate::{Outcome, Refusal, access, output};

pub fn run(global: &Global, args: &ServeArgs, who: &Who) -> anyhow::Result<Outcome> {
    let dir = access::store(global)?;
    let law = load_law(global, who)?;
    Store::checkpoint(&dir).map_err(refuse)?;
    let unlock = unlock(who)?;
    let certificate = match (&args.tls_cert, &args.tls_key) {
        (Some(certificate), Some(key)) => Some(Files { certificate: certificate.clone(), key: key.clone() }),
        _ => None,
    };
    let options = Options { listen: args.listen, certificate };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let store = Store::open(&dir, &unlock).await.map_err(refuse)?;
        let told = |address: std::net::SocketAddr, print: Option<&str>| {
            let _ = output::answer(&format!("https://{address}/"));
            if let (Some(print), false) = (print, global.quiet) {
                output::remark(&format!(
                    "The certificate is the server's own; a browser asks once. Its SHA-256, to compare:\n{print}"
                ));
            }
            if !global.quiet && !address.ip().is_loopback() {
                output::remark("Others on the network can reach this server.");
            }
        };
        serve(App::new(store, law), &options, told).await.map_err(|e: ServeError| Refusal(e.to_string()).into())
    });
    served.map(|()| Outcome::Finished)
}
