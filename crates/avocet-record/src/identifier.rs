//! What things are found by again in other records, in one spelling each.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What an identifier is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentifierKind {
    /// An IP address at any time: many people have had it.
    Ip,
    /// An IP address in one second: seconds since 1970 UTC stand behind it.
    IpAndTime,
    /// A service's own id of an account, with the service before it.
    Account,
    /// A name that people choose: others may choose the same.
    ScreenName,
    /// A telephone number.
    Telephone,
    /// An e-mail address.
    Email,
    /// A device's serial number or IMEI.
    Device,
    /// An address on the web.
    Url,
    /// MD5, SHA-1 or SHA-256 of a content.
    Digest,
}

impl IdentifierKind {
    /// Its name where it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::IpAndTime => "ip-and-time",
            Self::Account => "account",
            Self::ScreenName => "screen-name",
            Self::Telephone => "telephone",
            Self::Email => "email",
            Self::Device => "device",
            Self::Url => "url",
            Self::Digest => "digest",
        }
    }

    /// Every kind.
    const ALL: [Self; 9] = [
        Self::Ip,
        Self::IpAndTime,
        Self::Account,
        Self::ScreenName,
        Self::Telephone,
        Self::Email,
        Self::Device,
        Self::Url,
        Self::Digest,
    ];

    /// The kind with this name where it is stored.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// Whether the same identifier elsewhere hardly ever means somebody or something else.
    #[must_use]
    pub fn is_strong(self) -> bool {
        !matches!(self, Self::Ip | Self::ScreenName)
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ip => "IP address",
            Self::IpAndTime => "IP address and time",
            Self::Account => "account",
            Self::ScreenName => "screen name",
            Self::Telephone => "telephone",
            Self::Email => "e-mail",
            Self::Device => "device",
            Self::Url => "web address",
            Self::Digest => "file digest",
        })
    }
}

/// An identifier in its one spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    /// Of what.
    pub kind: IdentifierKind,
    /// The spelling.
    pub value: String,
}

/// Says of what, never which.
impl fmt::Debug for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identifier({})", self.kind.as_str())
    }
}

impl Identifier {
    /// The one spelling of what somebody wrote; `None` where nothing is left that could identify.
    ///
    /// - IP addresses: the canonical form of RFC 5952; an IPv4 address within IPv6 is the IPv4 address.
    /// - Telephone numbers: digits with the country's code; `00` and `+` are the same, and a number with a single leading
    ///   zero is read as one of the United Kingdom (`+44`).
    /// - E-mail addresses: small letters. Dots and tags are kept: what they mean differs from provider to provider.
    /// - Web addresses: scheme, `www.` and a last slash left out, the host in small letters.
    /// - Devices: letters and digits only, capital. Digests: small hexadecimal digits of 16, 20 or 32 bytes.
    #[must_use]
    pub fn new(kind: IdentifierKind, text: &str) -> Option<Self> {
        let text = text.trim();
        let value = match kind {
            IdentifierKind::Ip => address(text)?,
            IdentifierKind::IpAndTime => {
                let (ip, seconds) = text.split_once(' ')?;
                format!("{} {}", address(ip)?, seconds.parse::<i64>().ok()?)
            }
            IdentifierKind::Account => {
                let (service, account) = text.split_once('|').unwrap_or(("", text));
                let account = account.trim();
                if account.is_empty() {
                    return None;
                }
                format!("{}|{account}", service.trim().to_lowercase())
            }
            IdentifierKind::ScreenName => text.trim_start_matches('@').to_lowercase(),
            IdentifierKind::Telephone => telephone(text)?,
            IdentifierKind::Email => {
                let (name, host) = text.split_once('@')?;
                if name.is_empty() || !host.contains('.') {
                    return None;
                }
                text.to_lowercase()
            }
            IdentifierKind::Device => {
                let value: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
                // A shorter number is no number of a device but of a row.
                if value.chars().count() < 5 {
                    return None;
                }
                value
            }
            IdentifierKind::Url => url(text),
            IdentifierKind::Digest => {
                let hex = text.len().is_multiple_of(2) && text.chars().all(|c| c.is_ascii_hexdigit());
                if !hex || !matches!(text.len(), 32 | 40 | 64) {
                    return None;
                }
                text.to_lowercase()
            }
        };
        (!value.is_empty()).then_some(Self { kind, value })
    }
}

fn address(text: &str) -> Option<String> {
    let text = text.trim().trim_start_matches('[').trim_end_matches(']');
    let ip: IpAddr = text.parse().ok()?;
    Some(ip.to_canonical().to_string())
}

fn telephone(text: &str) -> Option<String> {
    let plus = text.trim_start().starts_with('+');
    // `+44 (0)7700` is written with a zero that is not dialled.
    let digits: String = text.replace("(0)", "").chars().filter(char::is_ascii_digit).collect();
    let international = if plus {
        digits
    } else if let Some(rest) = digits.strip_prefix("00") {
        rest.to_owned()
    } else if let Some(rest) = digits.strip_prefix('0') {
        format!("44{rest}")
    } else {
        digits
    };
    (7..=15).contains(&international.len()).then_some(international)
}

fn url(text: &str) -> String {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    let (host, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = host.to_lowercase();
    format!("{}{}", host.strip_prefix("www.").unwrap_or(&host), path.trim_end_matches('/'))
}
