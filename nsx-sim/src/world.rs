//! A world: everything that can change, as one value.
//!
//! A process can hold many. Time, chance and names are arguments, so the same seed and the same
//! calls give the same answers.

use crate::clock::{Clock, Millis};
use crate::fabric::{Fabric, Topology};
use crate::inventory::{Actor, Change, Error, Inventory, Transaction};
use crate::kinds::KINDS;
use crate::node::{Node, Setup};
use crate::observe::Traceflows;
use crate::realize::TagMatching;
use crate::version::Version;
use dataplane::{Config, EngineKind};
use parking_lot::{RwLock, RwLockReadGuard};
use std::time::Duration;

/// What a world is told when it begins.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it reads the time.
    pub clock: Clock,
    /// Where its identifiers begin.
    pub seed: u64,
    /// How tags are compared.
    pub tags: TagMatching,
    /// Whether established connections are judged again when rules or members change.
    pub revalidate_flows: bool,
    /// What searches rule lists for packets; no answer depends on it.
    pub engine: EngineKind,
    /// How long a traceflow is in progress before its observations can be read.
    pub traceflow_delay: Duration,
    /// What it stands on.
    pub topology: Topology,
    /// Which release it says it is.
    pub version: Version,
    /// How its appliance is set up.
    pub node: Setup,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clock: Clock::System,
            seed: 1,
            tags: TagMatching::default(),
            revalidate_flows: true,
            engine: EngineKind::default(),
            traceflow_delay: Duration::from_millis(50),
            topology: Topology::default(),
            version: Version::default(),
            node: Setup::default(),
        }
    }
}

/// Everything that can change.
pub struct World {
    /// The objects.
    pub inventory: Inventory,
    /// The time.
    pub clock: Clock,
    /// Traceflows and their observations.
    pub traceflows: Traceflows,
    /// The appliance: users, policies, settings.
    pub node: Node,
    fabric: RwLock<Fabric>,
}

impl World {
    /// A world with the objects that every manager has at boot.
    ///
    /// # Errors
    /// Where the manager's own objects contradict each other: a mistake in the program.
    pub fn new(settings: Settings) -> Result<Self, Error> {
        let Settings { clock, seed, tags, revalidate_flows, engine, topology, .. } = settings;
        let config = Config { revalidate_flows, hash_seed: seed, engine, ..Config::default() };
        let world = Self {
            inventory: Inventory::new(KINDS, seed, settings.version),
            node: Node::new(settings.node, clock.now()),
            clock,
            traceflows: Traceflows::new(settings.traceflow_delay),
            fabric: RwLock::new(Fabric::new(topology, tags, config)),
        };
        crate::boot::populate(&world)?;
        Ok(world)
    }

    /// Makes one change in somebody's name; when this returns, packets obey it.
    ///
    /// # Errors
    /// What `work` returns; then nothing has happened.
    pub fn commit<T>(
        &self,
        actor: &Actor,
        work: impl FnOnce(&mut Transaction<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.inventory
            .commit(actor, self.clock.now(), work, |change, land| self.follow(change, land))
    }

    /// Makes several changes of which all stay or none does: see [`Inventory::together`].
    ///
    /// # Errors
    /// What `work` returns; then what it committed has been taken back.
    pub fn together<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        self.inventory.together(work, |change, land| self.follow(change, land))
    }

    /// Under the fabric's lock, so that no packet is judged by half a change.
    fn follow(&self, change: &Change, land: &dyn Fn()) {
        let mut fabric = self.fabric.write();
        land();
        fabric.apply(&self.inventory, change);
    }

    /// The fabric with its rules up to date.
    pub fn fabric(&self) -> RwLockReadGuard<'_, Fabric> {
        loop {
            let fabric = self.fabric.read();
            if !fabric.is_stale() {
                return fabric;
            }
            drop(fabric);
            self.fabric.write().compile(&self.inventory);
        }
    }

    /// Changes the fabric (packets are sent, counters reset) with its rules up to date.
    pub fn with_fabric<T>(&self, work: impl FnOnce(&mut Fabric, Millis) -> T) -> T {
        let mut fabric = self.fabric.write();
        fabric.compile(&self.inventory);
        work(&mut fabric, self.clock.now())
    }
}
