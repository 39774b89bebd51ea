//! Groups inside groups: which entries count as members of which group, with a limit of depth and a guard against cycles.

use super::DnNumber;
use std::collections::{HashMap, HashSet};

/// Which groups a group has as direct members.
#[derive(Clone, Debug, Default)]
pub struct Nesting(HashMap<DnNumber, Vec<DnNumber>>);

/// What belongs to a group by nesting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inside {
    /// The group itself and every group inside it, each once.
    pub groups: Vec<DnNumber>,
    /// Some group contains itself by way of others.
    pub cycle: bool,
    /// There are groups deeper than the limit; they were left out.
    pub cut: bool,
}

impl Nesting {
    /// Notes that `inner` is a direct member of `outer`.
    pub fn note(&mut self, outer: DnNumber, inner: DnNumber) {
        self.0.entry(outer).or_default().push(inner);
    }

    /// Everything inside a group up to a depth; 0 is the group alone.
    #[must_use]
    pub fn inside(&self, group: DnNumber, depth: u32) -> Inside {
        let mut found = Inside { groups: vec![group], ..Inside::default() };
        let mut seen: HashSet<DnNumber> = [group].into();
        let mut level = vec![group];
        for round in 0..=depth {
            let mut next = Vec::new();
            for inner in level.iter().filter_map(|outer| self.0.get(outer)).flatten().copied() {
                if inner == group {
                    found.cycle = true;
                }
                if seen.contains(&inner) {
                    continue;
                }
                if round == depth {
                    found.cut = true;
                    continue;
                }
                seen.insert(inner);
                found.groups.push(inner);
                next.push(inner);
            }
            level = next;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(name: &str) -> DnNumber {
        DnNumber(name.bytes().fold(0, |number, byte| number * 256 + usize::from(byte)))
    }

    fn nesting(pairs: &[(&str, &str)]) -> Nesting {
        let mut nesting = Nesting::default();
        for (outer, inner) in pairs {
            nesting.note(key(outer), key(inner));
        }
        nesting
    }

    #[test]
    fn depth_is_counted_from_the_group() {
        let chain = nesting(&[("a", "b"), ("b", "c"), ("c", "d")]);
        assert_eq!(chain.inside(key("a"), 0), Inside { groups: vec![key("a")], cycle: false, cut: true });
        assert_eq!(chain.inside(key("a"), 2).groups, [key("a"), key("b"), key("c")]);
        assert!(chain.inside(key("a"), 2).cut);
        assert!(!chain.inside(key("a"), 3).cut);
    }

    #[test]
    fn a_cycle_ends_and_is_told() {
        let round = nesting(&[("a", "b"), ("b", "c"), ("c", "a")]);
        let inside = round.inside(key("b"), 10);
        assert_eq!(inside.groups, [key("b"), key("c"), key("a")]);
        assert!(inside.cycle && !inside.cut);
        assert!(nesting(&[("a", "a")]).inside(key("a"), 5).cycle);
    }

    proptest! {
        #[test]
        fn every_graph_ends_and_names_each_group_once(
            pairs in prop::collection::vec((0_u8..12, 0_u8..12), 0..60),
            depth in 0_u32..8,
        ) {
            let mut nesting = Nesting::default();
            for (outer, inner) in pairs {
                nesting.note(key(&outer.to_string()), key(&inner.to_string()));
            }
            let inside = nesting.inside(key("0"), depth);
            let once: HashSet<_> = inside.groups.iter().collect();
            prop_assert_eq!(once.len(), inside.groups.len());
            prop_assert!(inside.groups.contains(&key("0")));
        }
    }
}
