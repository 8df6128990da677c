//! What confines a worker, as the worker itself reports it before it is given anything.

use crate::frame::{Reader, Writer};

/// Which layers are in force. Made by the worker after it applied them and before it reads a payload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Confinement {
    /// Version of Landlock's interface in this kernel; 0 where there is none.
    pub landlock_abi: u32,
    /// Landlock refuses every file and folder; an attempt to open `/` was made and was refused.
    pub no_files: bool,
    /// Landlock refuses TCP (from version 4 on). The system call list refuses every socket anyway.
    pub no_tcp: bool,
    /// Landlock keeps signals and abstract sockets inside (from version 6 on). The system call list refuses both anyway.
    pub scoped: bool,
    /// Only listed system calls are possible; any other ends the worker.
    pub seccomp: bool,
    /// No program that it might start could gain rights.
    pub no_new_privileges: bool,
    /// It holds no capability, also when started by root.
    pub no_capabilities: bool,
    /// No core dump, and no other process of the same user reads its memory.
    pub not_dumpable: bool,
    /// Every descriptor but its own line was closed.
    pub descriptors_closed: bool,
    /// It had one thread when the layers were applied, so that they hold for all of it.
    pub single_thread: bool,
    /// The kernel ends it when its parent ends.
    pub dies_with_parent: bool,
    /// Limit of the address space in bytes, the mapping at start included.
    pub address_space: Option<u64>,
    /// Processor time in seconds.
    pub cpu_seconds: Option<u64>,
    /// Largest file that it could write: 0.
    pub file_size: Option<u64>,
    /// Largest core dump: 0.
    pub core_size: Option<u64>,
    /// Number of descriptors: 0, no new one can be made.
    pub descriptors: Option<u64>,
    /// Number of processes and threads: 0. The kernel does not apply it to root.
    pub processes: Option<u64>,
}

pub(crate) const CONFINEMENT_LEN: usize = 4 + 4 + 6 * 8;

impl Confinement {
    fn flags(&self) -> [bool; 10] {
        [
            self.no_files,
            self.no_tcp,
            self.scoped,
            self.seccomp,
            self.no_new_privileges,
            self.no_capabilities,
            self.not_dumpable,
            self.descriptors_closed,
            self.single_thread,
            self.dies_with_parent,
        ]
    }

    fn limits(&self) -> [(&'static str, Option<u64>); 6] {
        [
            ("address space", self.address_space),
            ("processor time", self.cpu_seconds),
            ("file size", self.file_size),
            ("core dump size", self.core_size),
            ("number of descriptors", self.descriptors),
            ("number of processes", self.processes),
        ]
    }

    /// Whether everything that is required is in force. Landlock's TCP and scope parts are not required: the list of
    /// system calls refuses the same.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.missing(true).is_empty()
    }

    /// One sentence for each layer that is not in force, required ones first. Empty when all are.
    #[must_use]
    pub fn sentences(&self) -> Vec<String> {
        let mut all = self.missing(true);
        all.extend(self.missing(false));
        all
    }

    /// One line that says what is in force, for logs and the completeness statement.
    #[must_use]
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        if self.no_files {
            parts.push(format!("Landlock {}", self.landlock_abi));
        }
        for (on, name) in [
            (self.seccomp, "system call list"),
            (self.no_capabilities && self.no_new_privileges, "no privileges"),
            (self.descriptors_closed, "no inherited descriptors"),
            (self.limits().iter().all(|(_, limit)| limit.is_some()), "limits on memory, time, files and processes"),
        ] {
            if on {
                parts.push(name.to_owned());
            }
        }
        if parts.is_empty() { "no confinement".to_owned() } else { parts.join(", ") }
    }

    fn missing(&self, required: bool) -> Vec<String> {
        let mut out = Vec::new();
        let mut need = |on: bool, sentence: &str| {
            if !on {
                out.push(sentence.to_owned());
            }
        };
        if required {
            if self.landlock_abi == 0 {
                need(self.no_files, "This kernel has no Landlock, so decoders are not kept from files by it.");
            } else {
                need(self.no_files, "Landlock is not in force, so decoders are not kept from files by it.");
            }
            need(self.seccomp, "The list of allowed system calls is not in force for decoders.");
            need(self.no_new_privileges, "Decoders could start a program with more rights.");
            need(self.no_capabilities, "Decoders keep the capabilities of the user who started the examination.");
            need(self.not_dumpable, "Other processes of the same user can read the memory of decoders.");
            need(self.descriptors_closed, "Decoders may hold descriptors that they inherited.");
            need(
                self.single_thread,
                "A decoder had more than one thread when it was confined, or it could not be told.",
            );
            need(self.dies_with_parent, "Decoders may outlive an examination that is killed.");
            for (name, limit) in self.limits() {
                need(limit.is_some(), &format!("The limit on the {name} of decoders is not in force."));
            }
        } else if self.no_files {
            need(
                self.no_tcp,
                "This kernel's Landlock does not cover TCP; decoders are kept from sockets by the system call list alone.",
            );
            need(
                self.scoped,
                "This kernel's Landlock does not cover signals; decoders are kept from them by the system call list alone.",
            );
        }
        out
    }

    pub(crate) fn write(&self, out: &mut Writer) {
        out.u32(self.landlock_abi);
        let bits = self.flags().iter().rev().fold(0u32, |bits, &flag| bits << 1 | u32::from(flag));
        out.u32(bits);
        for (_, limit) in self.limits() {
            out.u64(limit.unwrap_or(u64::MAX));
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Option<Self> {
        let landlock_abi = input.u32()?;
        let bits = input.u32()?;
        let flag = |n: u32| bits >> n & 1 == 1;
        let mut limit = || input.u64().map(|value| (value != u64::MAX).then_some(value));
        Some(Self {
            landlock_abi,
            no_files: flag(0),
            no_tcp: flag(1),
            scoped: flag(2),
            seccomp: flag(3),
            no_new_privileges: flag(4),
            no_capabilities: flag(5),
            not_dumpable: flag(6),
            descriptors_closed: flag(7),
            single_thread: flag(8),
            dies_with_parent: flag(9),
            address_space: limit()?,
            cpu_seconds: limit()?,
            file_size: limit()?,
            core_size: limit()?,
            descriptors: limit()?,
            processes: limit()?,
        })
    }
}
