//! The appliance's own users, and how they prove who they are [spec: node users, AAA].

use super::call::{Call, Reply};
use super::error::Failure;
use super::routes::Routes;
use crate::inventory::{Actor, Error, Level};
use crate::kinds::role_binding;
use crate::node::{self, AuthPolicy, SshKey, SshKeyName, User, UserUpdate, Vidm};
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/node/users", |call| {
        let now = call.world.clock.now();
        let node = call.world.node.read();
        let users: Vec<Value> = node.users.iter().map(|user| user.fields(now).into()).collect();
        Ok(Reply::ok(json!({"result_count": users.len(), "results": users})))
    });
    routes.on("GET", "/node/users/{userid}", |call| {
        let node = call.world.node.read();
        let user = node.users.by_id(call.param(0)).ok_or_else(|| no_user(call))?;
        Ok(Reply::ok(user.fields(call.world.clock.now())))
    });
    routes.on("PUT", "/node/users/{userid}", update);
    routes.on_as(Level::Stateful, "GET", "/node/users/{userid}/ssh-keys", |call| {
        let node = call.world.node.read();
        let keys = node.users.by_id(call.param(0)).ok_or_else(|| no_user(call))?.keys();
        Ok(Reply::ok(json!({"result_count": keys.len(), "results": keys})))
    });
    routes.on_as(
        Level::Stateful,
        "POST",
        "/node/users/{userid}/ssh-keys?action=add_ssh_key",
        |call| {
            let key: SshKey = node::read(call.object()?, &[]).map_err(Error::from)?;
            change(call, |user| user.add_key(key))
        },
    );
    routes.on_as(
        Level::Stateful,
        "POST",
        "/node/users/{userid}/ssh-keys?action=remove_ssh_key",
        |call| {
            let key: SshKeyName =
                node::read(call.object()?, &["type", "value"]).map_err(Error::from)?;
            change(call, |user| user.remove_key(&key))
        },
    );
    register_policies(routes);
}

fn no_user(call: &Call<'_>) -> Error {
    Error::NotFound { kind: "NodeUser", id: call.param(0).to_owned() }
}

fn wrong((name, problem): (&str, String)) -> Error {
    Error::field(name, problem)
}

fn change(
    call: &Call<'_>,
    work: impl FnOnce(&mut User) -> Result<(), (&'static str, String)>,
) -> Result<Reply, Failure> {
    let mut node = call.world.node.write();
    let user = node.users.by_id_mut(call.param(0)).ok_or_else(|| no_user(call))?;
    work(user).map_err(wrong)?;
    Ok(Reply::empty())
}

/// Changes a user; the roles of one that is renamed follow the name.
fn update(call: &Call<'_>) -> Result<Reply, Failure> {
    let shown_only = ["userid", "status", "last_password_change"];
    let sent: UserUpdate = node::read(call.object()?, &shown_only).map_err(Error::from)?;
    let now = call.world.clock.now();
    let mut node = call.world.node.write();
    let policy = node.auth_policy;
    let before = node.users.by_id(call.param(0)).ok_or_else(|| no_user(call))?;
    let (id, old) = (before.id, before.name.clone());
    if let Some(name) = sent.username.as_deref()
        && node.users.is_taken(name, id)
    {
        return Err(Error::field("username", format!("is another user's: {name}")).into());
    }
    let user = node.users.by_id_mut(call.param(0)).ok_or_else(|| no_user(call))?;
    user.update(sent, &policy, now).map_err(wrong)?;
    if user.name != old {
        // Nobody looks at the users inside of a commit, so they can be held meanwhile.
        call.world
            .commit(&Actor::system(), |tx| role_binding::rename_local_user(tx, &old, &user.name))?;
    }
    Ok(Reply::ok(user.fields(now)))
}

fn register_policies(routes: &mut Routes) {
    routes.on("GET", "/node/aaa/auth-policy", |call| {
        Ok(Reply::ok(json!(call.world.node.read().auth_policy)))
    });
    routes.on("PUT", "/node/aaa/auth-policy", |call| {
        let sent: AuthPolicy = node::read(call.object()?, &[]).map_err(Error::from)?;
        call.world.node.write().auth_policy = sent;
        Ok(Reply::ok(json!(sent)))
    });
    routes.on("GET", "/node/aaa/providers/vidm", |call| {
        let node = call.world.node.read();
        Ok(Reply::ok(node.vidm.as_ref().map_or_else(no_vidm, |own| json!(own))))
    });
    routes.on("PUT", "/node/aaa/providers/vidm", |call| {
        let mut sent: Vidm = node::read(call.object()?, &[]).map_err(Error::from)?;
        let mut node = call.world.node.write();
        // Whoever puts back what was read has not seen the secret.
        sent.client_secret = sent.client_secret.or_else(|| node.vidm.take()?.client_secret);
        let printed = json!(sent);
        node.vidm = Some(sent);
        Ok(Reply::ok(printed))
    });
    routes.on("GET", "/node/aaa/providers/vidm/status", |call| {
        let node = call.world.node.read();
        // One that is switched off is not well: so clients tell that it is gone, for nothing
        // takes a registration away [client ansible-for-nsxt].
        let (state, enabled) = match &node.vidm {
            Some(own) if own.vidm_enable => ("ALL_OK", true),
            Some(_) => ("NOT_OK", false),
            None => ("NOT_CONFIGURED", false),
        };
        Ok(Reply::ok(json!({"runtime_state": state, "vidm_enable": enabled})))
    });
}

/// What stands where no provider is registered: all members are required [spec].
fn no_vidm() -> Value {
    json!({
        "host_name": "",
        "client_id": "",
        "thumbprint": "",
        "node_host_name": "",
        "vidm_enable": false,
        "lb_enable": false,
    })
}
