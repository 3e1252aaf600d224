//! Kubernetes' protobuf, as far as kubectl sends it: what it makes (`kubectl create …`) and the
//! options of deletions. Numbers are those of the published `generated.proto` files. Answers are
//! JSON, which such clients accept as well.

mod tables;

use super::error::Error;
use base64::Engine as _;
use serde_json::{Map, Value, json};
use tables::Type::{
    Blobs, Bool, Bytes, Exact, Inline, IntOrText, Many, Map as TextMap, Number, One, Text, Texts,
    Time,
};
use tables::{Field, KINDS, Type};

/// What every such body begins with.
const MAGIC: &[u8] = b"k8s\0";

/// Reads the body of a call.
pub fn object(body: &[u8]) -> Result<Value, Error> {
    let inner = body.strip_prefix(MAGIC).ok_or_else(|| broken("it does not begin with k8s"))?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), &inner[..0]);
    for field in fields(inner) {
        match field? {
            (1, Wire::Bytes(type_meta)) => {
                for field in fields(type_meta) {
                    match field? {
                        (1, Wire::Bytes(text)) => version = utf8(text)?,
                        (2, Wire::Bytes(text)) => kind = utf8(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let Some((_, table)) = KINDS.iter().find(|(name, _)| *name == kind) else {
        return Err(Error::media_type(format!(
            "this server does not read a {kind} of version {version:?} in protobuf - accepted media \
             types include: application/json"
        )));
    };
    let mut object = message(raw, table, &kind)?;
    object["apiVersion"] = version.into();
    object["kind"] = kind.into();
    Ok(object)
}

fn broken(why: &str) -> Error {
    Error::bad_request(format!("the body of the request is not valid protobuf: {why}"))
}

fn utf8(bytes: &[u8]) -> Result<String, Error> {
    String::from_utf8(bytes.to_vec()).map_err(|_| broken("text is not UTF-8"))
}

enum Wire<'b> {
    Number(u64),
    Bytes(&'b [u8]),
}

/// The members of a message as they come.
fn fields(mut rest: &[u8]) -> impl Iterator<Item = Result<(u64, Wire<'_>), Error>> {
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let next = field(&mut rest);
        if next.is_none() {
            rest = &[];
        }
        Some(next.ok_or_else(|| broken("it ends too early or has an unknown wire type")))
    })
}

fn field<'b>(rest: &mut &'b [u8]) -> Option<(u64, Wire<'b>)> {
    let tag = varint(rest)?;
    match tag & 7 {
        0 => Some((tag >> 3, Wire::Number(varint(rest)?))),
        2 => {
            let length = usize::try_from(varint(rest)?).ok()?;
            let (bytes, after) = rest.split_at_checked(length)?;
            *rest = after;
            Some((tag >> 3, Wire::Bytes(bytes)))
        }
        _ => None,
    }
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn message(bytes: &[u8], table: &[Field], kind: &str) -> Result<Value, Error> {
    let mut object = Map::new();
    for field in fields(bytes) {
        let (number, wire) = field?;
        let Some((_, name, kind_of)) = table.iter().find(|(n, ..)| *n == number) else {
            // What is there and would be lost is refused; an empty member says nothing.
            if matches!(wire, Wire::Number(0) | Wire::Bytes([])) {
                continue;
            }
            return Err(Error::media_type(format!(
                "this server does not read member {number} of a {kind} in protobuf - accepted media \
                 types include: application/json"
            )));
        };
        read(&mut object, name, *kind_of, &wire)?;
    }
    Ok(object.into())
}

fn read(object: &mut Map<String, Value>, name: &str, kind: Type, wire: &Wire) -> Result<(), Error> {
    let list = |object: &mut Map<String, Value>, value: Value| match object
        .entry(name)
        .or_insert_with(|| json!([]))
    {
        Value::Array(all) => all.push(value),
        other => *other = json!([value]),
    };
    let value = match (kind, wire) {
        (Text, Wire::Bytes([])) | (Number, Wire::Number(0)) => return Ok(()),
        (Text, Wire::Bytes(bytes)) => utf8(bytes)?.into(),
        (Number | Exact, Wire::Number(number)) => number.cast_signed().into(),
        (Bool, Wire::Number(number)) => (*number != 0).into(),
        (Bytes, Wire::Bytes(bytes)) => {
            base64::engine::general_purpose::STANDARD.encode(bytes).into()
        }
        (Time, Wire::Bytes(bytes)) => match time(bytes)? {
            Some(time) => time.into(),
            None => return Ok(()),
        },
        (IntOrText, Wire::Bytes(bytes)) => int_or_text(bytes)?,
        (One(table), Wire::Bytes(bytes)) => message(bytes, table, name)?,
        (Inline(table), Wire::Bytes(bytes)) => {
            if let Value::Object(more) = message(bytes, table, name)? {
                object.extend(more);
            }
            return Ok(());
        }
        (Many(table), Wire::Bytes(bytes)) => {
            list(object, message(bytes, table, name)?);
            return Ok(());
        }
        (Texts, Wire::Bytes(bytes)) => {
            list(object, utf8(bytes)?.into());
            return Ok(());
        }
        (TextMap | Blobs, Wire::Bytes(bytes)) => {
            let kind = if matches!(kind, Blobs) { Bytes } else { Text };
            let mut entry = Map::new();
            for field in fields(bytes) {
                match field? {
                    (1, wire) => read(&mut entry, "key", Text, &wire)?,
                    (2, wire) => read(&mut entry, "value", kind, &wire)?,
                    _ => {}
                }
            }
            let key = entry.get("key").and_then(Value::as_str).unwrap_or_default().to_owned();
            let value = entry.remove("value").unwrap_or_else(|| "".into());
            match object.entry(name).or_insert_with(|| json!({})) {
                Value::Object(map) => drop(map.insert(key, value)),
                other => *other = json!({key: value}),
            }
            return Ok(());
        }
        _ => return Err(broken("a member has another type than its kind says")),
    };
    object.insert(name.to_owned(), value);
    Ok(())
}

fn time(bytes: &[u8]) -> Result<Option<String>, Error> {
    for field in fields(bytes) {
        if let (1, Wire::Number(seconds)) = field? {
            let at = k8s_openapi::jiff::Timestamp::from_second(seconds.cast_signed());
            return Ok(at.ok().map(super::store::timestamp));
        }
    }
    Ok(None)
}

fn int_or_text(bytes: &[u8]) -> Result<Value, Error> {
    let (mut is_text, mut number, mut text) = (false, 0i64, String::new());
    for field in fields(bytes) {
        match field? {
            (1, Wire::Number(kind)) => is_text = kind == 1,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(value)) => text = utf8(value)?,
            _ => {}
        }
    }
    Ok(if is_text { text.into() } else { number.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(number: u8, inner: &[u8]) -> Vec<u8> {
        let length = u8::try_from(inner.len()).unwrap();
        [&[number << 3 | 2, length], inner].concat()
    }

    fn body(kind: &str, raw: &[u8]) -> Vec<u8> {
        let meta = [bytes(1, b"v1"), bytes(2, kind.as_bytes())].concat();
        [MAGIC.to_vec(), bytes(1, &meta), bytes(2, raw)].concat()
    }

    #[test]
    fn a_namespace_is_read_as_kubectl_sends_it() {
        let label = bytes(11, &[bytes(1, b"a"), bytes(2, b"b")].concat());
        let meta = [bytes(1, b"x1"), bytes(2, b""), bytes(8, b""), label].concat();
        let raw = [bytes(1, &meta), bytes(2, b""), bytes(3, b"")].concat();
        let read = object(&body("Namespace", &raw)).unwrap();
        assert_eq!(read["metadata"], json!({"name": "x1", "labels": {"a": "b"}}));
        assert_eq!(
            (read["kind"].as_str(), read["apiVersion"].as_str()),
            (Some("Namespace"), Some("v1"))
        );
    }

    #[test]
    fn what_is_inline_in_json_stands_among_its_object_s_members() {
        let port = bytes(2, &[2 << 3, 80]);
        let service = [bytes(1, b"web"), port].concat();
        let path = [bytes(1, b"/"), bytes(2, &bytes(4, &service)), bytes(3, b"Prefix")].concat();
        let rule = [bytes(1, b"a"), bytes(2, &bytes(1, &bytes(1, &path)))].concat();
        let raw = bytes(2, &bytes(3, &rule));
        let read = object(&body("Ingress", &raw)).unwrap();
        let backend = json!({"service": {"name": "web", "port": {"number": 80}}});
        let path = json!({"path": "/", "pathType": "Prefix", "backend": backend});
        assert_eq!(read["spec"], json!({"rules": [{"host": "a", "http": {"paths": [path]}}]}));
    }

    #[test]
    fn a_body_that_is_cut_anywhere_is_refused_or_less_but_never_a_panic() {
        let meta = bytes(1, b"x1");
        let whole = body("Namespace", &bytes(1, &meta));
        for end in 0..whole.len() {
            let _ = object(&whole[..end]);
        }
        assert!(object(&body("Pod", b"")).is_err(), "a kind that is not read is refused");
        let unknown = bytes(1, &bytes(30, b"x"));
        assert!(object(&body("Namespace", &unknown)).is_err(), "so is a member that is not read");
    }
}
