//! Where a request came from.

use std::net::IpAddr;

use actix_web::HttpRequest;

/// The client's address: the peer's, or behind proxies that the operator named, the last one in
/// `X-Forwarded-For` that is not itself such a proxy.
///
/// Whatever stands before that in the header was written by the client and proves nothing.
pub fn client_address(request: &HttpRequest, is_proxy: impl Fn(IpAddr) -> bool) -> String {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else {
        return "unknown".to_owned();
    };
    let mut address = peer.to_canonical();
    let forwarded = request.headers().get_all("x-forwarded-for");
    let hops: Vec<&str> =
        forwarded.filter_map(|value| value.to_str().ok()).flat_map(|v| v.split(',')).collect();
    for hop in hops.into_iter().rev() {
        if !is_proxy(address) {
            break;
        }
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        address = hop.to_canonical();
    }
    address.to_string()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_named_proxy_is_believed_and_only_for_its_own_hop() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        for (peer, header, expected) in [
            ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.66, 198.51.100.7", "198.51.100.7"),
            ("10.0.0.1", "198.51.100.7, 10.0.0.1", "198.51.100.7"),
            ("10.0.0.1", "rubbish", "10.0.0.1"),
            ("10.0.0.1", "", "10.0.0.1"),
        ] {
            let request = TestRequest::default()
                .peer_addr(format!("{peer}:1234").parse().unwrap())
                .insert_header(("x-forwarded-for", header))
                .to_http_request();

            let address = client_address(&request, |address| address == proxy);

            assert_eq!(address, expected, "{peer} {header}");
        }
    }
}
