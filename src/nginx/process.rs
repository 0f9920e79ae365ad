//! The process of nginx in which the module runs.

use core::mem::MaybeUninit;
use std::io;
use std::thread::{Builder, JoinHandle};

use nginx_sys::{ngx_exiting, ngx_pid, ngx_process, NGX_PROCESS_SINGLE, NGX_PROCESS_WORKER};

/// What a process is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It serves, and others do: it never changes its configuration, and nginx unmaps none of its memory.
    Worker,
    /// It is the only one (`master_process off`), and goes on serving with another configuration after a reload.
    Single,
    /// It serves no one: the master, or one of those that look after caches.
    Other,
}

/// What this process is for. While nginx reads its first configuration it does not know that yet, and says `Single`.
pub(crate) fn role() -> Role {
    // SAFETY: nginx sets the variable when a process begins (invariant 1).
    match unsafe { ngx_process } as u32 {
        NGX_PROCESS_WORKER => Role::Worker,
        NGX_PROCESS_SINGLE => Role::Single,
        _ => Role::Other,
    }
}

/// Whether the process takes no new connections, and ends with the last of those that it has.
pub(crate) fn is_finishing() -> bool {
    // SAFETY: nginx alone writes the variable, in this thread (invariant 1).
    unsafe { ngx_exiting != 0 }
}

/// The number of this process.
pub(crate) fn id() -> u32 {
    // SAFETY: as in `role`.
    u32::try_from(unsafe { ngx_pid }).unwrap_or(0)
}

/// The number of the process that has started this one.
pub(crate) fn parent_id() -> u32 {
    // SAFETY: the function takes nothing, and cannot fail.
    u32::try_from(unsafe { libc::getppid() }).unwrap_or(0)
}

/// Whether there is a process of this number, be it of another user.
pub(crate) fn is_alive(id: u32) -> bool {
    let Ok(id) = libc::pid_t::try_from(id) else {
        return false;
    };
    // SAFETY: signal 0 is sent to no one.
    let found = unsafe { libc::kill(id, 0) };
    found == 0 || io::Error::last_os_error().raw_os_error() != Some(libc::ESRCH)
}

/// Seconds of a clock that all processes share, and that no one sets.
pub(crate) fn monotonic_seconds() -> u32 {
    let mut time = MaybeUninit::<libc::timespec>::zeroed();
    // SAFETY: the function writes to the structure that it is given, all fields of which may be zero.
    let time = unsafe {
        libc::clock_gettime(libc::CLOCK_MONOTONIC, time.as_mut_ptr());
        time.assume_init()
    };
    u32::try_from(time.tv_sec).unwrap_or(u32::MAX)
}

/// Runs `run` in a thread that takes no signals: one that was delivered there would not wake nginx, which waits for
/// events in its own.
///
/// `run` calls no function of nginx (invariant 1).
pub(crate) fn spawn_without_signals<T: Send + 'static>(
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let (mut all, mut before) = (MaybeUninit::<libc::sigset_t>::zeroed(), MaybeUninit::zeroed());
    // SAFETY: the functions write to the sets that they are given. A thread begins with the signal mask of the one that
    // has made it; that one gets back the mask that it had.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        let blocked = libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr());
        if blocked != 0 {
            return Err(io::Error::from_raw_os_error(blocked));
        }
        let thread = Builder::new().name("cors lists".to_owned()).spawn(run);
        libc::pthread_sigmask(libc::SIG_SETMASK, before.as_ptr(), core::ptr::null_mut());
        thread
    }
}
