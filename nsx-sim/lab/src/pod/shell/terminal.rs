//! A terminal: what is typed is echoed, edited by the line, and handed on when a line is complete.

use std::sync::Arc;

use tokio::sync::{Notify, mpsc};

use super::io::Output;

/// How many lines are remembered.
const REMEMBERED: usize = 100;
/// How long a line may grow.
const LONGEST: usize = 4096;

/// A key, as terminals send them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    Text(char),
    Enter,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    KillLine,
    KillRest,
    KillWord,
    Interrupt,
    EndOfInput,
    Other,
}

/// Reads keys out of bytes that arrive in any pieces.
#[derive(Debug, Default)]
struct Keys {
    pending: Vec<u8>,
}

impl Keys {
    fn push(&mut self, byte: u8) -> Option<Key> {
        self.pending.push(byte);
        let key = match self.pending.as_slice() {
            [0x1b] | [0x1b, b'[' | b'O'] => return None,
            // Parameters of a sequence: its last byte is above them.
            [0x1b, b'[', middle @ .., last] if !(0x40..=0x7e).contains(last) => {
                if middle.len() < 8 {
                    return None;
                }
                Key::Other
            }
            [0x10] | [0x1b, b'[' | b'O', b'A'] => Key::Up,
            [0x0e] | [0x1b, b'[' | b'O', b'B'] => Key::Down,
            [0x06] | [0x1b, b'[' | b'O', b'C'] => Key::Right,
            [0x02] | [0x1b, b'[' | b'O', b'D'] => Key::Left,
            [0x01] | [0x1b, b'[' | b'O', b'H'] | [0x1b, b'[', b'1' | b'7', b'~'] => Key::Home,
            [0x05] | [0x1b, b'[' | b'O', b'F'] | [0x1b, b'[', b'4' | b'8', b'~'] => Key::End,
            [0x1b, b'[', b'3', b'~'] => Key::Delete,
            [b'\r' | b'\n'] => Key::Enter,
            [0x7f | 0x08] => Key::Backspace,
            [0x03] => Key::Interrupt,
            [0x04] => Key::EndOfInput,
            [0x0b] => Key::KillRest,
            [0x15] => Key::KillLine,
            [0x17] => Key::KillWord,
            [0x1b, ..] | [0x00..=0x1f] => Key::Other,
            bytes => match std::str::from_utf8(bytes) {
                Ok(text) => text.chars().next().map_or(Key::Other, Key::Text),
                Err(error) if error.error_len().is_none() && bytes.len() < 4 => return None,
                Err(_) => Key::Other,
            },
        };
        self.pending.clear();
        Some(key)
    }
}

/// The line that is being typed.
#[derive(Debug, Default)]
struct Line {
    text: Vec<char>,
    cursor: usize,
}

impl Line {
    /// What moves the cursor this far to the left.
    fn back(count: usize) -> String {
        "\x08".repeat(count)
    }

    /// Puts text in the place of a part of the line; gives what shows it.
    fn splice(&mut self, from: usize, to: usize, with: &[char]) -> String {
        let (before, after) = (self.cursor.saturating_sub(from), self.text.len() - to);
        let gone = (to - from).saturating_sub(with.len());
        self.text.splice(from..to, with.iter().copied());
        self.cursor = from + with.len();
        let rest: String = self.text[from..].iter().collect();
        let blank = " ".repeat(gone);
        format!("{}{rest}{blank}{}", Self::back(before), Self::back(gone + after))
    }

    /// Moves the cursor; gives what shows it.
    fn go(&mut self, to: usize) -> String {
        let to = to.min(self.text.len());
        let shown = if to < self.cursor {
            Self::back(self.cursor - to)
        } else {
            self.text[self.cursor..to].iter().collect()
        };
        self.cursor = to;
        shown
    }

    /// Puts another line in its place.
    fn replace(&mut self, with: &[char]) -> String {
        let shown = self.go(self.text.len());
        shown + &self.splice(0, self.text.len(), with)
    }

    /// Where the word before the cursor begins.
    fn word(&self) -> usize {
        let before = &self.text[..self.cursor];
        let end = before.iter().rposition(|c| *c != ' ').map_or(0, |at| at + 1);
        before[..end].iter().rposition(|c| *c == ' ').map_or(0, |at| at + 1)
    }
}

/// Serves a terminal until its input ends: lines go to `lines`, ^C to `interrupts`.
pub(in crate::pod) async fn serve(
    mut typed: mpsc::Receiver<Vec<u8>>,
    echo: Output,
    lines: mpsc::Sender<Vec<u8>>,
    interrupts: Arc<Notify>,
) {
    let (mut keys, mut line) = (Keys::default(), Line::default());
    let mut history: Vec<Vec<char>> = Vec::new();
    let mut place = 0;
    while let Some(bytes) = typed.recv().await {
        let mut shown = String::new();
        for key in bytes.into_iter().filter_map(|byte| keys.push(byte)) {
            let (cursor, end) = (line.cursor, line.text.len());
            let piece = match key {
                Key::Text(c) if end < LONGEST => line.splice(cursor, cursor, &[c]),
                Key::Backspace if cursor > 0 => line.splice(cursor - 1, cursor, &[]),
                Key::Delete if cursor < end => {
                    let right = line.go(cursor + 1);
                    right + &line.splice(cursor, cursor + 1, &[])
                }
                Key::Left => line.go(cursor.saturating_sub(1)),
                Key::Right => line.go(cursor + 1),
                Key::Home => line.go(0),
                Key::End => line.go(end),
                Key::KillLine => line.splice(0, cursor, &[]),
                Key::KillRest => {
                    let right = line.go(end);
                    right + &line.splice(cursor, end, &[])
                }
                Key::KillWord => line.splice(line.word(), cursor, &[]),
                Key::Up if place > 0 => {
                    place -= 1;
                    line.replace(&history[place])
                }
                Key::Down if place < history.len() => {
                    place += 1;
                    line.replace(history.get(place).map_or(&[], Vec::as_slice))
                }
                Key::Enter | Key::Interrupt | Key::EndOfInput => {
                    let ends = key != Key::EndOfInput || line.text.is_empty();
                    if !ends {
                        continue;
                    }
                    shown += match key {
                        Key::Enter => "\n",
                        Key::Interrupt => "^C\n",
                        _ => "",
                    };
                    // The echo comes before what the line causes.
                    if echo.write(std::mem::take(&mut shown)).await.is_err() {
                        return;
                    }
                    let Line { text, .. } = std::mem::take(&mut line);
                    if key == Key::Interrupt {
                        interrupts.notify_one();
                        continue;
                    }
                    let mut whole: String = text.iter().collect();
                    if key == Key::Enter {
                        whole.push('\n');
                    }
                    if !text.is_empty() && history.last() != Some(&text) {
                        history.push(text);
                        let surplus = history.len().saturating_sub(REMEMBERED);
                        history.drain(..surplus);
                    }
                    place = history.len();
                    if lines.send(whole.into_bytes()).await.is_err() {
                        return;
                    }
                    String::new()
                }
                _ => String::new(),
            };
            shown += &piece;
        }
        if echo.write(shown).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pod::exec::Stream;
    use crate::pod::shell::io::Screen;

    /// What a terminal of unlimited width shows after this was typed, and the lines it gave.
    async fn typed(text: &str) -> (String, Vec<String>) {
        let (sender, receiver) = mpsc::channel(64);
        let (lines, mut given) = mpsc::channel(64);
        let (out, mut shown) = mpsc::channel(64);
        let echo = Output::Client { sender: out, stream: Stream::Stdout, screen: Screen::Raw };
        for byte in text.bytes() {
            sender.send(vec![byte]).await.unwrap();
        }
        drop(sender);
        serve(receiver, echo, lines, Arc::default()).await;
        let (mut screen, mut at) = (Vec::new(), 0);
        while let Some(chunk) = shown.recv().await {
            for c in String::from_utf8(chunk.bytes).unwrap().chars() {
                match c {
                    '\x08' => at -= 1,
                    '\r' => {}
                    '\n' => {
                        screen.push('\n');
                        at = screen.len();
                    }
                    c => {
                        screen.resize(screen.len().max(at + 1), ' ');
                        screen[at] = c;
                        at += 1;
                    }
                }
            }
        }
        let mut all = Vec::new();
        while let Some(line) = given.recv().await {
            all.push(String::from_utf8(line).unwrap());
        }
        (screen.into_iter().collect(), all)
    }

    #[tokio::test]
    async fn a_line_is_echoed_and_edited() {
        for (keys, line) in [
            ("ls\r", "ls\n"),
            ("lx\x7fs\r", "ls\n"),
            ("s\x1b[Dl\r", "ls\n"),
            ("s\x01l\x05 -l\r", "ls -l\n"),
            ("xls\x01\x1b[3~\r", "ls\n"),
            ("nothing\x15ls\r", "ls\n"),
            ("ls nothing \x17\x7f\r", "ls\n"),
            ("lsxx\x1b[D\x1b[D\x0b\r", "ls\n"),
            ("l\u{e9}\x7fs\r", "ls\n"),
            ("\x1b[99;1;zls\r", "ls\n"),
        ] {
            let (screen, lines) = typed(keys).await;
            assert_eq!(lines, [line], "{keys:?}");
            let shown: Vec<_> = screen.lines().map(str::trim_end).collect();
            assert_eq!(shown, [line.trim_end()], "{keys:?}");
        }
    }

    #[tokio::test]
    async fn lines_are_remembered() {
        let (_, lines) = typed("one\rtwo\r\x1b[A\x1b[A\r\x1b[A\x1b[A\x1b[B\r").await;
        assert_eq!(lines, ["one\n", "two\n", "one\n", "one\n"]);
    }

    #[tokio::test]
    async fn an_interrupt_takes_the_line_away_and_an_end_is_an_empty_piece() {
        let (screen, lines) = typed("nonsense\x03ls\r\x04").await;
        assert_eq!(lines, ["ls\n", ""]);
        assert_eq!(screen, "nonsense^C\nls\n");
        let (_, lines) = typed("ls\x04\r").await;
        assert_eq!(lines, ["ls\n"], "^D ends an empty line alone");
    }
}
