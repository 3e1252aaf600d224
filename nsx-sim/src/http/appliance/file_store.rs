//! The file store of the node. Nothing is copied to or from other machines: that answers 501.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::node::missing;
use super::settings;
use crate::inventory::{Error, Level};
use crate::node::FileProblem;
use serde_json::json;

/// The kind's name in refusals.
const FILE: &str = "FileProperties";

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    let (all, one) = ("/node/file-store", "/node/file-store/{name}");
    routes.on_as(Level::Stateful, "GET", all, |call| {
        let files: Vec<_> = call.world.node.read().files.all().map(|own| json!(own)).collect();
        settings::rows(call, files.into_iter().map(|own| (own["name"].to_string(), own)))
    });
    routes.on_as(Level::Stateful, "POST", one, |call| {
        let (name, now) = (call.param(0), call.world.clock.now());
        let made = call.world.node.write().files.create(name, &call.body, now);
        Ok(Reply::created(json!(made.map_err(|problem| refusal(problem, name, true))?)))
    });
    routes.on_as(Level::Stateful, "GET", one, |call| {
        let node = call.world.node.read();
        let file = node.files.get(call.param(0)).ok_or_else(|| missing(FILE, call.param(0)))?;
        Ok(Reply::ok(json!(file.properties(call.param(0)))))
    });
    routes.on_as(Level::Stateful, "DELETE", one, |call| {
        if call.world.node.write().files.remove(call.param(0)) {
            return Ok(Reply::empty());
        }
        Err(missing(FILE, call.param(0)).into())
    });
    routes.on_as(Level::Stateful, "GET", &format!("{one}/data"), |call| {
        let node = call.world.node.read();
        let file = node.files.get(call.param(0)).ok_or_else(|| missing(FILE, call.param(0)))?;
        Ok(Reply::bytes(&file.data))
    });
    routes.on_as(Level::Stateful, "PUT", &format!("{one}/data"), replace);
    routes.on_as(Level::Stateful, "GET", &format!("{one}/thumbprint"), |call| {
        let node = call.world.node.read();
        let file = node.files.get(call.param(0)).ok_or_else(|| missing(FILE, call.param(0)))?;
        let (sha1, sha256) = file.thumbprints();
        Ok(Reply::ok(json!({"name": call.param(0), "sha1": sha1, "sha256": sha256})))
    });
}

fn replace(call: &Call<'_>) -> Result<Reply, Failure> {
    let (name, now) = (call.param(0), call.world.clock.now());
    let made = call.world.node.write().files.replace(name, &call.body, now);
    Ok(Reply::ok(json!(made.map_err(|problem| refusal(problem, name, false))?)))
}

fn refusal(problem: FileProblem, name: &str, new: bool) -> Error {
    match problem {
        FileProblem::Name if new => Error::AlreadyExists { kind: FILE, id: name.to_owned() },
        FileProblem::Name => missing(FILE, name),
        FileProblem::Form => Error::field("file-name", format!("can not be {name}")),
        FileProblem::Full => Error::field("data", "does not fit into the file store"),
    }
}
