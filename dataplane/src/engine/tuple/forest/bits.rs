//! Picking the bits that tell pieces apart.

use super::pieces::Piece;

/// The bits of `value` under `mask`, pushed together.
pub(super) fn extract(value: u64, mask: u64) -> u64 {
    let (mut left, mut found, mut at) = (mask, 0, 0);
    while left != 0 {
        found |= (value >> left.trailing_zeros() & 1) << at;
        at += 1;
        left &= left - 1;
    }
    found
}

/// Picks up to `most` bits, one after another, each the one that leaves the least to search: the
/// fewest pairs of pieces that end up together. Buckets of up to `fine` pieces count as searched.
/// Only bits of `among` are picked. Pieces that leave more than `open` of the picked bits open are
/// left out of account.
pub(super) fn pick(pieces: &[Piece], among: u64, most: u32, fine: usize, open: u32) -> u64 {
    let mut buckets: Vec<Vec<(u32, u32)>> =
        vec![(0..pieces.len() as u32).map(|at| (at, 0)).collect()];
    let mut mask = 0_u64;
    for _ in 0..most {
        buckets.retain(|bucket| bucket.len() > fine);
        if buckets.is_empty() {
            break;
        }
        let now: u64 = buckets.iter().map(|bucket| (bucket.len() as u64).pow(2)).sum();
        let mut costs = [0_u64; 64];
        for bucket in &buckets {
            let (mut cared, mut ones) = ([0_u32; 64], [0_u32; 64]);
            for &(at, _) in bucket {
                let piece = &pieces[at as usize];
                for bit in 0..64 {
                    cared[bit] += (piece.care >> bit & 1) as u32;
                    ones[bit] += (piece.value >> bit & 1) as u32;
                }
            }
            let all = bucket.len() as u32;
            for bit in 0..64 {
                let (one, zero) = (all - cared[bit] + ones[bit], all - ones[bit]);
                costs[bit] += u64::from(one).pow(2) + u64::from(zero).pow(2);
            }
        }
        let left = (0..64).filter(|bit| (among & !mask) >> bit & 1 == 1);
        let Some(best) = left.min_by_key(|bit| costs[*bit]) else {
            break;
        };
        if costs[best] * 20 >= now * 19 {
            break;
        }
        mask |= 1 << best;
        let mut next = Vec::with_capacity(buckets.len() * 2);
        for bucket in &buckets {
            let (mut zeros, mut ones) = (Vec::new(), Vec::new());
            for &(at, opened) in bucket {
                let piece = &pieces[at as usize];
                if piece.care >> best & 1 == 0 {
                    if opened < open {
                        zeros.push((at, opened + 1));
                        ones.push((at, opened + 1));
                    }
                } else if piece.value >> best & 1 == 0 {
                    zeros.push((at, opened));
                } else {
                    ones.push((at, opened));
                }
            }
            next.extend([zeros, ones]);
        }
        buckets = next;
    }
    mask
}

/// Pieces by the value of the picked bits: `counts[v]..counts[v + 1]` of `places` are the pieces that
/// hold value `v`, in the order they were given.
pub(super) struct Spread {
    ends: Vec<u32>,
    places: Vec<u32>,
}

impl Spread {
    pub(super) fn new(pieces: &[Piece], mask: u64, extract: impl Fn(u64, u64) -> u64) -> Self {
        let mut ends = vec![0_u32; (1 << mask.count_ones()) + 1];
        let each = |piece: &Piece, visit: &mut dyn FnMut(usize)| {
            let (value, open) = (extract(piece.value, mask), extract(!piece.care, mask));
            // All subsets of the open bits, from none to all.
            let mut some = 0_u64;
            loop {
                visit((value | some) as usize);
                some = some.wrapping_sub(open) & open;
                if some == 0 {
                    break;
                }
            }
        };
        for piece in pieces {
            each(piece, &mut |value| ends[value + 1] += 1);
        }
        for at in 1..ends.len() {
            ends[at] += ends[at - 1];
        }
        let mut places = vec![0; *ends.last().unwrap_or(&0) as usize];
        let mut next = ends.clone();
        for (at, piece) in (0..).zip(pieces) {
            each(piece, &mut |value| {
                places[next[value] as usize] = at;
                next[value] += 1;
            });
        }
        Self { ends, places }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u32]> {
        self.ends.windows(2).map(|ends| &self.places[ends[0] as usize..ends[1] as usize])
    }
}
