//! What the machine knows about this process; nothing where it does not say.

use std::fs;

/// Ticks of a second in what Linux says of a process, whatever the machine.
const TICKS: f64 = 100.0;

/// Bytes in memory.
pub(super) fn resident() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}

/// Open files, connections among them.
pub(super) fn open_files() -> Option<f64> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count() as f64)
}

/// Seconds on a core, its own and the kernel's for it.
pub(super) fn cpu() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name, which may hold anything, ends in the last bracket; of what follows it, the twelfth and thirteenth.
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = |text: Option<&str>| text?.parse::<f64>().ok();
    Some((ticks(after_name.next())? + ticks(after_name.next())?) / TICKS)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_machine_tells() {
        assert!(resident().unwrap() > 1e6 && resident().unwrap() < 1e11);
        let before = cpu().unwrap();
        let file = fs::File::open("/proc/self/status").unwrap();
        assert!(open_files().unwrap() >= 4.0);
        drop(file);
        assert!(before >= 0.0 && cpu().unwrap() >= before);
    }
}
