//! [`Client`]: a plain HTTP client. Its errors are [`HttpFailure`]s, which is all that recourse needs to judge them.

use crate::retry_after::retry_after;
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::header::{DATE, HeaderName, RETRY_AFTER};
use hyper::{Request, Response, body::Incoming};
use hyper_util::client::legacy::{Client as Http, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use recourse::HttpFailure;
use std::error::Error;
use std::net::SocketAddr;

#[derive(Clone)]
pub(crate) struct Client {
    http: Http<HttpConnector, Empty<Bytes>>,
    server: SocketAddr,
}

impl Client {
    pub(crate) fn new(server: SocketAddr) -> Self {
        // The client has a retry of its own, for connections that close before they are used. Both runs go without it.
        let http = Http::builder(TokioExecutor::new()).retry_canceled_requests(false).build_http();
        Client { http, server }
    }

    pub(crate) async fn get_user(&self, user: u32) -> Result<Bytes, HttpFailure> {
        self.get(&format!("/users/{user}")).await
    }

    pub(crate) async fn health(&self) -> Result<Bytes, HttpFailure> {
        self.get("/health").await
    }

    async fn get(&self, path: &str) -> Result<Bytes, HttpFailure> {
        let url = format!("http://{}{path}", self.server);
        let request = Request::get(url).body(Empty::new()).map_err(no_answer)?;
        let answer = self.http.request(request).await.map_err(no_answer)?;
        if answer.status().as_u16() >= 400 {
            return Err(failure(&answer));
        }
        let body = answer.into_body().collect().await.map_err(no_answer)?;
        Ok(body.to_bytes())
    }
}

fn no_answer(error: impl Error + Send + Sync + 'static) -> HttpFailure {
    HttpFailure::transport("GET").caused_by(error)
}

fn failure(answer: &Response<Incoming>) -> HttpFailure {
    let failure = HttpFailure::new(answer.status().as_u16(), "GET");
    let header = |name: HeaderName| answer.headers().get(name)?.to_str().ok();
    match header(RETRY_AFTER).and_then(|value| retry_after(value, header(DATE))) {
        Some(wait) => failure.retry_after(wait),
        None => failure,
    }
}
