//! Forms with a file: the first line is a `Content-Type`, the rest a body. Parts lie in the body in their order, apart from
//! each other, and never hold the boundary.
#![no_main]

use vestibule::web::multipart::{Boundary, parse};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (media, body) = (&data[..end], &data[end + 1..]);
    let Some(boundary) = std::str::from_utf8(media).ok().and_then(Boundary::of) else { return };
    let Some(parts) = parse(body, &boundary) else { return };
    assert!(parts.len() <= 16 && parts.iter().filter(|part| part.is_file).count() <= 1);
    let line = body[..body.windows(2).position(|pair| pair == b"\r\n").unwrap_or(body.len())].to_vec();
    let mut before = 0;
    for part in &parts {
        assert!(before <= part.body.start && part.body.start <= part.body.end && part.body.end < body.len());
        let between = [b"\r\n".as_slice(), &line].concat();
        assert!(!body[part.body.clone()].windows(between.len()).any(|bytes| bytes == between), "a boundary in a value");
        before = part.body.end;
    }
});
