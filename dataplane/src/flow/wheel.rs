//! Which flow's time is up, without looking at the others.
//!
//! A hierarchical timing wheel (Varghese and Lauck, 1987) of sixteen levels of sixteen buckets: a
//! moment lies in the level of the highest hexadecimal digit in which it differs from the wheel's
//! own, in the bucket of that digit. So it is exact to the millisecond and reaches to the end of
//! time. When the wheel's moment comes to a bucket, its timers move to lower levels: each timer is
//! touched at most once for each level that it comes down, six times within twelve hours.
//!
//! A timer that is put off stays where it is until its bucket's time comes, so a packet of an
//! established flow does not touch the wheel.

use super::paged::Paged;

/// Buckets of a level, one for each value of a digit.
const DIGITS: u32 = 16;
const DIGIT_BITS: u32 = DIGITS.trailing_zeros();
const LEVELS: usize = (u64::BITS / DIGIT_BITS) as usize;
const BUCKETS: usize = LEVELS * DIGITS as usize;

/// No timer.
const NONE: u32 = u32::MAX;
/// Marks a link back that names the bucket, as that of a bucket's first timer does.
const FIRST: u32 = 1 << 31;

/// A timer's neighbours in its bucket.
#[derive(Clone, Copy, Debug)]
struct Link {
    next: u32,
    /// The timer before, or [`FIRST`] and the bucket's number.
    back: u32,
}

/// The timers of slots 0, 1, 2 and so on.
#[derive(Clone, Debug, Default)]
pub(super) struct Wheel {
    links: Paged<Link>,
    /// The first timer of each bucket; empty until there is one, for most vNICs have no flow.
    firsts: Vec<u32>,
    /// Which buckets of a level hold timers.
    occupied: [u16; LEVELS],
    /// No timer is due before this moment.
    moment: u64,
}

impl Wheel {
    /// Gives the next slot a timer.
    pub(super) fn push(&mut self, at: u64) {
        let slot = self.links.len();
        self.links.push(Link { next: NONE, back: NONE });
        self.link(slot, at);
    }

    /// Sets a slot's timer to another moment. One that is put off need not be told.
    pub(super) fn set(&mut self, slot: u32, at: u64) {
        self.unlink(slot);
        self.link(slot, at);
    }

    /// Takes a slot's timer away. The last slot gets this one's number.
    pub(super) fn swap_remove(&mut self, slot: u32) {
        self.unlink(slot);
        let last = self.links.len().saturating_sub(1);
        if slot != last
            && let Some(&moved) = self.links.get(last)
        {
            self.set_next(moved.back, slot);
            self.set_back(moved.next, slot);
        }
        self.links.swap_remove(slot);
    }

    /// A slot whose timer has run down; `deadline` tells when each does. The slot keeps its timer.
    pub(super) fn due(&mut self, now: u64, deadline: impl Fn(u32) -> u64) -> Option<u32> {
        loop {
            let (bucket, begins) = self.next_bucket()?;
            if begins > now {
                return None;
            }
            self.moment = begins;
            if bucket < DIGITS as usize {
                let first = self.first(bucket)?;
                let at = deadline(first);
                if at <= now {
                    return Some(first);
                }
                // Put off since.
                self.set(first, at);
            } else {
                while let Some(first) = self.first(bucket) {
                    self.set(first, deadline(first));
                }
            }
        }
    }

    fn first(&self, bucket: usize) -> Option<u32> {
        self.firsts.get(bucket).copied().filter(|first| *first != NONE)
    }

    /// The bucket whose timers come first, and when its time comes. Every timer of a level comes
    /// before every one of a higher level.
    fn next_bucket(&self) -> Option<(usize, u64)> {
        let (level, digits) = self.occupied.iter().enumerate().find(|(_, digits)| **digits != 0)?;
        let digit = digits.trailing_zeros();
        let shift = u32::try_from(level).ok()? * DIGIT_BITS;
        let above = self.moment.checked_shr(shift + DIGIT_BITS).unwrap_or(0);
        let digits_above = above.checked_shl(shift + DIGIT_BITS).unwrap_or(0);
        let begins = digits_above | u64::from(digit) << shift;
        Some((level * DIGITS as usize + digit as usize, begins))
    }

    /// The bucket of a moment as seen from the wheel's.
    fn bucket(&self, at: u64) -> usize {
        // What is past is due at once.
        let at = at.max(self.moment);
        let differ = (at ^ self.moment) | 1;
        let level = differ.ilog2() / DIGIT_BITS;
        let digit = at >> (level * DIGIT_BITS) & u64::from(DIGITS - 1);
        level as usize * DIGITS as usize + usize::try_from(digit).unwrap_or(0)
    }

    fn link(&mut self, slot: u32, at: u64) {
        if self.firsts.is_empty() {
            self.firsts = vec![NONE; BUCKETS];
        }
        let bucket = self.bucket(at);
        let Some(first) = self.firsts.get_mut(bucket) else { return };
        let next = std::mem::replace(first, slot);
        let back = FIRST | u32::try_from(bucket).unwrap_or(0);
        if let Some(link) = self.links.get_mut(slot) {
            *link = Link { next, back };
        }
        self.set_back(next, slot);
        self.mark(bucket, true);
    }

    fn unlink(&mut self, slot: u32) {
        let Some(&Link { next, back }) = self.links.get(slot) else { return };
        self.set_next(back, next);
        self.set_back(next, back);
        if next == NONE && back & FIRST != 0 {
            self.mark((back & !FIRST) as usize, false);
        }
    }

    /// Makes what stands before a timer, a timer or a bucket, point to another one.
    fn set_next(&mut self, back: u32, slot: u32) {
        if back & FIRST == 0 {
            if let Some(link) = self.links.get_mut(back) {
                link.next = slot;
            }
        } else if let Some(first) = self.firsts.get_mut((back & !FIRST) as usize) {
            *first = slot;
        }
    }

    fn set_back(&mut self, next: u32, back: u32) {
        if let Some(link) = self.links.get_mut(next) {
            link.back = back;
        }
    }

    fn mark(&mut self, bucket: usize, occupied: bool) {
        let (level, digit) = (bucket / DIGITS as usize, bucket % DIGITS as usize);
        if let Some(digits) = self.occupied.get_mut(level) {
            *digits = if occupied { *digits | 1 << digit } else { *digits & !(1 << digit) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes out all that is due, by moment.
    fn take(wheel: &mut Wheel, deadlines: &mut Vec<u64>, now: u64) -> Vec<u64> {
        let mut taken = Vec::new();
        while let Some(slot) = wheel.due(now, |slot| deadlines[slot as usize]) {
            wheel.swap_remove(slot);
            taken.push(deadlines.swap_remove(slot as usize));
        }
        taken.sort_unstable();
        taken
    }

    #[test]
    fn timers_run_down_to_the_millisecond_however_far_they_are() {
        let far = [0, 1, 15, 16, 17, 255, 256, 65_535, 43_200_000, 1 << 40, u64::MAX - 1, u64::MAX];
        let (mut wheel, mut deadlines) = (Wheel::default(), far.to_vec());
        for at in far {
            wheel.push(at);
        }
        for at in far {
            if let Some(before) = at.checked_sub(1) {
                assert_eq!(take(&mut wheel, &mut deadlines, before), [] as [u64; 0], "before {at}");
            }
            assert_eq!(take(&mut wheel, &mut deadlines, at), [at]);
        }
    }

    #[test]
    fn a_clock_that_goes_back_loses_no_timer() {
        let (mut wheel, mut deadlines) = (Wheel::default(), vec![5_000, 100]);
        wheel.push(5_000);
        assert_eq!(wheel.due(4_999, |_| 5_000), None);
        wheel.push(100);
        assert_eq!(take(&mut wheel, &mut deadlines, 4_999), [100]);
        assert_eq!(take(&mut wheel, &mut deadlines, 5_000), [5_000]);
    }

    #[test]
    fn random_timers_agree_with_a_plain_list() {
        let mut state = 7_u64;
        let mut random = move |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut wheel, mut deadlines, mut now) = (Wheel::default(), Vec::new(), 0);
        for _ in 0..20_000 {
            let (far, step) = (1 << random(20), 1 << random(16));
            let at = now + random(far);
            match random(4) {
                0 | 1 => {
                    wheel.push(at);
                    deadlines.push(at);
                }
                2 if !deadlines.is_empty() => {
                    let slot = u32::try_from(random(deadlines.len() as u64)).unwrap();
                    let deadline = &mut deadlines[slot as usize];
                    if std::mem::replace(deadline, at) > at {
                        wheel.set(slot, at);
                    }
                }
                _ => {
                    now += random(step);
                    let mut expected: Vec<u64> =
                        deadlines.iter().copied().filter(|at| *at <= now).collect();
                    expected.sort_unstable();
                    assert_eq!(take(&mut wheel, &mut deadlines, now), expected);
                }
            }
        }
    }
}
