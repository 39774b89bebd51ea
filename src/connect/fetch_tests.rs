//! What is fetched and what is not.

use super::*;

fn fetcher(allow_private: bool) -> Fetcher {
    Fetcher::new(&FetchSettings { allow_private, authorities: None, timeout: Duration::from_secs(1) }).unwrap()
}

#[test]
fn addresses_are_looked_at_before_anything_is_asked() {
    let strict = fetcher(false);
    assert_eq!(strict.allows("https://idp.example.org/x"), Ok(()));
    for private in
        ["https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/", "https://0x7f000001/", "https://localhost/"]
    {
        assert!(matches!(strict.allows(private), Err(FetchError::Private(_))), "{private}");
    }
    for wrong in [
        "http://idp.example.org/",
        "ftp://idp.example.org/",
        "idp",
        "https://u:p@idp.example.org/",
        "file:///etc/passwd",
    ] {
        assert!(matches!(strict.allows(wrong), Err(FetchError::Address(_))), "{wrong}");
    }
    let inside = fetcher(true);
    for fine in ["http://127.0.0.1:4000/", "http://localhost:4000/", "https://10.0.0.1/"] {
        assert_eq!(inside.allows(fine), Ok(()), "{fine}");
    }
    assert!(inside.allows("http://10.0.0.1/").is_err(), "http is for this very machine");
}

#[tokio::test]
async fn a_name_that_points_inside_is_refused_when_it_is_resolved() {
    // Every resolver knows this one, and it passes the look at the address.
    let name: Name = "localhost".parse().unwrap();
    let refused = Guarded { allow_private: false }.resolve(name).await;
    assert!(refused.is_err_and(|error| error.is::<PrivateName>()));
    let name: Name = "localhost".parse().unwrap();
    assert!(Guarded { allow_private: true }.resolve(name).await.is_ok());
}

#[test]
fn the_end_of_a_certificate_is_read() {
    let mut params = rcgen::CertificateParams::new(["idp.example.org".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2027, 3, 1);
    let made = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
    let shown = PeerCertificate(made.der().to_vec());
    assert_eq!(shown.ends(), Some(Timestamp::from_millis(1_803_859_200_000)));
    assert_eq!(PeerCertificate(b"nonsense".to_vec()).ends(), None);
}

#[test]
fn nonsense_is_no_certificate() {
    for text in ["", "nonsense"] {
        let authorities = Some(text.into());
        let settings = FetchSettings { allow_private: false, authorities, timeout: Duration::from_secs(1) };
        assert!(Fetcher::new(&settings).is_err(), "{text:?}");
    }
}

#[test]
fn the_time_of_a_header_is_read_and_a_cache_is_allowed_for() {
    let at = |date: &'static str, age: Option<&'static str>| {
        let mut headers = HeaderMap::new();
        headers.insert(DATE, date.parse().unwrap());
        age.map(|age| headers.insert(AGE, age.parse().unwrap()));
        clock(&headers)
    };
    assert_eq!(at("Sun, 22 Nov 2026 00:00:00 GMT", None), Some(1_795_305_600));
    assert_eq!(at("Sun, 22 Nov 2026 00:00:00 GMT", Some("100")), Some(1_795_305_700));
    assert_eq!(at("yesterday", None), None);
    assert_eq!(clock(&HeaderMap::new()), None);
}
