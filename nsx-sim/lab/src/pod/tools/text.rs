//! Filters of lines.

use std::collections::VecDeque;

use lexopt::prelude::*;

use super::files::content;
use super::{Exit, Process, text};
use crate::pod::shell::io::{Input, MOST_HELD, TooMuch};

#[derive(Default)]
struct Options {
    flags: String,
    count: Option<i64>,
    words: Vec<String>,
}

fn parse(tool: &str, process: &Process) -> Result<Options, lexopt::Error> {
    let known = match tool {
        "grep" => "ivcqnFEo",
        "sort" => "rnu",
        "tr" => "ds",
        _ => "",
    };
    // `head -5`, from the time before `-n`.
    let old = process.arguments.first().and_then(|own| own.strip_prefix('-')?.parse().ok());
    let skipped = usize::from(old.is_some());
    let mut parser = lexopt::Parser::from_args(process.arguments.iter().skip(skipped));
    let mut own = Options { count: old, ..Options::default() };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('n') if matches!(tool, "head" | "tail") => {
                own.count = Some(parser.value()?.parse()?);
            }
            Short(flag) if known.contains(flag) => own.flags.push(flag),
            Value(word) => own.words.push(text(&word)),
            other => return Err(other.unexpected()),
        }
    }
    Ok(own)
}

/// `grep`, `head`, `tail`, `sort`, `tr`.
pub(super) async fn run(tool: &'static str, process: Process) -> Exit {
    let options = match parse(tool, &process) {
        Ok(options) => options,
        Err(error) => return process.misused(&error).await,
    };
    let operands = match tool {
        "grep" => 1,
        "tr" => options.words.len(),
        _ => 0,
    };
    if tool == "grep" && options.words.is_empty() {
        process.err.line("Usage: grep [-ivcqnF] PATTERN [FILE]...").await?;
        return Ok(2);
    }
    let Some(files) = options.words.get(operands..) else { return Ok(2) };
    let mut bytes = Vec::new();
    for name in files {
        let Some(own) = content(&process.session, &process.directory, name) else {
            process.err.line(format!("{tool}: {name}: No such file or directory")).await?;
            return Ok(if tool == "grep" { 2 } else { 1 });
        };
        bytes.extend(own);
    }
    let input = if files.is_empty() { process.input.clone() } else { Input::of(bytes) };
    // As lines come: what follows may have enough early, and what runs before may never end.
    match tool {
        "head" => {
            for _ in 0..options.count.unwrap_or(10).max(0) {
                let Some(line) = input.line().await else { break };
                process.out.write(line).await?;
            }
            Ok(0)
        }
        "tr" => {
            while let Some(line) = input.line().await {
                process.out.write(translated(&options, &line)).await?;
            }
            Ok(0)
        }
        "grep" => grep(&options, &input, &process).await,
        "tail" => match last(&input, &options).await {
            Ok(lines) => {
                for line in lines {
                    process.out.write(line).await?;
                }
                Ok(0)
            }
            Err(TooMuch) => too_much(tool, &process).await,
        },
        _ => match input.all().await {
            Ok(bytes) => {
                process.out.write(sorted(&options, &String::from_utf8_lossy(&bytes))).await?;
                Ok(0)
            }
            Err(TooMuch) => too_much(tool, &process).await,
        },
    }
}

/// Says that there is more than memory is for, as busybox does.
async fn too_much(tool: &str, process: &Process) -> Exit {
    process.err.line(format!("{tool}: out of memory")).await?;
    Ok(1)
}

async fn grep(options: &Options, input: &Input, process: &Process) -> Exit {
    let has = |flag| options.flags.contains(flag);
    let (mut found, mut number) = (0, 0);
    while let Some(line) = input.line().await {
        number += 1;
        if !matches(options, &line) {
            continue;
        }
        found += 1;
        if has('q') {
            break;
        }
        if !has('c') {
            process.out.write(numbered(options, number, &line)).await?;
        }
    }
    if has('c') && !has('q') {
        process.out.line(found.to_string()).await?;
    }
    Ok(u8::from(found == 0))
}

/// The last lines.
async fn last(input: &Input, options: &Options) -> Result<VecDeque<String>, TooMuch> {
    let count = usize::try_from(options.count.unwrap_or(10)).unwrap_or_default();
    let (mut lines, mut held) = (VecDeque::new(), 0);
    while let Some(line) = input.line().await {
        held += line.len();
        lines.push_back(line);
        if lines.len() > count {
            held -= lines.pop_front().map_or(0, |line: String| line.len());
        }
        if held > MOST_HELD {
            return Err(TooMuch);
        }
    }
    Ok(lines)
}

fn numbered(options: &Options, number: usize, line: &str) -> String {
    let line = line.trim_end_matches('\n');
    if options.flags.contains('n') { format!("{number}:{line}\n") } else { format!("{line}\n") }
}

/// Whether a line is one that `grep` looks for: a text, at the beginning by `^`, at the end by `$`.
fn matches(options: &Options, line: &str) -> bool {
    let has = |flag| options.flags.contains(flag);
    let fold = |text: &str| if has('i') { text.to_lowercase() } else { text.to_owned() };
    let line = fold(line.trim_end_matches('\n'));
    let all = options.words.first().map(String::as_str).unwrap_or_default();
    let alternatives = if has('E') { all.split('|').collect() } else { vec![all] };
    let found = alternatives.into_iter().any(|pattern| {
        let pattern = fold(pattern);
        let (begin, rest) = match pattern.strip_prefix('^') {
            Some(rest) if !has('F') => (true, rest),
            _ => (false, pattern.as_str()),
        };
        let (end, rest) = match rest.strip_suffix('$') {
            Some(rest) if !has('F') => (true, rest),
            _ => (false, rest),
        };
        match (begin, end) {
            (true, true) => line == rest,
            (true, false) => line.starts_with(rest),
            (false, true) => line.ends_with(rest),
            (false, false) => line.contains(rest),
        }
    });
    found != has('v')
}

fn sorted(options: &Options, whole: &str) -> String {
    let has = |flag| options.flags.contains(flag);
    let mut lines: Vec<&str> = whole.lines().collect();
    if has('n') {
        lines.sort_by_key(|own| own.trim().parse::<i64>().unwrap_or_default());
    } else {
        lines.sort_unstable();
    }
    if has('r') {
        lines.reverse();
    }
    if has('u') {
        lines.dedup();
    }
    lines.into_iter().flat_map(|own| [own, "\n"]).collect()
}

/// What `tr` makes of a text.
fn translated(options: &Options, text: &str) -> String {
    let set = |at: usize| options.words.get(at).map(|own| characters(own)).unwrap_or_default();
    let (from, to) = (set(0), set(1));
    let changed = text.chars().filter_map(|c| match from.iter().position(|own| *own == c) {
        None => Some(c),
        Some(_) if options.flags.contains('d') => None,
        Some(at) => to.get(at).or(to.last()).copied().or(Some(c)),
    });
    changed.collect()
}

/// The characters of a set of `tr`, with ranges and `\n`.
fn characters(set: &str) -> Vec<char> {
    let plain: Vec<char> = set.replace("\\n", "\n").replace("\\t", "\t").chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(&c) = plain.get(at) {
        match (plain.get(at + 1), plain.get(at + 2)) {
            (Some('-'), Some(&end)) => {
                all.extend((c..=end).take(256));
                at += 3;
            }
            _ => {
                all.push(c);
                at += 1;
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::{scripts, sh};

    #[tokio::test]
    async fn lines_are_filtered() {
        scripts(&[
            ("printf 'b\\na\\n' | sort", "a\nb\n", 0),
            ("seq 3 | sort -nr", "3\n2\n1\n", 0),
            ("seq 12 | tail -n 2", "11\n12\n", 0),
            ("seq 12 | head -2", "1\n2\n", 0),
            ("seq 12 | grep -c 1", "4\n", 0),
            ("yes | grep -q y", "", 0),
            ("echo Hello | grep -i hello", "Hello\n", 0),
            ("echo Hello | grep -v Hello", "", 1),
            ("seq 12 | grep '^1$'", "1\n", 0),
            ("seq 12 | grep -nE '^7|^9'", "7:7\n9:9\n", 0),
            ("echo abc | tr a-c A-C", "ABC\n", 0),
            ("echo abc | tr -d b", "ac\n", 0),
            ("yes | head -n 1", "y\n", 0),
            ("grep x /none", "", 2),
        ])
        .await;
    }

    #[tokio::test]
    async fn what_is_too_much_to_hold_is_refused_and_not_cut() {
        for tool in ["sort", "tail -n 99999999"] {
            let script = format!(
                "x=0123456789abcdef; for i in $(seq 12); do x=$x$x; done; \
                 while true; do echo $x; done | {tool}"
            );
            let ran = sh(&script).await;
            let name = tool.split(' ').next().unwrap_or_default();
            assert_eq!((ran.out, ran.err), (String::new(), format!("{name}: out of memory\n")));
            assert_eq!(ran.code, 1);
        }
        let script = "x=$(yes 0123456789abcdef | head -n 9000); echo never";
        let ran = sh(script).await;
        assert_eq!((ran.err.as_str(), ran.code), ("sh: argument list too long\n", 2));
    }
}
