//! The server as a command: its address, its certificate, and a page over TLS.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::support::Place;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(place: &Place, more: &[&str]) -> (Running, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_avocet"))
        .args(["serve", "--listen", "127.0.0.1:0"])
        .args(more)
        .env("AVOCET_STORE", place.path("store"))
        .env("AVOCET_STORE_KEY", place.path("key"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Running(child), line.trim().to_owned())
}

fn store(place: &Place) {
    let made = place.shell("AVOCET_PASSWORD='a password of the test' $AVOCET init --new-key key --admin adm");
    assert_eq!(made.code, 0, "{}", made.err);
}

fn curl(args: &[&str]) -> Option<String> {
    let output = Command::new("curl").args(["-sS", "-m", "20"]).args(args).output().ok()?;
    Some(String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr))
}

#[test]
fn serves_over_tls_with_its_own_certificate_that_stays() {
    let place = Place::new();
    store(&place);
    let (running, address) = start(&place, &[]);
    assert!(address.starts_with("https://127.0.0.1:"), "{address}");
    let certificate = std::fs::read(place.path("store/server.crt")).unwrap();
    let Some(page) = curl(&["-k", "-i", &address]) else {
        println!("1 case skipped: curl is not there");
        return;
    };
    assert!(page.contains(" 303") && page.contains("/sign-in"), "{page}");
    let page = curl(&["-k", "-L", "--cookie-jar", "/dev/null", &address]).unwrap();
    assert!(page.contains("<title>Sign in – Avocet</title>"), "{page}");
    // No answer without TLS, nor to who does not know the certificate.
    assert!(curl(&[&address]).unwrap().contains("certificate"));
    assert!(!curl(&[&address.replace("https", "http")]).unwrap().contains("Sign in"));
    drop(running);
    let (_running, _) = start(&place, &[]);
    assert_eq!(std::fs::read(place.path("store/server.crt")).unwrap(), certificate);
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(place.path("store/server.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn refuses_what_cannot_be_served_with_a_sentence() {
    let place = Place::new();
    let none = place.run(["serve", "--store", "nowhere"]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("there is no record in this folder"), "{}", none.err);
    store(&place);
    std::fs::write(place.path("c"), "no certificate").unwrap();
    let bad = place.shell("AVOCET_STORE_KEY=key $AVOCET serve --listen 127.0.0.1:0 --tls-cert c --tls-key c");
    assert_eq!(bad.code, 2, "{}", bad.err);
    assert!(bad.err.contains("the certificate cannot be used"), "{}", bad.err);
}
