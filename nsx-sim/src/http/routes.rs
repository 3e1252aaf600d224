//! Which operation answers which call.
//!
//! The table begins with every operation of the 2.5.1 API, each answering that it is not modelled;
//! what is modelled then takes its place. So a path that is not in the table does not exist, a verb
//! that is not there is not allowed, and what is absent can be counted.

use super::call::{Call, Handler, Reply};
use super::error::Failure;
use crate::inventory::{Error, Kind, Level, Query};
use crate::version::{self, Version};
use std::collections::HashMap;

/// Method, path and name of every operation of the 2.5.1 API, and whether it is deprecated.
const OPERATIONS: &str = include_str!("operations.txt");

/// The words in a query that choose among operations on one path.
const SELECTORS: [&str; 2] = ["action", "format"];

/// All operations by path and verb.
#[derive(Default)]
pub struct Routes {
    paths: matchit::Router<usize>,
    known: HashMap<String, usize>,
    places: Vec<Place>,
}

#[derive(Default)]
struct Place {
    /// The path with its variable parts unnamed.
    path: String,
    /// By verb and selecting word; few.
    operations: Vec<Operation>,
}

struct Operation {
    method: &'static str,
    /// The word in the query that selects it (`action=lock`).
    selector: Option<Box<str>>,
    /// As in the 2.5.1 API; none for what the API leaves out and clients call.
    published: Option<Published>,
    /// What answers and how much of it is modelled; none answers that it is not.
    answer: Option<(Level, Handler)>,
    /// The kind whose verb it is.
    of: Option<(&'static Kind, Verb)>,
}

/// The verbs that all kinds share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A page of the collection.
    List,
    /// One object.
    Read,
    /// A new object.
    Create,
    /// An object replaced.
    Update,
    /// An object removed.
    Delete,
}

/// An operation as the 2.5.1 API has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Its name.
    pub name: &'static str,
    /// Its path below `/api/v1`, with the word in the query that selects it.
    pub path: &'static str,
    /// Whether its description says that it is deprecated.
    pub deprecated: bool,
}

/// An operation of the 2.5.1 API and whether it is modelled.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The verb.
    pub method: String,
    /// The path with its variable parts unnamed, and the selecting word.
    pub path: String,
    /// As in the 2.5.1 API; none for what the API leaves out and clients call.
    pub published: Option<Published>,
    /// How much of it is modelled.
    pub level: Level,
    /// The kind whose verb it is, where it is one of the plain ones.
    pub of: Option<(&'static Kind, Verb)>,
}

impl Listed {
    /// The path without the selecting word.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap_or_default()
    }
}

impl Routes {
    /// A table of everything that the API has, nothing of it modelled yet.
    pub fn new() -> Self {
        let mut routes = Self::default();
        let lines = OPERATIONS.lines().filter(|line| !line.starts_with('#'));
        for line in lines {
            let mut parts = line.split(' ');
            if let (Some(method), Some(path), Some(name)) =
                (parts.next(), parts.next(), parts.next())
            {
                let deprecated = parts.next() == Some("deprecated");
                let published = Some(Published { name, path, deprecated });
                routes.put(method, "/api/v1", path, published, None, None);
            }
        }
        routes
    }

    /// Lets a handler answer an operation, with effects or from the state of the world; the path is
    /// below `/api/v1` and may end in `?action=word`.
    pub fn on(
        &mut self,
        method: &'static str,
        path: &str,
        handler: impl Fn(&Call<'_>) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) {
        self.on_as(Level::Semantic, method, path, handler);
    }

    /// As [`Routes::on`], for operations of which less is modelled.
    pub fn on_as(
        &mut self,
        level: Level,
        method: &'static str,
        path: &str,
        handler: impl Fn(&Call<'_>) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) {
        self.put(method, "/api/v1", path, None, Some((level, Box::new(handler) as Handler)), None);
    }

    /// Lets a handler answer a verb of a kind.
    pub fn verb(
        &mut self,
        kind: &'static Kind,
        verb: Verb,
        path: &str,
        handler: impl Fn(&Call<'_>) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) {
        let method = match verb {
            Verb::List | Verb::Read => "GET",
            Verb::Create => "POST",
            Verb::Update => "PUT",
            Verb::Delete => "DELETE",
        };
        let answer = Some((kind.level, Box::new(handler) as Handler));
        self.put(method, "/api/v1", path, None, answer, Some((kind, verb)));
    }

    /// As [`Routes::on`], with the whole path.
    pub fn at(
        &mut self,
        method: &'static str,
        path: &str,
        handler: impl Fn(&Call<'_>) -> Result<Reply, Failure> + Send + Sync + 'static,
    ) {
        self.put(
            method,
            "",
            path,
            None,
            Some((Level::Semantic, Box::new(handler) as Handler)),
            None,
        );
    }

    /// Puts an operation into the table, over what is known of it.
    fn put(
        &mut self,
        method: &'static str,
        base: &str,
        path: &str,
        published: Option<Published>,
        answer: Option<(Level, Handler)>,
        of: Option<(&'static Kind, Verb)>,
    ) {
        let (path, selector) = match path.split_once('?') {
            Some((path, words)) => (path, words.split('&').next().map(Box::from)),
            None => (path, None),
        };
        let path = unnamed(base, path);
        let mut operation = Operation { method, selector, published, answer, of };
        let place = match self.known.get(&path) {
            Some(place) => *place,
            None => {
                // Two paths conflict only where one has a name and the other a variable part with
                // text around it; the API has none, and a test holds that all paths are found.
                if let Err(error) = self.paths.insert(path.clone(), self.places.len()) {
                    tracing::error!(%path, %error, "a route was not added");
                }
                self.known.insert(path.clone(), self.places.len());
                self.places.push(Place { path, ..Place::default() });
                self.places.len() - 1
            }
        };
        let operations = &mut self.places[place].operations;
        let same = place_of(operations, method, operation.selector.as_deref());
        // The published API lists some actions without their words [spec AddRemoveIPAddress], beside
        // others with theirs [spec UpdateTransportNodeMaintenanceMode]: once they are modelled by
        // word there is nothing left to call without one.
        let modelled_by_word = operation.selector.is_some() && operation.answer.is_some();
        if modelled_by_word
            && same.is_err()
            && let Ok(plain) = place_of(operations, method, None)
            && operations[plain].answer.is_none()
        {
            operation.published = operations.remove(plain).published;
        }
        match place_of(operations, method, operation.selector.as_deref()) {
            Ok(place) => {
                let known = &operations[place];
                operation.published = operation.published.or(known.published);
                // A handler of its own for a kind's verb takes and gives what the verb does.
                operation.of = operation.of.or(known.of);
                operations[place] = operation;
            }
            Err(place) => operations.insert(place, operation),
        }
    }

    /// What answers a call, with the variable parts of its path.
    ///
    /// # Errors
    /// No such path, no such verb there, or an operation that is not modelled.
    pub fn find(
        &self,
        method: &str,
        path: &str,
        query: &Query,
    ) -> Result<(&Handler, Vec<String>), Failure> {
        let found = self.paths.at(path).map_err(|_| Failure::NoSuchPath(path.to_owned()))?;
        let operations = &self.places[*found.value].operations;
        // Another release may have something here.
        if operations.is_empty() {
            return Err(Failure::NoSuchPath(path.to_owned()));
        }
        let params = found.params.iter().map(|(_, value)| {
            percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
        });
        let chosen = SELECTORS.iter().find_map(|name| Some(format!("{name}={}", query.get(name)?)));
        let operation = match &chosen {
            // Unknown words in a query are ignored, save where they name what is to be done.
            Some(word) => get(operations, method, Some(word)).or_else(|| {
                let plain = get(operations, method, None);
                plain.filter(|_| method == "GET" || !has_selectors(operations, method))
            }),
            None => get(operations, method, None),
        };
        match operation {
            Some(Operation { answer: Some((_, handler)), .. }) => Ok((handler, params.collect())),
            Some(Operation { published, answer: None, .. }) => {
                let path = &self.places[*found.value].path;
                let name = published.map_or("", |published| published.name);
                let what = format!("{name} ({method} {path})");
                Err(Error::Unsupported(what).into())
            }
            None => match chosen {
                Some(word) if has_selectors(operations, method) => {
                    Err(Error::field("action", format!("is none of this object's: {word}")).into())
                }
                _ if has_selectors(operations, method) => {
                    Err(Error::field("action", "is required").into())
                }
                _ => Err(Failure::MethodNotAllowed(verbs(operations))),
            },
        }
    }

    /// Takes out what a release does not have.
    pub fn keep(&mut self, version: &Version) {
        for (method, path, span) in version::OPERATIONS {
            let place = self.known.get(&unnamed("/api/v1", path));
            if let Some(place) = place.filter(|_| !version.has(span)) {
                let operations = &mut self.places[*place].operations;
                operations.retain(|own| own.method != method);
            }
        }
    }

    /// Whether the operation that a call is for is deprecated in the 2.5.1 API.
    pub fn is_deprecated(&self, method: &str, path: &str, query: &str) -> bool {
        let Ok(found) = self.paths.at(path) else { return false };
        let operations = &self.places[*found.value].operations;
        // Of the words in the query only the one that selects counts, and it stands as it is.
        let selected = |word: &&str| query.split('&').any(|own| own == *word);
        let own = operations.iter().filter(|own| own.method == method);
        let word = own.filter_map(|own| own.selector.as_deref()).find(selected);
        let published = get(operations, method, word).and_then(|own| own.published);
        published.is_some_and(|own| own.deprecated)
    }

    /// Every operation of the table.
    pub fn listed(&self) -> Vec<Listed> {
        let operations = self.places.iter().flat_map(|place| {
            place.operations.iter().map(move |operation| {
                let selector = operation.selector.as_ref();
                let selector = selector.map(|word| format!("?{word}")).unwrap_or_default();
                Listed {
                    method: operation.method.to_owned(),
                    path: format!("{}{selector}", place.path),
                    published: operation.published,
                    of: operation.of,
                    level: operation.answer.as_ref().map_or(Level::Absent, |(level, _)| *level),
                }
            })
        });
        operations.collect()
    }
}

/// Where an operation stands among those of its path, or where it would.
fn place_of(
    operations: &[Operation],
    method: &str,
    selector: Option<&str>,
) -> Result<usize, usize> {
    operations
        .binary_search_by(|own| (own.method, own.selector.as_deref()).cmp(&(method, selector)))
}

fn get<'a>(
    operations: &'a [Operation],
    method: &str,
    selector: Option<&str>,
) -> Option<&'a Operation> {
    Some(&operations[place_of(operations, method, selector).ok()?])
}

/// The verbs of a path, as the header `Allow` lists them.
fn verbs(operations: &[Operation]) -> String {
    let mut verbs: Vec<&str> = operations.iter().map(|own| own.method).collect();
    verbs.dedup();
    verbs.join(", ")
}

fn has_selectors(operations: &[Operation], method: &str) -> bool {
    operations.iter().any(|own| own.method == method && own.selector.is_some())
}

/// `/a/{x}/b/{y}` and `/a/{z}/b/{y}` are one path: only the places of variable parts matter.
fn unnamed(base: &str, path: &str) -> String {
    let (mut unnamed, mut place) = (base.to_owned(), 0);
    for (index, part) in path.split('/').enumerate() {
        if index > 0 {
            unnamed.push('/');
        }
        if part.starts_with('{') {
            place += 1;
            unnamed.extend(["{p", &place.to_string(), "}"]);
        } else {
            unnamed += part;
        }
    }
    unnamed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(word: &str) -> Query {
        word.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect()
    }

    #[test]
    fn every_operation_of_the_api_is_found_at_its_path_and_names_itself() {
        let routes = Routes::new();
        let listed = routes.listed();
        assert_eq!(listed.len(), 1274);
        for operation in listed {
            let (path, word) = operation.path.split_once('?').unwrap_or((&operation.path, ""));
            let failure = routes.find(&operation.method, path, &query(word)).err();
            let named = matches!(failure, Some(Failure::Refused(Error::Unsupported(_))));
            assert!(named, "{operation:?}: {failure:?}");
        }
    }

    #[test]
    fn unknown_paths_and_verbs_are_told_apart() {
        let routes = Routes::new();
        let fails = |method, path, word| routes.find(method, path, &query(word)).err();
        assert!(matches!(fails("GET", "/api/v1/nothing", ""), Some(Failure::NoSuchPath(_))));
        let wrong = fails("PATCH", "/api/v1/ns-groups", "");
        assert!(matches!(wrong, Some(Failure::MethodNotAllowed(verbs)) if verbs == "GET, POST"));
        let wrong = fails("POST", "/api/v1/firewall/sections/x", "action=LOCK");
        assert!(matches!(wrong, Some(Failure::Refused(Error::InvalidFields(_)))), "{wrong:?}");
    }
}
