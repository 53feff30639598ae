//! A call that has begun is finished, also when its client goes away in the midst of it.
//!
//! hyper drops a request's future when the connection ends. Dropped after the handler's commit, a
//! call would be done and never recorded; dropped during it, a cache could keep what the commit
//! replaced. So whatever is left then goes on as a task of its own.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// A future that runs to its end even if nobody waits for it any more.
pub(crate) struct Finish<F: Future<Output: Send> + Send + 'static>(Option<Pin<Box<F>>>);

impl<F: Future<Output: Send> + Send + 'static> Finish<F> {
    pub(crate) fn new(future: F) -> Self {
        Finish(Some(Box::pin(future)))
    }
}

impl<F: Future<Output: Send> + Send + 'static> Future for Finish<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let Some(future) = &mut self.0 else { return Poll::Pending };
        let done = future.as_mut().poll(context);
        if done.is_ready() {
            self.0 = None;
        }
        done
    }
}

impl<F: Future<Output: Send> + Send + 'static> Drop for Finish<F> {
    fn drop(&mut self) {
        let Some(future) = self.0.take() else { return };
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(future);
        }
    }
}
