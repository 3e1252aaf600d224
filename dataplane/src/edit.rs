//! Changes of a plane as values.

use std::net::IpAddr;
use std::sync::Arc;

use crate::{Dataplane, Member, Rule, RuleId, RuleProgram, ScopeId, SetId, VnicId};

/// A change of a plane's rules, sets or vNICs: a call of the [`Dataplane`]'s method of that name.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "each is the method of its name")]
pub enum Edit {
    Load(RuleProgram),
    Reload(RuleProgram),
    InsertRule {
        rule: Arc<Rule>,
        before: Option<RuleId>,
    },
    RemoveRule(RuleId),
    /// Works what single rules changed into the rows, as long as there is something to do.
    Settle,
    /// Likewise, but one rule at most.
    SettleOne,
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
    SetVnicEnabled(VnicId, bool),
    SetVnicAddress(VnicId, Option<IpAddr>),
}

impl Dataplane {
    /// Makes a change. True if there was one.
    pub fn apply(&mut self, edit: &Edit) -> bool {
        match edit {
            Edit::Load(program) => {
                self.load(program.clone());
                true
            }
            Edit::Reload(program) => {
                self.reload(program.clone());
                true
            }
            Edit::InsertRule { rule, before } => self.insert_rule(Arc::clone(rule), *before),
            Edit::RemoveRule(rule) => self.remove_rule(*rule),
            Edit::Settle => {
                let any = self.settle();
                while self.settle() {}
                any
            }
            Edit::SettleOne => self.settle(),
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
            Edit::SetVnicEnabled(vnic, enabled) => self.set_vnic_enabled(*vnic, *enabled),
            Edit::SetVnicAddress(vnic, address) => self.set_vnic_address(*vnic, *address),
        }
    }
}
