//! Changes as they come, one JSON object a line.

use super::answer::bytes_answer;
use super::form::Form;
use super::read::{checked, form};
use super::{App, Call};
use crate::api::Resource;
use crate::api::error::Error;
use crate::api::selector::Selector;
use crate::api::store::{Change, Event, Gone, Object, Watcher};
use axum::body::{Body, Bytes};
use axum::response::Response;
use serde_json::json;
use std::convert::Infallible;
use std::time::Duration;
use tokio::time::Instant;

/// How long a watch lasts when the client does not say.
const LASTS: Duration = Duration::from_secs(45 * 60);
/// How often a quiet watch tells how far it is.
const BOOKMARKS: Duration = Duration::from_secs(60);

struct Watch {
    watcher: Watcher,
    view: View,
    /// What is sent before the first change.
    first: Option<Bytes>,
    bookmarks: bool,
    until: Instant,
    ended: bool,
}

/// What of the changes the client sees, and how.
struct View {
    resource: Resource,
    namespace: Option<String>,
    selector: Selector,
    form: Form,
    headers: bool,
}

/// Answers a watch.
pub fn watch(app: &App, call: &Call) -> Result<Response, Error> {
    let (target, query) = (&call.target, &call.query);
    let mut selector = query.selector()?;
    if let Some(name) = &target.name {
        selector = Selector::parse(query.get("labelSelector"), &format!("metadata.name={name}"))?;
    }
    let mut view = View {
        resource: target.resource,
        namespace: target.namespace.clone(),
        selector: checked(target.resource, selector)?,
        form: form(call)?,
        headers: true,
    };
    let asked = query.get("resourceVersion");
    let initial = query.flag("sendInitialEvents");
    let (watcher, first) = if initial || matches!(asked, "" | "0") {
        let (objects, watcher) = app.store.subscribe(target.resource);
        let mut lines = Vec::new();
        for object in &objects {
            if view.sees(object) {
                view.line("ADDED", object, &mut lines);
            }
        }
        if initial {
            lines.extend_from_slice(&view.bookmark(watcher.version(), true));
        }
        (watcher, Some(lines.into()))
    } else {
        let version = asked.parse().map_err(|_| {
            Error::bad_request(format!("invalid resource version {asked:?}: not a number"))
        })?;
        (app.store.watch(target.resource, version), None)
    };
    let lasts = query.number("timeoutSeconds")?.map_or(LASTS, Duration::from_secs).min(4 * LASTS);
    let bookmarks = query.flag("allowWatchBookmarks");
    let until = Instant::now() + lasts;
    let watch = Watch { watcher, view, first, bookmarks, until, ended: false };
    let lines = futures_util::stream::unfold(watch, |mut watch| async {
        let chunk = watch.next().await?;
        Some((Ok::<_, Infallible>(chunk), watch))
    });
    Ok(bytes_answer(200, Body::from_stream(lines)))
}

impl Watch {
    /// The next lines; nothing when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take().filter(|f| !f.is_empty()) {
            return Some(first);
        }
        while !self.ended {
            let quiet = Instant::now() + BOOKMARKS;
            tokio::select! {
                events = self.watcher.next() => match events {
                    Ok(events) => {
                        let lines = self.view.lines(&events);
                        if !lines.is_empty() {
                            return Some(lines.into());
                        }
                    }
                    Err(gone) => {
                        self.ended = true;
                        return Some(error(&gone));
                    }
                },
                () = tokio::time::sleep_until(self.until) => self.ended = true,
                () = tokio::time::sleep_until(quiet), if self.bookmarks => {
                    return Some(self.view.bookmark(self.watcher.version(), false));
                }
            }
        }
        None
    }
}

impl View {
    fn sees(&self, object: &Object) -> bool {
        self.namespace.as_ref().is_none_or(|n| *n == object.meta.namespace)
            && self.selector.matches(object)
    }

    fn lines(&mut self, events: &[Event]) -> Vec<u8> {
        let mut lines = Vec::new();
        for event in events {
            let before = event.previous.as_ref().is_some_and(|p| self.sees(p));
            let now = event.change != Change::Deleted && self.sees(&event.object);
            let word = match (before, now) {
                (false, false) => continue,
                (false, true) => "ADDED",
                (true, true) => "MODIFIED",
                (true, false) => "DELETED",
            };
            self.line(word, &event.object, &mut lines);
        }
        lines
    }

    fn line(&mut self, word: &str, object: &Object, lines: &mut Vec<u8>) {
        lines.extend_from_slice(b"{\"type\":\"");
        lines.extend_from_slice(word.as_bytes());
        lines.extend_from_slice(b"\",\"object\":");
        lines.extend_from_slice(&self.form.one(self.resource, object, self.headers));
        lines.extend_from_slice(b"}\n");
        self.headers = false;
    }

    /// A line that says only how far the watch is, or that all that was there has been sent.
    fn bookmark(&self, version: u64, initial: bool) -> Bytes {
        let info = self.resource.info();
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if initial {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let (kind, version) = match self.form {
            Form::Whole => (info.kind, info.api_version()),
            Form::Metadata => ("PartialObjectMetadata", "meta.k8s.io/v1".to_owned()),
            Form::Table(_) => {
                let row = json!({"kind": info.kind, "apiVersion": info.api_version(),
                                 "metadata": metadata});
                let table = json!({"type": "BOOKMARK", "object": {
                    "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                    "columnDefinitions": [], "rows": [{"cells": [], "object": row}]}});
                return format!("{table}\n").into();
            }
        };
        let object = json!({"kind": kind, "apiVersion": version, "metadata": metadata});
        format!("{}\n", json!({"type": "BOOKMARK", "object": object})).into()
    }
}

fn error(gone: &Gone) -> Bytes {
    let status = Error::expired(gone.to_string()).status();
    format!("{}\n", json!({"type": "ERROR", "object": status})).into()
}
