//! How a step is shown.

use super::steps::Step;
use std::io::{self, Write};

/// How wide a line of prose is.
const WIDTH: usize = 78;

/// The step with what to type and what it teaches.
pub(super) fn step(out: &mut dyn Write, place: usize, of: usize, step: &Step) -> io::Result<()> {
    writeln!(out, "\n[{place}/{of}] {}\n", step.title)?;
    for line in wrapped(step.teaches, WIDTH) {
        writeln!(out, "  {line}")?;
    }
    writeln!(out)?;
    for line in step.type_this {
        writeln!(out, "    {line}")?;
    }
    writeln!(out)
}

/// Words put into lines of at most `width`.
pub(super) fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.last_mut();
        match last {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.len() + 1 + word.len() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_as_long_as_fits() {
        assert_eq!(wrapped("one two three four", 9), ["one two", "three", "four"]);
    }
}
