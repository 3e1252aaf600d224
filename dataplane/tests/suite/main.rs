//! The crate from outside: cases as text for every engine, whole conversations, and properties
//! that hold the plane against a model too simple to be wrong.
#![cfg(test)]

mod at_size;
mod cases;
mod classify;
mod conversations;
mod counting;
mod edits;
mod filters;
mod frames;
mod fuzzed;
mod judging;
mod live;
mod model;
mod publishing;
mod revalidation;
mod strategies;
mod text;
mod worlds;
