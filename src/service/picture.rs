//! From a file that somebody sends to a small square JPEG that holds nothing but pixels. Pure computing: it blocks and
//! takes memory, so `avatar.rs` decides where and how often it runs.

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
use std::io::Cursor;

/// Width and height of what comes out, in pixels.
pub const EDGE: u32 = 256;
/// Longest side that is taken, in pixels.
const MAX_EDGE: u32 = 12_000;
/// Most bytes of decoded pixels: a photo of 27 million pixels. A progressive JPEG takes twice as much again while it is read.
const MAX_DECODED: u64 = 80 * 1024 * 1024;
/// Most scans of a JPEG, each of which goes over all pixels. Progressive ones have ten.
const MAX_SCANS: usize = 24;
/// Tried in this order until the result is small enough.
const QUALITIES: [u8; 3] = [85, 70, 45];
/// Bytes that a page can spare for a picture.
const SMALL: usize = 20 * 1024;

/// Why a file cannot be somebody's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// Neither JPEG nor PNG nor WebP, whatever its name says.
    #[error("is neither JPEG nor PNG nor WebP")]
    Kind,
    /// More pixels than are read.
    #[error("has too many pixels")]
    Pixels,
    /// Broken or cut off.
    #[error("is damaged")]
    Damaged,
}

/// Reads a picture, turns it as its camera was held, cuts out the middle square and scales it to [`EDGE`].
///
/// Size and kind come from the content and are checked before a pixel is allocated. What is transparent becomes white;
/// of an animation the first frame counts. Nothing of the file but pixels is in the result.
///
/// # Errors
/// [`Unusable`].
pub fn square(file: &[u8]) -> Result<Vec<u8>, Unusable> {
    let mut reader = ImageReader::new(Cursor::new(file)).with_guessed_format().map_err(|_| Unusable::Damaged)?;
    match reader.format() {
        Some(ImageFormat::Jpeg) if jpeg_scans(file).is_none_or(|scans| scans > MAX_SCANS) => {
            return Err(Unusable::Damaged);
        }
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) => {}
        _ => return Err(Unusable::Kind),
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_EDGE);
    limits.max_image_height = Some(MAX_EDGE);
    limits.max_alloc = Some(MAX_DECODED);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| why(&error))?;
    let (width, height) = decoder.dimensions();
    if width == 0 || height == 0 {
        return Err(Unusable::Damaged);
    }
    if decoder.total_bytes() > MAX_DECODED {
        return Err(Unusable::Pixels);
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let whole = DynamicImage::from_decoder(decoder).map_err(|error| why(&error))?;
    let mut small = DynamicImage::ImageRgb8(scaled(whole));
    small.apply_orientation(orientation);
    let mut jpeg = Vec::new();
    for quality in QUALITIES {
        jpeg.clear();
        JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&small).map_err(|error| why(&error))?;
        if jpeg.len() <= SMALL {
            break;
        }
    }
    Ok(jpeg)
}

fn why(error: &image::ImageError) -> Unusable {
    match error {
        image::ImageError::Limits(_) => Unusable::Pixels,
        _ => Unusable::Damaged,
    }
}

/// The middle square. A large one is averaged first, which needs no memory of its size.
fn scaled(whole: DynamicImage) -> RgbImage {
    let (width, height) = whole.dimensions();
    let side = width.min(height);
    let middle = imageops::crop_imm(&whole, (width - side) / 2, (height - side) / 2, side, side);
    let coarse = if side > 4 * EDGE { imageops::thumbnail(&*middle, 2 * EDGE, 2 * EDGE) } else { middle.to_image() };
    drop(whole);
    imageops::resize(&on_white(&coarse), EDGE, EDGE, FilterType::Lanczos3)
}

fn on_white(image: &RgbaImage) -> RgbImage {
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [red, green, blue, alpha] = from.0.map(u32::from);
        let over = |colour: u32| u8::try_from((colour * alpha + 255 * (255 - alpha)) / 255).unwrap_or(u8::MAX);
        *to = Rgb([over(red), over(green), over(blue)]);
    }
    flat
}

/// How many scans a JPEG has up to its end mark (ITU-T T.81, B.1.1); `None` when it stops before that, which the decoder
/// would fill with grey. Segments are stepped over: they may hold a small JPEG of their own. Bytes after the end are usual,
/// such as the film of a moving photo.
fn jpeg_scans(file: &[u8]) -> Option<usize> {
    let mut rest = file.get(2..)?;
    let mut scans = 0;
    loop {
        // In a scan: bytes of its own, FF as FF 00, and restart marks.
        let mark = rest.windows(2).position(|pair| !matches!(pair, [0xff, 0 | 0xff | 0xd0..=0xd7] | [0..=0xfe, _]))?;
        if mark > 0 && scans == 0 {
            return None;
        }
        let after = rest.get(mark + 2..)?;
        match *rest.get(mark + 1)? {
            0xd9 => return (scans > 0).then_some(scans),
            0xda => scans += 1,
            _ => {}
        }
        let length = usize::from(u16::from_be_bytes(*after.first_chunk()?));
        rest = after.get(length..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ExtendedColorType, ImageEncoder, Rgba};

    /// Left half red, right half blue, top left corner green.
    fn halves(width: u32, height: u32) -> RgbImage {
        RgbImage::from_fn(width, height, |x, y| match (x, y) {
            (x, y) if x < width / 4 && y < height / 4 => Rgb([0, 255, 0]),
            (x, _) if x < width / 2 => Rgb([255, 0, 0]),
            _ => Rgb([0, 0, 255]),
        })
    }

    fn encoded(image: &RgbImage, format: ImageFormat) -> Vec<u8> {
        let mut file = Cursor::new(Vec::new());
        image.write_to(&mut file, format).expect("encoded");
        file.into_inner()
    }

    fn shown(jpeg: &[u8]) -> RgbImage {
        let image = image::load_from_memory_with_format(jpeg, ImageFormat::Jpeg).expect("a JPEG").to_rgb8();
        assert_eq!(image.dimensions(), (EDGE, EDGE));
        image
    }

    fn colour(image: &RgbImage, x: u32, y: u32) -> &'static str {
        match image.get_pixel(x, y).0 {
            [200..=255, 0..60, 0..60] => "red",
            [0..60, 200..=255, 0..60] => "green",
            [0..60, 0..60, 200..=255] => "blue",
            [240..=255, 240..=255, 240..=255] => "white",
            _ => "other",
        }
    }

    #[test]
    fn every_kind_becomes_the_same_small_square() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            for (width, height) in [(400, 400), (1300, 1300), (40, 40)] {
                let image = shown(&square(&encoded(&halves(width, height), format)).expect("a picture"));
                assert_eq!(colour(&image, 20, 20), "green", "{format:?} {width}");
                assert_eq!(colour(&image, 20, 200), "red", "{format:?} {width}");
                assert_eq!(colour(&image, 200, 200), "blue", "{format:?} {width}");
            }
        }
    }

    #[test]
    fn the_middle_is_cut_out() {
        let wide =
            RgbImage::from_fn(
                600,
                200,
                |x, _| {
                    if (200..400).contains(&x) { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) }
                },
            );
        let image = shown(&square(&encoded(&wide, ImageFormat::Png)).expect("a picture"));
        assert_eq!((colour(&image, 8, 128), colour(&image, 247, 128)), ("red", "red"));
    }

    #[test]
    fn what_is_transparent_becomes_white() {
        let glass = RgbaImage::from_pixel(64, 64, Rgba([0, 0, 0, 0]));
        let mut file = Cursor::new(Vec::new());
        glass.write_to(&mut file, ImageFormat::Png).expect("encoded");
        assert_eq!(colour(&shown(&square(file.get_ref()).expect("a picture")), 128, 128), "white");
    }

    #[test]
    fn it_is_turned_as_the_camera_was_held() {
        let exif =
            [b"II*\0".as_slice(), &[8, 0, 0, 0, 1, 0, 0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0]].concat();
        let mut file = Vec::new();
        let mut encoder = JpegEncoder::new_with_quality(&mut file, 95);
        encoder.set_exif_metadata(exif).expect("kept");
        encoder.write_image(&halves(400, 400), 400, 400, ExtendedColorType::Rgb8).expect("encoded");
        let image = shown(&square(&file).expect("a picture"));
        assert_eq!(colour(&image, 230, 20), "green", "the left top is the right top after a quarter turn");
        assert_eq!((colour(&image, 20, 20), colour(&image, 128, 230)), ("red", "blue"));
    }

    #[test]
    fn a_file_that_was_cut_off_is_damaged() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let whole = encoded(&halves(300, 300), format);
            for part in [whole.len() / 2, whole.len() * 9 / 10] {
                assert_eq!(square(&whole[..part]), Err(Unusable::Damaged), "{format:?} {part} of {}", whole.len());
            }
        }
    }

    #[test]
    fn a_jpeg_that_takes_too_much_work_is_refused() {
        let whole = encoded(&halves(64, 64), ImageFormat::Jpeg);
        let scan = whole.windows(2).position(|pair| pair == [0xff, 0xda]).expect("a scan");
        let (head, scan) = (&whole[..scan], &whole[scan..whole.len() - 2]);
        let with = |times: usize| [head, &scan.repeat(times), &[0xff, 0xd9], b"film \xff\xda"].concat();
        assert_eq!(jpeg_scans(&with(1)), Some(1));
        assert_eq!(jpeg_scans(&with(25)), Some(25));
        assert!(square(&with(1)).is_ok());
        assert_eq!(square(&with(25)), Err(Unusable::Damaged));
        // An end inside a comment is none.
        let hidden = [head, b"\xff\xfe\x00\x04\xff\xd9", &scan.repeat(25)].concat();
        assert_eq!(square(&hidden), Err(Unusable::Damaged));
    }

    #[test]
    fn other_kinds_are_refused_by_their_content() {
        let gif = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,";
        for file in [b"<svg xmlns='http://www.w3.org/2000/svg'/>".as_slice(), b"<!doctype html>", gif, b"", b"x", b"BM"]
        {
            assert_eq!(square(file), Err(Unusable::Kind));
        }
    }

    /// A PNG of these dimensions with next to no data.
    fn declared(width: u32, height: u32) -> Vec<u8> {
        let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut chunk = |name: &[u8], body: &[u8]| {
            file.extend(u32::try_from(body.len()).expect("short").to_be_bytes());
            let named = [name, body].concat();
            file.extend(&named);
            file.extend(crc(&named).to_be_bytes());
        };
        chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 6, 0, 0, 0]].concat());
        chunk(b"IDAT", &[0x78, 0x9c, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01]);
        chunk(b"IEND", &[]);
        file
    }

    fn crc(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 })
        })
    }

    #[test]
    fn more_pixels_than_are_read_are_refused_by_their_number() {
        for (width, height) in [(30_000, 30_000), (12_000, 12_000), (65_000, 1), (1, 65_000), (5_000, 5_000)] {
            assert_eq!(square(&declared(width, height)), Err(Unusable::Pixels), "{width} × {height}");
        }
        assert_eq!(square(&declared(400, 400)), Err(Unusable::Damaged), "few pixels, and they are missing");
        assert_eq!(square(&declared(0, 10)), Err(Unusable::Damaged));
    }
}
