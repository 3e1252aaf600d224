//! Lines of a cache as values of the processor, and what it offers beyond plain code.
//!
//! All `unsafe` of the engine is here. There are two reasons for it: instructions that not every
//! processor has, and a hint to fetch memory early, which reads nothing.
#![allow(clippy::inline_always)] // What runs for every packet is one piece of code, compiled for each processor.
#![allow(clippy::needless_bitwise_bool)] // A lazy operator is a branch, which would be guessed wrong.
#![allow(unsafe_code)] // Reasons and conditions above and at each block.

use super::codes::{self, CODE, CodeLines, NEVER};
use super::homes::{self, SECOND, SERVICE};
use super::listed::{LANES, OPEN};
use super::local::{ENTRIES, SLOT};
use super::rows::Line;

/// What searching does with lines.
pub(super) trait Wide: Copy {
    /// A line.
    type Row: Copy;

    /// A line as a value.
    fn row(self, line: &Line) -> Self::Row;
    /// What of `met` is in the row, given whole as base and difference.
    fn lay(self, met: Self::Row, base: &Line, difference: &Line) -> Self::Row;
    /// What of `met` may be in the row: in the base or different from it.
    fn narrow(self, met: Self::Row, base: &Line, difference: &Line) -> Self::Row;
    /// Which of the eight words are not zero.
    fn some(self, row: Self::Row) -> u32;
    /// The first of the words that a mask names.
    fn first(self, row: Self::Row, words: u32) -> u64;
    /// The value as a line.
    fn line(self, row: Self::Row) -> Line;
    /// The lanes of a block whose part is in `parts` and whose code is in both of `codes`.
    fn choose(self, parts: &Line, codes: [&CodeLines; 2], block: [&Line; 2]) -> u32;
    /// The entries of a block whose ends are in `signs`, and that want the way: see [`super::local`].
    fn between(self, signs: [&Line; 2], unwanted: u16, ends: [&Line; 2]) -> u32;
    /// The lanes that are this one.
    fn alike(self, line: &Line, lane: u16) -> u32;
    /// The entries whose other end may be in a sign, and that may want the service: see [`super::homes`].
    fn toward(self, sign: &Line, service: u16, lanes: &Line) -> u32;
    /// Asks for a line of memory that will be read soon. Any place may be named.
    fn fetch(self, lines: *const Line, at: usize);
}

/// Plain code, right everywhere.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plain;

impl Wide for Plain {
    type Row = Line;

    #[inline(always)]
    fn row(self, line: &Line) -> Line {
        *line
    }

    #[inline(always)]
    fn lay(self, met: Line, base: &Line, difference: &Line) -> Line {
        Line(std::array::from_fn(|at| met.0[at] & (base.0[at] ^ difference.0[at])))
    }

    #[inline(always)]
    fn narrow(self, met: Line, base: &Line, difference: &Line) -> Line {
        Line(std::array::from_fn(|at| met.0[at] & (base.0[at] | difference.0[at])))
    }

    #[inline(always)]
    fn some(self, row: Line) -> u32 {
        row.0.iter().rev().fold(0, |words, word| words << 1 | u32::from(*word != 0))
    }

    #[inline(always)]
    fn first(self, row: Line, words: u32) -> u64 {
        row.0[words.trailing_zeros() as usize & 7]
    }

    #[inline(always)]
    fn line(self, row: Line) -> Line {
        row
    }

    #[inline(always)]
    fn choose(self, parts: &Line, asked: [&CodeLines; 2], [lanes, tags]: [&Line; 2]) -> u32 {
        let mut chosen = 0;
        for lane in 0..LANES {
            let (part, tag) = (lanes.lane(lane), tags.lane(lane));
            // Lanes that are taken come first.
            if tag & CODE == NEVER {
                break;
            }
            let here = parts.get(part.into()) | (tag & OPEN != 0);
            let (line, bit) = codes::place(tag & CODE);
            let wanted = asked[0][line].get(bit) & asked[1][line].get(bit);
            chosen |= u32::from(here & wanted) << lane;
        }
        chosen
    }

    #[inline(always)]
    fn between(self, signs: [&Line; 2], unwanted: u16, ends: [&Line; 2]) -> u32 {
        (0..ENTRIES).fold(0, |chosen, entry| {
            let [source, destination] = ends.map(|line| line.lane(entry));
            let here = signs[0].get((source & SLOT).into())
                & signs[1].get((destination & SLOT).into())
                & (source & unwanted == 0);
            chosen | u32::from(here) << entry
        })
    }

    #[inline(always)]
    fn alike(self, line: &Line, lane: u16) -> u32 {
        (0..LANES).fold(0, |alike, at| alike | u32::from(line.lane(at) == lane) << at)
    }

    #[inline(always)]
    fn toward(self, sign: &Line, service: u16, lanes: &Line) -> u32 {
        let any = homes::mask(lanes);
        (0..homes::ENTRIES).fold(0, |chosen, entry| {
            let lane = lanes.lane(entry);
            let wanted = if any >> entry & 1 == 1 {
                sign.get((lane >> SECOND).into())
            } else {
                lane >> SERVICE == service
            };
            chosen | u32::from(sign.get((lane & SLOT).into()) & wanted) << entry
        })
    }

    #[inline(always)]
    fn fetch(self, _: *const Line, _: usize) {}
}

/// A piece of work that is inlined where it runs.
pub(super) trait Work {
    /// Does it.
    fn run(self, wide: impl Wide);
}

/// Runs code by the instructions that it stands for.
pub(super) trait Runs: Copy {
    fn run(self, work: impl Work);
}

impl Runs for Plain {
    #[inline]
    fn run(self, work: impl Work) {
        work.run(self);
    }
}

/// What the processor offers, found once.
#[derive(Clone, Copy, Debug)]
pub(super) enum Processor {
    /// Nothing that is not everywhere.
    Any,
    /// A line at a time.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Processor {
    /// All that this one can be taken for, the best last.
    pub(super) fn all() -> impl DoubleEndedIterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let more = Avx512::new().map(Self::Avx512);
        #[cfg(not(target_arch = "x86_64"))]
        let more = None;
        std::iter::once(Self::Any).chain(more)
    }

    /// The best.
    pub(super) fn best() -> Self {
        Self::all().next_back().unwrap_or(Self::Any)
    }
}

#[cfg(target_arch = "x86_64")]
use x86::Avx512;

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512i, _MM_HINT_T0, _mm_cvtsi128_si64, _mm_prefetch, _mm512_and_si512,
        _mm512_castsi512_si128, _mm512_cmpeq_epi16_mask, _mm512_load_si512,
        _mm512_maskz_compress_epi64, _mm512_permutex2var_epi16, _mm512_permutexvar_epi16,
        _mm512_set1_epi16, _mm512_sllv_epi16, _mm512_srli_epi16, _mm512_store_si512,
        _mm512_ternarylogic_epi64, _mm512_test_epi16_mask, _mm512_test_epi64_mask,
        _mm512_testn_epi16_mask,
    };

    use super::{CodeLines, ENTRIES, Line, OPEN, Runs, SECOND, SERVICE, Wide, Work, homes};

    /// All entries of a block.
    const ALL: u32 = (1 << ENTRIES) - 1;

    /// Likewise of a block at home.
    const AT_HOME: u32 = (1 << homes::ENTRIES) - 1;

    /// One instruction a line. A value of this type is proof that the processor has them.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Avx512(());

    impl Avx512 {
        /// The proof, where the processor gives it.
        pub(in super::super) fn new() -> Option<Self> {
            let all = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("bmi1")
                && is_x86_feature_detected!("bmi2")
                && is_x86_feature_detected!("lzcnt")
                && is_x86_feature_detected!("popcnt");
            all.then_some(Self(()))
        }
    }

    impl Runs for Avx512 {
        /// Runs code that may use these instructions throughout.
        #[inline]
        fn run(self, work: impl Work) {
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,bmi1,bmi2,lzcnt,popcnt")]
            fn with(work: impl Work, wide: Avx512) {
                work.run(wide);
            }
            // SAFETY: `self` exists, so the processor has all that `with` needs.
            unsafe { with(work, self) }
        }
    }

    // SAFETY of all blocks: `self` exists, so the processor has AVX-512F; `Line` is 64 bytes and
    // aligned to 64, so a reference to one may be loaded whole.
    impl Wide for Avx512 {
        type Row = __m512i;

        #[inline(always)]
        fn row(self, line: &Line) -> __m512i {
            unsafe { _mm512_load_si512(std::ptr::from_ref(line).cast()) }
        }

        #[inline(always)]
        fn lay(self, met: __m512i, base: &Line, difference: &Line) -> __m512i {
            // a & (b ^ c)
            unsafe { _mm512_ternarylogic_epi64::<0x60>(met, self.row(base), self.row(difference)) }
        }

        #[inline(always)]
        fn narrow(self, met: __m512i, base: &Line, difference: &Line) -> __m512i {
            // a & (b | c)
            unsafe { _mm512_ternarylogic_epi64::<0xe0>(met, self.row(base), self.row(difference)) }
        }

        #[inline(always)]
        fn some(self, row: __m512i) -> u32 {
            unsafe { _mm512_test_epi64_mask(row, row) }.into()
        }

        #[inline(always)]
        fn first(self, row: __m512i, words: u32) -> u64 {
            let words = (words & 0xff) as u8;
            let first = unsafe { _mm512_castsi512_si128(_mm512_maskz_compress_epi64(words, row)) };
            (unsafe { _mm_cvtsi128_si64(first) }).cast_unsigned()
        }

        #[inline(always)]
        fn line(self, row: __m512i) -> Line {
            let mut line = Line::ZERO;
            unsafe { _mm512_store_si512(std::ptr::from_mut(&mut line).cast(), row) };
            line
        }

        #[inline(always)]
        fn choose(
            self,
            parts: &Line,
            [codes, ways]: [&CodeLines; 2],
            [lanes, tags]: [&Line; 2],
        ) -> u32 {
            let (parts, lanes, tags) = (self.row(parts), self.row(lanes), self.row(tags));
            let codes = [0, 1].map(|half| (self.row(&codes[half]), self.row(&ways[half])));
            unsafe {
                // A lane names one of words of 16 bits, then one of its bits.
                let words = |lanes| _mm512_srli_epi16::<4>(lanes);
                let has_bit = |words, lanes| {
                    let bit = _mm512_and_si512(lanes, _mm512_set1_epi16(15));
                    _mm512_test_epi16_mask(words, _mm512_sllv_epi16(_mm512_set1_epi16(1), bit))
                };
                let part = has_bit(_mm512_permutexvar_epi16(words(lanes), parts), lanes);
                let codes = codes.map(|(codes, ways)| _mm512_and_si512(codes, ways));
                let code = _mm512_permutex2var_epi16(codes[0], words(tags), codes[1]);
                let open = _mm512_test_epi16_mask(tags, _mm512_set1_epi16(OPEN.cast_signed()));
                (part | open) & has_bit(code, tags)
            }
        }

        #[inline(always)]
        fn between(self, signs: [&Line; 2], unwanted: u16, ends: [&Line; 2]) -> u32 {
            let [from, to] = signs.map(|line| self.row(line));
            let [sources, destinations] = ends.map(|line| self.row(line));
            unsafe {
                // A slot names one of words of 16 bits, then one of its bits; bits above it are ignored.
                let has = |sign, lanes| {
                    let words = _mm512_permutexvar_epi16(_mm512_srli_epi16::<4>(lanes), sign);
                    let bit = _mm512_and_si512(lanes, _mm512_set1_epi16(15));
                    _mm512_test_epi16_mask(words, _mm512_sllv_epi16(_mm512_set1_epi16(1), bit))
                };
                let unwanted = _mm512_set1_epi16(unwanted.cast_signed());
                let way = _mm512_testn_epi16_mask(sources, unwanted);
                has(from, sources) & has(to, destinations) & way & ALL
            }
        }

        #[inline(always)]
        fn alike(self, line: &Line, lane: u16) -> u32 {
            let lane = unsafe { _mm512_set1_epi16(lane.cast_signed()) };
            unsafe { _mm512_cmpeq_epi16_mask(self.row(line), lane) }
        }

        #[inline(always)]
        fn toward(self, sign: &Line, service: u16, lanes: &Line) -> u32 {
            let any = homes::mask(lanes);
            let [sign, lanes] = [sign, lanes].map(|line| self.row(line));
            unsafe {
                // A slot names one of words of 16 bits, then one of its bits; bits above it are ignored.
                let has = |lanes| {
                    let words = _mm512_permutexvar_epi16(_mm512_srli_epi16::<4>(lanes), sign);
                    let bit = _mm512_and_si512(lanes, _mm512_set1_epi16(15));
                    _mm512_test_epi16_mask(words, _mm512_sllv_epi16(_mm512_set1_epi16(1), bit))
                };
                let services = _mm512_srli_epi16::<SERVICE>(lanes);
                let service = _mm512_set1_epi16(service.cast_signed());
                let wanted = _mm512_cmpeq_epi16_mask(services, service);
                let tag = has(_mm512_srli_epi16::<SECOND>(lanes));
                has(lanes) & ((any & tag) | (!any & wanted)) & AT_HOME
            }
        }

        #[inline(always)]
        fn fetch(self, lines: *const Line, at: usize) {
            let place = lines.wrapping_add(at);
            // SAFETY: a hint; it reads nothing and never faults, wherever it points.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) }
        }
    }
}
