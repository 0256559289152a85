//! A disk of our own: an ext4 file system in an image file, on which the power can be cut.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::ioctl::{Opcode, Setter};

/// `EXT4_IOC_SHUTDOWN`, `_IOR('X', 125, __u32)`.
const SHUTDOWN: Opcode = 0x8004_587d;

/// `EXT4_GOING_FLAGS_NOLOGFLUSH`: what the journal has not written yet stays unwritten.
const WITHOUT_FLUSH: u32 = 2;

/// How long somebody may still have a file of it open, and how often that is looked at.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// An ext4 file system in an image file. It is unmounted when it is dropped.
///
/// The image is in memory if there is room for it, which makes it fast and no less honest: what is left after a cut is
/// what the file system had handed to its device, wherever the device keeps it.
#[derive(Debug)]
pub struct Disk {
    // Dropped last, after it is unmounted.
    _folder: tempfile::TempDir,
    image: PathBuf,
    mounted: PathBuf,
    is_mounted: bool,
}

impl Disk {
    /// Why there can be no such disk here, and what to do.
    pub fn obstacle() -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some("only root may mount a disk: run it as root".to_owned());
        }
        // Where devices and mounting are kept from containers, nothing but trying tells.
        Self::new(8)
            .err()
            .map(|error| format!("no disk can be mounted ({error:#}): it needs e2fsprogs and loop devices"))
    }

    /// A new disk of so many mebibytes.
    ///
    /// # Errors
    /// If it cannot be made or mounted.
    pub fn new(mebibytes: u64) -> anyhow::Result<Self> {
        let folder = scratch()?;
        let (image, mounted) = (folder.path().join("image"), folder.path().join("disk"));
        File::create(&image)?.set_len(mebibytes << 20)?;
        std::fs::create_dir(&mounted)?;
        run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))?;
        let mut disk = Self { _folder: folder, image, mounted, is_mounted: false };
        disk.mount()?;
        Ok(disk)
    }

    /// Where it is mounted.
    pub fn path(&self) -> &Path {
        &self.mounted
    }

    /// Cuts the power: from this moment on nothing reaches the device any more, whatever waited to be written.
    ///
    /// # Errors
    /// If the file system cannot be shut down.
    pub fn cut(&self) -> io::Result<()> {
        let folder = File::open(&self.mounted)?;
        #[allow(unsafe_code, reason = "there is no other way to cut the power of a file system")]
        // SAFETY: this operation of ext4 reads one u32 at the address that it is given, and `Setter` gives that of one.
        unsafe {
            rustix::ioctl::ioctl(&folder, Setter::<SHUTDOWN, u32>::new(WITHOUT_FLUSH))?;
        }
        Ok(())
    }

    /// Unmounts it, and mounts it again, which replays its journal. Nobody may have a file of it open.
    ///
    /// # Errors
    /// If somebody has, or what is on the device is no file system any more.
    pub fn restart(&mut self) -> anyhow::Result<()> {
        self.unmount()?;
        self.mount()
    }

    /// Changes the options of a file system that is in use.
    ///
    /// # Errors
    /// If it refuses.
    pub fn remount(&self, option: &str) -> anyhow::Result<()> {
        run(Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.mounted))
    }

    fn mount(&mut self) -> anyhow::Result<()> {
        // The loop device goes when it is unmounted, and with it whatever the kernel has kept of it.
        run(Command::new("mount").args(["-t", "ext4", "-o", "loop"]).args([&self.image, &self.mounted]))?;
        self.is_mounted = true;
        Ok(())
    }

    fn unmount(&mut self) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.is_mounted {
            match run(Command::new("umount").arg(&self.mounted)) {
                Ok(()) => self.is_mounted = false,
                // A process that has died may still be giving its files back.
                Err(_) if began.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.is_mounted {
            // Whoever still has a file of it open keeps the device until then, and no longer.
            let _ = run(Command::new("umount").arg("--lazy").arg(&self.mounted));
        }
    }
}

/// A folder for a while, in memory if there is some.
pub(crate) fn scratch() -> io::Result<tempfile::TempDir> {
    match Path::new("/dev/shm") {
        memory if memory.is_dir() => tempfile::tempdir_in(memory),
        _ => tempfile::tempdir(),
    }
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("{program} cannot be run"))?;
    if !output.status.success() {
        bail!("{program}: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(())
}
