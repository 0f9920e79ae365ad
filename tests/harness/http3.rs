//! HTTP/3, with a certificate that the client takes from the test.

use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use h3::client::SendRequest;
use h3_quinn::OpenStreams;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::CertificateDer;
use tokio::runtime;
use tokio::time::timeout;

use crate::request::Request;
use crate::response::Response;
use crate::tls;
use crate::wait::patience;

/// Sends all `requests` at once on one connection; the responses come in the order of the requests.
pub(crate) fn exchange(port: u16, certificate: &CertificateDer<'static>, requests: &[Request]) -> Vec<Response> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            timeout(patience(), exchange_all(port, certificate, requests))
                .await
                .expect("an answer in time")
        })
}

async fn exchange_all(port: u16, certificate: &CertificateDer<'static>, requests: &[Request]) -> Vec<Response> {
    let mut endpoint = quinn::Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("a free port");
    endpoint.set_default_client_config(client(certificate));
    let connection = endpoint
        .connect((Ipv4Addr::LOCALHOST, port).into(), "localhost")
        .expect("a valid name")
        .await
        .expect("a listening port");
    let (mut driver, sender) = h3::client::new(h3_quinn::Connection::new(connection))
        .await
        .expect("HTTP/3");
    let driver = tokio::spawn(async move { driver.wait_idle().await });
    let pending: Vec<_> = requests
        .iter()
        .map(|request| tokio::spawn(send(sender.clone(), request.clone())))
        .collect();
    let mut responses = Vec::new();
    for response in pending {
        responses.push(response.await.expect("a response"));
    }
    drop(sender);
    driver.abort();
    endpoint.close(0u32.into(), b"");
    endpoint.wait_idle().await;
    responses
}

fn client(certificate: &CertificateDer<'static>) -> quinn::ClientConfig {
    let mut tls = tls::trusting(certificate, &[&rustls::version::TLS13]).with_no_client_auth();
    tls.alpn_protocols = vec![b"h3".to_vec()];
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).expect("a cipher for QUIC")))
}

async fn send(mut sender: SendRequest<OpenStreams, Bytes>, request: Request) -> Response {
    let head = request.to_http("https");
    let mut stream = sender
        .send_request(head)
        .await
        .expect("a request that HTTP/3 can carry");
    if !request.body.is_empty() {
        stream
            .send_data(Bytes::from(request.body))
            .await
            .expect("an open stream");
    }
    stream.finish().await.expect("an open stream");
    let head = stream.recv_response().await.expect("a response");
    let mut body = Vec::new();
    while let Some(mut data) = stream.recv_data().await.expect("a body") {
        body.extend_from_slice(&data.copy_to_bytes(data.remaining()));
    }
    Response::from_http(&head, body)
}
