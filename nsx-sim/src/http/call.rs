//! One call of the API on its way through a handler, and what comes back.

use super::Api;
use super::error::Failure;
use crate::inventory::{Actor, Error, Object, Query, Transaction};
use crate::wire::Fields;
use crate::world::World;
use axum::body::Bytes;
use serde_json::Value;

/// A call whose path, query and caller are known.
pub struct Call<'a> {
    /// The API that it is a call of, for calls that hold others.
    pub api: &'a Api,
    /// The world it is made to.
    pub world: &'a World,
    /// Who makes it.
    pub actor: Actor,
    /// The path's variable parts, in order.
    pub params: Vec<String>,
    /// The query.
    pub query: Query,
    /// The body, unread.
    pub body: Bytes,
}

impl Call<'_> {
    /// A variable part of the path; a route that has none there gives the empty string.
    pub fn param(&self, place: usize) -> &str {
        self.params.get(place).map_or("", String::as_str)
    }

    /// The body as JSON; none at all is an empty object.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn json(&self) -> Result<Value, Error> {
        if self.body.iter().all(u8::is_ascii_whitespace) {
            return Ok(Value::Object(Fields::new()));
        }
        serde_json::from_slice(&self.body).map_err(|error| Error::Malformed(error.to_string()))
    }

    /// The body as a JSON object.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn object(&self) -> Result<Fields, Error> {
        match self.json()? {
            Value::Object(fields) => Ok(fields),
            _ => Err(Error::Malformed("the body must be a JSON object".into())),
        }
    }

    /// Makes a change in the caller's name.
    ///
    /// # Errors
    /// What `work` returns.
    pub fn commit<T>(
        &self,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.world.commit(&self.actor, work)
    }

    /// An object as this caller sees it, as the whole answer.
    pub fn show(&self, object: &Object) -> Reply {
        let mut text = Vec::with_capacity(2048);
        object.print(&self.world.inventory, &self.actor, 0, &mut text);
        Reply::printed(String::from_utf8(text).unwrap_or_default())
    }

    /// An object as this caller sees it.
    pub fn print(&self, object: &Object) -> Value {
        Value::Object(object.fields(&self.world.inventory, &self.actor))
    }
}

/// What a handler answers.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The body; none is an empty one.
    pub body: Option<Value>,
    /// The media type of a body that is text: no JSON, or JSON that is printed already.
    pub media: Option<&'static str>,
    /// A body that is no text.
    pub bytes: Option<Bytes>,
}

/// The media type of all answers but a few.
pub const JSON: &str = "application/json;charset=UTF-8";

/// The media type of bytes.
const BYTES: &str = "application/octet-stream";

impl Reply {
    /// A status with a body, or an empty one.
    pub fn of(status: u16, body: Option<Value>) -> Self {
        Self { status, body, media: None, bytes: None }
    }

    /// 200 with a text.
    pub fn text(media: &'static str, text: impl Into<String>) -> Self {
        Self { media: Some(media), ..Self::of(200, Some(Value::String(text.into()))) }
    }

    /// 200 with bytes.
    pub fn bytes(data: &[u8]) -> Self {
        let bytes = Some(Bytes::copy_from_slice(data));
        Self { media: Some(BYTES), bytes, ..Self::of(200, None) }
    }

    /// 200 with JSON that is printed already.
    pub fn printed(text: String) -> Self {
        Self::text(JSON, text)
    }

    /// The body as a value, whether or not it is printed already; null where there is none.
    pub fn value(self) -> Value {
        match (self.media, self.body) {
            (Some(JSON), Some(Value::String(text))) => {
                serde_json::from_str(&text).unwrap_or_default()
            }
            (_, body) => body.unwrap_or_default(),
        }
    }

    /// 200 with a table of values after a line of names; a value with a comma, a quote or a line's
    /// end is quoted [RFC 4180].
    pub fn csv<const COLUMNS: usize>(
        names: [&str; COLUMNS],
        rows: impl IntoIterator<Item = [String; COLUMNS]>,
    ) -> Self {
        let mut text = names.join(",") + "\n";
        for row in rows {
            text += &(row.map(quoted).join(",") + "\n");
        }
        Self::text("text/csv", text)
    }

    /// The same as bytes, for whoever accepts nothing else.
    #[must_use]
    pub fn as_bytes(self) -> Self {
        Self { media: Some(BYTES), ..self }
    }

    /// 200 with a body.
    pub fn ok(body: impl Into<Value>) -> Self {
        Self::of(200, Some(body.into()))
    }

    /// 201 with a body.
    pub fn created(body: impl Into<Value>) -> Self {
        Self::of(201, Some(body.into()))
    }

    /// 200 without a body, as deletions answer [nsxlib client.py].
    pub fn empty() -> Self {
        Self::of(200, None)
    }
}

fn quoted(value: String) -> String {
    if value.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", value.replace('"', "\"\""))
    } else {
        value
    }
}

/// What answers a call.
pub type Handler = Box<dyn Fn(&Call<'_>) -> Result<Reply, Failure> + Send + Sync>;
