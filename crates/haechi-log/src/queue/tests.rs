use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use super::*;

const PATIENCE: Duration = Duration::from_millis(1);

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// An appender that has been polled once.
struct Appender {
    woken: Arc<Woken>,
    written: Written,
}

impl Appender {
    fn new(queue: &Queue, record: &[u8]) -> Appender {
        let mut appender =
            Appender { woken: Arc::default(), written: queue.push(&[record.to_vec()]).unwrap() };
        assert!(appender.poll().is_none());
        appender
    }

    fn poll(&mut self) -> Option<Result<Position, LogError>> {
        let waker = Waker::from(Arc::clone(&self.woken));
        match Pin::new(&mut self.written).poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(outcome) => Some(outcome),
            Poll::Pending => None,
        }
    }

    fn times_woken(&self) -> usize {
        self.woken.0.load(Ordering::SeqCst)
    }
}

fn frame(queue: &Queue) -> Frame {
    match queue.next(PATIENCE) {
        Next::Frame(frame) => frame,
        Next::Nothing | Next::Closed => panic!("nothing waits"),
    }
}

#[test]
fn the_writer_wakes_one_and_that_one_wakes_the_others() {
    let queue = Queue::new(1 << 20, Pace::new(2));
    let mut appenders: Vec<Appender> = (0..3).map(|_| Appender::new(&queue, b"x")).collect();
    let taken = frame(&queue);
    assert_eq!(frame::records(&taken.payload).unwrap().len(), 3);
    queue.give_back(taken.answer(Ok(7)));
    let woken: Vec<usize> = appenders.iter().map(Appender::times_woken).collect();
    assert_eq!(woken, [1, 0, 0]);
    for (index, appender) in (0..).zip(&mut appenders) {
        assert_eq!(appender.poll().unwrap().unwrap(), Position { frame: 7, index });
        assert_eq!(appender.times_woken(), usize::from(index < 3));
    }
}

#[test]
fn one_that_is_gone_leaves_nobody_behind() {
    let queue = Queue::new(1 << 20, Pace::new(2));
    for gone_before_the_answer in [true, false] {
        let (first, mut second) = (Appender::new(&queue, b"x"), Appender::new(&queue, b"y"));
        let taken = frame(&queue);
        if gone_before_the_answer {
            drop(first);
            taken.answer(Ok(1));
        } else {
            taken.answer(Ok(1));
            // Woken, and dropped before it was polled.
            assert_eq!(second.times_woken(), 0);
            drop(first);
        }
        assert_eq!(second.times_woken(), 1);
        assert_eq!(second.poll().unwrap().unwrap(), Position { frame: 1, index: 1 });
    }
}

#[test]
fn one_that_moves_to_another_task_is_woken_there() {
    let queue = Queue::new(1 << 20, Pace::new(2));
    let mut moved = Appender::new(&queue, b"x");
    let before = std::mem::take(&mut moved.woken);
    assert!(moved.poll().is_none());
    frame(&queue).answer(Ok(1));
    assert_eq!((before.0.load(Ordering::SeqCst), moved.times_woken()), (0, 1));
}

#[test]
fn records_that_belong_together_are_in_one_frame_and_answered_once() {
    let queue = Queue::new(10, Pace::new(2));
    let together = [b"1234".to_vec(), b"5678".to_vec(), b"90".to_vec()];
    let written = queue.push(&together).unwrap();
    let mut appender = Appender { woken: Arc::default(), written };
    assert!(appender.poll().is_none());
    let mut behind = Appender::new(&queue, b"x");
    let first = frame(&queue);
    assert_eq!(frame::records(&first.payload).unwrap(), together);
    first.answer(Ok(1));
    assert_eq!(appender.poll().unwrap().unwrap(), Position { frame: 1, index: 2 });
    assert_eq!((appender.times_woken(), behind.times_woken()), (1, 0));
    frame(&queue).answer(Ok(2));
    assert_eq!(behind.poll().unwrap().unwrap(), Position { frame: 2, index: 0 });
}

#[test]
fn a_frame_that_is_full_is_followed_by_another() {
    let queue = Queue::new(10, Pace::new(2));
    let _appenders: Vec<Appender> = (0..4).map(|_| Appender::new(&queue, b"1234")).collect();
    for _ in 0..2 {
        assert_eq!(frame::records(&frame(&queue).payload).unwrap().len(), 2);
    }
    assert!(matches!(queue.next(PATIENCE), Next::Nothing));
}

#[test]
fn when_the_writer_is_gone_nobody_waits_in_vain() {
    let queue = Queue::new(1 << 20, Pace::new(2));
    let mut in_hand = Appender::new(&queue, b"x");
    drop(frame(&queue));
    let mut waiting = Appender::new(&queue, b"y");
    queue.abandon();
    for appender in [&mut in_hand, &mut waiting] {
        assert_eq!(appender.times_woken(), 1);
        assert!(matches!(appender.poll(), Some(Err(LogError::Closed))));
    }
    assert!(matches!(queue.push(&[b"z".to_vec()]), Err(LogError::Closed)));
    assert!(matches!(queue.next(PATIENCE), Next::Closed));
}

#[test]
fn what_waits_when_it_is_closed_is_still_written() {
    let queue = Queue::new(1 << 20, Pace::new(2));
    let _waiting = Appender::new(&queue, b"x");
    queue.close();
    assert!(queue.push(&[b"y".to_vec()]).is_err());
    assert_eq!(frame::records(&frame(&queue).payload).unwrap().len(), 1);
    assert!(matches!(queue.next(PATIENCE), Next::Closed));
}
