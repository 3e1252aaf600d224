//! Programs of a few lines.

use std::time::Duration;

use tokio::time::sleep;

use super::{Exit, Process, find};
use crate::pod::exec::PATH;
use crate::pod::network::short;

/// Runs one of them.
pub(super) async fn run(tool: &'static str, process: Process) -> Exit {
    let Process { arguments, session, out, err, .. } = &process;
    let first = arguments.first().map(String::as_str);
    match (tool, first) {
        ("true", _) => {}
        ("false", _) => return Ok(1),
        ("echo", _) => out.write(echo(arguments)).await?,
        ("printf", None) => {
            err.line("Usage: printf FORMAT [ARG]...").await?;
            return Ok(1);
        }
        ("printf", Some(format)) => out.write(printf(format, &arguments[1..])).await?,
        ("pwd", _) => out.line(&process.directory).await?,
        ("env" | "printenv", None) => {
            for (name, value) in &process.environment {
                out.line(format!("{name}={value}")).await?;
            }
        }
        ("printenv", Some(name)) => {
            let Some((_, value)) = process.environment.iter().find(|own| own.0 == name) else {
                return Ok(1);
            };
            out.line(value).await?;
        }
        ("env", Some(other)) => {
            err.line(format!("env: can't execute '{other}': it only lists here")).await?;
            return Ok(126);
        }
        ("whoami", _) => out.line(if session.image.root { "root" } else { "nginx" }).await?,
        ("id", _) => {
            let root = "uid=0(root) gid=0(root) groups=10(wheel)";
            let other = "uid=101(nginx) gid=101(nginx) groups=101(nginx)";
            out.line(if session.image.root { root } else { other }).await?;
        }
        ("uname", None | Some("-s")) => out.line("Linux").await?,
        ("uname", Some("-n")) => out.line(&session.pod.name).await?,
        ("uname", Some("-m")) => out.line("x86_64").await?,
        ("uname", Some("-r")) => out.line("4.15.0-88-generic").await?,
        ("uname", Some(_)) => {
            out.line(format!("Linux {} 4.15.0-88-generic x86_64 GNU/Linux", session.pod.name))
                .await?;
        }
        ("date", _) => out.line(date(&process)).await?,
        ("sleep", _) => return wait(&process).await,
        ("stty", _) => {
            let Some(size) = *session.size.borrow() else {
                err.line("stty: standard input: Inappropriate ioctl for device").await?;
                return Ok(1);
            };
            out.line(format!("{} {}", size.height, size.width)).await?;
        }
        ("ps", _) => {
            out.line("PID   USER     TIME  COMMAND").await?;
            let command = &session.container.command;
            let main =
                if command.is_empty() { "nginx: master process".into() } else { command.join(" ") };
            let user = if session.image.root { "root" } else { "nginx" };
            out.line(format!("    1 {user:<8}  0:00 {main}")).await?;
            out.line(format!("    7 {user:<8}  0:00 sh")).await?;
            out.line(format!("    8 {user:<8}  0:00 ps")).await?;
        }
        ("seq", _) => {
            let numbers: Vec<i64> = arguments.iter().filter_map(|own| own.parse().ok()).collect();
            let (from, to) = match numbers.as_slice() {
                [to] => (1, *to),
                [from, to] => (*from, *to),
                _ => {
                    err.line("Usage: seq [FIRST] LAST").await?;
                    return Ok(1);
                }
            };
            for number in from..=to {
                out.line(number.to_string()).await?;
            }
        }
        ("yes", _) => loop {
            out.line(first.unwrap_or("y")).await?;
            tokio::task::yield_now().await;
        },
        ("which", _) => {
            let mut code = 0;
            for name in arguments {
                match find(name, session.image) {
                    Some(own) => out.line(format!("/bin/{own}")).await?,
                    None => code = 1,
                }
            }
            return Ok(code);
        }
        ("test" | "[", _) => return test(tool, &process).await,
        (other, _) => {
            err.line(format!("{other}: not in {PATH}")).await?;
            return Ok(127);
        }
    }
    Ok(0)
}

fn echo(arguments: &[String]) -> String {
    let mut words = arguments.iter().map(String::as_str).peekable();
    let (mut line, mut escapes) = (true, false);
    while let Some(&flag @ ("-n" | "-e" | "-en" | "-ne")) = words.peek() {
        line &= !flag.contains('n');
        escapes |= flag.contains('e');
        words.next();
    }
    let text = words.collect::<Vec<_>>().join(" ");
    let text = if escapes { unescaped(&text) } else { text };
    if line { text + "\n" } else { text }
}

/// `\n`, `\t`, `\\` and the like as what they stand for.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            plain.push(c);
            continue;
        }
        match rest.next() {
            Some('n') => plain.push('\n'),
            Some('r') => plain.push('\r'),
            Some('t') => plain.push('\t'),
            Some('\\') | None => plain.push('\\'),
            Some(other) => plain.extend(['\\', other]),
        }
    }
    plain
}

/// `%s`, `%d` and `%%`, each taking an argument in its turn.
fn printf(format: &str, arguments: &[String]) -> String {
    let mut printed = String::new();
    let mut values = arguments.iter();
    let format = unescaped(format);
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        match (c, if c == '%' { rest.next() } else { None }) {
            ('%', Some('s')) => printed += values.next().map(String::as_str).unwrap_or_default(),
            ('%', Some('d')) => {
                let number = values.next().and_then(|own| own.parse::<i64>().ok());
                printed += &number.unwrap_or_default().to_string();
            }
            ('%', Some('%')) => printed.push('%'),
            (c, other) => printed.extend(std::iter::once(c).chain(other)),
        }
    }
    printed
}

fn date(process: &Process) -> String {
    let now = process.session.runtime.host.now();
    match process.arguments.iter().find(|own| own.starts_with('+')).map(String::as_str) {
        Some("+%s") => now.unix_timestamp().to_string(),
        Some("+%T") => format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second()),
        _ => format!(
            "{} {} {:2} {:02}:{:02}:{:02} UTC {}",
            short(&now.weekday()),
            short(&now.month()),
            now.day(),
            now.hour(),
            now.minute(),
            now.second(),
            now.year()
        ),
    }
}

async fn wait(process: &Process) -> Exit {
    let mut total = Duration::ZERO;
    if process.arguments.is_empty() {
        process.err.line("Usage: sleep [N]...").await?;
        return Ok(1);
    }
    for word in &process.arguments {
        let (number, unit) = match word.char_indices().last() {
            Some((at, 'm')) => (&word[..at], 60.0),
            Some((at, 'h')) => (&word[..at], 3600.0),
            Some((at, 'd')) => (&word[..at], 86400.0),
            Some((at, 's')) => (&word[..at], 1.0),
            _ => (word.as_str(), 1.0),
        };
        let parsed = number.parse::<f64>().ok();
        let parsed = parsed.and_then(|own| Duration::try_from_secs_f64(own * unit).ok());
        let Some(own) = parsed.and_then(|own| total.checked_add(own)) else {
            process.err.line(format!("sleep: invalid number '{word}'")).await?;
            return Ok(1);
        };
        total = own;
    }
    sleep(total).await;
    Ok(0)
}

/// The comparisons that scripts here need.
async fn test(tool: &str, process: &Process) -> Exit {
    let mut words: Vec<&str> = process.arguments.iter().map(String::as_str).collect();
    if tool == "[" && words.pop() != Some("]") {
        process.err.line("[: missing ]").await?;
        return Ok(2);
    }
    let negated = words.first() == Some(&"!");
    if negated {
        words.remove(0);
    }
    let number = |text: &str| text.parse::<i64>().ok();
    let file = |name: &str| super::file(&process.session, &process.directory, name);
    let holds = match words.as_slice() {
        [] => Some(false),
        ["-z", text] => Some(text.is_empty()),
        [text] | ["-n", text] => Some(!text.is_empty()),
        ["-f" | "-e", name] => Some(file(name).is_some()),
        ["-s", name] => Some(file(name).is_some_and(|own| !own.is_empty())),
        ["-d", name] => Some(super::is_directory(&super::absolute(&process.directory, name))),
        [left, "=" | "==", right] => Some(left == right),
        [left, "!=", right] => Some(left != right),
        [left, operator, right] => number(left).zip(number(right)).and_then(|(left, right)| {
            Some(match *operator {
                "-eq" => left == right,
                "-ne" => left != right,
                "-lt" => left < right,
                "-le" => left <= right,
                "-gt" => left > right,
                "-ge" => left >= right,
                _ => return None,
            })
        }),
        _ => None,
    };
    match holds {
        Some(holds) => Ok(u8::from(holds == negated)),
        None => {
            process.err.line(format!("{tool}: bad comparison: {}", words.join(" "))).await?;
            Ok(2)
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::pod::testing::scripts;

    #[tokio::test(start_paused = true)]
    async fn small_programs_do_their_small_things() {
        scripts(&[
            ("echo -n a; echo -e 'b\\tc'", "ab\tc\n", 0),
            ("printf '%s=%d%%\\n' a 3", "a=3%\n", 0),
            ("date", "Mon May 18 21:15:11 UTC 2020\n", 0),
            ("[ 1 -lt 2 ] && test ! -z x && [ a != b ]", "", 0),
            ("[ -f /etc/hosts ] && [ -d /tmp ]", "", 0),
            ("[ 1 -lt x ]", "", 2),
            ("[ 1 = 1", "", 2),
            ("sleep 1 2m", "", 0),
            ("sleep x", "", 1),
            ("sleep 1e300", "", 1),
            ("which curl telnet", "/bin/curl\n", 1),
            (
                "env | grep SVC_SERVICE_A_SERVICE_HOST",
                "SVC_SERVICE_A_SERVICE_HOST=10.100.200.143\n",
                0,
            ),
            ("printenv HOSTNAME", "a1\n", 0),
            ("stty size", "", 1),
        ])
        .await;
    }
}
