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
    value.serialize(&mut Serializer::with_formatter(&mut out, Jackson::default()))?;
    Ok(out)
}

#[derive(Default)]
struct Jackson {
    depth: usize,
    empty: bool,
}

impl Jackson {
    fn line<W: ?Sized + Write>(&self, out: &mut W) -> io::Result<()> {
        out.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| out.write_all(b"  "))
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
