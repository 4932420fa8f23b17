//! The program; everything is in the library.

fn main() -> std::process::ExitCode {
    relrv::cli::run()
}
