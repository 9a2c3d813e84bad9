//! The stylesheet and the icon: compiled in, nothing comes from elsewhere.

use std::sync::LazyLock;

use actix_web::{
    HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE},
    web::{self, ServiceConfig},
};
use aws_lc_rs::digest;

use crate::domain::secret::hexadecimal;

const STYLESHEET: &str = include_str!("../../templates/assets/portico.css");
const ICON: &str = include_str!("../../templates/assets/favicon.svg");

static STYLESHEET_PATH: LazyLock<String> = LazyLock::new(|| {
    let hash = digest::digest(&digest::SHA256, STYLESHEET.as_bytes());
    format!("/assets/portico-{}.css", hexadecimal(&hash.as_ref()[..8]))
});

/// Where the stylesheet lies: `/assets/portico-{hash}.css`, the hash being that of its content.
pub fn stylesheet_path() -> &'static str {
    &STYLESHEET_PATH
}

/// `GET /assets/portico-{hash}.css` and `GET /favicon.svg`.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/assets/portico-{hash:[0-9a-f]+}.css")
                .route(web::get().to(stylesheet))
                .route(web::head().to(stylesheet)),
        )
        .service(
            web::resource("/favicon.svg").route(web::get().to(icon)).route(web::head().to(icon)),
        );
}

/// `GET /assets/portico-{hash}.css`.
///
/// While nodes are being updated, a page of one node may ask another for a hash that it has not:
/// it gets this node's stylesheet, not to be kept.
async fn stylesheet(request: actix_web::HttpRequest) -> HttpResponse {
    let caching = if request.path() == stylesheet_path() {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    asset("text/css; charset=utf-8", caching, STYLESHEET)
}

async fn icon() -> HttpResponse {
    asset("image/svg+xml", "public, max-age=86400", ICON)
}

fn asset(kind: &'static str, caching: &'static str, body: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, caching))
        .body(body)
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App,
        test::{TestRequest, call_service, init_service},
    };

    use super::*;

    async fn caching_of(path: &str) -> String {
        let app = init_service(App::new().configure(routes)).await;
        let request = TestRequest::get().uri(path).to_request();
        let answer = call_service(&app, request).await;
        let value = answer.headers().get(CACHE_CONTROL).map(|value| value.to_str().unwrap());
        value.unwrap_or_default().to_owned()
    }

    #[actix_web::test]
    async fn the_stylesheet_is_kept_for_ever_under_its_own_hash_only() {
        assert!(caching_of(stylesheet_path()).await.ends_with("immutable"));
        assert_eq!(caching_of("/assets/portico-0123456789abcdef.css").await, "no-cache");
    }

    #[test]
    fn neither_asset_names_another_host() {
        for asset in [STYLESHEET, ICON] {
            let asset = asset.replace("http://www.w3.org/2000/svg", "");
            assert!(!asset.contains("//") && !asset.contains("@import"), "{asset}");
        }
    }
}
