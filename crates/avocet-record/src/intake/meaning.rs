//! What a field means, by its name and the names around it.
//!
//! Names of elements: NCMEC's `cyber_tipline.xsd`. Names of columns and keys: ours, in `docs/formats/leads.md`.

use serde::{Deserialize, Serialize};

use crate::risk::Flag;

/// What we take a field for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// The sender's number of the report.
    Reference,
    /// What kind of incident.
    IncidentType,
    /// When it happened, as the sender writes it.
    IncidentTime,
    /// A flag or annotation.
    Annotation,
    /// An address on the web.
    Url,
    /// An e-mail address.
    Email,
    /// A telephone number.
    Phone,
    /// A name that a person uses on a service.
    ScreenName,
    /// A name that a service shows.
    DisplayName,
    /// A service's own id of an account or group.
    AccountId,
    /// The service.
    Service,
    /// A device's id.
    DeviceId,
    /// What kind of id that is.
    DeviceIdType,
    /// An IP address.
    IpAddress,
    /// The time of an IP event or a device's.
    EventTime,
    /// The time zone of a time that stands apart.
    Zone,
    /// The source port.
    Port,
    /// What happened at an IP event or a device's.
    EventName,
    /// Whether the address may be a proxy's.
    Proxy,
    /// A digest of a file.
    Hash,
    /// Which digest.
    HashType,
    /// The sender's id of a file.
    FileId,
    /// A file's name.
    FileName,
    /// What the sender says of a file: viewed, public, relevant, classified.
    FileFact,
    /// A detail of a file, name or value.
    FileDetail,
    /// The number of an earlier report.
    PriorReport,
    /// A person's name.
    PersonName,
    /// A person's birth date or age.
    Age,
    /// A postal address or a part of it.
    Address,
    /// A place.
    Location,
    /// What the sender says of an account: disabled, compromised.
    AccountFact,
    /// Something about another authority.
    Authority,
    /// Text of a chat, an e-mail, a profile, a remark.
    Note,
}

/// The names of a path without their numbers, the last first.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit('/').map(|name| name.split('[').next().unwrap_or(name).trim_start_matches('@'))
}

/// What a field at this path is.
pub fn of(path: &str) -> Option<What> {
    let mut up = names(path);
    let (last, parent) = (up.next()?, up.next().unwrap_or_default());
    let attribute = path.rsplit('/').next().is_some_and(|name| name.starts_with('@'));
    if attribute {
        return attribute_of(last, parent);
    }
    Some(match (parent, last) {
        ("ipCaptureEvent" | "deviceId", "dateTime") | (_, "time") => What::EventTime,
        ("ipCaptureEvent" | "deviceId", "eventName") | (_, "event") => What::EventName,
        ("reportAnnotations" | "fileAnnotations", _) => What::Annotation,
        (_, "escalateToHighPriority" | "potentialMeme" | "escalated" | "flag") => What::Annotation,
        (_, "potential_meme" | "viral" | "self_production" | "live_streaming" | "generative") => What::Annotation,
        ("estimatedLocation", _) | ("nonInternetIncident", "locationName") => What::Location,
        ("cellPhoneIncident", "latitude" | "longitude") => What::Location,
        ("lawEnforcement", "agencyName" | "caseNumber" | "reportedToLe") => What::Authority,
        ("lawEnforcement", "servedLegalProcessDomestic" | "servedLegalProcessInternational") => What::Authority,
        ("nameValuePair", "name" | "value") => What::FileDetail,
        ("newsgroupIncident", "name") => What::Service,
        (_, "reportId" | "reference") => What::Reference,
        (_, "incidentType" | "kind_of_incident") => What::IncidentType,
        (_, "incidentDateTime" | "incident_time") => What::IncidentTime,
        (_, "url" | "profileUrl") => What::Url,
        (_, "email" | "emailAddress") => What::Email,
        (_, "phone" | "phoneNumber" | "telephone") => What::Phone,
        (_, "screenName" | "screen_name") => What::ScreenName,
        (_, "displayName" | "display_name") => What::DisplayName,
        (_, "espIdentifier" | "groupIdentifier" | "account") => What::AccountId,
        (_, "espService" | "platform" | "chatClient" | "gameName" | "console" | "client" | "service") => What::Service,
        (_, "chatRoomName") => What::Service,
        (_, "idValue" | "imei" | "serial") => What::DeviceId,
        (_, "idType") => What::DeviceIdType,
        (_, "ipAddress" | "ip") => What::IpAddress,
        (_, "zone") => What::Zone,
        (_, "port") => What::Port,
        (_, "possibleProxy") => What::Proxy,
        (_, "originalFileHash" | "md5" | "sha1" | "sha256") => What::Hash,
        (_, "fileId") => What::FileId,
        (_, "fileName" | "originalFileName" | "fileNames") => What::FileName,
        (_, "fileViewedByEsp" | "exifViewedByEsp" | "publiclyAvailable" | "fileRelevance") => What::FileFact,
        (_, "industryClassification" | "locationOfFile" | "uploadedToEspTimestamp") => What::FileFact,
        (_, "priorCTReports" | "priorCTReport") => What::PriorReport,
        (_, "firstName" | "middleName" | "lastName" | "person_name") => What::PersonName,
        (_, "age" | "approximateAge" | "dateOfBirth" | "birth_date") => What::Age,
        ("address" | "incidentAddress", "address" | "city" | "zipCode" | "state" | "nonUsaState" | "country") => {
            What::Address
        }
        (_, "address" | "postcode") => What::Address,
        (_, "accountTemporarilyDisabled" | "accountPermanentlyDisabled" | "compromisedAccount") => What::AccountFact,
        (_, "thirdPartyUserReported" | "allEmailsReported") => What::AccountFact,
        (_, "additionalInfo" | "content" | "profileBio" | "incidentDateTimeDescription" | "note") => What::Note,
        (_, "vehicleDescription" | "schoolName") => What::Note,
        _ => return None,
    })
}

fn attribute_of(name: &str, element: &str) -> Option<What> {
    Some(match (element, name) {
        (_, "hashType") => What::HashType,
        ("accountTemporarilyDisabled" | "accountPermanentlyDisabled", _) => What::AccountFact,
        ("estimatedLocation", _) => What::Location,
        ("servedLegalProcessInternational" | "reportedToLe", _) => What::Authority,
        _ => return None,
    })
}

/// The flag that an annotation at this path sets, where the order of work knows it.
pub fn flag(path: &str) -> Option<Flag> {
    Some(match names(path).next()? {
        "escalateToHighPriority" | "escalated" => Flag::Escalated,
        "viral" => Flag::Viral,
        "potentialMeme" | "potential_meme" => Flag::PotentialMeme,
        "possibleSelfProduction" | "self_production" => Flag::SelfProduction,
        "liveStreaming" | "live_streaming" => Flag::LiveStreaming,
        "generativeAi" | "generative" => Flag::Generative,
        _ => return None,
    })
}
