//! Pictures: what is taken, what is left of a file, who sees them, how they go.

use crate::support::{Answer, Browser, House, PASSWORD, postgres};
use axum::body::Body;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Request, StatusCode};
use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, ImageEncoder, ImageFormat, Rgb, RgbImage};
use sqlx::{Connection, SqliteConnection};
use std::io::Cursor;
use vestibule::store::Place;

pub(super) const BOUNDARY: &str = "----WebKitFormBoundaryq3Xz";

/// Everything that a camera writes beside the pixels, each with a word to look for.
fn photo() -> Vec<u8> {
    let exif = b"II*\0\x08\0\0\0\x02\0\x10\x01\x02\0\x0b\0\0\0\x26\0\0\0\x25\x88\x04\0\x01\0\0\0\x32\0\0\0\0\0\0\0CameraMaker\0\
        \x01\0\x1d\0\x02\0\x0b\0\0\0\x44\0\0\0\0\0\0\0GPS-52.5163";
    let mut file = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut file, 90);
    encoder.set_exif_metadata(exif.to_vec()).expect("kept");
    encoder.set_icc_profile(b"ProfileOfAnna".repeat(20)).expect("kept");
    let pixels = RgbImage::from_fn(300, 200, |x, y| {
        Rgb([u8::try_from(x % 256).expect("small"), 90, u8::try_from(y).expect("small")])
    });
    encoder.write_image(&pixels, 300, 200, ExtendedColorType::Rgb8).expect("encoded");
    let comment = b"\xff\xfe\x00\x0dCommentAnna";
    [&file[..2], comment, &file[2..], b"<script>alert('FilmBehind')</script>"].concat()
}

pub(super) fn png(width: u32, height: u32) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_pixel(width, height, Rgb([200, 30, 30])).write_to(&mut file, ImageFormat::Png).expect("encoded");
    file.into_inner()
}

/// The first bytes of a PNG that says it is larger than any memory.
fn bomb() -> Vec<u8> {
    let mut file = png(8, 8);
    file[16..24].copy_from_slice(&[0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30]);
    let crc = file[12..29].iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
    });
    file[29..33].copy_from_slice(&(!crc).to_be_bytes());
    file
}

pub(super) fn form(csrf: &str, name: &str, file: &[u8]) -> Vec<u8> {
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--{BOUNDARY}\r\n\
         Content-Disposition: form-data; name=\"picture\"; filename=\"{name}\"\r\nContent-Type: image/png\r\n\r\n"
    );
    [head.as_bytes(), file, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat()
}

pub(super) async fn sends(browser: &mut Browser, body: Vec<u8>) -> Answer {
    let media = format!("multipart/form-data; boundary={BOUNDARY}");
    let request = Request::post("/account/avatar").header(CONTENT_TYPE, media).body(Body::from(body));
    browser.send(request.expect("a request")).await
}

pub(super) async fn uploads(browser: &mut Browser, name: &str, file: &[u8]) -> Answer {
    let csrf = browser.get("/account/profile").await.hidden("csrf").expect("a form");
    sends(browser, form(&csrf, name, file)).await
}

/// Anna, signed in.
pub(super) async fn anna(house: &House) -> Browser {
    house.account("anna").await;
    let mut browser = house.browser();
    browser.signs_in("anna", PASSWORD).await;
    browser
}

async fn stored(house: &House) -> Option<Vec<u8>> {
    let key = house.named("anna").await.picture?;
    let mut link = house.app.core.database.read().await.expect("a database");
    vestibule::store::avatar::by_key(&mut link, &key).await.expect("a picture")
}

#[tokio::test]
async fn nothing_of_a_photo_but_its_pixels_is_kept() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    let words: [&[u8]; 6] = [b"CameraMaker", b"GPS-52", b"ProfileOfAnna", b"CommentAnna", b"FilmBehind", b"Exif"];
    let has = |file: &[u8], word: &[u8]| file.windows(word.len()).any(|part| part == word);
    let photo = photo();
    assert!(words.iter().all(|word| has(&photo, word)), "the photo has all of it");
    assert_eq!(uploads(&mut browser, "photo.jpg", &photo).await.location(), "/account/profile");
    let jpeg = stored(&house).await.expect("a picture");
    assert!(words.iter().all(|word| !has(&jpeg, word)));
    let pixels = image::load_from_memory_with_format(&jpeg, ImageFormat::Jpeg).expect("a JPEG");
    assert_eq!((pixels.width(), pixels.height()), (256, 256));
    assert_eq!(house.count_acts("account.picture_set").await, 1);
    // Nor does the file lie in the database anywhere else. Whoever runs a PostgreSQL has its files, not we.
    if let Place::File(file) = house.place() {
        let database = std::fs::read(&file).expect("a file");
        let log = std::fs::read(file.with_extension("db-wal")).unwrap_or_default();
        assert!(words.iter().take(5).all(|word| !has(&database, word) && !has(&log, word)));
    }
}

#[tokio::test]
async fn the_profile_with_a_picture_weighs_little() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    uploads(&mut browser, "photo.jpg", &photo()).await;
    browser.get("/account/profile").await;
    let page = browser.get("/account/profile").await.body;
    let jpeg = stored(&house).await.expect("a picture").len();
    let assets: std::collections::BTreeSet<&str> =
        page.split("\"/assets/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(assets.len(), 3, "{assets:?}");
    let mut weight = page.len() + jpeg;
    for file in assets {
        weight += browser.get(&format!("/assets/{file}")).await.body.len();
    }
    assert!(weight < 60_000, "{weight} bytes, of which the page has {} and the picture {jpeg}", page.len());
}

#[tokio::test]
async fn what_cannot_be_a_picture_is_refused_and_changes_nothing() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    let whole = png(300, 300);
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for (name, file, said) in [
        ("bomb.png", bomb().as_slice(), "too many pixels"),
        ("cut.png", &whole[..whole.len() / 2], "damaged"),
        ("drawing.svg", svg, "neither"),
        ("page.png", b"<!doctype html><script>alert(1)</script>", "neither"),
        ("moving.gif", b"GIF89a\x01\0\x01\0\0\0\0;", "neither"),
        ("", b"", "fill in"),
    ] {
        let answer = uploads(&mut browser, name, file).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{name}");
        assert!(answer.body.contains("id=\"picture-error\"") && answer.body.contains(said), "{name}: {}", answer.body);
    }
    assert_eq!(house.named("anna").await.picture, None);
    assert_eq!(house.count_acts("account.picture_set").await, 0);
}

#[tokio::test]
async fn a_file_that_is_also_a_page_comes_out_as_a_picture() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    let both = [png(64, 64).as_slice(), b"<!doctype html><script>alert(1)</script>"].concat();
    assert_eq!(uploads(&mut browser, "both.html", &both).await.status, StatusCode::SEE_OTHER);
    let answer = browser.get("/account/avatar").await;
    assert_eq!(answer.header("content-type"), "image/jpeg");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("content-security-policy"), "default-src 'none'; frame-ancestors 'none'; sandbox");
    assert!(!answer.body.contains("script"));
}

#[tokio::test]
async fn a_form_of_somebody_else_sets_nothing() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    let own = browser.get("/account/profile").await.hidden("csrf").expect("a form");
    let foreign = ben.get("/account/profile").await.hidden("csrf").expect("a form");
    let file = png(8, 8);
    for token in ["", "x", &foreign] {
        assert_eq!(sends(&mut browser, form(token, "a.png", &file)).await.status, StatusCode::FORBIDDEN, "{token}");
    }
    for (name, value) in [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site"), ("origin", "null")] {
        let mut crossing = browser.clone().sending(name, value);
        assert_eq!(sends(&mut crossing, form(&own, "a.png", &file)).await.status, StatusCode::FORBIDDEN, "{value}");
    }
    let answer = browser.post("/account/avatar", &[("csrf", &own)]).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(sends(&mut browser, b"no form".to_vec()).await.status, StatusCode::BAD_REQUEST);
    let stranger = sends(&mut house.browser(), form(&own, "a.png", &file)).await;
    assert!(stranger.location().starts_with("/login"), "{}", stranger.status);
    let removal = browser.post("/account/avatar/remove", &[("csrf", "x")]).await;
    assert_eq!(removal.status, StatusCode::FORBIDDEN);
    assert_eq!(house.named("anna").await.picture, None);
}

#[tokio::test]
async fn a_picture_is_seen_by_those_who_may() {
    let house = House::with("[[application]]\nslug = \"tasks\"\nhosts = [\"tasks.localhost\"]\nsecret = \"0123456789abcdef0123456789abcdef\"\n").await;
    let mut browser = anna(&house).await;
    house.account("ben").await;
    let mut ben = house.browser();
    ben.signs_in("ben", PASSWORD).await;
    let nothing: serde_json::Value = serde_json::from_str(&browser.get("/api/v1/session").await.body).expect("JSON");
    assert_eq!(nothing["account"]["picture"], serde_json::Value::Null);
    uploads(&mut browser, "a.png", &png(40, 40)).await;
    let described: serde_json::Value = serde_json::from_str(&browser.get("/api/v1/session").await.body).expect("JSON");
    let address = described["account"]["picture"].as_str().expect("an address");
    let path = address.strip_prefix("http://localhost:8080").expect("our own");
    assert_eq!(path.len(), "/avatar/".len() + 22, "nobody can guess it: {path}");
    // People and main apps that were given the address see it; the address alone is not enough.
    let seen = ben.get(path).await;
    assert_eq!((seen.status, seen.header("content-type")), (StatusCode::OK, "image/jpeg"));
    assert_eq!(seen.header("cache-control"), "private, max-age=3600");
    assert_eq!(seen.header("cross-origin-resource-policy"), "same-site");
    assert_eq!(house.browser().get(path).await.status, StatusCode::UNAUTHORIZED);
    let with_secret = |secret: &str| {
        Request::get(path).header(AUTHORIZATION, format!("Bearer {secret}")).body(Body::empty()).expect("a request")
    };
    let app = house.browser().send(with_secret("0123456789abcdef0123456789abcdef")).await;
    assert_eq!(app.status, StatusCode::OK);
    assert_eq!(house.browser().send(with_secret("wrong")).await.status, StatusCode::UNAUTHORIZED);
    // Nobody gets somebody else's picture without its address.
    assert_eq!(ben.get("/account/avatar").await.header("content-type"), "image/svg+xml");
    let id = house.named("anna").await.id;
    for other in [format!("/avatar/{id}"), "/avatar/anna".into(), "/avatar/AAAAAAAAAAAAAAAAAAAAAA".into()] {
        assert_eq!(ben.get(&other).await.status, StatusCode::NOT_FOUND, "{other}");
    }
}

#[tokio::test]
async fn a_browser_that_has_the_picture_is_told_so() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    uploads(&mut browser, "a.png", &png(40, 40)).await;
    let first = browser.get("/account/avatar").await;
    assert_eq!(first.header("cache-control"), "private, no-cache");
    assert_eq!(first.header("vary"), "Cookie");
    let tag = first.header("etag").to_owned();
    let again = browser.clone().sending("if-none-match", &tag).get("/account/avatar").await;
    assert_eq!((again.status, again.body.len()), (StatusCode::NOT_MODIFIED, 0));
    uploads(&mut browser, "b.png", &png(50, 50)).await;
    let newer = browser.clone().sending("if-none-match", &tag).get("/account/avatar").await;
    assert_eq!(newer.status, StatusCode::OK);
    assert_ne!(newer.header("etag"), tag);
}

#[tokio::test]
async fn a_removed_picture_is_gone_everywhere() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    uploads(&mut browser, "a.png", &png(40, 40)).await;
    let key = house.named("anna").await.picture.expect("a picture");
    assert!(browser.get("/account").await.body.contains("src=\"/account/avatar\""));
    let done = browser.submit("/account/profile", "/account/avatar/remove", &[]).await;
    assert_eq!(done.location(), "/account/profile");
    let page = browser.get("/account/profile").await.body;
    assert!(page.contains("Your picture is removed") && !page.contains("src=\"/account/avatar\""), "{page}");
    assert_eq!(browser.get(&format!("/avatar/{}", key.as_str())).await.status, StatusCode::NOT_FOUND);
    let initials = browser.get("/account/avatar").await;
    assert!(initials.header("content-type") == "image/svg+xml" && initials.body.contains(">AE<"), "{}", initials.body);
    // Twice is no event.
    browser.submit("/account/profile", "/account/avatar/remove", &[]).await;
    assert_eq!(house.count_acts("account.picture_removed").await, 1);
}

#[tokio::test]
async fn a_picture_goes_with_its_account() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    uploads(&mut browser, "a.png", &png(40, 40)).await;
    let left = match house.place() {
        Place::File(file) => {
            let mut conn =
                SqliteConnection::connect(&format!("sqlite://{}", file.display())).await.expect("a database");
            sqlx::query("PRAGMA foreign_keys = on").execute(&mut conn).await.expect("on");
            sqlx::query("DELETE FROM account").execute(&mut conn).await.expect("erased");
            sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM avatar").fetch_one(&mut conn).await.expect("a count")
        }
        Place::Server(server) => {
            let mut conn = postgres::shared().by_hand(&server.schema).await;
            sqlx::query("DELETE FROM account").execute(&mut conn).await.expect("erased");
            sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM avatar").fetch_one(&mut conn).await.expect("a count")
        }
    };
    assert_eq!(left, 0);
}

#[tokio::test]
async fn strong_contrast_is_on_every_page_of_whoever_chose_it() {
    let house = House::open().await;
    let mut browser = anna(&house).await;
    let strong = "data-contrast=\"more\"";
    assert!(!browser.get("/account").await.body.contains(strong));
    let chosen = [("name", "Anna Example"), ("language", "de"), ("time_zone", ""), ("contrast", "more")];
    assert_eq!(browser.submit("/account/profile", "/account/profile", &chosen).await.status, StatusCode::SEE_OTHER);
    for page in ["/account", "/account/profile", "/account/sessions", "/account/password", "/logout", "/nothing"] {
        let body = browser.get(page).await.body;
        assert!(body.contains(strong) && body.contains("lang=\"de\""), "{page}: {body}");
    }
    assert!(!house.browser().get("/login").await.body.contains(strong), "nobody else's");
    let back = [("name", "Anna Example"), ("language", ""), ("time_zone", ""), ("contrast", "system")];
    browser.submit("/account/profile", "/account/profile", &back).await;
    assert!(!browser.get("/account").await.body.contains(strong));
}
