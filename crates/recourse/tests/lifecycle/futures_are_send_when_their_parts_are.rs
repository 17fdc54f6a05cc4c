//! Shapes of operations that must compile: spawned ones that borrow, unsendable ones, mutable ones, unboxed ones.
//!
//! Where the compiler must say no, a `compile_fail` example in the manual of `Call` records it.

use crate::scene::{KEY, Scene, built, ms, plain};
use recourse::{Attempt, Call, Error, Executor, Handle, KeyRef, Policy};
use recourse_test::{Script, ScriptedError, VirtualTime, expect};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::rc::Rc;

fn send<F: Future + Send>(call: F) -> F {
    call
}

/// A client as tasks own one.
#[derive(Default)]
struct Client {
    name: String,
    calls: std::sync::atomic::AtomicU32,
}

impl Client {
    async fn get(&self, id: &str) -> io::Result<String> {
        let call = self.calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        tokio::task::yield_now().await;
        if call < 2 { Err(io::Error::other("busy")) } else { Ok(format!("{} {id}", self.name)) }
    }
}

#[tokio::test]
async fn a_spawned_call_may_borrow_locals_of_its_task() {
    let time = VirtualTime::new();
    let policy = plain().backoff(ms(1), ms(1)).hedge_after(ms(500)).overall_timeout(ms(60_000));
    let executor = built(Executor::builder().clock(time).sleeper(NextTurn).policy(KEY, policy));
    let task = tokio::spawn(async move {
        let client = Client { name: "user".to_owned(), ..Client::default() };
        let id = String::from("7");
        let user = executor.run(KEY, |_| client.get(&id)).await?;
        let (again, timeline) =
            executor.call(KEY).idempotent(true).run_captured(|_| async { client.get(&id).await }).await;
        expect(&timeline).success().attempts(1);
        let handle = executor.handle(KEY).map_err(io::Error::other)?;
        let by_handle = handle.run(|_| client.get(&id)).await?;
        Ok::<_, anyhow::Error>((user, again?, by_handle, client.name))
    });
    let (user, again, by_handle, name) = task.await.unwrap().unwrap();
    assert_eq!([user, again, by_handle], ["user 7"; 3]);
    assert_eq!(name, "user");
}

/// A sleep is over when the task has its next turn.
struct NextTurn;

#[async_trait::async_trait]
impl recourse::Sleeper for NextTurn {
    async fn sleep(&self, _: std::time::Duration) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_spawned_call_may_borrow_a_mutable_state_of_its_task() {
    let executor = built(Executor::builder().sleeper(NextTurn).policy(KEY, plain()));
    let task = tokio::spawn(async move {
        let mut buffer = Vec::new();
        let read = executor
            .run_with(KEY, &mut buffer, |buffer, attempt| {
                Box::pin(async move {
                    buffer.push(attempt.index());
                    tokio::task::yield_now().await;
                    if buffer.len() < 3 { Err(io::Error::other("short read")) } else { Ok(buffer.len()) }
                })
            })
            .await;
        let read = read?;
        Ok::<_, Error<io::Error>>((read, buffer))
    });
    assert_eq!(task.await.unwrap().unwrap(), (3, vec![0, 1, 2]));
}

#[tokio::test]
async fn the_twin_is_send_when_its_closure_owns_its_captures() {
    let executor = built(Executor::builder().sleeper(NextTurn).policy(KEY, plain()));
    let task = tokio::spawn(async move {
        let mut tries = Vec::new();
        executor
            .run_mut(KEY, async move |attempt: Attempt| {
                tries.push(attempt.index());
                tokio::task::yield_now().await;
                if tries.len() < 2 { Err(io::Error::other("busy")) } else { Ok(tries.clone()) }
            })
            .await
    });
    assert_eq!(task.await.unwrap().unwrap(), [0, 1]);
}

#[test]
fn an_operation_may_hold_what_is_not_send_on_a_single_threaded_executor() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(10)).max_hedges(3));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let call = executor.run(KEY, |attempt| {
        let (seen, time) = (Rc::clone(&seen), &scene.time);
        async move {
            seen.borrow_mut().push(attempt.hedge_index());
            time.wait(ms(25)).await;
            Ok::<_, io::Error>(seen)
        }
    });
    let value: Rc<_> = scene.time.run(call).unwrap();
    assert_eq!(*value.borrow(), [0, 1, 2]);

    let counter = Cell::new(0);
    let call = executor.run(KEY, |_| {
        counter.set(counter.get() + 1);
        async { if counter.get() < 3 { Err(io::Error::other("again")) } else { Ok(counter.get()) } }
    });
    assert_eq!(scene.time.run(call).unwrap(), 3);
}

#[test]
fn the_twin_borrows_its_captures_mutably_and_runs_unhedged() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(10)).max_hedges(3));
    let mut buffer = String::new();
    let call = executor.call(KEY).run_mut_captured(async |attempt| {
        buffer.push('x');
        scene.time.wait(ms(100)).await;
        if attempt.index() < 2 { Err(io::Error::other("again")) } else { Ok(buffer.len()) }
    });
    let (result, timeline) = scene.time.run(call);
    assert_eq!(result.unwrap(), 3);
    assert_eq!(buffer, "xxx");
    expect(&timeline).success().attempts(3).hedges(0).attribute("hedging", "off_one_at_a_time").took(ms(330));

    let mut tries = 0;
    let call = executor.call(KEY).run_with_captured(&mut tries, |tries, _| {
        Box::pin(async move {
            *tries += 1;
            Ok::<_, io::Error>(*tries)
        })
    });
    let (result, timeline) = scene.time.run(call);
    assert_eq!((result.unwrap(), tries), (1, 1));
    expect(&timeline).success().attribute("hedging", "off_one_at_a_time");
}

#[test]
fn the_twin_of_a_policy_that_does_not_hedge_says_nothing_of_hedging() {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let (_, timeline) = scene.time.run(executor.call(KEY).run_mut_captured(async |_| Ok::<_, io::Error>(7)));
    expect(&timeline).success().no_attribute("hedging");
}

#[test]
fn four_futures_of_one_closure_may_live_at_once_and_borrow() {
    let scene = Scene::new();
    let executor = scene.executor(plain().hedge_after(ms(10)).max_hedges(3));
    let operation = Script::never().then_never().then_never().then_ok(7).takes(ms(5)).on(&scene.time);
    let prefix = String::from("user");
    let call = send(executor.run(KEY, |attempt| {
        let (operation, prefix) = (&operation, &prefix);
        async move {
            let number = operation.call(attempt).await?;
            Ok::<_, ScriptedError>(format!("{prefix} {number}"))
        }
    }));
    assert_eq!(scene.time.run(call).unwrap(), "user 7");
    assert_eq!((operation.max_in_flight(), operation.dropped(), operation.in_flight()), (4, 3, 0));
    assert_eq!(prefix, "user");
}

#[test]
fn keys_may_be_written_in_every_way() {
    const CONST: recourse::Key = recourse::Key::from_static("payments.Charge");
    static STATIC: recourse::Key = recourse::Key::from_static("payments.Charge");
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let operation = Script::ok(7).on(&scene.time);
    let built = String::from("  payments . Charge ");
    let keys: [KeyRef<'_>; 5] =
        [KEY.into(), (&built).into(), built.as_str().into(), CONST.into(), (&STATIC).into()];
    for key in keys {
        let call = send(executor.run(key, |attempt| operation.call(attempt)));
        assert_eq!(scene.time.run(call).ok(), Some(7));
    }
    assert_eq!(executor.key_count(), 1);
}

/// Every public future is `Send` for a sendable operation; this compiles or it doesn't.
#[test]
fn every_way_to_run_is_send() {
    let scene = Scene::new();
    let executor = scene.executor(plain());
    let handle: Handle = executor.handle(KEY).unwrap();
    let operation = Script::ok(7).on(&scene.time);
    let call = || -> Call<'_> { executor.call(KEY) };
    let mut state = 0;
    let results = [
        scene.time.run(send(executor.run(KEY, |attempt| operation.call(attempt)))),
        scene.time.run(send(handle.run(|attempt| operation.call(attempt)))),
        scene.time.run(send(handle.call().run(|attempt| operation.call(attempt)))),
        scene.time.run(send(call().run_captured(|attempt| operation.call(attempt)))).0,
        scene
            .time
            .run(send(executor.run_with(KEY, &mut state, |_, attempt| Box::pin(operation.call(attempt))))),
        scene
            .time
            .run(send(call().run_with_captured(&mut state, |_, attempt| Box::pin(operation.call(attempt)))))
            .0,
        scene.time.run(send(recourse::run("a.b", |attempt| operation.call(attempt)))),
        scene.time.run(send(recourse::call("a.b").run(|attempt| operation.call(attempt)))),
    ];
    assert!(results.iter().all(|result| result.as_ref().is_ok_and(|value| *value == 7)), "{results:?}");
}

/// Is there for every type, and twice for a sendable one: naming it without `A` compiles only if `T` is not `Send`.
trait UnlessSend<A> {
    fn holds(&self) -> bool {
        true
    }
}

impl<T: ?Sized> UnlessSend<()> for T {}
impl<T: ?Sized + Send> UnlessSend<u8> for T {}

#[test]
fn a_call_is_not_send_where_a_part_of_it_is_not() {
    let executor: Executor = built(Executor::builder().default_policy(Policy::new()));
    let shared = Rc::new(7);
    let closure = executor.run(KEY, |_| async { Ok::<_, io::Error>(*shared) });
    let value = executor.run(KEY, |_| async { Ok::<_, io::Error>(Rc::new(7)) });
    assert!(UnlessSend::holds(&closure) && UnlessSend::holds(&value));
}
