//! One change of the inventory: everything in it happens, or nothing.

use super::{
    Actor, Body, Change, Draft, Error, Header, Incoming, Inventory, Kind, Object, Query, Reference,
    Resource, Stamp, Write,
};
use crate::clock::Millis;
use hashbrown::HashMap;
use std::sync::Arc;

/// A change in the making: reads see what it has already written, nobody else does.
pub struct Transaction<'a> {
    inventory: &'a Inventory,
    actor: &'a Actor,
    now: Millis,
    writes: Vec<Write>,
    places: HashMap<(&'static str, String), usize>,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(inventory: &'a Inventory, actor: &'a Actor, now: Millis) -> Self {
        Self { inventory, actor, now, writes: Vec::new(), places: HashMap::new() }
    }

    pub(super) fn finish(self, generation: u64) -> Change {
        Change { generation, writes: self.writes }
    }

    /// The inventory as it was before this change.
    pub fn inventory(&self) -> &'a Inventory {
        self.inventory
    }

    /// Who makes the change.
    pub fn actor(&self) -> &'a Actor {
        self.actor
    }

    /// When it is made.
    pub fn now(&self) -> Millis {
        self.now
    }

    /// An object as this change leaves it.
    pub fn find(&self, kind: &str, id: &str) -> Option<Arc<Object>> {
        let kind = self.inventory.kind(kind)?;
        match self.places.get(&(kind.name, id.to_owned())) {
            Some(&place) => self.writes[place].after.clone(),
            None => self.inventory.find(kind.name, id),
        }
    }

    /// An object that must be there.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn get(&self, kind: &'static Kind, id: &str) -> Result<Arc<Object>, Error> {
        let missing = || Error::NotFound { kind: kind.name, id: id.to_owned() };
        self.find(kind.name, id).ok_or_else(missing)
    }

    /// All objects of a kind as this change leaves them, in no order.
    pub fn all(&self, kind: &'static Kind) -> Vec<Arc<Object>> {
        let untouched = self
            .inventory
            .all(kind.name)
            .into_iter()
            .filter(|object| !self.places.contains_key(&(kind.name, object.header.id.clone())));
        let staged = self.writes.iter().filter(|write| write.kind.name == kind.name);
        untouched.chain(staged.filter_map(|write| write.after.clone())).collect()
    }

    /// Makes an object.
    ///
    /// # Errors
    /// [`Error::AlreadyExists`], [`Error::MissingReference`] and what the kind itself forbids.
    pub fn create(
        &mut self,
        kind: &'static Kind,
        incoming: Incoming,
    ) -> Result<Arc<Object>, Error> {
        self.create_part(kind, None, incoming)
    }

    /// Makes an object that is part of another, which must be there, or be in the making.
    ///
    /// # Errors
    /// As for `create`.
    pub fn create_part(
        &mut self,
        kind: &'static Kind,
        parent: Option<&str>,
        incoming: Incoming,
    ) -> Result<Arc<Object>, Error> {
        let Incoming { id, display_name, description, tags, body, .. } = incoming;
        let id = match id {
            Some(id) => id.to_string(),
            None => self.inventory.ids().uuid().to_string(),
        };
        if self.find(kind.name, &id).is_some() {
            return Err(Error::AlreadyExists { kind: kind.name, id });
        }
        let stamp = self.stamp();
        let header = Header {
            id,
            display_name,
            description,
            tags,
            revision: 0,
            created: stamp.clone(),
            modified: stamp,
            system_owned: self.actor.is_system(),
            protected: self.actor.protects,
            parent: parent.map(str::to_owned),
        };
        self.admit(kind, header, body, None)
    }

    /// Replaces an object by what a caller sent for it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::StaleRevision`], [`Error::Protected`] and as for `create`.
    pub fn replace(
        &mut self,
        kind: &'static Kind,
        id: &str,
        incoming: Incoming,
    ) -> Result<Arc<Object>, Error> {
        let before = self.get(kind, id)?;
        if incoming.id.as_deref().is_some_and(|sent| sent != id) {
            return Err(Error::field("id", format!("must be {id} or absent")));
        }
        self.check_revision(&before, incoming.revision)?;
        let header = Header {
            display_name: incoming.display_name,
            description: incoming.description,
            tags: incoming.tags,
            ..before.header.clone()
        };
        self.change(before, header, incoming.body)
    }

    /// Changes an object's body in place of the caller, at whatever revision it is.
    ///
    /// # Errors
    /// As for `replace`, and whatever the edit itself returns.
    pub fn edit<T: Resource + Clone>(
        &mut self,
        kind: &'static Kind,
        id: &str,
        edit: impl FnOnce(&mut T, &mut Header) -> Result<(), Error>,
    ) -> Result<Arc<Object>, Error> {
        let before = self.get(kind, id)?;
        let missing = || Error::NotFound { kind: kind.name, id: id.to_owned() };
        let mut body = before.body::<T>().ok_or_else(missing)?.clone();
        let mut header = before.header.clone();
        edit(&mut body, &mut header)?;
        self.change(before, header, Box::new(body))
    }

    /// Removes an object, with what the kind's rules remove beside it.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Protected`], [`Error::InUse`] and what the kind forbids.
    pub fn delete(&mut self, kind: &'static Kind, id: &str, query: &Query) -> Result<(), Error> {
        let object = self.get(kind, id)?;
        self.check_owner(&object)?;
        if object.header.system_owned {
            self.refuse_system_owned(&object, "system owned objects can not be deleted")?;
        }
        (kind.retire)(self, &object, query)?;
        self.delete_parts(&object, query)?;
        self.stage(Write { kind, id: id.to_owned(), before: Some(object), after: None });
        Ok(())
    }

    /// Removes an object that lives and dies with another, unasked.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn discard(&mut self, kind: &'static Kind, id: &str) -> Result<(), Error> {
        let object = self.get(kind, id)?;
        self.stage(Write { kind, id: id.to_owned(), before: Some(object), after: None });
        Ok(())
    }

    /// Lets exactly these objects be there, as they are: those of them that are gone or have changed
    /// come back, and all others go, unasked. `concerns` says which objects it is about.
    pub fn bring_back(&mut self, objects: &[Arc<Object>], concerns: impl Fn(&Object) -> bool) {
        let key = |own: &Object| (own.kind.name, own.header.id.clone());
        let concerned = objects.iter().filter(|own| concerns(own));
        let mut wanted: HashMap<_, _> = concerned.map(|own| (key(own), Arc::clone(own))).collect();
        for before in self.inventory.everything().into_iter().filter(|own| concerns(own)) {
            let after = wanted.remove(&key(&before));
            if after.as_ref().is_none_or(|after| !Arc::ptr_eq(after, &before)) {
                let (kind, id) = (before.kind, before.header.id.clone());
                self.stage(Write { kind, id, before: Some(before), after });
            }
        }
        for gone in objects.iter().filter_map(|own| wanted.remove(&key(own))) {
            let (kind, id) = (gone.kind, gone.header.id.clone());
            self.stage(Write { kind, id, before: None, after: Some(gone) });
        }
    }

    /// The objects of a kind that are part of one object, as this change leaves them.
    pub fn children(&self, kind: &'static Kind, parent: &str) -> Vec<Arc<Object>> {
        let mut parts = self.inventory.children(kind, parent);
        parts.retain(|part| !self.places.contains_key(&(kind.name, part.header.id.clone())));
        let staged = self.writes.iter().filter(|write| write.kind.name == kind.name);
        let own = |object: &Arc<Object>| object.header.parent.as_deref() == Some(parent);
        parts.extend(staged.filter_map(|write| write.after.clone()).filter(own));
        parts
    }

    /// An object's parts go with it, unless their kind keeps it.
    fn delete_parts(&mut self, object: &Object, query: &Query) -> Result<(), Error> {
        for kind in self.inventory.parts(object.kind).iter().copied() {
            let parts = self.children(kind, &object.header.id);
            if kind.parent.is_some_and(|parent| parent.kept) && !parts.is_empty() {
                let by = parts.iter().map(|part| format!("{}/{}", kind.name, part.header.id));
                let id = object.header.id.clone();
                return Err(Error::InUse { kind: object.kind.name, id, by: by.collect() });
            }
            for part in parts {
                (kind.retire)(self, &part, query)?;
                self.delete_parts(&part, query)?;
                let id = part.header.id.clone();
                self.stage(Write { kind, id, before: Some(part), after: None });
            }
        }
        Ok(())
    }

    /// Refuses where any object that holds what it names still names this one.
    ///
    /// # Errors
    /// [`Error::InUse`].
    pub fn refuse_if_used(
        &self,
        object: &Object,
        holds: impl Fn(&Object) -> bool,
    ) -> Result<(), Error> {
        let mut by = self.referrers(object.kind.name, &object.header.id);
        by.retain(|user| holds(user));
        if by.is_empty() {
            return Ok(());
        }
        let by = by.iter().map(|user| format!("{}/{}", user.kind.name, user.header.id)).collect();
        Err(Error::InUse { kind: object.kind.name, id: object.header.id.clone(), by })
    }

    /// The objects that name this one, as this change leaves them.
    pub fn referrers(&self, kind: &str, id: &str) -> Vec<Arc<Object>> {
        let target = Reference::new(kind, id);
        let mut users = self.inventory.referrers(kind, id);
        users.retain(|user| !self.places.contains_key(&(user.kind.name, user.header.id.clone())));
        let staged = self.writes.iter().filter_map(|write| write.after.clone());
        users.extend(staged.filter(|object| object.any_body().references().contains(&target)));
        users
    }

    /// Refuses a revision that is not the object's own.
    ///
    /// # Errors
    /// [`Error::StaleRevision`].
    pub fn check_revision(&self, object: &Object, sent: Option<i64>) -> Result<(), Error> {
        let current = object.header.revision;
        if sent == Some(i64::from(current)) {
            return Ok(());
        }
        let (kind, id) = (object.kind.name, object.header.id.clone());
        Err(Error::StaleRevision { kind, id, current, conflict: object.kind.stale_conflicts })
    }

    fn change(
        &mut self,
        before: Arc<Object>,
        mut header: Header,
        body: Box<dyn Body>,
    ) -> Result<Arc<Object>, Error> {
        self.check_owner(&before)?;
        if before.header.system_owned && !before.kind.system_owned_changes {
            self.refuse_system_owned(&before, "system owned objects can not be changed")?;
        }
        header.revision = before.header.revision.wrapping_add(1);
        header.modified = self.stamp();
        self.admit(before.kind, header, body, Some(before))
    }

    fn stamp(&self) -> Stamp {
        Stamp { user: self.inventory.user(&self.actor.name), time: self.now }
    }

    fn refuse_system_owned(&self, object: &Object, why: &'static str) -> Result<(), Error> {
        if self.actor.is_system() {
            return Ok(());
        }
        Err(Error::NotModifiable { kind: object.kind.name, id: object.header.id.clone(), why })
    }

    fn check_owner(&self, object: &Object) -> Result<(), Error> {
        let header = &object.header;
        let own = *header.created.user == *self.actor.name || self.actor.is_system();
        if !header.protected || own || self.actor.may_overwrite() {
            return Ok(());
        }
        Err(Error::Protected {
            kind: object.kind.name,
            owner: header.created.user.to_string(),
            caller: self.actor.name.clone(),
            role: self.actor.role_names(),
        })
    }

    fn admit(
        &mut self,
        kind: &'static Kind,
        mut header: Header,
        mut body: Box<dyn Body>,
        before: Option<Arc<Object>>,
    ) -> Result<Arc<Object>, Error> {
        let mut draft =
            Draft { header: &mut header, before: before.as_deref(), body: body.as_mut() };
        (kind.admit)(self, &mut draft)?;
        self.check_references(body.as_ref(), before.as_deref())?;
        let id = header.id.clone();
        let object = Arc::new(Object { kind, header, body });
        self.stage(Write { kind, id, before, after: Some(Arc::clone(&object)) });
        Ok(object)
    }

    /// What a body names must exist; what its predecessor named already may have gone since, for
    /// clients put back whole what they read (the reference is then shown with `is_valid` false).
    fn check_references(&self, body: &dyn Body, before: Option<&Object>) -> Result<(), Error> {
        let known = before.map(|object| object.any_body().references()).unwrap_or_default();
        for reference in body.references() {
            if self.inventory.kind(&reference.kind).is_none() {
                return Err(Error::Unsupported(format!("a reference to a {}", reference.kind)));
            }
            if !known.contains(&reference) && self.find(&reference.kind, &reference.id).is_none() {
                return Err(Error::MissingReference { kind: reference.kind, id: reference.id });
            }
        }
        Ok(())
    }

    /// Writes over an earlier write of the same object, so that a change holds each object once.
    fn stage(&mut self, write: Write) {
        match self.places.get(&(write.kind.name, write.id.clone())) {
            Some(&place) => self.writes[place].after = write.after,
            None => {
                self.places.insert((write.kind.name, write.id.clone()), self.writes.len());
                self.writes.push(write);
            }
        }
    }
}
