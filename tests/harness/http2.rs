//! HTTP/2 in clear text, with prior knowledge.

use std::net::Ipv4Addr;

use bytes::Bytes;
use h2::client::{self, ResponseFuture};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::time::timeout;

use crate::request::Request;
use crate::response::Response;
use crate::wait::patience;

/// Sends all `requests` at once on one connection; the responses come in the order of the requests.
pub(crate) fn exchange(port: u16, requests: &[Request]) -> Vec<Response> {
    runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            timeout(patience(), exchange_all(port, requests))
                .await
                .expect("an answer in time")
        })
        .expect("an exchange in HTTP/2")
}

async fn exchange_all(port: u16, requests: &[Request]) -> Result<Vec<Response>, h2::Error> {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))
        .await
        .expect("a listening port");
    let (sender, connection) = client::handshake(stream).await?;
    let driver = tokio::spawn(connection);
    let mut sender = sender.ready().await?;
    let mut pending = Vec::new();
    for request in requests {
        let (response, mut body) = sender.send_request(request.to_http("http"), request.body.is_empty())?;
        if !request.body.is_empty() {
            body.send_data(Bytes::from(request.body.clone()), true)?;
        }
        pending.push(response);
    }
    let mut responses = Vec::new();
    for response in pending {
        responses.push(read(response).await?);
    }
    driver.abort();
    Ok(responses)
}

async fn read(response: ResponseFuture) -> Result<Response, h2::Error> {
    let (head, mut stream) = response.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        body.extend_from_slice(&data);
        stream.flow_control().release_capacity(data.len())?;
    }
    Ok(Response::from_http(&http::Response::from_parts(head, ()), body))
}
