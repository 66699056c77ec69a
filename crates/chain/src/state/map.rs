//! Maps and lists whose copies share what they have in common, so that a state is kept for many blocks at the price of what
//! changed between them.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Deref, Index};

use rpds::{RedBlackTreeMapSync, VectorSync};

/// An ordered map; a copy costs nothing until one of the two changes, and then only what changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Map<K: Ord, V>(RedBlackTreeMapSync<K, V>);

impl<K: Ord, V> Default for Map<K, V> {
    fn default() -> Self {
        Self(RedBlackTreeMapSync::new_sync())
    }
}

impl<K: Ord + fmt::Debug, V: fmt::Debug> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// Reading, as of the map inside: `get`, `iter`, `range`, `values` and the rest.
impl<K: Ord, V> Deref for Map<K, V> {
    type Target = RedBlackTreeMapSync<K, V>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<K: Ord, V> Map<K, V> {
    /// How many it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.size()
    }

    /// Whether it holds none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<K: Ord + Clone, V: Clone> Map<K, V> {
    /// Puts a value in the place of what was there.
    pub fn insert(&mut self, key: K, value: V) {
        self.0.insert_mut(key, value);
    }

    /// Takes a value out.
    pub fn remove(&mut self, key: &K) -> bool {
        self.0.remove_mut(key)
    }

    /// A value, to be changed here alone.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    /// A value, to be changed here alone; the default one where there was none.
    pub fn change(&mut self, key: K, change: impl FnOnce(&mut V))
    where
        V: Default,
    {
        if !self.0.contains_key(&key) {
            self.0.insert_mut(key.clone(), V::default());
        }
        if let Some(value) = self.0.get_mut(&key) {
            change(value);
        }
    }
}

impl<K: Ord, V> Index<&K> for Map<K, V> {
    type Output = V;

    fn index(&self, key: &K) -> &V {
        &self.0[key]
    }
}

impl<'a, K: Ord, V> IntoIterator for &'a Map<K, V> {
    type Item = (&'a K, &'a V);
    type IntoIter = <&'a RedBlackTreeMapSync<K, V> as IntoIterator>::IntoIter;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// A list that grows at its end, with copies as those of a [`Map`].
pub type List<T> = VectorSync<T>;
