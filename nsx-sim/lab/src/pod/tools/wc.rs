//! `wc`: counts as bytes come, and so holds none of them.

use lexopt::prelude::*;

use super::files::content;
use super::{Exit, Process, text};
use crate::pod::shell::io::Input;

/// Lines, words and bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    lines: u64,
    words: u64,
    bytes: u64,
    /// Whether the last byte was one of a word.
    inside: bool,
}

impl Counts {
    async fn of(input: &Input) -> Counts {
        let mut counts = Counts::default();
        while let Some(piece) = input.read().await {
            for byte in &piece {
                let inside = !byte.is_ascii_whitespace();
                counts.lines += u64::from(*byte == b'\n');
                counts.words += u64::from(inside && !counts.inside);
                counts.inside = inside;
            }
            counts.bytes += piece.len() as u64;
        }
        counts
    }

    /// A line as busybox prints it: one count as it is, several in columns.
    fn line(self, flags: &str, name: &str) -> String {
        let all = [('l', self.lines), ('w', self.words), ('c', self.bytes)];
        let wanted = all.iter().filter(|(flag, _)| flags.is_empty() || flags.contains(*flag));
        let wanted: Vec<u64> = wanted.map(|(_, count)| *count).collect();
        let counts = match wanted.as_slice() {
            [one] => one.to_string(),
            all => all.iter().map(|own| format!("{own:>9}")).collect::<Vec<_>>().join(" "),
        };
        if name.is_empty() { counts } else { format!("{counts} {name}") }
    }
}

pub(super) async fn run(process: Process) -> Exit {
    let (flags, names) = match parse(&process) {
        Ok(options) => options,
        Err(error) => return process.misused(&error).await,
    };
    let (mut total, mut code) = (Counts::default(), 0);
    if names.is_empty() {
        let counts = Counts::of(&process.input).await;
        process.out.line(counts.line(&flags, "")).await?;
    }
    for name in &names {
        let Some(bytes) = content(&process.session, &process.directory, name) else {
            process.err.line(format!("wc: {name}: No such file or directory")).await?;
            code = 1;
            continue;
        };
        let counts = Counts::of(&Input::of(bytes)).await;
        process.out.line(counts.line(&flags, name)).await?;
        total.lines += counts.lines;
        total.words += counts.words;
        total.bytes += counts.bytes;
    }
    if names.len() > 1 {
        process.out.line(total.line(&flags, "total")).await?;
    }
    Ok(code)
}

/// Which counts are wanted, and of which files.
fn parse(process: &Process) -> Result<(String, Vec<String>), lexopt::Error> {
    let (mut flags, mut names) = (String::new(), Vec::new());
    let mut parser = process.parser();
    while let Some(argument) = parser.next()? {
        match argument {
            Short(flag @ ('l' | 'w' | 'c')) => flags.push(flag),
            Value(word) => names.push(text(&word)),
            other => return Err(other.unexpected()),
        }
    }
    Ok((flags, names))
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::{scripts, sh};

    #[tokio::test]
    async fn lines_words_and_bytes_are_counted() {
        scripts(&[
            ("seq 12 | wc -l", "12\n", 0),
            ("printf 'a b\\n\\nlast' | wc", "        2         3         9\n", 0),
            ("printf 'a b\\n' > f; wc -wc f", "        2         4 f\n", 0),
            ("printf a > f; printf 'b\\n' > g; wc -c f none g", "1 f\n2 g\n3 total\n", 1),
        ])
        .await;
    }

    #[tokio::test]
    async fn an_input_of_many_megabytes_is_counted_to_its_end() {
        let script = "x=0123456789abcde; for i in $(seq 12); do x=$x$x; done; \
                      for i in $(seq 100); do echo $x; done | wc -c";
        let ran = sh(script).await;
        let bytes = 100 * ((15 << 12) + 1);
        assert_eq!((ran.out, ran.code), (format!("{bytes}\n"), 0), "{}", ran.err);
    }

    #[tokio::test]
    async fn a_file_that_is_full_says_so() {
        let script = "x=0123456789abcdef; for i in $(seq 12); do x=$x$x; done; \
                      while true; do echo $x; done | cat > f; \
                      echo $?; wc -c f; echo more >> f; echo $?";
        let ran = sh(script).await;
        assert_eq!(ran.out, "1\n1048576 f\n1\n");
        let told = "write error: No space left on device\n";
        assert_eq!(ran.err, format!("cat: {told}echo: {told}"));
    }
}
