//! Backups of the managed objects, and the way back to one. Each is done when its call is answered, so a
//! restore is never met while it is under way.

use super::super::call::{Call, Reply};
use super::super::error::Failure;
use super::super::routes::Routes;
use super::settings;
use crate::inventory::{Error, Level, Object};
use crate::kinds::appliance::backup::{BACKUP, BackupConfiguration, RESTORE, RestoreConfiguration};
use crate::kinds::appliance::node::{ADDRESS, ID};
use crate::node::{Backup, Made, Restored};
use crate::wire;
use serde::Deserialize;
use serde_json::{Value, json};

/// Adds the routes.
pub fn register(routes: &mut Routes) {
    settings::document(routes, "/cluster/backups/config", &BACKUP);
    settings::document(routes, "/cluster/restore/config", &RESTORE);
    routes.on("POST", "/cluster?action=backup_to_remote", |call| {
        let backup = Backup {
            id: call.world.inventory.ids().uuid().to_string(),
            place: backup_place(call)?,
            time: call.world.clock.now(),
            // Between two changes, not within one.
            objects: call.commit(|tx| Ok(tx.inventory().everything()))?,
        };
        call.world.node.write().backups.keep(backup);
        Ok(Reply::empty())
    });
    routes.on("POST", "/cluster?action=summarize_inventory_to_remote", |call| {
        backup_place(call)?;
        let id = call.world.inventory.ids().uuid().to_string();
        let made = Made { id, time: call.world.clock.now() };
        call.world.node.write().backups.summarize(made);
        Ok(Reply::empty())
    });
    routes.on("GET", "/cluster/backups/history", |call| {
        let node = call.world.node.read();
        // Each backup is of the cluster and of its node.
        let made: Vec<Value> = node.backups.made.iter().map(print).collect();
        let summaries: Vec<Value> = node.backups.summaries.iter().map(print).collect();
        Ok(Reply::ok(json!({
            "cluster_backup_statuses": made,
            "node_backup_statuses": made,
            "inventory_backup_statuses": summaries,
        })))
    });
    routes.on_as(Level::Shape, "GET", "/cluster/backups/status", |_| {
        Ok(Reply::ok(json!({"operation_type": "NONE"})))
    });
    register_restore(routes);
}

fn register_restore(routes: &mut Routes) {
    routes.on("GET", "/cluster/restore/backuptimestamps", |call| {
        let place = restore_place(call)?.unwrap_or_default();
        let node = call.world.node.read();
        let rows = node.backups.at(&place).map(|own| {
            let row = json!({"timestamp": own.time, "node_id": ID, "ip_address": ADDRESS});
            (own.id.clone(), row)
        });
        settings::rows(call, rows.collect::<Vec<_>>())
    });
    routes.on("GET", "/cluster/restore/status", |call| Ok(Reply::ok(status(call))));
    routes.on("POST", "/cluster/restore?action=start", start);
    // Nothing is asked of anybody on the way.
    routes.on_as(Level::Shape, "GET", "/cluster/restore/instruction-resources", |call| {
        settings::rows(call, [])
    });
    for (word, state) in [
        ("advance", "SUSPENDED"),
        ("cancel", "SUSPENDED"),
        ("retry", "FAILED"),
        ("suspend", "RUNNING"),
    ] {
        let path = format!("/cluster/restore?action={word}");
        routes.on("POST", &path, move |_| {
            Err(Error::NotNow(format!("The restore is not {state}.")).into())
        });
    }
}

fn print(made: &Made) -> Value {
    let Made { id, time } = made;
    json!({"backup_id": id, "start_time": time, "end_time": time, "success": true})
}

fn backup_place(call: &Call<'_>) -> Result<String, Error> {
    let config = call.world.inventory.single(&BACKUP, None)?;
    let place = config.body::<BackupConfiguration>().and_then(BackupConfiguration::place);
    place.ok_or_else(|| Error::field("remote_file_server", "is not configured"))
}

fn restore_place(call: &Call<'_>) -> Result<Option<String>, Error> {
    let config = call.world.inventory.single(&RESTORE, None)?;
    Ok(config.body::<RestoreConfiguration>().and_then(RestoreConfiguration::place))
}

fn status(call: &Call<'_>) -> Value {
    let node = call.world.node.read();
    let Some(Restored { backup, time }) = &node.backups.restored else {
        return json!({
            "status": {"value": "INITIAL", "description": "No restore was ever begun"},
        });
    };
    json!({
        "id": backup.id,
        "status": {"value": "SUCCESS", "description": "The restore is done"},
        "backup_timestamp": backup.time,
        "restore_start_time": time,
        "restore_end_time": time,
        "endpoints": [],
        "instructions": [],
    })
}

/// Which backup [spec InitiateClusterRestoreRequest].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    timestamp: Option<u64>,
    node_id: Option<String>,
    ip_address: Option<String>,
}

impl Wanted {
    fn fits(&self, backup: &Backup) -> bool {
        self.timestamp == Some(backup.time)
            && self.node_id.as_deref().is_none_or(|id| id == ID)
            && self.ip_address.as_deref().is_none_or(|address| address == ADDRESS)
    }
}

/// Brings all managed objects back to where they were when a backup was made, save the manager's
/// own account of where backups are. A second restore begins on a manager that knows of none.
fn start(call: &Call<'_>) -> Result<Reply, Failure> {
    let wanted: Wanted = wire::read(call.json()?).map_err(Error::from)?;
    if call.world.node.read().backups.restored.is_some() {
        return Err(Error::NotNow("The restore is not NOT_STARTED.".into()).into());
    }
    let place = restore_place(call)?
        .ok_or_else(|| Error::field("remote_file_server", "is not configured"))?;
    let found = call.world.node.read().backups.at(&place).find(|own| wanted.fits(own)).cloned();
    let backup = found.ok_or_else(|| Error::field("timestamp", "is that of no backup there"))?;
    let kept = |object: &Object| ![BACKUP.name, RESTORE.name].contains(&object.kind.name);
    call.commit(|tx| {
        tx.bring_back(&backup.objects, kept);
        Ok(())
    })?;
    let done = Made { id: backup.id, time: backup.time };
    let restored = Restored { backup: done, time: call.world.clock.now() };
    call.world.node.write().backups.restored = Some(restored);
    Ok(Reply::ok(status(call)))
}
