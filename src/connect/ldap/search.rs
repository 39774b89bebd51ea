//! Searches: in pages where the server can, with values fetched in ranges where it holds some back. Each says whether
//! everything came.

use super::connection::said;
use super::{Connection, LdapError};
use crate::domain::directory::Entry;
use ldap3::asn1::{PL, StructureTag};
use ldap3::controls::{Control, ControlType, PagedResults, RawControl};
use ldap3::{LdapResult, SearchOptions, SearchStream};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// More entries, or more requests for the values of one, are a server that does not end.
const MOST: usize = 5_000_000;

/// How far a search goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The entry itself.
    Entry,
    /// The entry and everything below.
    Subtree,
}

/// What is searched for.
#[derive(Clone, Debug)]
pub struct Search {
    /// Where.
    pub base: String,
    /// How far.
    pub scope: Scope,
    /// Which entries (RFC 4515).
    pub filter: String,
    /// Which attributes are wanted; none is an entry's name alone.
    pub attributes: Vec<String>,
}

/// One entry that was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// The entry.
    pub entry: Entry,
    /// Why values of it may be missing; `None` when all came.
    pub missing: Option<String>,
}

/// Whether everything came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Yes.
    Whole,
    /// No, and why.
    Partial(String),
}

impl Reading {
    /// Why not everything came.
    #[must_use]
    pub fn missing(self) -> Option<String> {
        match self {
            Self::Whole => None,
            Self::Partial(why) => Some(why),
        }
    }
}

/// Where entries go, and how many came.
struct Taken<'a> {
    each: &'a mut (dyn FnMut(Found) + Send),
    seen: usize,
    unreadable: usize,
}

/// Where a page ended.
enum Page {
    /// There are more, from this place on.
    More(Vec<u8>),
    /// That was all.
    Last,
    /// The server gives no more, though there is more.
    Cut(String),
    /// The server does not page.
    NoPaging,
}

impl Connection {
    /// Searches, and hands over each entry as it comes.
    ///
    /// # Errors
    /// [`LdapError`]; what was handed over until then is real, but not all.
    pub async fn search(
        &mut self,
        search: &Search,
        each: &mut (dyn FnMut(Found) + Send),
    ) -> Result<Reading, LdapError> {
        let mut paging = self.page_size > 0;
        let (mut cookie, mut pages) = (Vec::new(), 0_usize);
        let mut taken = Taken { each, seen: 0, unreadable: 0 };
        loop {
            let result = self.page(search, paging.then_some(&cookie), &mut taken).await?;
            let page = page_end(&result, paging && pages == 0, taken.seen + taken.unreadable == 0)?;
            if matches!(page, Page::NoPaging) {
                // RFC 2696 lets a server refuse; RFC 4511 names several codes for it. Nothing was handed over yet.
                tracing::debug!(code = result.rc, "the directory does not page; asking without");
                paging = false;
                continue;
            }
            pages = pages.saturating_add(1);
            match page {
                Page::More(_) if pages > MOST => return Err(LdapError::Garbled("a search without end")),
                Page::More(next) if next == cookie && pages > 1_000 => {
                    return Err(LdapError::Garbled("the same page again and again"));
                }
                Page::More(next) => cookie = next,
                Page::Cut(why) => return Ok(Reading::Partial(why)),
                _ if taken.unreadable > 0 => {
                    return Ok(Reading::Partial(format!("{} entries are unreadable", taken.unreadable)));
                }
                _ => return Ok(Reading::Whole),
            }
        }
    }

    /// At most `most` entries, without paging.
    ///
    /// # Errors
    /// [`LdapError`].
    pub async fn find(&mut self, search: &Search, most: u32) -> Result<Vec<Found>, LdapError> {
        self.ldap.with_search_options(SearchOptions::new().sizelimit(i32::try_from(most).unwrap_or(i32::MAX)));
        let mut found = Vec::new();
        let mut taken = Taken { each: &mut |one| found.push(one), seen: 0, unreadable: 0 };
        let result = self.page(search, None, &mut taken).await?;
        let unreadable = taken.unreadable;
        match result.rc {
            // sizeLimitExceeded before that is the server's own limit: nobody knows then whether there are more.
            4 if found.len() < most as usize => Err(LdapError::Cut(found.len())),
            // It is what was asked for.
            0 | 4 if unreadable == 0 => Ok(found),
            0 | 4 => Err(LdapError::Garbled("an entry is unreadable")),
            code => Err(LdapError::Refused { code, text: said(&result) }),
        }
    }

    /// One page, or everything without a cookie. Each entry goes on as it comes, while the server sends the next ones.
    async fn page(
        &mut self,
        search: &Search,
        cookie: Option<&Vec<u8>>,
        taken: &mut Taken<'_>,
    ) -> Result<LdapResult, LdapError> {
        let mut stream = self.asked(search, cookie).await?;
        while let Some(read) = self.next(&mut stream).await? {
            match read {
                Some(mut entry) => {
                    let missing = self.complete(&mut entry).await?;
                    taken.seen = taken.seen.saturating_add(1);
                    (taken.each)(Found { entry, missing });
                }
                None => taken.unreadable = taken.unreadable.saturating_add(1),
            }
            if taken.seen.saturating_add(taken.unreadable) > MOST {
                return Err(LdapError::Garbled("a search without end"));
            }
        }
        Ok(stream.finish().await)
    }

    async fn asked(
        &mut self,
        search: &Search,
        cookie: Option<&Vec<u8>>,
    ) -> Result<SearchStream<'static, String, Vec<String>>, LdapError> {
        let scope = match search.scope {
            Scope::Entry => ldap3::Scope::Base,
            Scope::Subtree => ldap3::Scope::Subtree,
        };
        // RFC 4511 section 4.5.1.8: no attributes at all.
        let none = || vec!["1.1".to_owned()];
        let attributes = if search.attributes.is_empty() { none() } else { search.attributes.clone() };
        if let Some(cookie) = cookie {
            let size = i32::try_from(self.page_size).unwrap_or(i32::MAX);
            let control: RawControl = PagedResults { size, cookie: cookie.clone() }.into();
            self.ldap.with_controls(vec![control]);
        }
        self.ldap.with_timeout(self.patience);
        let begun = self.ldap.streaming_search(&search.base, scope, &search.filter, attributes).await;
        begun.map_err(|fault| self.broke(fault))
    }

    /// The next entry, `Some(None)` for one that cannot be read.
    async fn next(
        &self,
        stream: &mut SearchStream<'static, String, Vec<String>>,
    ) -> Result<Option<Option<Entry>>, LdapError> {
        loop {
            match stream.next().await {
                // Pointers to other servers are not followed: who signs in here is decided by the servers named.
                Ok(Some(item)) if item.is_ref() || item.is_intermediate() => {}
                Ok(item) => return Ok(item.map(|item| entry(item.0))),
                Err(fault) => return Err(self.broke(fault)),
            }
        }
    }

    /// Fetches the values that the server held back ([MS-ADTS] 3.1.1.3.1.3.3), and says what is missing in the end.
    async fn complete(&mut self, entry: &mut Entry) -> Result<Option<String>, LdapError> {
        let mut open = entry.settle_ranges();
        let mut rounds = 0_usize;
        while let Some(withheld) = open.pop() {
            rounds += 1;
            if rounds > 10_000 {
                return Err(LdapError::Garbled("an attribute without end"));
            }
            let search = Search {
                base: entry.dn().to_owned(),
                scope: Scope::Entry,
                filter: "(objectClass=*)".to_owned(),
                attributes: vec![format!("{};range={}-*", withheld.attribute, withheld.next)],
            };
            let mut stream = self.asked(&search, None).await?;
            let mut found = None;
            while let Some(read) = self.next(&mut stream).await? {
                found = found.or(read);
            }
            let result = stream.finish().await;
            let Some(mut more) = found.filter(|_| result.rc == 0) else {
                return Ok(Some(format!("values of {} could not be read: {}", withheld.attribute, said(&result))));
            };
            let next = more.settle_ranges();
            let values: Vec<Vec<u8>> = more.values(&withheld.attribute).map(<[u8]>::to_vec).collect();
            if values.is_empty() && !next.is_empty() {
                return Err(LdapError::Garbled("a range without values"));
            }
            entry.add(withheld.attribute.as_str(), values);
            open.extend(
                next.into_iter().filter(|more| more.attribute == withheld.attribute && more.next > withheld.next),
            );
        }
        Ok(None)
    }
}

fn page_end(result: &LdapResult, first_of_pages: bool, empty: bool) -> Result<Page, LdapError> {
    match result.rc {
        0 => Ok(cookie_of(result)?.map_or(Page::Last, Page::More)),
        // protocolError, unavailableCriticalExtension, unwillingToPerform; OpenLDAP says adminLimitExceeded.
        2 | 11 | 12 | 53 if first_of_pages && empty => Ok(Page::NoPaging),
        // timeLimitExceeded, sizeLimitExceeded, partialResults, adminLimitExceeded
        3 | 4 | 9 | 11 => Ok(Page::Cut(format!("{} (result {})", said(result), result.rc))),
        code => Err(LdapError::Refused { code, text: said(result) }),
    }
}

/// The library's reader of this control panics at nonsense; a server's nonsense is an error here.
fn cookie_of(result: &LdapResult) -> Result<Option<Vec<u8>>, LdapError> {
    let paged = result.ctrls.iter().find_map(|Control(kind, raw)| match kind {
        Some(ControlType::PagedResults) => Some(raw),
        _ => None,
    });
    let Some(raw) = paged else { return Ok(None) };
    let read = catch_unwind(AssertUnwindSafe(|| raw.parse::<PagedResults>()));
    let paged = read.map_err(|_| LdapError::Garbled("a control that cannot be read"))?;
    Ok(Some(paged.cookie).filter(|cookie| !cookie.is_empty()))
}

/// Reads an entry from its decoded form (RFC 4511 section 4.5.2). The library's own reader panics at nonsense.
fn entry(tag: StructureTag) -> Option<Entry> {
    if tag.id != 4 {
        return None;
    }
    let mut parts = inside(tag)?.into_iter();
    let mut entry = Entry::new(std::str::from_utf8(&bytes(parts.next()?)?).ok()?);
    for attribute in inside(parts.next()?)? {
        let mut pair = inside(attribute)?.into_iter();
        let name = String::from_utf8(bytes(pair.next()?)?).ok()?;
        let values: Option<Vec<_>> = inside(pair.next()?)?.into_iter().map(bytes).collect();
        entry.add(name, values?);
    }
    Some(entry)
}

fn inside(tag: StructureTag) -> Option<Vec<StructureTag>> {
    match tag.payload {
        PL::C(parts) => Some(parts),
        PL::P(_) => None,
    }
}

fn bytes(tag: StructureTag) -> Option<Vec<u8>> {
    match tag.payload {
        PL::P(bytes) => Some(bytes),
        PL::C(_) => None,
    }
}
