//! Prints JSON the way the manager does: Jackson's default pretty printer.
//!
//! Two blanks of indent for objects, `"key" : value`, arrays as `[ {` … `} ]`, empty ones as
//! `[ ]` and `{ }` [miq; issue tf #237]. Scripts match on strings such as
//! `"httpStatus" : "NOT_FOUND"`.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::io::{self, Write};

/// Prints a value; fails only where the value itself refuses to be JSON.
pub fn to_pretty_bytes<T: Serialize + ?Sized>(value: &T) -> serde_json::Result<Vec<u8>> {
    let mut out = Vec::with_capacity(512);
    print(value, 0, &mut out)?;
    Ok(out)
}

/// Adds a value to a text where so many objects are open around it. A value that refuses to be JSON
/// adds nothing; no declared kind does that.
pub fn print_at<T: Serialize + ?Sized>(value: &T, depth: usize, out: &mut Vec<u8>) {
    let before = out.len();
    if print(value, depth, out).is_err() {
        out.truncate(before);
    }
}

fn print<T: Serialize + ?Sized>(
    value: &T,
    depth: usize,
    out: &mut Vec<u8>,
) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, Jackson { depth, empty: false }))
}

/// The end of a line and the indent of most that follow.
const LINE: &[u8] = b"\n                                ";

struct Jackson {
    depth: usize,
    empty: bool,
}

impl Jackson {
    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        match LINE.get(..=2 * self.depth) {
            Some(line) => out.write_all(line),
            None => {
                out.write_all(b"\n")?;
                (0..self.depth).try_for_each(|_| out.write_all(b"  "))
            }
        }
    }
}

impl Formatter for Jackson {
    fn begin_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.empty = true;
        out.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.empty = false;
        out.write_all(b" ]")
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b" " } else { b", " })
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        out.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.empty {
            out.write_all(b" ")?;
        } else {
            self.line(out)?;
        }
        self.empty = false;
        out.write_all(b"}")
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if !first {
            out.write_all(b",")?;
        }
        self.line(out)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b" : ")
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn prints_as_jackson_does_by_default() {
        let value = json!({
            "results": [{"id": "a", "tags": []}, {"id": "b", "binding": {}}],
            "ports": [1, 2],
            "result_count": 2,
        });
        let deep = (0..40).fold(json!(1), |inner, _| json!({ "a": inner }));
        let text = String::from_utf8(to_pretty_bytes(&deep).unwrap()).unwrap();
        let blanks = |line: &str| line.len() - line.trim_start().len();
        assert_eq!(text.lines().map(blanks).max(), Some(80), "indents grow without end");
        let expected = r#"{
  "results" : [ {
    "id" : "a",
    "tags" : [ ]
  }, {
    "id" : "b",
    "binding" : { }
  } ],
  "ports" : [ 1, 2 ],
  "result_count" : 2
}"#;
        assert_eq!(String::from_utf8(to_pretty_bytes(&value).unwrap()).unwrap(), expected);
    }
}
