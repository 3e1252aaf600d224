//! The OpenAPI document of version 2, which kubectl before 1.29 reads before it applies or replaces
//! anything, and in protobuf alone: whether a kind's PATCH takes `fieldValidation` tells it that the server
//! finds unknown members. No more of the document is told, nor is it in [version 3](super::discovery).
//!
//! The numbers of members are those of gnostic's published `OpenAPIv2.proto`.

use super::discovery::path_of;
use crate::api::resource::{Info, RESOURCES};
use axum::http::header;
use axum::response::{IntoResponse, Response};

/// What the server calls the form that the client asks for as `…spec.v2@v1.0+protobuf`.
const MEDIA: &str = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

/// The document, where the client takes protobuf.
pub fn answer(path: &str, accept: &str, release: &str) -> Option<Response> {
    let wanted = path == "/openapi/v2" && accept.contains("proto-openapi.spec.v2@v1.0+protobuf");
    wanted.then(|| ([(header::CONTENT_TYPE, MEDIA)], document(release)).into_response())
}

fn document(release: &str) -> Vec<u8> {
    let mut paths = Vec::new();
    for info in &RESOURCES {
        let item = [message(1, path_of(info).as_bytes()), message(2, &message(8, &patch(info)))];
        paths.extend(message(2, &item.concat()));
    }
    let info = [message(1, b"Kubernetes"), message(2, release.as_bytes())].concat();
    [message(1, b"2.0"), message(2, &info), message(8, &paths)].concat()
}

/// An operation with the one parameter, and the kind that it is of.
fn patch(info: &Info) -> Vec<u8> {
    let query = [message(2, b"query"), message(4, b"fieldValidation"), message(6, b"string")];
    // Of a parameter, one that is not a body, in the query.
    let parameter = message(1, &message(2, &message(3, &query.concat())));
    let kind =
        format!("group: {:?}\nkind: {:?}\nversion: {:?}\n", info.group, info.kind, info.version);
    let extension =
        [message(1, b"x-kubernetes-group-version-kind"), message(2, &message(2, kind.as_bytes()))];
    [message(8, &parameter), message(13, &extension.concat())].concat()
}

/// A member that is a text or a message: its number, its length by seven bits a byte, itself.
#[allow(clippy::cast_possible_truncation)] // Seven bits at a time.
fn message(number: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = body.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_takes_protobuf_reads_which_kinds_have_their_members_checked() {
        let accept = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf";
        let answer = answer("/openapi/v2", accept, "v1.16.7").unwrap();
        assert_eq!(answer.headers()[header::CONTENT_TYPE], MEDIA);
        assert!(super::answer("/openapi/v2", "application/json", "v1.16.7").is_none());
        let document = document("v1.16.7");
        // swagger: "2.0", then the message `info` of 21 bytes.
        assert_eq!(document[..7], [0x0a, 3, b'2', b'.', b'0', 0x12, 21]);
        let has = |text: &str| document.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(has("group: \"apps\"\nkind: \"Deployment\"\nversion: \"v1\"\n"));
        assert!(has("/apis/apps/v1/namespaces/{namespace}/deployments/{name}"));
    }

    #[test]
    fn a_length_takes_seven_bits_a_byte() {
        assert_eq!(message(2, &[7; 300])[..4], [0x12, 0xac, 2, 7]);
        assert_eq!(message(1, &[])[..], [0x0a, 0]);
    }
}
