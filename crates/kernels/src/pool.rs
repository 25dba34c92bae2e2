//! Threads that stand ready for one parallel region after the other.
//!
//! A decode step is some two hundred short regions, so a worker spins a little before it parks, and
//! each thread is told its number and takes the part that belongs to it: nothing is stolen.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use crate::error::{Error, Result};

/// Turns of a waiting loop before a worker parks: some tens of microseconds, the gap between two regions.
const SPINS: usize = 4_000;

/// What a region runs on each thread: it is given the thread's number.
type Region<'a> = dyn Fn(usize) + Sync + 'a;

pub(crate) struct Pool {
    shared: Arc<Shared>,
    workers: Vec<JoinHandle<()>>,
    /// Held for the length of a region: callers on several threads take turns.
    turn: Mutex<()>,
}

struct Shared {
    /// Counts regions; a worker that sees it move takes `region`.
    generation: AtomicUsize,
    /// Workers that have not finished the current region.
    pending: AtomicUsize,
    parked: AtomicUsize,
    stop: AtomicBool,
    /// The current region. A pointer without its lifetime: see `Pool::run`.
    region: Mutex<Option<RegionPointer>>,
    wake: Condvar,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

#[derive(Clone, Copy)]
struct RegionPointer(*const Region<'static>);

// SAFETY: the pointee is `Sync`, and `Pool::run` keeps it alive until every worker is done with it.
unsafe impl Send for RegionPointer {}

/// A mutex here guards plain values that are whole at every moment, so a panic elsewhere does not spoil them.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// A pool of `n_threads` threads, the caller's being one of them.
    pub fn new(n_threads: usize) -> Result<Self> {
        let shared = Arc::new(Shared {
            generation: AtomicUsize::new(0),
            pending: AtomicUsize::new(0),
            parked: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
            region: Mutex::new(None),
            wake: Condvar::new(),
            panic: Mutex::new(None),
        });
        let mut pool = Self { shared, workers: Vec::new(), turn: Mutex::new(()) };
        for index in 1..n_threads {
            let shared = Arc::clone(&pool.shared);
            let worker = thread::Builder::new()
                .name(format!("kernels-{index}"))
                .spawn(move || work(&shared, index))
                .map_err(|e| {
                    Error::resources(format!(
                        "cannot start thread {index} of {n_threads}: {e}; use fewer threads"
                    ))
                })?;
            pool.workers.push(worker);
        }
        Ok(pool)
    }

    pub fn n_threads(&self) -> usize {
        self.workers.len() + 1
    }

    /// Calls `region(i)` once on each thread, i = 0..n_threads, and returns when all have returned.
    ///
    /// A panic in any of them is raised again here, after all have returned. Must not be called from a region.
    pub fn run(&self, region: &Region<'_>) {
        let _turn = lock(&self.turn);
        if self.workers.is_empty() {
            region(0);
            return;
        }
        let shared = &*self.shared;
        // SAFETY: only the lifetime is dropped. The pointer is used by workers between the moment the
        // generation moves and the moment each has decremented `pending`; this function waits for
        // `pending` to be zero before it returns or unwinds, so `region` outlives every use.
        let pointer = unsafe { std::mem::transmute::<&Region<'_>, &'static Region<'static>>(region) };
        *lock(&shared.region) = Some(RegionPointer(pointer));
        shared.pending.store(self.workers.len(), Ordering::SeqCst);
        shared.generation.fetch_add(1, Ordering::SeqCst);
        // A worker counts itself as parked before it looks at the generation for the last time, and both
        // are sequentially consistent: either it sees the new generation or we see it parked.
        if shared.parked.load(Ordering::SeqCst) > 0 {
            let _guard = lock(&shared.region);
            shared.wake.notify_all();
        }
        let own = catch_unwind(AssertUnwindSafe(|| region(0)));
        let mut spins = 0;
        while shared.pending.load(Ordering::Acquire) > 0 {
            spins += 1;
            if spins < SPINS { std::hint::spin_loop() } else { thread::yield_now() }
        }
        *lock(&shared.region) = None;
        let theirs = lock(&shared.panic).take();
        if let Err(payload) = own {
            resume_unwind(payload);
        }
        if let Some(payload) = theirs {
            resume_unwind(payload);
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        {
            let _guard = lock(&self.shared.region);
            self.shared.wake.notify_all();
        }
        for worker in self.workers.drain(..) {
            // A worker catches the panics of regions, so there is nothing to report here.
            let _ = worker.join();
        }
    }
}

fn work(shared: &Shared, index: usize) {
    let mut seen = 0;
    while wait(shared, seen) {
        seen += 1;
        let region = *lock(&shared.region);
        if let Some(RegionPointer(region)) = region {
            // SAFETY: `Pool::run` keeps the region alive until `pending`, decremented below, is zero.
            let region = unsafe { &*region };
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| region(index))) {
                *lock(&shared.panic) = Some(payload);
            }
        }
        shared.pending.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Waits until the generation is past `seen`; false if the pool is being dropped.
fn wait(shared: &Shared, seen: usize) -> bool {
    for _ in 0..SPINS {
        if shared.stop.load(Ordering::Relaxed) {
            return false;
        }
        if shared.generation.load(Ordering::Acquire) != seen {
            return true;
        }
        std::hint::spin_loop();
    }
    let mut guard = lock(&shared.region);
    shared.parked.fetch_add(1, Ordering::SeqCst);
    while shared.generation.load(Ordering::SeqCst) == seen && !shared.stop.load(Ordering::SeqCst) {
        guard = shared.wake.wait(guard).unwrap_or_else(PoisonError::into_inner);
    }
    shared.parked.fetch_sub(1, Ordering::SeqCst);
    drop(guard);
    !shared.stop.load(Ordering::SeqCst)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_takes_its_part_of_every_region() {
        for n_threads in 1..=4 {
            let pool = Pool::new(n_threads).expect("four threads are always there");
            let calls: Vec<AtomicUsize> = (0..n_threads).map(|_| AtomicUsize::new(0)).collect();
            for round in 0..300 {
                pool.run(&|i| {
                    calls[i].fetch_add(1, Ordering::Relaxed);
                });
                if round % 100 == 0 {
                    thread::sleep(std::time::Duration::from_millis(5)); // long enough to park
                }
            }
            assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 300), "{n_threads} threads");
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_leaves_the_pool_usable() {
        let pool = Pool::new(3).expect("three threads are always there");
        for bad in 0..3 {
            let outcome = catch_unwind(AssertUnwindSafe(|| pool.run(&|i| assert_ne!(i, bad, "thread {i}"))));
            assert!(outcome.is_err(), "thread {bad}");
            let sum = AtomicUsize::new(0);
            pool.run(&|i| {
                sum.fetch_add(i, Ordering::Relaxed);
            });
            assert_eq!(sum.load(Ordering::Relaxed), 3);
        }
    }

    #[test]
    fn callers_on_several_threads_take_turns() {
        let pool = Pool::new(2).expect("two threads are always there");
        let sum = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        pool.run(&|i| {
                            sum.fetch_add(i + 1, Ordering::Relaxed);
                        });
                    }
                });
            }
        });
        assert_eq!(sum.load(Ordering::Relaxed), 3 * 50 * 3);
    }
}
