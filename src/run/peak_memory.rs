//! How much memory the program has taken.

/// Most memory that this process had at a time, bytes; none where the system does not tell it (it is asked of Linux alone).
pub fn peak_memory_bytes() -> Option<u64> {
    parse(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:     12345 kB`: see the manual page proc_pid_status(5).
fn parse(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_of_the_peak_is_read() {
        let status = "Name:\trelrv\nVmPeak:\t  300 kB\nVmHWM:\t  2048 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(parse(status), Some(2048 * 1024));
        for none in ["", "VmHWM:", "VmHWM: many kB", "VmHWM: 5 MB"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn linux_tells_it() {
        assert!(peak_memory_bytes().is_some_and(|bytes| bytes > 1 << 20));
    }
}
