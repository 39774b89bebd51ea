//! The page for developers that shows every component of the stylesheet in both themes side by side. Only development
//! builds serve it; its words are for developers and stand in the template.

use super::assets::{self, File};
use super::error::PageError;
use super::page::Page as _;
use super::site::Site;
use askama::Template;
use axum::Router;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use http::HeaderValue;
use http::header::CONTENT_TYPE;
use std::sync::Arc;

/// The page.
pub const COMPONENTS: &str = "/dev/components";
const THEMES: &str = "/dev/themes.css";

/// Routes of development builds; none in others.
pub fn routes() -> Router<Arc<Site>> {
    if cfg!(debug_assertions) {
        Router::new().route(COMPONENTS, get(components)).route(THEMES, get(themes))
    } else {
        Router::new()
    }
}

#[derive(Template)]
#[template(path = "dev/components.html")]
struct ComponentsPage {
    stylesheet: &'static str,
    themes: &'static str,
    logo: &'static str,
}

async fn components() -> Result<Response, PageError> {
    let page = ComponentsPage {
        stylesheet: assets::path_of(File::Stylesheet),
        themes: THEMES,
        logo: assets::path_of(File::Logo),
    };
    Ok(Html(page.html()?).into_response())
}

/// The tokens of each theme for a part of a page, whatever the browser prefers.
async fn themes() -> Response {
    let stylesheet = assets::find(assets::path_of(File::Stylesheet)).map(|asset| asset.bytes.clone());
    let css = stylesheet.and_then(|bytes| themed(std::str::from_utf8(&bytes).ok()?)).unwrap_or_default();
    ([(CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))], css).into_response()
}

fn themed(stylesheet: &str) -> Option<String> {
    let (before, after) = stylesheet.split_once("@media (prefers-color-scheme: dark) {")?;
    let tokens = |part: &str| Some(part.split_once(":root {")?.1.split_once('}')?.0.to_owned());
    let (light, dark) = (tokens(before)?, tokens(after)?);
    let frame = "background:var(--ground);color:var(--ink);padding:1.5rem;flex:1 1 22rem;min-inline-size:0";
    Some(format!(
        ".themes{{display:flex;flex-wrap:wrap}}.theme>*+*{{margin-block-start:1rem}}\n\
         .light{{{light}color-scheme:light;{frame}}}\n.dark{{{dark}color-scheme:dark;{frame}}}\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn stylesheet() -> String {
        let asset = assets::find(assets::path_of(File::Stylesheet)).expect("served");
        String::from_utf8(asset.bytes.to_vec()).expect("text")
    }

    #[test]
    fn both_themes_get_their_own_tokens() {
        let css = themed(&stylesheet()).expect("two themes");
        for theme in [".light{", ".dark{"] {
            let rule = css.split_once(theme).expect("a rule").1.split_once('}').expect("its end").0;
            assert!(rule.contains("--accent:") && rule.contains("--good-soft:"), "{theme} {rule}");
        }
    }

    #[test]
    fn every_component_of_the_stylesheet_is_shown() {
        let page = include_str!("templates/dev/components.html");
        let shown: BTreeSet<_> = page
            .split("class=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .flat_map(str::split_whitespace)
            .collect();
        // What frames whole pages is seen on them.
        let frames = ["account", "entry", "room", "rooms", "nav", "own"];
        for line in stylesheet().lines().filter(|line| line.contains('.') && line.ends_with(['{', ','])) {
            for piece in line.split('.').skip(1) {
                let name: String = piece.chars().take_while(|c| c.is_ascii_lowercase() || *c == '-').collect();
                let fine = name.is_empty() || frames.contains(&name.as_str()) || shown.contains(name.as_str());
                assert!(fine, ".{name} is not on the page of components");
            }
        }
    }
}
