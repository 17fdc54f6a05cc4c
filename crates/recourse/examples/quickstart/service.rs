//! [`Service`]: a real HTTP service on a loopback port. What goes wrong in it is up to [`fate`].

use crate::trouble::{Fate, fate};
use anyhow::Context;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{DATE, RETRY_AFTER};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

pub(crate) struct Service {
    listener: TcpListener,
    address: SocketAddr,
    day: Arc<Mutex<Day>>,
}

/// Since when the load is coming in, and the calls so far by user.
struct Day {
    began: Instant,
    calls: HashMap<u32, u32>,
}

impl Service {
    /// Takes a free port.
    pub(crate) async fn listen() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.context("the service can't listen on a port of 127.0.0.1")?;
        let address = listener.local_addr()?;
        Ok(Service { listener, address, day: Arc::new(Mutex::new(Day::new())) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts anew: every call meets its fate again.
    pub(crate) fn begin_day(&self) {
        *self.day.lock() = Day::new();
    }

    /// The calls for each user that have arrived since the day began.
    pub(crate) fn calls(&self) -> HashMap<u32, u32> {
        self.day.lock().calls.clone()
    }

    /// Serves until the port breaks.
    pub(crate) async fn serve(&self) -> anyhow::Result<()> {
        loop {
            let (stream, _) = self.listener.accept().await.context("the service's port is broken")?;
            let day = self.day.clone();
            let answer = service_fn(move |request| answer(request, day.clone()));
            tokio::spawn(async move {
                // An error here is a call that the service hung up on, or one that its caller did.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    }
}

impl Day {
    fn new() -> Self {
        Day { began: Instant::now(), calls: HashMap::new() }
    }

    /// Counts a call and says what becomes of it.
    fn call(&mut self, user: u32) -> Fate {
        let nth = self.calls.entry(user).or_default();
        *nth += 1;
        fate(user, *nth, self.began.elapsed())
    }
}

/// Answers a call; an error closes the connection instead.
async fn answer(request: Request<Incoming>, day: Arc<Mutex<Day>>) -> anyhow::Result<Response<Full<Bytes>>> {
    let path = request.uri().path();
    let Some(user) = path.strip_prefix("/users/").and_then(|user| user.parse().ok()) else {
        let status = if path == "/health" { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
        return Ok(Response::builder().status(status).body(Full::default())?);
    };
    let fate = day.lock().call(user);
    let answer = Response::builder();
    let busy = StatusCode::SERVICE_UNAVAILABLE;
    Ok(match fate {
        Fate::HangUp => anyhow::bail!("hung up"),
        Fate::Busy => answer.status(busy).body(Full::default()),
        Fate::BusyForASecond => answer.status(busy).header(RETRY_AFTER, 1).body(Full::default()),
        Fate::BusyUntil => {
            let now = calendar();
            let free = now + Duration::from_secs(1);
            let (now, free) = (httpdate::fmt_http_date(now), httpdate::fmt_http_date(free));
            answer.status(busy).header(DATE, now).header(RETRY_AFTER, free).body(Full::default())
        }
        Fate::Answer(after) => {
            sleep(after).await;
            answer.body(Full::from(format!("user {user}")))
        }
    }?)
}

#[expect(clippy::disallowed_methods, reason = "a date in a header is the calendar's")]
fn calendar() -> SystemTime {
    SystemTime::now()
}
