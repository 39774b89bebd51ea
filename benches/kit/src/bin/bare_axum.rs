//! The reference of all CPU ratios: axum and one handler that answers 200 to everything, on the address given.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:18081".to_owned());
    let router = Router::new().route("/verify", get(|| async { "ok" }));
    let listener = TcpListener::bind(address).await?;
    axum::serve(listener, router).await
}
