//! What the manager answered, and the two things that a test wants of it.

use serde_json::Value;

/// Status and body of an answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; null where there is none.
    pub body: Value,
}

impl Answer {
    /// The body of an answer that has this status; fails the test otherwise.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// The text of a refusal with this status and number, in the form that every refusal has.
    #[track_caller]
    pub fn refused(self, status: u16, code: u32) -> String {
        let body = self.expect(status);
        assert_eq!(body["error_code"], code, "{body:#}");
        let names: Vec<&str> =
            body.as_object().into_iter().flat_map(|own| own.keys()).map(String::as_str).collect();
        let order = ["httpStatus", "error_code", "module_name", "error_message"];
        assert_eq!(names[..4.min(names.len())], order, "members in wire order");
        body["error_message"].as_str().unwrap_or_default().to_owned()
    }

    /// The `results` of a list.
    #[track_caller]
    pub fn results(self) -> Vec<Value> {
        match self.expect(200).get_mut("results").map(Value::take) {
            Some(Value::Array(results)) => results,
            other => panic!("no list: {other:?}"),
        }
    }

    /// One member of each of the `results` of a list, as text.
    #[track_caller]
    pub fn column(self, name: &str) -> Vec<String> {
        let text = |row: Value| match &row[name] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        self.results().into_iter().map(text).collect()
    }
}
