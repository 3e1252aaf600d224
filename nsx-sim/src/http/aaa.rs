//! Users' roles, and the tokens by which appliances register [spec: AAA].

use super::call::{Call, Reply};
use super::error::Failure;
use super::routes::Routes;
use crate::access::{self, Feature, Permission};
use crate::inventory::{Error, Incoming, Level, Role};
use crate::kinds::role_binding::{self, Holder, RoleBinding};
use crate::node::TokenHolder;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    routes.on("GET", "/aaa/user-info", |call| Ok(Reply::ok(user_info(call))));
    routes.on_as(Level::Shape, "GET", "/aaa/roles", |_| {
        let roles: Vec<Value> = Role::GIVEN.iter().map(|role| json!({"role": role})).collect();
        Ok(Reply::ok(json!({"result_count": roles.len(), "results": roles})))
    });
    routes.on("GET", "/aaa/roles/{role}", |call| Ok(Reply::ok(features(call.param(0))?)));
    // 200 where all other collections answer 201 [spec CreateRoleBinding].
    routes.on("POST", "/aaa/role-bindings", |call| {
        let incoming = Incoming::read(&role_binding::KIND, call.object()?)?;
        let object = call.commit(|tx| role_binding::create(tx, incoming))?;
        Ok(Reply::ok(call.print(&object)))
    });
    routes.on("DELETE", "/aaa/role-bindings/{id}", |call| {
        call.commit(|tx| role_binding::delete(tx, call.param(0)))?;
        Ok(Reply::empty())
    });
    // Whether a binding is stale only its provider could tell: none is known to be.
    let stale = "/aaa/role-bindings?action=delete_stale_bindings";
    routes.on_as(Level::Shape, "POST", stale, |_| Ok(Reply::empty()));
    routes.on("GET", "/aaa/vidm/users", |call| search(call, &[Holder::RemoteUser]));
    routes.on("GET", "/aaa/vidm/groups", |call| search(call, &[Holder::RemoteGroup]));
    routes.on("POST", "/aaa/vidm/search", |call| {
        search(call, &[Holder::RemoteUser, Holder::RemoteGroup])
    });
    register_tokens(routes);
}

/// Who calls, and which roles that one has [spec UserInfo].
fn user_info(call: &Call<'_>) -> Value {
    let roles = call.actor.roles.iter().map(|role| {
        let writes = |feature: &Feature| access::permission(*role, *feature) > Permission::Read;
        // Deprecated, yet in the description [spec NsxRole.permissions].
        let permissions: &[&str] = if Feature::ALL.iter().any(writes) {
            &["read-api", "read-write-api"]
        } else {
            &["read-api"]
        };
        json!({"role": role.name(), "permissions": permissions})
    });
    json!({"user_name": call.actor.name, "roles": roles.collect::<Vec<_>>()})
}

/// What a role may do with each feature [spec RoleWithFeatures].
fn features(name: &str) -> Result<Value, Error> {
    let missing = || Error::NotFound { kind: "Role", id: name.to_owned() };
    let role = Role::named(name).ok_or_else(missing)?;
    let features = Feature::ALL.map(|feature| {
        let permission = access::permission(role, feature);
        json!({"feature": feature.name(), "permission": permission.name()})
    });
    Ok(json!({"role": role, "features": features}))
}

/// Users and groups of the identity provider whose name holds a text, in any case. The provider is
/// not there to ask; of its users and groups those are known that have roles.
fn search(call: &Call<'_>, holders: &[Holder]) -> Result<Reply, Failure> {
    let missing = || Error::field("search_string", "is required");
    let wanted = call.query.get("search_string").ok_or_else(missing)?.to_lowercase();
    let enabled = call.world.node.read().vidm.as_ref().is_some_and(|own| own.vidm_enable);
    let bindings = call.world.inventory.all(role_binding::KIND.name);
    let bodies = bindings.iter().filter_map(|object| object.body::<RoleBinding>());
    let fit = bodies.filter(|own| {
        enabled && holders.contains(&own.holder) && own.name.to_lowercase().contains(&wanted)
    });
    let mut names: Vec<(&str, &str)> = fit.map(|own| (&*own.name, own.holder.word())).collect();
    names.sort_unstable();
    let print = |(name, word)| json!({"name": name, "display_name": name, "type": word});
    let results: Vec<Value> = names.into_iter().map(print).collect();
    Ok(Reply::ok(json!({"result_count": results.len(), "results": results})))
}

fn register_tokens(routes: &mut Routes) {
    let kept = Level::Stateful;
    routes.on_as(kept, "POST", "/aaa/registration-token", |call| {
        let token = call.world.inventory.ids().uuid().to_string();
        let holder = TokenHolder { user: call.actor.name.clone(), roles: call.actor.roles.clone() };
        let printed = print_token(&token, &holder);
        call.world.node.write().tokens.insert(token, holder);
        Ok(Reply::ok(printed))
    });
    routes.on_as(kept, "GET", "/aaa/registration-token/{token}", |call| {
        let node = call.world.node.read();
        let holder = node.tokens.get(call.param(0)).ok_or_else(|| no_token(call))?;
        Ok(Reply::ok(print_token(call.param(0), holder)))
    });
    routes.on_as(kept, "DELETE", "/aaa/registration-token/{token}", |call| {
        let removed = call.world.node.write().tokens.remove(call.param(0));
        removed.ok_or_else(|| no_token(call))?;
        Ok(Reply::empty())
    });
}

fn print_token(token: &str, holder: &TokenHolder) -> Value {
    json!({"token": token, "user": holder.user, "roles": holder.roles})
}

fn no_token(call: &Call<'_>) -> Error {
    Error::NotFound { kind: "RegistrationToken", id: call.param(0).to_owned() }
}
