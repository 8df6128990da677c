//! Starts the confined workers in which pictures are decoded, and asks them.

use std::path::Path;
use std::process::ExitCode;

use avocet_sandbox::{Confinement, Pool, Profile, Spec, StartError, worker_main};

use crate::describe::{Described, Description, describe};
use crate::{PictureKind, meta};

/// Describe a picture, without small pictures.
const DESCRIBE: u32 = 1;
/// Describe a picture and make the small ones.
const DESCRIBE_AND_MAKE: u32 = 2;
/// Read the metadata only: what is asked where decoding cost the worker.
const METADATA: u32 = 3;

/// The words of a picture whose kind its beginning does not show.
const UNKNOWN: &str = "unknown";

/// What a worker process does. To be called first thing in `main`, when the program was started by [`Decoders::start`].
pub fn decoder_worker() -> ExitCode {
    worker_main(Profile::Decoder, |request| match request.kind {
        METADATA => {
            let mut description = Description::undecodable(UNKNOWN, "", "");
            description.facts = meta::read(request.payload).facts;
            Described { description, made: None }.to_bytes()
        }
        kind => describe(request.payload, kind == DESCRIBE_AND_MAKE).to_bytes(),
    })
}

/// Confined worker processes that describe pictures. May be asked from many threads at once.
#[derive(Debug)]
pub struct Decoders {
    pool: Pool,
}

impl Decoders {
    /// Starts `workers` processes of `program` with `argument`, which makes it call [`decoder_worker`].
    ///
    /// # Errors
    /// [`StartError`]: among others where this machine cannot confine them and `allow_weaker` is not set.
    pub fn start(program: &Path, argument: &str, workers: usize, allow_weaker: bool) -> Result<Decoders, StartError> {
        let mut spec = Spec::new(program.to_owned(), Profile::Decoder).arg(argument).workers(workers);
        spec.allow_weaker = allow_weaker;
        Ok(Decoders { pool: Pool::start(spec)? })
    }

    /// What the workers are kept from, for the completeness statement.
    pub fn confinement(&self) -> &Confinement {
        self.pool.confinement()
    }

    /// Describes one picture. Whatever its bytes do to a worker costs this picture and no other: it is then undecodable,
    /// with the reason, and its metadata are read by another worker where that can be done.
    pub fn describe(&self, bytes: &[u8], pictures: bool) -> Described {
        let kind = || PictureKind::recognise(bytes).map_or(UNKNOWN, PictureKind::code);
        let what = if pictures { DESCRIBE_AND_MAKE } else { DESCRIBE };
        let (code, reason) = match self.pool.call(what, &[bytes]) {
            Ok(reply) => match Described::from_bytes(&reply) {
                Some(described) => return described,
                None => ("worker-protocol-broken", "the worker's answer is no description of a picture".to_owned()),
            },
            Err(fault) => (fault.code(), fault.to_string()),
        };
        let mut description = Description::undecodable(kind(), code, &reason);
        let metadata = self.pool.call(METADATA, &[bytes]).ok().and_then(|reply| Described::from_bytes(&reply));
        if let Some(metadata) = metadata {
            description.facts = metadata.description.facts;
        }
        Described { description, made: None }
    }
}
