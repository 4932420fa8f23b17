//! The commands of README and tutorial run as they stand, and print what is printed there.
//!
//! With `RELRV_WRITE_PAGES=1` the pages get what the commands print now, but for lines about time.

use std::path::Path;
use std::process::Command;

use crate::support::*;

/// A block of commands, each with what it prints.
struct Block {
    /// Lines of the page before its content, and after.
    lines: std::ops::Range<usize>,
    commands: Vec<(String, String)>,
}

/// The blocks of a page that are marked as `console`.
fn blocks(page: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line) {
            (None, "```console") => {
                open = Some(Block {
                    lines: number + 1..number + 1,
                    commands: Vec::new(),
                });
            }
            (Some(block), "```") => {
                block.lines.end = number;
                found.extend(open.take());
            }
            (Some(block), line) => match (line.strip_prefix("$ "), block.commands.last_mut()) {
                (Some(command), _) => block.commands.push((command.to_owned(), String::new())),
                (None, Some((_, printed))) => *printed += &format!("{line}\n"),
                (None, None) => panic!("line {}: no command yet", number + 1),
            },
            (None, _) => {}
        }
    }
    assert!(open.is_none(), "a block without an end");
    found
}

/// What a command prints in this folder, with the program that is tested in the path.
fn printed(command: &str, dir: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_relrv"));
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{path}", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", &format!("{{ {command}\n}} 2>&1")])
        .current_dir(dir)
        .env("PATH", path)
        .env("XDG_RUNTIME_DIR", env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let (status, said, _) = told(&output);
    assert_eq!(status, 0, "{command}: {said}");
    // A slow machine tells how far it is.
    let is_progress = |line: &str| {
        let first = line.split(' ').next().unwrap_or("");
        line.contains(" files") && first.split('/').all(|n| n.parse::<usize>().is_ok())
    };
    let lines = said.lines().filter(|line| !is_progress(line));
    lines.map(|line| format!("{line}\n")).collect()
}

/// Lines about time are those of the machine.
fn is_of_time(line: &str) -> bool {
    line.starts_with("time")
}

/// Numbers with a decimal point may differ by a little from processor to processor.
fn is_alike(expected: &str, found: &str) -> bool {
    let words = |line: &str| -> Vec<String> {
        let words = line.split([' ', ',']).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let is_word_alike = |(a, b): (&String, &String)| {
        let is_decimal = a.contains('.') && b.contains('.');
        match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) if is_decimal => (a - b).abs() <= 2e-3 + 2e-3 * a.abs().min(100.0),
            _ => a == b,
        }
    };
    let (a, b) = (words(expected), words(found));
    a.len() == b.len() && a.iter().zip(&b).all(is_word_alike)
}

/// Runs the commands of a page and compares what they print.
fn try_page(name: &str) {
    let path = root().join(name);
    let page = std::fs::read_to_string(&path).unwrap();
    let dir = folder();
    std::os::unix::fs::symlink(root().join("data-samples"), dir.path().join("data-samples"))
        .unwrap();
    let blocks = blocks(&page);
    assert!(!blocks.is_empty(), "{name}: no commands");
    let mut lines: Vec<String> = page.lines().map(str::to_owned).collect();
    let is_written = std::env::var_os("RELRV_WRITE_PAGES").is_some();
    let mut new: Vec<Vec<String>> = Vec::new();
    for block in &blocks {
        let mut content = Vec::new();
        for (command, expected) in &block.commands {
            let found = printed(command, dir.path());
            content.push(format!("$ {command}"));
            let time = expected.lines().find(|line| is_of_time(line));
            content.extend(found.lines().map(|line| match time {
                Some(time) if is_of_time(line) => time.to_owned(),
                _ => line.trim_end().to_owned(),
            }));
            let pairs = expected.lines().zip(found.lines());
            let n_lines = (expected.lines().count(), found.lines().count());
            let is_same =
                |(a, b): &(&str, &str)| (is_of_time(a) && is_of_time(b)) || is_alike(a, b);
            let mut others = pairs.filter(|pair| !is_same(pair));
            if !is_written {
                let other = others.next();
                assert_eq!(other, None, "{name}: {command}\n{found}");
                assert_eq!(n_lines.0, n_lines.1, "{name}: {command}\n{found}");
            }
        }
        new.push(content);
    }
    if is_written {
        for (block, content) in blocks.iter().zip(new).rev() {
            lines.splice(block.lines.clone(), content);
        }
        std::fs::write(&path, lines.join("\n") + "\n").unwrap();
    }
}

#[test]
fn the_commands_of_the_tutorial_print_what_it_says() {
    try_page("docs/tutorial.md");
}

#[test]
fn the_commands_of_the_readme_print_what_it_says() {
    try_page("README.md");
}
