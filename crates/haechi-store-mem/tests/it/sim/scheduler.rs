//! Tasks, polled one at a time; chance decides which goes on.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, Waker},
};

type Task = Pin<Box<dyn Future<Output = ()>>>;

/// Pseudo-random numbers from a seed, and the tasks. Clones share both.
#[derive(Clone)]
pub struct Scheduler {
    state: Rc<Cell<u64>>,
    born: Rc<RefCell<Vec<Task>>>,
}

impl Scheduler {
    pub fn new(seed: u64) -> Scheduler {
        Scheduler { state: Rc::new(Cell::new(seed)), born: Rc::default() }
    }

    /// SplitMix64.
    pub fn random(&self, below: u64) -> u64 {
        let state = self.state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.state.set(state);
        let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % below
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.born.borrow_mut().push(Box::pin(task));
    }

    /// Lets others go on, up to `most` times.
    pub async fn pause(&self, most: u64) {
        let mut left = self.random(most + 1);
        poll_fn(|_| {
            if left == 0 {
                return Poll::Ready(());
            }
            left -= 1;
            Poll::Pending
        })
        .await;
    }

    /// Polls until no task is left, `steps` times at the most; how many it took.
    pub fn run(&self, steps: u64) -> u64 {
        let mut tasks: Vec<Task> = Vec::new();
        for step in 0..steps {
            tasks.append(&mut self.born.borrow_mut());
            if tasks.is_empty() {
                return step;
            }
            let index = self.random(tasks.len() as u64) as usize;
            let mut context = Context::from_waker(Waker::noop());
            if tasks[index].as_mut().poll(&mut context).is_ready() {
                drop(tasks.swap_remove(index));
            }
        }
        panic!("the schedule has no end after {steps} steps");
    }
}
