//! Signals by process id: the one place that needs unsafe code.
#![allow(unsafe_code)]

use std::io;

/// Finish the requests at hand, then exit.
pub(crate) const QUIT: libc::c_int = libc::SIGQUIT;
/// Exit at once.
pub(crate) const TERMINATE: libc::c_int = libc::SIGTERM;
/// Read the configuration again.
pub(crate) const RELOAD: libc::c_int = libc::SIGHUP;
/// Die.
pub(crate) const KILL: libc::c_int = libc::SIGKILL;

/// Sends `signal` to the one process `pid`.
pub(crate) fn send(pid: u32, signal: libc::c_int) -> io::Result<()> {
    let pid = libc::pid_t::try_from(pid)
        .ok()
        .filter(|pid| *pid > 0)
        .ok_or(io::ErrorKind::InvalidInput)?;
    // SAFETY: `kill` touches no memory of ours; a positive id names a single process, never a group.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Asks a process to exit.
pub fn terminate_process(pid: u32) -> io::Result<()> {
    send(pid, TERMINATE)
}

/// Stops a process until it is told to go on.
pub fn stop_process(pid: u32) -> io::Result<()> {
    send(pid, libc::SIGSTOP)
}

/// Has a stopped process go on.
pub fn continue_process(pid: u32) -> io::Result<()> {
    send(pid, libc::SIGCONT)
}

/// nginx that root starts gives its workers to `nobody`, who may not read a checkout.
pub fn running_as_root() -> bool {
    // SAFETY: `geteuid` takes nothing and cannot fail.
    unsafe { libc::geteuid() == 0 }
}
