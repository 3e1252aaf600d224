//! A manager in this process, called without sockets, under a clock that the test moves.

use crate::Answer;
use dataplane::EngineKind;
use nsx_sim::clock::{Clock, Millis};
use nsx_sim::http::{Api, WorldDocument};
use nsx_sim::inventory::{Actor, Role};
use nsx_sim::world::{Settings, World};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The overlay transport zone that every manager has.
pub const OVERLAY: &str = "1b3a2f36-bfd1-443e-a0f6-4de01abc963e";
/// The VLAN transport zone that every manager has.
pub const VLAN: &str = "a95c914d-748d-497c-94ab-10d4647daeba";
/// The default section of layer 3.
pub const DEFAULT_L3: &str = "ffffffff-8a04-4924-a5b4-54d30e81befe";
/// The default section of layer 2.
pub const DEFAULT_L2: &str = "ffffffff-8a04-4924-a5b4-54d30e81beff";
/// When a test's world begins: the guide's own evening, 2020-05-18 20:55:53 UTC.
pub const START: Millis = 1_589_835_353_000;

/// How long a traceflow of a test is in progress.
const TRACEFLOW_DELAY: Duration = Duration::from_secs(1);

/// A manager as one caller sees it; clones share the world.
#[derive(Clone)]
pub struct Manager {
    api: Arc<Api>,
    clock: Clock,
    caller: Actor,
}

impl Default for Manager {
    fn default() -> Self {
        Self::new()
    }
}

impl Manager {
    /// A manager with nothing but what every manager has, called by its administrator.
    #[track_caller]
    pub fn new() -> Self {
        Self::of(&WorldDocument::empty())
    }

    /// A manager with a document's world.
    #[track_caller]
    pub fn of(document: &WorldDocument) -> Self {
        match Self::try_of(document) {
            Ok(manager) => manager,
            Err(error) => panic!("the world does not load: {error}"),
        }
    }

    /// A manager with a document's world, where it loads.
    ///
    /// # Errors
    /// Why it does not, in the manager's own words.
    pub fn try_of(document: &WorldDocument) -> Result<Self, String> {
        Self::started(document, Settings::default())
    }

    /// A manager that says it is another release.
    #[track_caller]
    pub fn of_version(version: &str) -> Self {
        match version.parse() {
            Ok(version) => Self::empty(Settings { version, ..Settings::default() }),
            Err(error) => panic!("{error}"),
        }
    }

    /// A manager whose dataplane searches rules by one engine.
    #[track_caller]
    pub fn of_engine(engine: EngineKind) -> Self {
        Self::empty(Settings { engine, ..Settings::default() })
    }

    #[track_caller]
    fn empty(settings: Settings) -> Self {
        match Self::started(&WorldDocument::empty(), settings) {
            Ok(manager) => manager,
            Err(error) => panic!("{error}"),
        }
    }

    fn started(document: &WorldDocument, settings: Settings) -> Result<Self, String> {
        let clock = Clock::manual(START);
        let settings = Settings {
            clock: clock.clone(),
            seed: 7,
            traceflow_delay: TRACEFLOW_DELAY,
            topology: document.topology.clone(),
            ..settings
        };
        let world = World::new(settings).map_err(|error| error.to_string())?;
        let api = Arc::new(Api::new(Arc::new(world)));
        document.load(&api, "admin").map_err(|error| error.to_string())?;
        Ok(Self { api, clock, caller: Actor::admin("admin") })
    }

    /// The same manager, called by a principal identity.
    #[must_use]
    pub fn principal(&self, name: &str) -> Self {
        Self { caller: Actor::principal(name), ..self.clone() }
    }

    /// The same manager, called by another administrator.
    #[must_use]
    pub fn admin(&self, name: &str) -> Self {
        Self { caller: Actor::admin(name), ..self.clone() }
    }

    /// The same manager, called by a user with some role.
    #[must_use]
    pub fn with_role(&self, name: &str, role: Role) -> Self {
        Self { caller: Actor::with_roles(name, vec![role]), ..self.clone() }
    }

    /// The same manager and caller, with `X-Allow-Overwrite: true` on each call.
    #[must_use]
    pub fn overwriting(&self) -> Self {
        let caller = Actor { overwrite: true, ..self.caller.clone() };
        Self { caller, ..self.clone() }
    }

    /// The API itself.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// Moves the world's clock on.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// `GET` of a path below `/api/v1`, query included.
    pub fn get(&self, path: &str) -> Answer {
        self.call("GET", path, "")
    }

    /// `POST` to a path below `/api/v1`.
    #[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
    pub fn post(&self, path: &str, body: Value) -> Answer {
        self.call("POST", path, &body.to_string())
    }

    /// `PUT` of a path below `/api/v1`.
    #[allow(clippy::needless_pass_by_value, reason = "calls read better with json! in place")]
    pub fn put(&self, path: &str, body: Value) -> Answer {
        self.call("PUT", path, &body.to_string())
    }

    /// `DELETE` of a path below `/api/v1`.
    pub fn delete(&self, path: &str) -> Answer {
        self.call("DELETE", path, "")
    }

    /// Any call below `/api/v1`, or with a whole path where it begins with `/sim/`.
    pub fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let path =
            if path.starts_with("/sim/") { path.to_owned() } else { format!("/api/v1{path}") };
        let body = body.to_owned().into();
        match self.api.call(self.caller.clone(), method, &path, query, body) {
            Ok(reply) => Answer { status: reply.status, body: reply.value() },
            Err(failure) => {
                let answer = failure.answer();
                Answer { status: answer.status, body: answer.body }
            }
        }
    }
}
