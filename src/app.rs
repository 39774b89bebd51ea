//! Composition root: configuration, stores, services, router and jobs; decides nothing itself.
