//! The `georepair` command; everything it does is in the library.

fn main() -> std::process::ExitCode {
    georepair::cli::main()
}
