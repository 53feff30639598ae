use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;
use std::thread;

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
    let queue = Queue::new(1 << 20, Idle::default());
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
    let queue = Queue::new(1 << 20, Idle::default());
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
    let queue = Queue::new(1 << 20, Idle::default());
    let mut moved = Appender::new(&queue, b"x");
    let before = std::mem::take(&mut moved.woken);
    assert!(moved.poll().is_none());
    frame(&queue).answer(Ok(1));
    assert_eq!((before.0.load(Ordering::SeqCst), moved.times_woken()), (0, 1));
}

#[test]
fn records_that_belong_together_are_in_one_frame_and_answered_once() {
    let queue = Queue::new(10, Idle::default());
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
    let queue = Queue::new(10, Idle::default());
    let _appenders: Vec<Appender> = (0..4).map(|_| Appender::new(&queue, b"1234")).collect();
    for _ in 0..2 {
        assert_eq!(frame::records(&frame(&queue).payload).unwrap().len(), 2);
    }
    assert!(matches!(queue.next(PATIENCE), Next::Nothing));
}

#[test]
fn when_the_writer_is_gone_nobody_waits_in_vain() {
    let queue = Queue::new(1 << 20, Idle::default());
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
    let queue = Queue::new(1 << 20, Idle::default());
    let _waiting = Appender::new(&queue, b"x");
    queue.close();
    assert!(queue.push(&[b"y".to_vec()]).is_err());
    assert_eq!(frame::records(&frame(&queue).payload).unwrap().len(), 1);
    assert!(matches!(queue.next(PATIENCE), Next::Closed));
}

/// A queue whose writer pauses for an hour if nothing ends the pause.
fn pausing(frame_bytes: usize) -> Arc<Queue> {
    Arc::new(Queue::new(frame_bytes, Idle::default()))
}

/// Lets a writer pause before it takes a frame, and returns once it does.
fn pauses(queue: &Arc<Queue>) -> thread::JoinHandle<Frame> {
    let waiting = Arc::clone(queue);
    let writer = thread::spawn(move || {
        let hour = Instant::now() + Duration::from_secs(3600);
        let mut state = waiting.pause(lock(&waiting.state), hour);
        state.frames.pop_front().unwrap()
    });
    while !lock(&queue.state).writer_pauses {
        assert!(!writer.is_finished(), "it does not pause");
        thread::yield_now();
    }
    writer
}

#[test]
fn while_it_pauses_a_frame_takes_more_records_until_it_is_full() {
    let queue = pausing(20);
    let first = Appender::new(&queue, b"x");
    let writer = pauses(&queue);
    let second = Appender::new(&queue, b"y");
    assert!(lock(&queue.state).writer_pauses);
    let third = Appender::new(&queue, b"more than twenty bytes");
    assert_eq!(frame::records(&writer.join().unwrap().payload).unwrap().len(), 3);
    drop((first, second, third));
}

#[test]
fn closing_ends_the_pause() {
    let queue = pausing(1 << 20);
    let alone = Appender::new(&queue, b"x");
    let writer = pauses(&queue);
    queue.close();
    assert_eq!(frame::records(&writer.join().unwrap().payload).unwrap().len(), 1);
    drop(alone);
}

#[test]
fn the_pause_grows_while_the_runtime_is_busy_and_shrinks_by_what_it_idles() {
    let micros = Duration::from_micros;
    let (mut pace, mut idled) = (Pace::default(), Duration::ZERO);
    assert_eq!(pace.pause(micros(200), idled), micros(0), "it does not tell");
    idled += micros(500);
    assert_eq!(pace.pause(micros(200), idled), micros(0));
    for expected in [50, 100, 150] {
        assert_eq!(pace.pause(micros(200), idled), micros(expected));
    }
    idled += micros(40);
    assert_eq!(pace.pause(micros(200), idled), micros(110));
    for _ in 0..20 {
        pace.pause(micros(200), idled);
    }
    assert_eq!(pace.pause(micros(200), idled), micros(600), "three times a frame");
    assert_eq!(pace.pause(micros(40_000), idled), micros(5_000), "whatever the disk takes");
    idled += micros(1_000_000);
    assert_eq!(pace.pause(micros(200), idled), micros(0), "nobody is there");
}

#[test]
fn only_sleep_counts_as_idle() {
    let idle = Idle::default();
    idle.wakes();
    idle.sleeps();
    idle.wakes();
    idle.sleeps();
    thread::sleep(Duration::from_millis(2));
    idle.wakes();
    let total = idle.total();
    assert!(total >= Duration::from_millis(2), "{total:?}");
    idle.wakes();
    assert_eq!(idle.total(), total);
}
