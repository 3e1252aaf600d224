//! A plane that one thread changes while others ask it.
//!
//! There are two copies of the plane. Readers see one of them, which nobody changes; the other lags
//! behind by what was published last. To publish is to bring the other one up to date, change it, and
//! show it in place of the first: so readers see each publication whole or not at all, and wait for
//! nobody. Each change is made twice, in place, and neither copy pays for sharing parts with the other.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::{Dataplane, Direction, Member, RuleProgram, ScopeId, SetId, VnicId};
use crate::{Rule, RuleId};

/// A change of a plane's rules, sets or vNICs: a call of the [`Dataplane`]'s method of that name.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Edit {
    Load(RuleProgram),
    InsertRule {
        rule: Box<Rule>,
        before: Option<RuleId>,
    },
    RemoveRule(RuleId),
    /// Works what single rules changed into the rows, as long as there is something to do.
    Settle,
    AddMember(SetId, Member),
    RemoveMember(SetId, Member),
    DropSet(SetId),
    AddVnic(VnicId),
    RemoveVnic(VnicId),
    Join(ScopeId, VnicId),
    Leave(ScopeId, VnicId),
    DropScope(ScopeId),
    Exclude(VnicId, bool),
    SetEnabled(bool),
}

impl Dataplane {
    /// Makes a change. True if there was one.
    pub fn apply(&mut self, edit: &Edit) -> bool {
        match edit {
            Edit::Load(program) => {
                self.load(program.clone());
                true
            }
            Edit::InsertRule { rule, before } => self.insert_rule(Rule::clone(rule), *before),
            Edit::RemoveRule(rule) => self.remove_rule(*rule),
            Edit::Settle => {
                let any = self.settle();
                while self.settle() {}
                any
            }
            Edit::AddMember(set, member) => self.add_member(*set, *member),
            Edit::RemoveMember(set, member) => self.remove_member(*set, member),
            Edit::DropSet(set) => self.drop_set(*set),
            Edit::AddVnic(vnic) => self.add_vnic(*vnic),
            Edit::RemoveVnic(vnic) => self.remove_vnic(*vnic),
            Edit::Join(scope, vnic) => self.join(*scope, *vnic),
            Edit::Leave(scope, vnic) => self.leave(*scope, *vnic),
            Edit::DropScope(scope) => self.drop_scope(*scope),
            Edit::Exclude(vnic, excluded) => self.exclude(*vnic, *excluded),
            Edit::SetEnabled(enabled) => self.set_enabled(*enabled),
        }
    }
}

/// The side that changes the plane. It carries no packets: those would be another plane's.
#[derive(Debug)]
pub struct Publisher {
    shown: Arc<ArcSwap<Dataplane>>,
    /// The other copy, and what it has missed.
    other: Option<Arc<Dataplane>>,
    missed: Vec<Edit>,
}

/// The side that asks. Clones see the same plane.
#[derive(Clone, Debug)]
pub struct Reader {
    shown: Arc<ArcSwap<Dataplane>>,
}

impl Publisher {
    /// Shows a plane.
    pub fn new(plane: Dataplane) -> Self {
        let shown = Arc::new(ArcSwap::from_pointee(plane));
        Self { shown, other: None, missed: Vec::new() }
    }

    /// A reader of what is shown.
    pub fn reader(&self) -> Reader {
        Reader { shown: Arc::clone(&self.shown) }
    }

    /// Makes changes, and shows them all at once. True if any of them changed something.
    ///
    /// If a reader still holds the copy that is to be changed, it is left to that reader, and the
    /// plane is copied: slow for large planes, but nobody waits.
    pub fn publish(&mut self, edits: Vec<Edit>) -> bool {
        let mut other = self.other.take();
        let next = match other.as_mut().and_then(Arc::get_mut) {
            Some(plane) => {
                for edit in &self.missed {
                    plane.apply(edit);
                }
                plane
            }
            None => Arc::make_mut(other.insert(self.shown.load_full())),
        };
        let mut changed = false;
        for edit in &edits {
            changed |= next.apply(edit);
        }
        self.missed = edits;
        if let Some(next) = other {
            self.other = Some(self.shown.swap(next));
        }
        changed
    }
}

impl Reader {
    /// The plane as it is now. Whoever holds the answer holds that state; ask again for each batch.
    pub fn plane(&self) -> Guard<Arc<Dataplane>> {
        self.shown.load()
    }

    /// Judges one packet by the plane as it is now.
    pub fn judge(
        &self,
        vnic: VnicId,
        direction: Direction,
        packet: &crate::Packet,
    ) -> crate::Verdict {
        self.plane().judge(vnic, direction, packet)
    }
}
