//! UAA: who may log in, and the tokens that were given.

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::{Engine, prelude::BASE64_STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// The client of the command, with an empty secret.
pub(super) const CLI_CLIENT: &str = "pks_cli";
/// The client that clusters trust for kubectl's tokens.
pub(super) const CLUSTER_CLIENT: &str = "pks_cluster_client";
/// What an administrator may do.
const SCOPE: &str = "pks.clusters.manage pks.clusters.admin openid uaa.user";
/// Tokens that are remembered; beyond them the oldest is forgotten.
const MOST_TOKENS: usize = 1024;

/// The accounts and their tokens.
pub(super) struct Uaa {
    user: String,
    password: String,
    lifetime: Duration,
    /// What kubectl shows the cluster.
    cluster_token: String,
    grants: Mutex<VecDeque<Grant>>,
}

/// A pair of tokens.
struct Grant {
    access: String,
    refresh: String,
    ends: Instant,
}

impl Uaa {
    pub(super) fn new(
        user: String,
        password: String,
        lifetime: Duration,
        cluster_token: String,
    ) -> Self {
        Self { user, password, lifetime, cluster_token, grants: Mutex::default() }
    }

    /// Whether a call carries a token that is still good.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let Some((scheme, token)) = shown.and_then(|value| value.split_once(' ')) else {
            return false;
        };
        let now = Instant::now();
        scheme.eq_ignore_ascii_case("bearer")
            && self.grants.lock().iter().any(|own| own.access == token && now < own.ends)
    }

    /// The answer to a demand for a token by `client`.
    fn grant(&self, client: &str, form: &BTreeMap<String, String>) -> Result<Value, Refusal> {
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        match field("grant_type") {
            "password" => {
                if field("username") != self.user || field("password") != self.password {
                    return Err(Refusal::BadCredentials);
                }
            }
            "refresh_token" => {
                let mut grants = self.grants.lock();
                let known = grants.iter().position(|own| own.refresh == field("refresh_token"));
                // A pair that was refreshed is of no use any more.
                grants.remove(known.ok_or(Refusal::BadToken)?);
            }
            other => return Err(Refusal::Unsupported(other.to_owned())),
        }
        let grant = Grant {
            access: Uuid::new_v4().simple().to_string(),
            refresh: format!("{}-r", Uuid::new_v4().simple()),
            ends: Instant::now() + self.lifetime,
        };
        let mut told = json!({
            "access_token": grant.access, "refresh_token": grant.refresh, "token_type": "bearer",
            "expires_in": self.lifetime.as_secs(), "scope": SCOPE,
            "jti": Uuid::new_v4().simple().to_string(),
        });
        if client == CLUSTER_CLIENT {
            told["id_token"] = json!(self.cluster_token);
        }
        let mut grants = self.grants.lock();
        if grants.len() == MOST_TOKENS {
            grants.pop_front();
        }
        grants.push_back(grant);
        Ok(told)
    }
}

/// Why no token is given, in UAA's words.
#[derive(Debug, PartialEq, Eq)]
enum Refusal {
    BadClient,
    BadCredentials,
    BadToken,
    Unsupported(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error, told) = match self {
            Self::BadClient | Self::BadCredentials => {
                (StatusCode::UNAUTHORIZED, "unauthorized", "Bad credentials".to_owned())
            }
            Self::BadToken => {
                (StatusCode::UNAUTHORIZED, "invalid_token", "The token is not valid".to_owned())
            }
            Self::Unsupported(grant) => (
                StatusCode::BAD_REQUEST,
                "unsupported_grant_type",
                format!("Unsupported grant type: {grant}"),
            ),
        };
        (status, axum::Json(json!({"error": error, "error_description": told}))).into_response()
    }
}

/// `POST /oauth/token`
pub(super) async fn token(
    State(uaa): State<Arc<Uaa>>,
    headers: HeaderMap,
    Form(form): Form<BTreeMap<String, String>>,
) -> Response {
    let answer = client(&headers, &form)
        .ok_or(Refusal::BadClient)
        .and_then(|client| uaa.grant(&client, &form));
    answer.map_or_else(IntoResponse::into_response, |told| axum::Json(told).into_response())
}

/// Which client asks: by basic authentication with an empty secret, or in the form.
fn client(headers: &HeaderMap, form: &BTreeMap<String, String>) -> Option<String> {
    let basic = headers.get(header::AUTHORIZATION).and_then(|value| {
        let credentials = value.to_str().ok()?.strip_prefix("Basic ")?;
        let text = String::from_utf8(BASE64_STANDARD.decode(credentials).ok()?).ok()?;
        text.strip_suffix(':').map(str::to_owned)
    });
    let named = basic.or_else(|| form.get("client_id").cloned())?;
    [CLI_CLIENT, CLUSTER_CLIENT].contains(&named.as_str()).then_some(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    fn uaa(lifetime: u64) -> Uaa {
        Uaa::new("u".into(), "p".into(), Duration::from_secs(lifetime), "kube".into())
    }

    fn bearer(told: &Value) -> HeaderMap {
        let shown = format!("Bearer {}", told["access_token"].as_str().unwrap());
        HeaderMap::from_iter([(header::AUTHORIZATION, shown.parse().unwrap())])
    }

    const LOGIN: [(&str, &str); 3] =
        [("grant_type", "password"), ("username", "u"), ("password", "p")];

    #[test]
    fn a_password_buys_a_token_and_a_wrong_one_does_not() {
        let uaa = uaa(600);
        let told = uaa.grant(CLI_CLIENT, &form(&LOGIN)).unwrap();
        assert!(uaa.admits(&bearer(&told)));
        assert_eq!(told["id_token"], Value::Null);
        let wrong = form(&[("grant_type", "password"), ("username", "u"), ("password", "x")]);
        assert_eq!(uaa.grant(CLI_CLIENT, &wrong), Err(Refusal::BadCredentials));
        assert!(!uaa.admits(&HeaderMap::new()));
    }

    #[test]
    fn an_old_token_is_refreshed_once() {
        let old = uaa(0);
        let told = old.grant(CLI_CLIENT, &form(&LOGIN)).unwrap();
        assert!(!old.admits(&bearer(&told)));
        let token = told["refresh_token"].as_str().unwrap();
        let again = form(&[("grant_type", "refresh_token"), ("refresh_token", token)]);
        assert!(old.grant(CLI_CLIENT, &again).is_ok());
        assert_eq!(old.grant(CLI_CLIENT, &again), Err(Refusal::BadToken));
    }

    #[test]
    fn the_clusters_client_gets_what_the_cluster_takes() {
        let told = uaa(600).grant(CLUSTER_CLIENT, &form(&LOGIN)).unwrap();
        assert_eq!(told["id_token"], "kube");
    }
}
