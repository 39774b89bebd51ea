//! How a Cluster is laid out: which node is the master of which slots, as `CLUSTER SLOTS` tells it.

use super::options::Address;
use redis::Value;

/// The last slot.
const LAST: u16 = 16_383;

/// Slots that one master has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    /// The first.
    pub(super) first: u16,
    /// The last, included.
    pub(super) last: u16,
    /// Who has them.
    pub(super) master: Address,
}

/// The ranges in ascending order. A node that does not know its own address is where it was asked.
pub(super) fn read(answer: &Value, asked: &Address) -> Vec<Range> {
    let Value::Array(rows) = answer else { return Vec::new() };
    let mut ranges: Vec<_> = rows.iter().filter_map(|row| range(row, asked)).collect();
    ranges.sort_by_key(|range| range.first);
    ranges
}

/// Whether every slot is somebody's.
pub(super) fn covers_all(ranges: &[Range]) -> bool {
    let mut next = 0;
    for range in ranges {
        if range.first != next {
            return false;
        }
        next = range.last.saturating_add(1);
    }
    next == LAST + 1
}

fn range(row: &Value, asked: &Address) -> Option<Range> {
    let Value::Array(parts) = row else { return None };
    let [Value::Int(first), Value::Int(last), Value::Array(master), ..] = parts.as_slice() else { return None };
    let [host, Value::Int(port), ..] = master.as_slice() else { return None };
    let host = match host {
        Value::BulkString(host) if !host.is_empty() => String::from_utf8(host.clone()).ok()?,
        _ => asked.host.clone(),
    };
    let port = u16::try_from(*port).ok()?;
    Some(Range { first: u16::try_from(*first).ok()?, last: u16::try_from(*last).ok()?, master: Address { host, port } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(first: i64, last: i64, host: &[u8]) -> Value {
        let master = vec![Value::BulkString(host.to_vec()), Value::Int(7001), Value::BulkString(b"id".to_vec())];
        Value::Array(vec![Value::Int(first), Value::Int(last), Value::Array(master)])
    }

    #[test]
    fn ranges_are_sorted_and_nameless_nodes_are_where_they_were_asked() {
        let asked = Address { host: "redis.example.org".to_owned(), port: 6379 };
        let answer = Value::Array(vec![row(8192, 16_383, b"10.0.0.2"), row(0, 8191, b"")]);
        let ranges = read(&answer, &asked);
        assert_eq!(
            ranges.iter().map(|range| range.master.host.as_str()).collect::<Vec<_>>(),
            ["redis.example.org", "10.0.0.2"]
        );
        assert!(covers_all(&ranges));
        assert!(!covers_all(&ranges[1..]) && !covers_all(&ranges[..1]) && !covers_all(&[]));
    }

    #[test]
    fn what_is_no_layout_gives_no_ranges() {
        let asked = Address { host: "a".to_owned(), port: 1 };
        assert!(read(&Value::Nil, &asked).is_empty());
        assert!(read(&Value::Array(vec![Value::Int(1), Value::Array(vec![])]), &asked).is_empty());
    }
}
