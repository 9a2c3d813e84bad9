//! Who is on the way through a list by index, and where their last page ended.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::{SignedDuration, Timestamp};

use crate::scim::cursor::List;

/// Beyond so many walks the forgotten ones make way, and then all.
const MOST_WALKS: usize = 1_000;

/// Places of one walk that are kept: a client may ask for a page once more, not for all.
const PLACES: usize = 4;

/// Who has not come back after so long has given up.
const KEPT: SignedDuration = SignedDuration::from_mins(30);

/// A client's way through a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Walk {
    /// Which list.
    pub list: List,
    /// Who walks: what the client calls itself, and where it calls from.
    pub client: String,
}

/// Where walks are. Losing it costs nothing but steadiness: a page is then found by counting.
#[derive(Default)]
pub struct Walks(Mutex<HashMap<Walk, Way>>);

struct Way {
    /// The index that a page begins at, and the position that the page before ended at; the
    /// newest last.
    places: Vec<(u64, u64)>,
    at: Timestamp,
}

impl Walks {
    /// The position after which the page begins that the client asks for next.
    pub fn position(&self, walk: &Walk, index: u64, now: Timestamp) -> Option<u64> {
        let walks = self.walks();
        let way = walks.get(walk).filter(|way| now.duration_since(way.at) < KEPT)?;
        way.places.iter().find(|(begins, _)| *begins == index).map(|(_, position)| *position)
    }

    /// Keeps where a page ended.
    pub fn remember(&self, walk: Walk, next_index: u64, position: u64, now: Timestamp) {
        let mut walks = self.walks();
        if walks.len() >= MOST_WALKS && !walks.contains_key(&walk) {
            walks.retain(|_, way| now.duration_since(way.at) < KEPT);
            if walks.len() >= MOST_WALKS {
                walks.clear();
            }
        }
        let way = walks.entry(walk).or_insert_with(|| Way { places: Vec::new(), at: now });
        way.at = now;
        way.places.retain(|(begins, _)| *begins < next_index);
        if way.places.len() >= PLACES {
            way.places.remove(0);
        }
        way.places.push((next_index, position));
    }

    fn walks(&self) -> MutexGuard<'_, HashMap<Walk, Way>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
