//! A child that ends with its parent, however the parent ends: killed, too, it leaves no orphan that holds its port.
//!
//! This program runs as the child, asks the kernel for SIGKILL at its parent's end, and becomes the program that was
//! meant. On systems other than Linux the kernel has no such request, and a killed parent leaves its children behind.

use anyhow::{Context as _, Result, bail};
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

/// The program and arguments before those of a child that is to be tied to this process. The kernel watches the thread
/// that starts the child: it must be one that lasts as long as the process.
pub fn runner() -> Result<Vec<OsString>> {
    let program = std::env::current_exe().context("this program's own path is not known")?;
    let own = std::process::id().to_string();
    Ok([program.into_os_string()].into_iter().chain(["tied", "--parent", &own, "--"].map(OsString::from)).collect())
}

/// As [`runner`], to which the program and its arguments are to be added.
pub fn command() -> Result<Command> {
    let all = runner()?;
    let Some((program, arguments)) = all.split_first() else { bail!("there is no program") };
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

/// `rochdale tied`: becomes the program.
pub fn run(parent: i32, command: &[OsString]) -> Result<ExitCode> {
    let Some((program, arguments)) = command.split_first() else { bail!("there is no program to run") };
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)?;
    if nix::unistd::getppid().as_raw() != parent {
        bail!("process {parent} ended before {} started", program.display());
    }
    let error = Command::new(program).args(arguments).exec();
    Err(error).with_context(|| format!("cannot start {}", program.display()))
}
