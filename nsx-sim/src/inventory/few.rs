//! A set that holds a single value as a rule, and then takes no room of its own for it.

use std::collections::BTreeSet;

/// A sorted set, small while it has at most one value: most keys of an index lead to one object,
/// most addresses to one port.
#[derive(Clone, Debug, Default)]
pub enum Few<T> {
    /// Nothing.
    #[default]
    None,
    /// One value.
    One(T),
    /// Any number.
    Many(Box<BTreeSet<T>>),
}

impl<T: Ord> Few<T> {
    /// Adds a value, in the place of an equal one.
    pub fn insert(&mut self, value: T) {
        match self {
            Self::None => *self = Self::One(value),
            Self::One(own) if *own == value => *own = value,
            Self::One(_) => {
                let mut values = BTreeSet::from([value]);
                if let Self::One(own) = std::mem::take(self) {
                    values.insert(own);
                }
                *self = Self::Many(Box::new(values));
            }
            Self::Many(values) => {
                values.replace(value);
            }
        }
    }

    /// Takes a value out, where it is there.
    pub fn remove(&mut self, value: &T) {
        match self {
            Self::One(own) if own == value => *self = Self::None,
            Self::Many(values) => {
                values.remove(value);
                if values.is_empty() {
                    *self = Self::None;
                }
            }
            Self::None | Self::One(_) => {}
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::None)
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(_) => 1,
            Self::Many(values) => values.len(),
        }
    }

    /// The smallest value.
    pub fn first(&self) -> Option<&T> {
        self.iter().next()
    }

    /// The values in order.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        let (one, many) = match self {
            Self::None => (None, None),
            Self::One(value) => (Some(value), None),
            Self::Many(values) => (None, Some(values.iter())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_whatever_its_size() {
        let mut few = Few::default();
        let values = |few: &Few<i32>| few.iter().copied().collect::<Vec<_>>();
        assert!(few.is_empty() && few.first().is_none());
        for value in [7, 7, 3, 5, 3] {
            few.insert(value);
        }
        assert_eq!((values(&few), few.len(), few.first()), (vec![3, 5, 7], 3, Some(&3)));
        for value in [3, 9, 7, 5] {
            few.remove(&value);
        }
        assert!(few.is_empty() && values(&few).is_empty());
        few.insert(1);
        few.remove(&2);
        assert_eq!((values(&few), few.len()), (vec![1], 1));
    }
}
