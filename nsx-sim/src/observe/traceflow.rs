//! Traceflows: asked for, under way, finished, forgotten [spec Traceflow].

use super::observation::{Counters, Observation};
use super::packet::TraceRequest;
use super::trace;
use crate::clock::Millis;
use crate::fabric::Place;
use crate::inventory::{Error, Inventory, Object};
use crate::kinds::logical_port::{self, LogicalPort};
use crate::kinds::logical_switch::{self, LogicalSwitch};
use crate::kinds::transport_zone::{self, TransportType, TransportZone};
use crate::world::World;
use parking_lot::{Mutex, MutexGuard};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

/// How long a traceflow is kept; the real time is not certain (docs/fidelity.md).
const KEPT: Millis = 4 * 60 * 60 * 1000;

/// The most traceflows kept at once: the oldest go first.
const MOST: usize = 1000;

/// A traceflow and what it saw.
#[derive(Debug)]
pub struct Traceflow {
    /// Its id.
    pub id: String,
    /// The port that the packet started from.
    pub lport_id: String,
    timeout: i64,
    created: Millis,
    finished: Millis,
    source_has_vnic: bool,
    steps: Vec<Observation>,
}

/// The traceflows of a world.
pub struct Traceflows {
    delay: Duration,
    kept: Mutex<VecDeque<Arc<Traceflow>>>,
}

impl Traceflows {
    /// None yet. A traceflow is in progress for `delay`.
    pub fn new(delay: Duration) -> Self {
        Self { delay, kept: Mutex::new(VecDeque::new()) }
    }

    /// Sends a packet on its way. The verdicts are those of the rules as they stand now; no
    /// connection is made and nothing is counted [doc traceflow].
    ///
    /// # Errors
    /// [`Error::MissingReference`] for an unknown port, [`Error::InvalidFields`] where the packet
    /// has no addresses or the port is on a VLAN [doc traceflow].
    pub fn start(&self, world: &World, request: &TraceRequest) -> Result<Arc<Traceflow>, Error> {
        let kind = logical_port::KIND.name;
        let Some(port) = world.inventory.find(kind, &request.lport_id) else {
            let id = request.lport_id.clone();
            return Err(Error::MissingReference { kind: kind.into(), id });
        };
        if transport_type(&world.inventory, &port) == Some(TransportType::Vlan) {
            return Err(Error::field("lport_id", "must be a port of an overlay logical switch"));
        }
        let (stated, destination) = request.addresses()?;
        let fabric = world.fabric();
        let now = world.clock.now();
        let source_has_vnic = fabric.host(&request.lport_id).is_some();
        let build = |src, dst| request.packet(src, dst);
        let port = request.lport_id.clone();
        let from = match stated {
            Some(address) => Place::PortAs(port, address),
            None => Place::Port(port),
        };
        let steps = if source_has_vnic {
            let journey = fabric
                .journey(&world.inventory, &from, &Place::Address(destination), build)
                .map_err(|why| Error::field("packet", why))?;
            trace::steps(&fabric, &world.inventory, &journey, request.hop_limit(), now)
        } else {
            Vec::new()
        };
        drop(fabric);
        let delay = u64::try_from(self.delay.as_millis()).unwrap_or(Millis::MAX);
        let traceflow = Arc::new(Traceflow {
            id: world.inventory.ids().uuid().to_string(),
            lport_id: request.lport_id.clone(),
            timeout: request.timeout.get(),
            created: now,
            finished: now.saturating_add(delay),
            source_has_vnic,
            steps,
        });
        let mut kept = self.kept.lock();
        if kept.len() >= MOST {
            kept.pop_front();
        }
        kept.push_back(Arc::clone(&traceflow));
        Ok(traceflow)
    }

    /// All that are kept, oldest first.
    pub fn all(&self, now: Millis) -> Vec<Arc<Traceflow>> {
        self.fresh(now).iter().cloned().collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get(&self, id: &str, now: Millis) -> Result<Arc<Traceflow>, Error> {
        let found = self.fresh(now).iter().find(|own| own.id == id).cloned();
        found.ok_or_else(|| missing(id))
    }

    /// Forgets one.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn delete(&self, id: &str, now: Millis) -> Result<(), Error> {
        let mut kept = self.fresh(now);
        let place = kept.iter().position(|own| own.id == id).ok_or_else(|| missing(id))?;
        kept.remove(place);
        Ok(())
    }

    /// Those that are kept, once those whose time is over are gone.
    fn fresh(&self, now: Millis) -> MutexGuard<'_, VecDeque<Arc<Traceflow>>> {
        let mut kept = self.kept.lock();
        kept.retain(|own| now.saturating_sub(own.created) < KEPT);
        kept
    }
}

fn missing(id: &str) -> Error {
    Error::NotFound { kind: "Traceflow", id: id.to_owned() }
}

/// What carries the traffic of a port's segment.
fn transport_type(inventory: &Inventory, port: &Object) -> Option<TransportType> {
    let switch = &port.body::<LogicalPort>()?.logical_switch_id;
    let switch = inventory.find(logical_switch::KIND.name, switch)?;
    let zone = &switch.body::<LogicalSwitch>()?.transport_zone_id;
    let zone = inventory.find(transport_zone::KIND.name, zone)?;
    Some(zone.body::<TransportZone>()?.transport_type)
}

impl Traceflow {
    /// What was seen so far: nothing until it is finished.
    pub fn observations(&self, now: Millis) -> &[Observation] {
        if self.is_finished(now) { &self.steps } else { &[] }
    }

    /// The wire form.
    pub fn fields(&self, now: Millis) -> Value {
        let steps = self.observations(now);
        let (state, status) = match (self.source_has_vnic, self.is_finished(now)) {
            (false, _) => ("FAILED", Some("SOURCE_PORT_NOT_FOUND")),
            (true, false) => ("IN_PROGRESS", None),
            (true, true) => ("FINISHED", Some("SUCCESS")),
        };
        let mut printed = json!({
            "resource_type": "Traceflow",
            "id": self.id,
            "lport_id": self.lport_id,
            "operation_state": state,
            "request_status": status,
            "timeout": self.timeout,
            "result_overflowed": false,
            "counters": Counters::of(steps, |_| true),
            "logical_counters": Counters::of(steps, |step| step.resource_type.ends_with("Logical")),
            "analysis": [],
        });
        crate::wire::without_nulls(&mut printed);
        printed
    }

    fn is_finished(&self, now: Millis) -> bool {
        now >= self.finished
    }
}
