//! The lists of system calls, written as the small programs that the kernel runs before each one (seccomp, classic BPF;
//! see `seccomp(2)` and the kernel's `Documentation/userspace-api/seccomp_filter.rst`).
//!
//! Pure code; `sys::seccomp` installs the result.

/// One instruction: operation, jumps if true and if false, operand.
pub(crate) type Instruction = (u16, u8, u8, u32);

const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const JUMP_AT_LEAST: u16 = 0x35;
const JUMP_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;

const OFFSET_NUMBER: u32 = 0;
const OFFSET_ARCH: u32 = 4;

const KILL_PROCESS: u32 = 0x8000_0000;
const ERRNO: u32 = 0x0005_0000;
const ALLOW: u32 = 0x7fff_0000;

#[cfg(target_arch = "x86_64")]
const ARCH: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCH: u32 = 0xc000_00b7;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the lists of system calls are made for x86-64 and AArch64");

/// System calls of the 32-bit-pointer flavour of x86-64 carry this bit.
const X32: u32 = 0x4000_0000;

/// The same number on every architecture, as all since 424.
const FCHMODAT2: libc::c_long = 452;
/// `setxattrat`, the first system call that the list of denied ones was not made with.
const FIRST_UNKNOWN: u32 = 463;

/// What happens to a call.
#[derive(Debug, Clone, Copy)]
enum Action {
    Allow,
    /// The call fails with this error number.
    Fail(i32),
    /// The whole process ends by `SIGSYS`.
    Kill,
}

impl Action {
    fn value(self) -> u32 {
        match self {
            Self::Allow => ALLOW,
            Self::Fail(errno) => ERRNO | errno.unsigned_abs() & 0xffff,
            Self::Kill => KILL_PROCESS,
        }
    }
}

/// A condition on the low half of an argument. The kernel takes descriptors, process numbers, protections and flags
/// from that half alone, or refuses any other bit of the high one.
#[derive(Debug, Clone, Copy)]
enum When {
    Is(u32, u32),
    Lacks(u32, u32),
    Has(u32, u32),
}

struct Program(Vec<Instruction>);

impl Program {
    /// Refuses every other architecture's numbering first.
    fn new() -> Self {
        let mut out = vec![(LOAD, 0, 0, OFFSET_ARCH), (JUMP_EQUAL, 1, 0, ARCH), (RETURN, 0, 0, KILL_PROCESS)];
        if cfg!(target_arch = "x86_64") {
            out.extend([(LOAD, 0, 0, OFFSET_NUMBER), (JUMP_AT_LEAST, 0, 1, X32), (RETURN, 0, 0, KILL_PROCESS)]);
        }
        Self(out)
    }

    /// If the number is this one and every condition holds, the action; else the next rule.
    fn rule(&mut self, number: libc::c_long, conditions: &[When], action: Action) {
        let Ok(number) = u32::try_from(number) else { return };
        // Each condition is two instructions; one return; the jumps over them are counted from the next instruction.
        let length = |left: usize| u8::try_from(left * 2 + 1).unwrap_or(u8::MAX);
        self.0.push((LOAD, 0, 0, OFFSET_NUMBER));
        self.0.push((JUMP_EQUAL, 0, length(conditions.len()), number));
        for (done, condition) in conditions.iter().enumerate() {
            let over = length(conditions.len() - done - 1);
            let (argument, jump) = match *condition {
                When::Is(argument, value) => (argument, (JUMP_EQUAL, 0, over, value)),
                When::Has(argument, bits) => (argument, (JUMP_ANY_BIT, 0, over, bits)),
                When::Lacks(argument, bits) => (argument, (JUMP_ANY_BIT, over, 0, bits)),
            };
            self.0.push((LOAD, 0, 0, 16 + 8 * argument));
            self.0.push(jump);
        }
        self.0.push((RETURN, 0, 0, action.value()));
    }

    /// Every number from this one on.
    fn newer(&mut self, number: u32, action: Action) {
        self.0.push((LOAD, 0, 0, OFFSET_NUMBER));
        self.0.push((JUMP_AT_LEAST, 0, 1, number));
        self.0.push((RETURN, 0, 0, action.value()));
    }

    fn otherwise(mut self, action: Action) -> Vec<Instruction> {
        self.0.push((RETURN, 0, 0, action.value()));
        self.0
    }
}

/// Only what computing in one thread needs. `line` and `notes` are the descriptors of the line to the parent and of the
/// text that the allocator leaves when it gives up; `process` is the worker's own number.
pub(crate) fn decoder(line: u32, notes: u32, process: u32) -> Vec<Instruction> {
    let executable = libc::PROT_EXEC.unsigned_abs();
    let anonymous = libc::MAP_ANONYMOUS.unsigned_abs();
    let mut list = Program::new();
    let allow = Action::Allow;
    // The most frequent first.
    list.rule(libc::SYS_read, &[When::Is(0, line)], allow);
    list.rule(libc::SYS_write, &[When::Is(0, line)], allow);
    list.rule(libc::SYS_write, &[When::Is(0, notes)], allow);
    // A stray print ends nothing: standard output is closed, and the standard library takes this error for silence.
    list.rule(libc::SYS_write, &[When::Is(0, 1)], Action::Fail(libc::EBADF));
    list.rule(libc::SYS_mmap, &[When::Lacks(2, executable), When::Has(3, anonymous)], allow);
    list.rule(libc::SYS_mprotect, &[When::Lacks(2, executable)], allow);
    for number in [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_clock_gettime,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_sched_yield,
        libc::SYS_getpid,
        libc::SYS_gettid,
        libc::SYS_sigaltstack,
        libc::SYS_rt_sigprocmask,
        libc::SYS_rt_sigreturn,
        libc::SYS_restart_syscall,
        libc::SYS_exit,
        libc::SYS_exit_group,
    ] {
        list.rule(number, &[], allow);
    }
    // An abort signals the process itself.
    list.rule(libc::SYS_tgkill, &[When::Is(0, process)], allow);
    list.rule(libc::SYS_tkill, &[When::Is(0, process)], allow);
    list.otherwise(Action::Kill)
}

/// Everything but what a program that turns one file into output has no need of. It may start threads; Landlock says
/// which files it may open.
pub(crate) fn program() -> Vec<Instruction> {
    let refuse = Action::Fail(libc::EPERM);
    let thread = libc::CLONE_THREAD.unsigned_abs();
    let mut list = Program::new();
    // clone3 hides its flags from this list; the C library falls back to clone, whose flags can be seen.
    list.rule(libc::SYS_clone3, &[], Action::Fail(libc::ENOSYS));
    list.rule(libc::SYS_clone, &[When::Lacks(0, thread)], refuse);
    // Landlock does not cover the owner, mode, times and attributes of a file.
    const DENIED: &[libc::c_long] = &[
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_sendto,
        libc::SYS_sendmsg,
        libc::SYS_sendmmsg,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_process_madvise,
        libc::SYS_pidfd_open,
        libc::SYS_pidfd_getfd,
        libc::SYS_pidfd_send_signal,
        libc::SYS_kcmp,
        libc::SYS_kill,
        libc::SYS_rt_sigqueueinfo,
        libc::SYS_rt_tgsigqueueinfo,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_move_mount,
        libc::SYS_open_tree,
        libc::SYS_fsopen,
        libc::SYS_fsmount,
        libc::SYS_fsconfig,
        libc::SYS_fspick,
        libc::SYS_mount_setattr,
        libc::SYS_unshare,
        libc::SYS_setns,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
        libc::SYS_io_setup,
        libc::SYS_io_submit,
        libc::SYS_userfaultfd,
        libc::SYS_memfd_create,
        libc::SYS_memfd_secret,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_keyctl,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_acct,
        libc::SYS_quotactl,
        libc::SYS_syslog,
        libc::SYS_name_to_handle_at,
        libc::SYS_open_by_handle_at,
        libc::SYS_fanotify_init,
        libc::SYS_inotify_init1,
        libc::SYS_personality,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_clock_adjtime,
        libc::SYS_adjtimex,
        libc::SYS_sethostname,
        libc::SYS_setdomainname,
        libc::SYS_shmget,
        libc::SYS_shmat,
        libc::SYS_semget,
        libc::SYS_msgget,
        libc::SYS_mq_open,
        libc::SYS_fchmod,
        libc::SYS_fchmodat,
        libc::SYS_fchown,
        libc::SYS_fchownat,
        libc::SYS_utimensat,
        libc::SYS_setxattr,
        libc::SYS_lsetxattr,
        libc::SYS_fsetxattr,
        libc::SYS_removexattr,
        libc::SYS_lremovexattr,
        libc::SYS_fremovexattr,
        libc::SYS_vmsplice,
        libc::SYS_truncate,
    ];
    for &number in DENIED {
        list.rule(number, &[], refuse);
    }
    list.rule(FCHMODAT2, &[], refuse);
    // What younger kernels add (attributes by folder, among others) is as absent as on an older one.
    list.newer(FIRST_UNKNOWN, Action::Fail(libc::ENOSYS));
    #[cfg(target_arch = "x86_64")]
    for number in [
        libc::SYS_fork,
        libc::SYS_vfork,
        libc::SYS_chmod,
        libc::SYS_chown,
        libc::SYS_lchown,
        libc::SYS_utime,
        libc::SYS_utimes,
        libc::SYS_futimesat,
        libc::SYS_iopl,
        libc::SYS_ioperm,
        libc::SYS_modify_ldt,
        libc::SYS_inotify_init,
        libc::SYS_kexec_file_load,
    ] {
        list.rule(number, &[], refuse);
    }
    list.otherwise(Action::Allow)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a program as the kernel documents it. The kernel itself is the oracle in `tests/it`; this one reaches
    /// arguments and architectures that a test process cannot produce.
    fn run(program: &[Instruction], arch: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let mut at = 0;
        let mut accumulator = 0;
        loop {
            let (operation, yes, no, operand) = program[at];
            at += 1;
            let holds = match operation {
                LOAD => {
                    accumulator = match operand {
                        OFFSET_NUMBER => number,
                        OFFSET_ARCH => arch,
                        other => (arguments[(other as usize - 16) / 8] & 0xffff_ffff) as u32,
                    };
                    continue;
                }
                RETURN => return operand,
                JUMP_EQUAL => accumulator == operand,
                JUMP_AT_LEAST => accumulator >= operand,
                JUMP_ANY_BIT => accumulator & operand != 0,
                other => panic!("unknown operation {other}"),
            };
            at += usize::from(if holds { yes } else { no });
        }
    }

    fn ask(program: &[Instruction], number: libc::c_long, arguments: [u64; 6]) -> u32 {
        run(program, ARCH, number as u32, arguments)
    }

    #[test]
    fn a_decoder_may_do_what_is_listed_and_dies_of_the_rest() {
        let list = decoder(0, 2, 77);
        let anonymous = libc::MAP_ANONYMOUS as u64;
        for (number, arguments, want) in [
            (libc::SYS_read, [0, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_read, [1, 0, 0, 0, 0, 0], KILL_PROCESS),
            (libc::SYS_write, [0, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_write, [2, 0, 0, 0, 0, 0], ALLOW),
            (libc::SYS_write, [1, 0, 0, 0, 0, 0], ERRNO | libc::EBADF as u32),
            (libc::SYS_write, [3, 0, 0, 0, 0, 0], KILL_PROCESS),
            (libc::SYS_mmap, [0, 1, 3, anonymous | 2, 0, 0], ALLOW),
            (libc::SYS_mmap, [0, 1, 3, 2, 3, 0], KILL_PROCESS),
            (libc::SYS_mmap, [0, 1, 7, anonymous | 2, 0, 0], KILL_PROCESS),
            (libc::SYS_mmap, [0, 1, 4, anonymous | 2, 0, 0], KILL_PROCESS),
            (libc::SYS_mprotect, [0, 1, 3, 0, 0, 0], ALLOW),
            (libc::SYS_mprotect, [0, 1, 5, 0, 0, 0], KILL_PROCESS),
            (libc::SYS_tgkill, [77, 77, 6, 0, 0, 0], ALLOW),
            (libc::SYS_tgkill, [78, 78, 6, 0, 0, 0], KILL_PROCESS),
            (libc::SYS_exit_group, [0; 6], ALLOW),
        ] {
            assert_eq!(ask(&list, number, arguments), want, "system call {number} {arguments:?}");
        }
    }

    #[test]
    fn no_number_outside_the_list_is_allowed() {
        let list = decoder(0, 2, 77);
        let listed = [
            libc::SYS_munmap,
            libc::SYS_mremap,
            libc::SYS_madvise,
            libc::SYS_brk,
            libc::SYS_futex,
            libc::SYS_clock_gettime,
            libc::SYS_gettimeofday,
            libc::SYS_getrandom,
            libc::SYS_sched_yield,
            libc::SYS_getpid,
            libc::SYS_gettid,
            libc::SYS_sigaltstack,
            libc::SYS_rt_sigprocmask,
            libc::SYS_rt_sigreturn,
            libc::SYS_restart_syscall,
            libc::SYS_exit,
            libc::SYS_exit_group,
        ];
        for number in 0..1024 {
            // Descriptors, process and flags that no rule names.
            let answer = ask(&list, number, [9, 9, 4, 0, 9, 9]);
            let want = match number {
                n if listed.contains(&n) => ALLOW,
                _ => KILL_PROCESS,
            };
            assert_eq!(answer, want, "system call {number}");
        }
    }

    #[test]
    fn another_numbering_of_system_calls_is_refused() {
        for list in [decoder(0, 2, 77), program()] {
            assert_eq!(run(&list, 0x4000_0003, libc::SYS_getpid as u32, [0; 6]), KILL_PROCESS, "32-bit x86");
            if cfg!(target_arch = "x86_64") {
                assert_eq!(ask(&list, libc::SYS_getpid | libc::c_long::from(X32 as i32), [0; 6]), KILL_PROCESS);
            }
        }
    }

    #[test]
    fn a_program_may_start_threads_but_no_processes() {
        let list = program();
        let deny = ERRNO | libc::EPERM as u32;
        assert_eq!(ask(&list, libc::SYS_clone, [libc::SIGCHLD as u64, 0, 0, 0, 0, 0]), deny);
        assert_eq!(ask(&list, libc::SYS_clone, [libc::CLONE_THREAD as u64 | 0x100, 0, 0, 0, 0, 0]), ALLOW);
        assert_eq!(ask(&list, libc::SYS_clone3, [0; 6]), ERRNO | libc::ENOSYS as u32);
        assert_eq!(ask(&list, libc::SYS_socket, [2, 1, 0, 0, 0, 0]), deny);
        assert_eq!(ask(&list, libc::SYS_openat, [0; 6]), ALLOW, "Landlock decides");
        assert_eq!(ask(&list, FCHMODAT2, [0; 6]), deny);
        for number in [463, 469, 1000] {
            assert_eq!(ask(&list, number, [0; 6]), ERRNO | libc::ENOSYS as u32, "system call {number}");
        }
    }

    #[test]
    fn every_program_fits_the_kernel_and_ends_with_a_return() {
        for list in [decoder(0, 2, 77), program()] {
            assert!(list.len() < 4096);
            assert_eq!(list.last().unwrap().0, RETURN);
            for (at, &(operation, yes, no, _)) in list.iter().enumerate() {
                if matches!(operation, JUMP_EQUAL | JUMP_AT_LEAST | JUMP_ANY_BIT) {
                    assert!(at + 1 + usize::from(yes.max(no)) < list.len());
                }
            }
        }
    }
}
