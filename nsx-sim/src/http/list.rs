//! Lists: sorted, cut into pages, and narrowed to the fields asked for.

use super::call::Reply;
use crate::inventory::{Error, Query};
use crate::wire;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::borrow::Cow;
use std::cmp::Ordering;

/// The largest page, and the one that is given unless told otherwise [spec ListRequestParameters].
const MAX_PAGE: usize = 1000;

/// What lists are sorted by unless told otherwise.
const NAME: &str = "display_name";

/// A row of a list: what it is sorted by, what tells it from its equals, and itself.
pub struct Row<'a, T> {
    /// The sort key; rows with equal keys stand by id.
    pub key: Cow<'a, str>,
    /// Unique in the list.
    pub id: Cow<'a, str>,
    /// The row.
    pub item: T,
}

/// Rows in their order by name and id that a page is made of.
pub struct ByName<'a> {
    /// They begin behind the row of this name and id.
    pub after: Option<(&'a str, &'a str)>,
    /// Whether the names go upwards.
    pub ascending: bool,
    /// No more are wanted: one more than are shown, which tells whether there is another page.
    pub most: usize,
}

/// How a list is to be given.
pub struct Paging {
    size: usize,
    after: Option<(String, String)>,
    sort_by: String,
    ascending: bool,
    fields: Option<Vec<String>>,
}

impl Paging {
    /// Reads `page_size`, `cursor`, `sort_by`, `sort_ascending` and `included_fields`.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] for a value that is none.
    pub fn read(query: &Query, cap: usize) -> Result<Self, Error> {
        let size = page_size(query)?;
        let after = query.get("cursor").map(read_cursor).transpose()?;
        let ascending = query.get("sort_ascending").is_none() || query.flag("sort_ascending")?;
        let fields = query.get("included_fields");
        Ok(Self {
            size: size.min(cap),
            after,
            sort_by: query.get("sort_by").unwrap_or(NAME).to_owned(),
            ascending,
            fields: fields.map(|names| names.split(',').map(|name| name.trim().into()).collect()),
        })
    }

    /// Sorts the rows by the member that is asked for and gives the page. They come with the key
    /// of what stands for `display_name`; any other member is read from the row as printed.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where no row has such a member, or it is no plain one.
    pub fn by_member<T>(
        &self,
        rows: Vec<Row<'_, T>>,
        print: impl Fn(&T) -> Value,
    ) -> Result<Reply, Error> {
        let rows = self.keyed(rows, &print)?;
        Ok(self.sorted(rows, print))
    }

    /// As [`Paging::by_member`], printed row by row: long pages are never held as values. `write`
    /// adds a whole row to the text, [`ROW_DEPTH`] deep.
    ///
    /// # Errors
    /// As for `by_member`.
    pub fn printed_by_member<T>(
        &self,
        rows: Vec<Row<'_, T>>,
        print: impl Fn(&T) -> Value,
        write: impl Fn(&T, &mut Vec<u8>),
    ) -> Result<Reply, Error> {
        let rows = self.keyed(rows, &print)?;
        let count = rows.len();
        Ok(self.printed(&self.select(rows), count, print, write))
    }

    /// As [`Paging::printed_by_member`], for rows that are made as values.
    ///
    /// # Errors
    /// As for `by_member`.
    pub fn printed_by_value<T>(
        &self,
        rows: Vec<Row<'_, T>>,
        print: impl Fn(&T) -> Value,
    ) -> Result<Reply, Error> {
        let write = |row: &T, out: &mut _| wire::print_at(&print(row), ROW_DEPTH, out);
        self.printed_by_member(rows, &print, write)
    }

    /// Which of the rows that somebody keeps by name and id it takes to print the page. None where
    /// they are to be sorted otherwise.
    pub fn by_name(&self) -> Option<ByName<'_>> {
        (self.sort_by == NAME).then_some(ByName {
            after: self.after.as_ref().map(|(name, id)| (&**name, &**id)),
            ascending: self.ascending,
            most: self.size.saturating_add(1),
        })
    }

    /// Prints the page of rows that begin as [`Paging::by_name`] wants them, of so many in all.
    pub fn printed<T>(
        &self,
        rows: &[Row<'_, T>],
        count: usize,
        print: impl Fn(&T) -> Value,
        write: impl Fn(&T, &mut Vec<u8>),
    ) -> Reply {
        let page = &rows[..rows.len().min(self.size)];
        let cursor = page.last().filter(|_| page.len() < rows.len());
        let mut text = Vec::with_capacity(page.len() * ROW_SIZE);
        text.extend_from_slice(b"{\n  \"results\" : [");
        for (place, row) in page.iter().enumerate() {
            text.extend_from_slice(if place == 0 { b" " } else { b", " });
            if self.fields.is_some() {
                wire::print_at(&self.narrow(print(&row.item)), ROW_DEPTH, &mut text);
            } else {
                write(&row.item, &mut text);
            }
        }
        text.extend_from_slice(b" ],");
        let rest = Rest {
            cursor: cursor.map(|last| print_cursor(&last.key, &last.id)),
            result_count: count,
            sort_by: &self.sort_by,
            sort_ascending: self.ascending,
        };
        // It goes on in the object that the results began.
        let begun = text.len();
        wire::print_at(&rest, 0, &mut text);
        text.remove(begun);
        Reply::printed(String::from_utf8(text).unwrap_or_default())
    }

    /// Gives rows the keys that they are to be sorted by.
    fn keyed<'a, T>(
        &self,
        mut rows: Vec<Row<'a, T>>,
        print: impl Fn(&T) -> Value,
    ) -> Result<Vec<Row<'a, T>>, Error> {
        if self.sort_by != NAME {
            let mut sortable = rows.is_empty();
            for row in &mut rows {
                let printed = print(&row.item);
                let field = printed.get(&self.sort_by);
                sortable |= field.is_some_and(|field| !field.is_array() && !field.is_object());
                row.key = sort_key(field).into();
            }
            if !sortable {
                return Err(self.unsortable());
            }
        }
        Ok(rows)
    }

    /// For rows that have no members at all.
    ///
    /// # Errors
    /// [`Error::InvalidFields`] where a member to sort by is named.
    pub fn refuse_member(&self) -> Result<(), Error> {
        if self.sort_by == NAME { Ok(()) } else { Err(self.unsortable()) }
    }

    fn unsortable(&self) -> Error {
        Error::field("sort_by", format!("names no field to sort by: {}", self.sort_by))
    }

    /// Sorts the rows by their keys and gives the page.
    fn sorted<T>(&self, rows: Vec<Row<'_, T>>, print: impl Fn(&T) -> Value) -> Reply {
        let count = rows.len();
        self.page(&self.select(rows), 0, count, print)
    }

    /// The rows of the page in their order, and one more where there are more: of many rows only
    /// those that are shown are sorted.
    ///
    /// The cursor names the last row given, by key and id: a row that goes or comes between two
    /// pages neither ends the walk nor shifts it.
    fn select<'a, T>(&self, mut rows: Vec<Row<'a, T>>) -> Vec<Row<'a, T>> {
        let in_turn = |order: Ordering| if self.ascending { order } else { order.reverse() };
        if let Some((key, id)) = &self.after {
            let here = |row: &Row<'a, T>| (&*row.key, &*row.id).cmp(&(&**key, &**id));
            rows.retain(|row| in_turn(here(row)).is_gt());
        }
        let compare = |one: &Row<'a, T>, other: &Row<'a, T>| {
            in_turn((&one.key, &one.id).cmp(&(&other.key, &other.id)))
        };
        let most = self.size.saturating_add(1);
        if rows.len() > most {
            rows.select_nth_unstable_by(most, compare);
            rows.truncate(most);
        }
        rows.sort_unstable_by(compare);
        rows
    }

    /// Gives the page of rows that stand in an order of their own, whichever way is asked for. The
    /// walk goes on behind the last row given, wherever that is now, or at its old place when it is
    /// gone.
    pub fn ordered<T>(&self, rows: &[Row<'_, T>], print: impl Fn(&T) -> Value) -> Reply {
        let start = self.after.as_ref().map_or(0, |(key, id)| {
            let same = rows.iter().position(|row| row.id == *id).map(|place| place + 1);
            let past = || rows.iter().position(|row| *row.key >= **key).unwrap_or(rows.len());
            same.unwrap_or_else(past)
        });
        self.page(rows, start, rows.len(), print)
    }

    /// As [`Paging::ordered`], for many items of which only those on the page become rows; each is
    /// told from the others by a text.
    pub fn ordered_by_place<T>(
        &self,
        items: &[T],
        id: impl Fn(&T) -> String,
        print: impl Fn(&T) -> Value,
    ) -> Reply {
        let start = self.after.as_ref().map_or(0, |(key, last)| {
            let same = items.iter().position(|item| id(item) == *last).map(|place| place + 1);
            same.unwrap_or_else(|| key.parse().unwrap_or(items.len()))
        });
        let rows = items.iter().enumerate().skip(start).take(self.size.saturating_add(1));
        let row = |(place, item)| Row { key: place_key(place), id: id(item).into(), item };
        let rows: Vec<Row<'_, &T>> = rows.map(row).collect();
        self.page(&rows, 0, items.len(), |item| print(item))
    }

    /// The page of some rows from one on, of so many in all. `result_count` stands on every page:
    /// some clients read it there [npg].
    fn page<T>(
        &self,
        rows: &[Row<'_, T>],
        start: usize,
        count: usize,
        print: impl Fn(&T) -> Value,
    ) -> Reply {
        let page: Vec<&Row<'_, T>> = rows.iter().skip(start).take(self.size).collect();
        let more = start + page.len() < rows.len();
        let results: Vec<Value> = page.iter().map(|row| self.narrow(print(&row.item))).collect();
        let mut body = Map::new();
        body.insert("results".into(), results.into());
        if more && let Some(last) = page.last() {
            body.insert("cursor".into(), print_cursor(&last.key, &last.id).into());
        }
        body.insert("result_count".into(), count.into());
        body.insert("sort_by".into(), self.sort_by.as_str().into());
        body.insert("sort_ascending".into(), self.ascending.into());
        Reply::ok(body)
    }

    fn narrow(&self, mut item: Value) -> Value {
        if let (Some(wanted), Value::Object(fields)) = (&self.fields, &mut item) {
            fields.retain(|name, _| name == "id" || wanted.contains(name));
        }
        item
    }
}

/// How many rows a page may have, as the query says.
///
/// # Errors
/// [`Error::InvalidFields`] where it is no number, or beyond the limit.
pub fn page_size(query: &Query) -> Result<usize, Error> {
    match query.get("page_size").map(str::parse::<usize>) {
        None => Ok(MAX_PAGE),
        Some(Ok(size)) if size <= MAX_PAGE => Ok(size),
        Some(_) => Err(Error::field("page_size", format!("must lie between 0 and {MAX_PAGE}"))),
    }
}

/// How many objects are open around a row in a printed page.
pub const ROW_DEPTH: usize = 1;

/// What a printed row takes, more or less.
const ROW_SIZE: usize = 1536;

/// What a page has beside its rows.
#[derive(Serialize)]
struct Rest<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    result_count: usize,
    sort_by: &'a str,
    sort_ascending: bool,
}

/// The key that a printed field sorts by; numbers sort as such.
fn sort_key(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => format!("{:020}", number.as_i64().unwrap_or(0)),
        Some(other) => other.to_string(),
    }
}

/// A key that keeps rows in the order in which they stand.
pub fn place_key(place: usize) -> Cow<'static, str> {
    format!("{place:012}").into()
}

/// Letters, digits, `-` and `_` only, for clients put it into the URL as it is; never all digits,
/// never beginning with "0000", which mean other things to some [nsxlib, sapcc].
fn print_cursor(key: &str, id: &str) -> String {
    format!("c{}", URL_SAFE_NO_PAD.encode(json!([key, id]).to_string()))
}

fn read_cursor(text: &str) -> Result<(String, String), Error> {
    let pair = text.strip_prefix('c').and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    pair.and_then(|pair| serde_json::from_slice(&pair).ok())
        .ok_or_else(|| Error::field("cursor", "is not one that this manager gave"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Query {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn rows(names: &[&str]) -> Vec<Row<'static, String>> {
        let row = |name: &&str| Row {
            key: name.to_string().into(),
            id: name.to_string().into(),
            item: name.to_string(),
        };
        names.iter().map(row).collect()
    }

    fn page(pairs: &[(&str, &str)], names: &[&str]) -> (Vec<String>, Option<String>) {
        let paging = Paging::read(&query(pairs), 1000).unwrap();
        let reply = paging.sorted(rows(names), |name| name.as_str().into());
        let body = reply.value();
        let results = body["results"].as_array().unwrap();
        let results = results.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        (results, body["cursor"].as_str().map(str::to_owned))
    }

    #[test]
    fn a_walk_survives_the_removal_of_the_row_its_cursor_names() {
        let (first, cursor) = page(&[("page_size", "2")], &["a", "b", "c", "d"]);
        assert_eq!(first, ["a", "b"]);
        let cursor = cursor.unwrap();
        assert!(cursor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        let (second, end) = page(&[("cursor", &cursor), ("page_size", "2")], &["a", "c", "d"]);
        assert_eq!((second.as_slice(), end), (&["c".to_owned(), "d".to_owned()][..], None));
    }

    #[test]
    fn descending_walks_go_on_where_they_were() {
        let down = ("sort_ascending", "false");
        let (first, cursor) = page(&[down, ("page_size", "1")], &["a", "b", "c"]);
        assert_eq!(first, ["c"]);
        let (second, _) = page(&[down, ("cursor", &cursor.unwrap())], &["a", "b", "c"]);
        assert_eq!(second, ["b", "a"]);
    }

    #[test]
    fn page_sizes_beyond_the_limit_and_foreign_cursors_are_refused() {
        for pair in [("page_size", "1001"), ("page_size", "x"), ("cursor", "0036abc")] {
            assert!(Paging::read(&query(&[pair]), 1000).is_err(), "{pair:?}");
        }
        assert!(Paging::read(&query(&[("cursor", ""), ("page_size", "")]), 1000).is_ok());
    }
}
