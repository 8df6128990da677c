//! Why a page is not shown, in words that say what to do.

use avocet_record::RecordError;
use axum::http::StatusCode;

/// Why a request was not done.
#[derive(Debug)]
pub enum Fault {
    /// The record's reason.
    Record(RecordError),
    /// There is nothing at this address, or the person may not see it.
    Nothing,
    /// What was sent cannot be read or used.
    Bad(String),
    /// What was sent is longer than it may be.
    TooLong(usize),
    /// The form was not this session's.
    OtherForm,
    /// Too many tries to sign in.
    TooMany(u64),
    /// Nobody is signed in.
    SignedOut,
    /// The server cannot do it now.
    Server(&'static str),
}

impl From<RecordError> for Fault {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl Fault {
    /// The answer's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Fault::Record(error) => match error {
                RecordError::Unknown { .. } => StatusCode::NOT_FOUND,
                RecordError::NotAllowed { .. } => StatusCode::FORBIDDEN,
                RecordError::Changed { .. } => StatusCode::CONFLICT,
                RecordError::SignIn | RecordError::LockedOut { .. } => StatusCode::UNAUTHORIZED,
                RecordError::Refused(_) => StatusCode::UNPROCESSABLE_ENTITY,
                RecordError::Erased { .. } => StatusCode::GONE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            },
            Fault::Nothing => StatusCode::NOT_FOUND,
            Fault::Bad(_) => StatusCode::BAD_REQUEST,
            Fault::TooLong(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Fault::OtherForm => StatusCode::FORBIDDEN,
            Fault::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Fault::SignedOut => StatusCode::UNAUTHORIZED,
            Fault::Server(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What happened, in a few words.
    pub fn title(&self) -> &'static str {
        match self.status() {
            StatusCode::NOT_FOUND => "There is nothing here",
            StatusCode::FORBIDDEN if matches!(self, Fault::OtherForm) => "This form is out of date",
            StatusCode::FORBIDDEN => "Your role does not allow this",
            StatusCode::CONFLICT => "Somebody changed it meanwhile",
            StatusCode::UNAUTHORIZED => "Sign in again",
            StatusCode::GONE => "This was erased",
            StatusCode::PAYLOAD_TOO_LARGE => "This is too long",
            StatusCode::TOO_MANY_REQUESTS => "Too many tries",
            StatusCode::INTERNAL_SERVER_ERROR => "This did not work",
            _ => "This cannot be recorded",
        }
    }

    /// What happened and what to do next, as sentences.
    pub fn sentence(&self) -> String {
        match self {
            Fault::Record(error) => match error {
                RecordError::Unknown { .. } => nothing(),
                RecordError::NotAllowed { right } => {
                    format!("It takes the right “{right}”. Ask somebody who has it, or an administrator.")
                }
                RecordError::Refused(why) => format!("{}.", upper(why)),
                _ if self.status() == StatusCode::INTERNAL_SERVER_ERROR => {
                    "The record could not be read or written. Nothing of yours was recorded. Try again; if it stays so, \
                     tell whoever looks after the server, and give the time."
                        .to_owned()
                }
                other => format!("{}.", upper(other.to_string().trim_start_matches("record: "))),
            },
            Fault::Nothing => nothing(),
            Fault::Bad(why) => why.clone(),
            Fault::TooLong(most) => {
                format!("At most {} can be sent here. Nothing was recorded.", avocet_base::size_text(*most as u64))
            }
            Fault::OtherForm => {
                "It was opened before you signed in again, or comes from another page. Nothing was recorded. Open the \
                 page again and repeat what you entered."
                    .to_owned()
            }
            Fault::TooMany(minutes) => {
                let wait = avocet_base::plural((*minutes).max(1), "minute", "minutes");
                format!("From this address nobody can sign in for {wait}. Wait, or ask an administrator.")
            }
            Fault::SignedOut => "You are not signed in, or were signed out after half an hour without use.".to_owned(),
            Fault::Server(what) => format!("The server could not {what}. Try again."),
        }
    }

    /// What stands in the server's log: never what was sent.
    pub fn log(&self) -> Option<String> {
        match self {
            Fault::Record(error) if self.status() == StatusCode::INTERNAL_SERVER_ERROR => Some(error.to_string()),
            Fault::Server(what) => Some(format!("could not {what}")),
            _ => None,
        }
    }
}

fn nothing() -> String {
    "Nothing is kept at this address, or it is not yours to see. Check the number, or ask who leads the work."
        .to_owned()
}

/// With its first letter as at the beginning of a sentence.
pub fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
