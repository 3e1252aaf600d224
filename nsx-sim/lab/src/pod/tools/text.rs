//! Filters of lines.

use lexopt::prelude::*;

use super::files::content;
use super::{Exit, Process, text};

#[derive(Default)]
struct Options {
    flags: String,
    count: Option<i64>,
    words: Vec<String>,
}

fn parse(tool: &str, process: &Process) -> Result<Options, lexopt::Error> {
    let known = match tool {
        "grep" => "ivcqnFEo",
        "wc" => "lwc",
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

/// `grep`, `head`, `tail`, `wc`, `sort`, `tr`.
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
    match tool {
        // As lines come: what follows may have enough early, and what runs before may never end.
        "head" if files.is_empty() => {
            let count = options.count.unwrap_or(10);
            for _ in 0..count.max(0) {
                let Some(line) = process.input.line().await else { break };
                process.out.write(line).await?;
            }
            return Ok(0);
        }
        "grep" if files.is_empty() && !options.flags.contains(['c', 'q']) => {
            let (mut found, mut number) = (false, 0);
            while let Some(line) = process.input.line().await {
                number += 1;
                if matches(&options, &line) {
                    found = true;
                    process.out.write(numbered(&options, number, &line)).await?;
                }
            }
            return Ok(u8::from(!found));
        }
        _ => {}
    }
    let mut bytes = Vec::new();
    for name in files {
        let Some(own) = content(&process.session, &process.directory, name) else {
            process.err.line(format!("{tool}: {name}: No such file or directory")).await?;
            return Ok(if tool == "grep" { 2 } else { 1 });
        };
        bytes.extend(own);
    }
    if files.is_empty() {
        bytes = process.input.all().await;
    }
    let whole = String::from_utf8_lossy(&bytes);
    let (code, shown) = filtered(tool, &options, &whole);
    process.out.write(shown).await?;
    Ok(code)
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

fn filtered(tool: &str, options: &Options, whole: &str) -> (u8, String) {
    let has = |flag| options.flags.contains(flag);
    let lines: Vec<&str> = whole.lines().collect();
    let joined = |lines: &[&str]| lines.iter().flat_map(|own| [*own, "\n"]).collect::<String>();
    let count = usize::try_from(options.count.unwrap_or(10)).unwrap_or_default();
    match tool {
        "head" => (0, joined(&lines[..count.min(lines.len())])),
        "tail" => (0, joined(&lines[lines.len().saturating_sub(count)..])),
        "sort" => {
            let mut sorted = lines;
            if has('n') {
                let number = |own: &&str| own.trim().parse::<i64>().unwrap_or_default();
                sorted.sort_by_key(number);
            } else {
                sorted.sort_unstable();
            }
            if has('r') {
                sorted.reverse();
            }
            if has('u') {
                sorted.dedup();
            }
            (0, joined(&sorted))
        }
        "wc" => {
            let counts = [
                ('l', whole.matches('\n').count()),
                ('w', whole.split_whitespace().count()),
                ('c', whole.len()),
            ];
            let wanted: Vec<String> = counts
                .iter()
                .filter(|(flag, _)| options.flags.is_empty() || has(*flag))
                .map(|(_, count)| count.to_string())
                .collect();
            let shown = match wanted.as_slice() {
                [one] => format!("{one}\n"),
                all => format!(
                    "{}\n",
                    all.iter().map(|own| format!("{own:>9}")).collect::<Vec<_>>().join(" ")
                ),
            };
            (0, shown)
        }
        "tr" => {
            let set =
                |at: usize| options.words.get(at).map(|own| characters(own)).unwrap_or_default();
            let (from, to) = (set(0), set(1));
            let changed =
                whole.chars().filter_map(|c| match from.iter().position(|own| *own == c) {
                    None => Some(c),
                    Some(_) if has('d') => None,
                    Some(at) => to.get(at).or(to.last()).copied().or(Some(c)),
                });
            (0, changed.collect())
        }
        _ => {
            let numbers = lines.iter().enumerate();
            let found: Vec<(usize, &&str)> =
                numbers.filter(|(_, line)| matches(options, line)).collect();
            let shown = if has('q') {
                String::new()
            } else if has('c') {
                format!("{}\n", found.len())
            } else {
                found.iter().map(|(at, line)| numbered(options, at + 1, line)).collect()
            };
            (u8::from(found.is_empty()), shown)
        }
    }
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
    use crate::pod::testing::Cluster;

    #[tokio::test]
    async fn lines_are_filtered() {
        for (script, out, code) in [
            ("printf 'b\\na\\n' | sort", "a\nb\n", 0),
            ("seq 3 | sort -nr", "3\n2\n1\n", 0),
            ("seq 12 | tail -n 2", "11\n12\n", 0),
            ("seq 12 | head -2", "1\n2\n", 0),
            ("seq 12 | wc -l", "12\n", 0),
            ("echo Hello | grep -i hello", "Hello\n", 0),
            ("echo Hello | grep -v Hello", "", 1),
            ("seq 12 | grep '^1$'", "1\n", 0),
            ("seq 12 | grep -nE '^7|^9'", "7:7\n9:9\n", 0),
            ("echo abc | tr a-c A-C", "ABC\n", 0),
            ("echo abc | tr -d b", "ac\n", 0),
            ("yes | head -n 1", "y\n", 0),
            ("grep x /none", "", 2),
        ] {
            let ran = Cluster::guide().run(&["sh", "-c", script], None, false).await;
            assert_eq!((ran.out.as_str(), ran.code), (out, code), "{script}: {}", ran.err);
        }
    }
}
